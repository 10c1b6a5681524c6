"""The schedule of check-ins: how often, during which hours, and when the next one is due. Pure.

All moments are aware. Hours are local: a day on which the clocks change has an hour more or less, and hours
may cross midnight.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final

MIN_INTERVAL: Final = timedelta(minutes=15)
MAX_INTERVAL: Final = timedelta(hours=24)
# An overdue check-in waits until the first pages after an unlock are open.
AFTER_UNLOCK: Final = timedelta(minutes=1)
# The clock never changes by more; an hour that begins twice or not at all is found within two days.
_LOOKAHEAD_DAYS: Final = 2


@dataclass(frozen=True, kw_only=True)
class Hours:
    """Hours of the day, from `start` up to `end`; the whole day if they are equal.

    Raise ValueError for a time with a time zone.
    """

    start: time = time(8)
    end: time = time(22)

    def __post_init__(self) -> None:
        if self.start.tzinfo is not None or self.end.tzinfo is not None:
            raise ValueError("Hours are those of the clock, without a zone.")

    def contain(self, moment: datetime, *, zone: tzinfo) -> bool:
        """Return whether a moment, in a time zone, is within these hours."""
        clock = moment.astimezone(zone).time()
        if self.start == self.end:
            return True
        if self.start < self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end

    def find_next(self, moment: datetime, *, zone: tzinfo) -> datetime:
        """Return `moment` if it is within these hours, or else the next time at which these hours begin."""
        if self.contain(moment, zone=zone):
            return moment
        day = moment.astimezone(zone).date()
        for number in range(_LOOKAHEAD_DAYS + 1):
            begun = datetime.combine(day + timedelta(days=number), self.start, tzinfo=zone).astimezone(UTC)
            # In the hour that the clock leaves out, the moment is the one after it.
            if begun > moment:
                return begun
        raise AssertionError("Hours begin on each day.")


def compute_next(
    *,
    latest: datetime | None,
    switched_on: datetime,
    unlocked: datetime,
    interval: timedelta,
    hours: Hours,
    zone: tzinfo,
) -> datetime:
    """Return when the next check-in is due.

    latest        when the latest check-in that was not started by hand was due, or None
    switched_on   when check-ins were switched on or changed
    unlocked      when the diary was unlocked; if check-ins were due before, one is made a minute later
    """
    since = switched_on if latest is None else max(latest, switched_on)
    return hours.find_next(max(since + interval, unlocked + AFTER_UNLOCK), zone=zone)
