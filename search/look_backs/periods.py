"""Periods of a look-back: a week or a month, and its neighbours. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, Self

from diary import days

Span = Literal["week", "month"]
_WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class Period:
    """A week or a month, by its first day; a week may begin on any weekday."""

    span: Span
    first: date

    @classmethod
    def create_week(cls, day: date, *, week_start: int) -> Self:
        """Return the week of a day; `week_start` is the weekday it begins with, 0 for Monday.

        The earliest possible week (with `date.min`) may begin later.
        """
        back = (day.weekday() - week_start) % _WEEK_DAYS
        return cls("week", date.fromordinal(max(day.toordinal() - back, date.min.toordinal())))

    @classmethod
    def create_month(cls, day: date) -> Self:
        """Return the month of a day."""
        return cls("month", day.replace(day=1))

    @property
    def is_month(self) -> bool:
        """Whether the period is a month."""
        return self.span == "month"

    @property
    def last(self) -> date:
        """The last day of the period. A week that would end after `date.max` ends on `date.max`."""
        if self.is_month:
            return days.month_bounds(self.first)[1]
        return date.fromordinal(min(self.first.toordinal() + _WEEK_DAYS - 1, date.max.toordinal()))

    @property
    def before(self) -> "Period | None":
        """The previous week or month, or None if the period begins on `date.min`."""
        day = days.day_before(self.first)
        if day is None:
            return None
        return (
            Period.create_month(day) if self.is_month else Period.create_week(day, week_start=self._weekday)
        )

    @property
    def after(self) -> "Period | None":
        """The next week or month, or None if the period ends on `date.max`."""
        day = days.day_after(self.last, until=date.max)
        if day is None:
            return None
        return Period("month", day) if self.is_month else Period("week", day)

    @property
    def _weekday(self) -> int:
        # Also of the first of all weeks, which may be shorter.
        return (self.last + timedelta(days=1)).weekday() if self.last < date.max else self.first.weekday()

    def iter_weeks(self, *, week_start: int) -> Iterator["Period"]:
        """Yield the weeks that overlap the period."""
        week: Period | None = Period.create_week(self.first, week_start=week_start)
        while week is not None and week.first <= self.last:
            yield week
            week = week.after
