"""Expressions relative to another one: a weekday before a holiday, the rest of a week."""

from dataclasses import dataclass
from datetime import date, timedelta

from llamora.dates import calendar_days as days
from llamora.dates.expressions import (
    DateContext,
    Expression,
    NthIn,
    Offset,
    RelativeUnit,
    make_day,
    make_span,
    require_days,
    resolve_single_day,
    resolve_span,
)
from llamora.dates.values import UnresolvableDateError, When


@dataclass(frozen=True, slots=True)
class WeekdayNear:
    """The nth weekday before or after a day, such as "the Friday before Easter"."""

    weekday: int
    base: Expression
    sign: int
    number: int = 1

    def resolve(self, context: DateContext) -> When:
        """Return the nth occurrence of a weekday before or after a day, as in "the Friday before Easter"."""
        first = resolve_single_day(self.base, context)
        if not 1 <= self.number <= 60:
            raise UnresolvableDateError
        near = days.next_weekday if self.sign > 0 else days.last_weekday
        return make_day(near(first, self.weekday) + timedelta(days=7 * self.sign * (self.number - 1)))


@dataclass(frozen=True, slots=True)
class WeekendNear:
    """The weekend before or after a day."""

    base: Expression
    sign: int

    def resolve(self, context: DateContext) -> When:
        """Return the Saturday and Sunday before or after a given day or span of days."""
        first, last = require_days(self.base.resolve(context))
        saturday = days.next_weekday(last, 5) if self.sign > 0 else days.last_weekday(first, 6)
        saturday -= timedelta(days=0 if self.sign > 0 else 1)
        return make_span((saturday, saturday + timedelta(days=1)), "weekend")


@dataclass(frozen=True, slots=True)
class SameDayIn:
    """The day of the anchor in another week, month or year, such as "this day last year"."""

    unit: RelativeUnit

    def resolve(self, context: DateContext) -> When:
        """Return the day that is some weeks, months or years before or after `context.today`."""
        amounts = ((float(abs(self.unit.relation)), self.unit.unit),)
        return make_day(
            require_days(Offset(amounts, -1 if self.unit.relation < 0 else 1).resolve(context))[0]
        )


@dataclass(frozen=True, slots=True)
class FirstOrLastUnits:
    """Several units at the beginning or end of a span, such as "the first three days of May"."""

    number: int
    unit: str
    within: Expression
    is_last: bool = False

    def resolve(self, context: DateContext) -> When:
        """Return some units at the beginning or end of a span. Raise if the span is too short."""
        outer, first, last = resolve_span(self.within, context)
        if outer.precision == "season":
            raise UnresolvableDateError
        if self.unit in ("day", "week"):
            length = timedelta(days=self.number * (7 if self.unit == "week" else 1) - 1)
            found = (last - length, last) if self.is_last else (first, first + length)
        else:
            one = -1 if self.is_last else 1
            ends = [
                require_days(NthIn(number, self.unit, self.within).resolve(context))
                for number in (one, one * self.number)
            ]
            found = (min(ends)[0], max(ends)[1])
        if not first <= found[0] <= found[1] <= last:
            raise UnresolvableDateError
        return make_span(found, self.unit)


@dataclass(frozen=True, slots=True)
class PartUntilToday:
    """A span's days up to today, such as "the year to date". Today is the day to count from."""

    within: Expression

    def resolve(self, context: DateContext) -> When:
        """Return the days from the beginning of a span to `context.today`, as in "the year to date"."""
        first, _ = _require_around(self.within, context)
        return make_span((first, context.today), "day")


@dataclass(frozen=True, slots=True)
class RestOfSpan:
    """A span's days from today on, such as "the rest of the week". Today is the day to count from."""

    within: Expression

    def resolve(self, context: DateContext) -> When:
        """Return the days from `context.today` to the end of a span, as in "the rest of the week"."""
        _, last = _require_around(self.within, context)
        return make_span((context.today, last), "day")


def _require_around(within: Expression, context: DateContext) -> tuple[date, date]:
    first, last = require_days(within.resolve(context))
    if not first <= context.today <= last:
        raise UnresolvableDateError
    return first, last
