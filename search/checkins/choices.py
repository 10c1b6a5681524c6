"""A person's settings of check-ins, sealed, so that nobody can change them without the person's keys.

    {"is_on", "is_paused", "interval_minutes", "from", "until", "changed_at"}

If they are missing or damaged, there are no check-ins. An older row restored in the database is still valid.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from llamora.database import CachedQuery, write_transaction
from search.checkins.schedule import MAX_INTERVAL, MIN_INTERVAL, Hours
from search.models import CheckInSettings

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class CheckInChoices:
    """A person's settings of check-ins: whether check-ins run, how often, and at which hours.

    `changed_at` is when the person last changed these settings.
    """

    is_on: bool = False
    is_paused: bool = False
    interval: timedelta = timedelta(hours=2)
    hours: Hours = field(default_factory=Hours)
    changed_at: datetime = _EARLIEST

    @property
    def runs(self) -> bool:
        """Whether check-ins are made on schedule."""
        return self.is_on and not self.is_paused

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> "CheckInChoices":
        """Return the settings from JSON; raise ValueError, KeyError or TypeError if damaged."""
        interval = timedelta(minutes=int(body["interval_minutes"]))
        if not MIN_INTERVAL <= interval <= MAX_INTERVAL:
            raise ValueError("This interval can't be chosen.")
        return cls(
            is_on=body["is_on"] is True,
            is_paused=body["is_paused"] is True,
            interval=interval,
            hours=Hours(start=time.fromisoformat(body["from"]), end=time.fromisoformat(body["until"])),
            changed_at=datetime.fromisoformat(body["changed_at"]),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON."""
        return {
            "is_on": self.is_on,
            "is_paused": self.is_paused,
            "interval_minutes": self.interval // timedelta(minutes=1),
            "from": self.hours.start.isoformat("minutes"),
            "until": self.hours.end.isoformat("minutes"),
            "changed_at": self.changed_at.isoformat(),
        }


_query: CachedQuery[CheckInSettings] = CachedQuery(
    lambda owner_id: CheckInSettings.objects.filter(owner_id=owner_id)
)


def load_choices(owner_id: UUID) -> CheckInChoices:
    """Return a person's settings of check-ins. The person's keyring must be in force."""
    row = next(iter(_query(owner_id=owner_id)), None)
    body = row.open_or("body", None) if row is not None else None
    try:
        return CheckInChoices.from_json(body) if body is not None else CheckInChoices()
    except (KeyError, TypeError, ValueError):
        return CheckInChoices()


def save_choices(owner_id: UUID, choices: CheckInChoices) -> None:
    """Save a person's settings of check-ins. The person's keyring must be in force."""
    with write_transaction():
        row = CheckInSettings.objects.filter(owner_id=owner_id).first()
        if row is None:
            row = CheckInSettings(owner_id=owner_id)
        row.body = choices.to_json()
        row.save()
