"""The record of passed time, in a table of one row."""

from typing import ClassVar

from django.db import models

from llamora.clock.passed_time import PassedTime

ONLY_ROW = 1


class ClockRecordManager(models.Manager["ClockRecord"]):
    """Reading and writing of the one row."""

    def find_passed_time(self) -> PassedTime | None:
        """Return what was known at the last observation; None if there was none, or the row is damaged."""
        try:
            evidence = self.filter(id=ONLY_ROW).values_list("evidence", flat=True).first()
            return None if evidence is None else PassedTime.from_json(evidence)
        except (TypeError, ValueError, KeyError, AttributeError):
            # As if the household were new: nothing is deleted for its age until more was observed.
            return None

    def write_passed_time(self, found: PassedTime) -> None:
        """Write what is known now."""
        self.update_or_create(id=ONLY_ROW, defaults={"evidence": found.to_json()})


class ClockRecord(models.Model):
    """The evidence of `llamora.clock.passed_time`, as it was at the last observation.

    It holds no moment of a person, and is in no app of theirs: every app takes its cut-offs from it.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY_ROW)
    evidence = models.JSONField()

    objects: ClassVar[ClockRecordManager] = ClockRecordManager()

    def __str__(self) -> str:
        return "Clock record"
