"""Values of time expressions: `When` is a resolved time, `DateMention` a time that was found in a text.

`Direction` says whether a name such as `Tuesday` means the last one or the next.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import IntEnum
from typing import Literal

Kind = Literal["instant", "day", "span", "recurrence", "duration"]


class Direction(IntEnum):
    """The direction in which a name like `Tuesday` is resolved: to the last one or to the next."""

    PAST = -1
    NONE = 0
    FUTURE = 1


class UnresolvableDateError(Exception):
    """Raised for an expression that has no value, such as 30 February, or more than one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A resolved time expression; its `kind` decides which fields are set.

    instant     `start` and `end` are the same aware datetime
    day         `start` and `end` are the same date; `precision` is the unit in which it was counted
    span        `start` and `end` are dates, both included, or aware datetimes; `part` names a part of a day
    recurrence  `rule` in English (`weekly on monday`); `start` and `end` are times of day, if there are any
    duration    `amount` and `unit`
    """

    kind: Kind
    start: date | datetime | time | None = None
    end: date | datetime | time | None = None
    precision: str = ""
    zone: str = ""
    rule: str = ""
    part: str = ""
    amount: float | None = None
    unit: str = ""
    is_approximate: bool = False

    @property
    def days(self) -> tuple[date, date] | None:
        """The first and the last day; None for a recurrence or a duration."""
        first, last = _get_day(self.start), _get_day(self.end if self.end is not None else self.start)
        return (first, last) if first and last else None


def _get_day(value: date | datetime | time | None) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DateMention:
    """A time expression in a text: its offsets in characters, and its value."""

    start: int
    end: int
    text: str
    when: When
    language: str
