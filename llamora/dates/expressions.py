"""Classes of time expressions, unresolved, each with the arithmetic that resolves it.

The parser builds an expression without a calendar (for example "the nearest Tuesday before the anchor"), so
that dates, times and ranges can be combined first. `resolve` then computes its value for an anchor, the
moment that it is relative to.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Protocol

from llamora.dates import calendar_days as days
from llamora.dates.holidays import WEEKDAYS, find_holiday
from llamora.dates.values import Direction, UnresolvableDateError, When

SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "winter": 12}
# Hours of the parts of a day; those of a night and an evening that reach into the next day are above 24.
PARTS = {"morning": (6, 12), "noon": (12, 14), "afternoon": (12, 18), "evening": (18, 24), "night": (22, 30)}
_ORDINALS = ("", "first", "second", "third", "fourth", "fifth")
_MONTHS_IN = {"month": 1, "quarter": 3, "year": 12, "decade": 120, "century": 1200}
_DAYS_IN = {"day": 1, "week": 7, "fortnight": 14, "weekend": 7, "night": 1}
_SECONDS_IN = {"second": 1, "minute": 60, "hour": 3600}
# A year written with two digits lies at most this far ahead.
_AHEAD = 20


@dataclass(frozen=True, slots=True)
class DateContext:
    """The anchor (the moment to count from), and the direction in which names like "Tuesday" are resolved."""

    now: datetime
    direction: Direction

    @property
    def today(self) -> date:
        """The date of the moment from which relative dates such as "tomorrow" are counted."""
        return self.now.date()

    def at(self, day: date, seconds: int, zone: tzinfo | None = None) -> datetime:
        """Return the moment of a time of day on a day; 24 hours and more fall on the next day."""
        more, seconds = divmod(seconds, 86400)
        clock = time(seconds // 3600, seconds // 60 % 60, seconds % 60)
        return datetime.combine(day + timedelta(days=more), clock, tzinfo=zone or self.now.tzinfo)

    def name_zone(self, moment: datetime) -> str:
        """Return the UTC offset of a moment, as ISO 8601 writes it."""
        return moment.isoformat()[-6:] if moment.utcoffset() is not None else ""

    def choose(self, years: Callable[[int], days.Days | None]) -> days.Days:
        """Choose the year of an annual event, and return the first and last day of the event in that year.

        If there is no direction, it is the year of the anchor. Otherwise it is the year of the last or the
        next event.

        `years` returns the days of the event in a year.
        """
        year = self.today.year
        if self.direction is Direction.NONE:
            nearest: days.Days = require(years(year))
            return nearest
        step = int(self.direction)
        # Leap days are up to eight years apart.
        for distance in range(-1, 10):
            found = years(year + step * distance) if 1 < year + step * distance < 9998 else None
            if found and (found[0] <= self.today if step < 0 else found[1] >= self.today):
                return found
        raise UnresolvableDateError

    def choose_related(self, relation: int, years: Callable[[int], days.Days | None]) -> days.Days:
        """Return the days of an annual event: the next for `relation` 1, the last for -1, this year's for 0.

        For 2, return the second next.
        """
        if relation == 0:
            same: days.Days = require(years(self.today.year))
            return same
        step = 1 if relation > 0 else -1
        left = abs(relation)
        for distance in range(-1, 24):
            found = years(self.today.year + step * distance)
            if found and (found[1] < self.today if step < 0 else found[0] > self.today):
                left -= 1
                if not left:
                    return found
        raise UnresolvableDateError


def require(found: Any) -> Any:
    """Return a value; raise UnresolvableDateError if it is None."""
    if found is None:
        raise UnresolvableDateError
    return found


class Expression(Protocol):
    """Base class of time expressions, which are resolved with an anchor, the moment to count from."""

    def resolve(self, context: DateContext) -> When:
        """Return the value; raise UnresolvableDateError, ValueError or OverflowError if there is none."""
        ...


def make_day(day: date, precision: str = "day") -> When:
    """Return a day as the value of an expression."""
    return When(kind="day", start=day, end=day, precision=precision)


def make_span(found: days.Days, precision: str) -> When:
    """Return a span of days as the value of an expression."""
    return When(kind="span", start=found[0], end=found[1], precision=precision)


def require_days(when: When) -> days.Days:
    """Return the first and last day of a value; raise UnresolvableDateError if it has none."""
    found: days.Days = require(when.days)
    return found


def resolve_single_day(expression: Expression, context: DateContext) -> date:
    """Return the day that an expression means; raise UnresolvableDateError if it means several."""
    first, last = require_days(expression.resolve(context))
    if first != last:
        raise UnresolvableDateError
    return first


def resolve_span(expression: Expression, context: DateContext) -> tuple[When, date, date]:
    """Return the span that an expression means, with its first and last day."""
    outer = expression.resolve(context)
    first, last = require_days(outer)
    if first == last or outer.kind != "span":
        raise UnresolvableDateError
    return outer, first, last


def complete_year(year: int | None, context: DateContext, *, is_short: bool = False) -> int | None:
    """Return a year of two digits with its century."""
    if year is None or not is_short or year > 99:
        return year
    latest = context.today.year + _AHEAD
    return latest - (latest - year) % 100


def find_in_year(yearly: Any, context: DateContext) -> days.Days:
    """Return the days of the annual event `yearly`, in the year that it names or that the context implies."""
    year = complete_year(yearly.year, context, is_short=getattr(yearly, "is_short", True))
    if yearly.year_relation is not None:
        year = context.today.year + yearly.year_relation
    if year is not None:
        found: days.Days = require(yearly.resolve_in_year(year))
        return found
    if yearly.relation is not None:
        return context.choose_related(yearly.relation, yearly.resolve_in_year)
    return context.choose(yearly.resolve_in_year)


# --- Days -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RelativeDay:
    """A day counted from the anchor (the moment to count from), such as "yesterday"."""

    distance: int
    weekday: int | None = None

    def resolve(self, context: DateContext) -> When:
        """Return the day that is `distance` days after `context.today`.

        Raise UnresolvableDateError if it is not the named weekday.
        """
        day = context.today + timedelta(days=self.distance)
        if self.weekday not in (None, day.weekday()):
            raise UnresolvableDateError
        return make_day(day)


@dataclass(frozen=True, slots=True)
class Now:
    """The word "now": the moment from which expressions count (the anchor)."""

    def resolve(self, context: DateContext) -> When:
        """Return the moment `context.now`, from which relative times are counted."""
        return make_instant(context, context.now, "second")


@dataclass(frozen=True, slots=True)
class NamedWeekday:
    """A weekday, such as "Monday" or "next Monday".

    `week` is -1 in "Monday of last week", and `later` is 7 in "Monday week".
    """

    weekday: int
    relation: int | None = None
    week: int | None = None
    later: int = 0

    def resolve(self, context: DateContext) -> When:
        """Return the date that a weekday such as "next Monday" means.

        Without a word such as "next", the direction (past or future) decides.
        """
        today, relation = context.today, self.relation
        if self.week is not None or relation == 0:
            monday = days.week_days(today)[0] + timedelta(days=7 * (self.week or 0))
            return make_day(monday + timedelta(days=self.weekday))
        if relation is None:
            relation = -1 if context.direction is Direction.PAST else 1
        found = (days.next_weekday if relation > 0 else days.last_weekday)(today, self.weekday)
        more = 7 * (abs(relation) - 1) * (1 if relation > 0 else -1)
        return make_day(found + timedelta(days=more + self.later))


@dataclass(frozen=True, slots=True)
class MonthDay:
    """A day of a month, such as "5 May", "5 May 2020", "Tuesday 5 May" or "5 May last year"."""

    month: int
    day: int
    year: int | None = None
    is_short: bool = False
    weekday: int | None = None
    relation: int | None = None
    year_relation: int | None = None

    def resolve_in_year(self, year: int) -> days.Days | None:
        """Return the first and last day of a date such as "5 May" in the year `year`: the same day twice.

        Return None if the year has no such day, or if the day is not on the named weekday.
        """
        if self.day > days.month_days(year, self.month)[1].day:
            return None
        found = date(year, self.month, self.day)
        return (found, found) if self.weekday in (None, found.weekday()) else None

    def resolve(self, context: DateContext) -> When:
        """Return the date that a text such as "5 May" means, in the year that is named or implied.

        Raise UnresolvableDateError if it is not on the named weekday.
        """
        is_bare = self.year is None and self.year_relation is None and self.relation is None
        if (
            is_bare
            and self.weekday is not None
            and context.direction is Direction.NONE
            and not self.resolve_in_year(context.today.year)
        ):
            return make_day(_nearest(context, self.resolve_in_year))
        return make_day(find_in_year(self, context)[0])


def _nearest(context: DateContext, years: Callable[[int], days.Days | None]) -> date:
    year = context.today.year
    found = [pair[0] for pair in (years(year + distance) for distance in range(-1, 2)) if pair]
    if not found:
        raise UnresolvableDateError
    return min(found, key=lambda day: abs(day - context.today))


@dataclass(frozen=True, slots=True)
class DayOfMonth:
    """A day without its month, such as "the 5th" or "Friday the 13th"."""

    day: int
    weekday: int | None = None

    def resolve(self, context: DateContext) -> When:
        """Return the date of "the 5th", in this month or in the nearest past or future month."""
        if not 1 <= self.day <= 31:
            raise UnresolvableDateError
        first = context.today.replace(day=1)
        for distance in (0, 1, -1, 2, -2, *range(3, 14), *range(-3, -14, -1)):
            month = days.add_months(first, distance)
            if self.day > days.month_days(month.year, month.month)[1].day:
                if distance == 0 and self.weekday is None and context.direction is Direction.NONE:
                    raise UnresolvableDateError
                continue
            found = month.replace(day=self.day)
            if (self.weekday in (None, found.weekday())) and (
                found - context.today
            ).days * context.direction >= 0:
                return make_day(found)
        raise UnresolvableDateError


@dataclass(frozen=True, slots=True)
class Holiday:
    """A holiday and the rule for its date (see `holidays`), such as `12-25`, `easter+39` or `11-thu-4`."""

    rule: str
    year: int | None = None
    relation: int | None = None
    year_relation: int | None = None

    def resolve_in_year(self, year: int) -> days.Days | None:
        """Return the first and last day of a holiday in the year `year`: the same day twice.

        Return None if the holiday is not in that year.
        """
        found = find_holiday(self.rule, year)
        return (found, found) if found else None

    def resolve(self, context: DateContext) -> When:
        """Return the date of a named holiday, in the year that is named or implied."""
        return make_day(find_in_year(self, context)[0])


# --- Spans ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RelativeUnit:
    """A calendar unit before or after the one that contains the anchor, such as "last week"."""

    unit: str
    relation: int

    def resolve(self, context: DateContext) -> When:
        """Return the calendar unit that an expression such as "last week" or "next month" means."""
        today, unit, relation = context.today, self.unit, self.relation
        if unit in ("day", "night"):
            when = make_day(today + timedelta(days=relation))
            return OnDay(when, PartOfDay("night")).resolve(context) if unit == "night" else when
        if unit in ("week", "weekend", "fortnight"):
            monday = days.week_days(today)[0] + timedelta(days=7 * relation)
            if unit == "weekend":
                return make_span((monday + timedelta(days=5), monday + timedelta(days=6)), unit)
            if unit == "fortnight":
                monday += timedelta(days=7 * min(relation, 0))
                return make_span((monday, monday + timedelta(days=13)), unit)
            return make_span(days.week_days(monday), unit)
        if unit in _SECONDS_IN:
            seconds = _SECONDS_IN[unit]
            first = context.now + timedelta(seconds=seconds * min(relation, 0))
            return When(kind="span", start=first, end=first + timedelta(seconds=seconds), precision=unit)
        if unit not in _MONTHS_IN:
            raise UnresolvableDateError
        months = _MONTHS_IN[unit]
        first_month = (today.year * 12 + today.month - 1) // months * months + relation * months
        first_day = date(first_month // 12, first_month % 12 + 1, 1)
        return make_span((first_day, days.add_months(first_day, months) - timedelta(days=1)), unit)


@dataclass(frozen=True, slots=True)
class BareWeekend:
    """The word "weekend" alone: this weekend, or the last one if the text is about the past."""

    def resolve(self, context: DateContext) -> When:
        """Return the Saturday and Sunday that the word "weekend" means when it is alone."""
        is_before = context.direction is Direction.PAST and context.today.weekday() < 5
        return RelativeUnit("weekend", -1 if is_before else 0).resolve(context)


@dataclass(frozen=True, slots=True)
class NamedMonth:
    """A month, such as "May", "May 2020", "last May" or "May of last year"."""

    month: int
    year: int | None = None
    relation: int | None = None
    year_relation: int | None = None
    is_short: bool = False

    def resolve_in_year(self, year: int) -> days.Days:
        """Return the first and last day of a named month such as "May" in the year `year`."""
        return days.month_days(year, self.month)

    def resolve(self, context: DateContext) -> When:
        """Return the days of a named month such as "May", in the year that is named or implied."""
        return make_span(find_in_year(self, context), "month")


@dataclass(frozen=True, slots=True)
class NamedYears:
    """A year or several years, such as "1990", "the 1990s" or "the 19th century"."""

    first: int
    last: int
    precision: str = "year"

    def resolve(self, context: DateContext) -> When:
        """Return the days from the beginning of the first year to the end of the last."""
        return make_span(days.year_days(self.first, self.last), self.precision)


@dataclass(frozen=True, slots=True)
class ShortYear:
    """A year written with two digits, such as '87."""

    year: int

    def resolve(self, context: DateContext) -> When:
        """Return the days of a year such as "'87". The current year decides in which century it is."""
        return make_span(days.year_days(complete_year(self.year, context, is_short=True) or 0), "year")


@dataclass(frozen=True, slots=True)
class Decade:
    """A decade, such as "the 1990s". "The nineties" are the last such decade before the anchor."""

    year: int

    def resolve(self, context: DateContext) -> When:
        """Return the days of the ten years of a decade such as "the nineties"."""
        year = self.year if self.year > 99 else context.today.year - (context.today.year - self.year) % 100
        return make_span(days.year_days(year, year + 9), "decade")


@dataclass(frozen=True, slots=True)
class Season:
    """A season, such as "summer", "summer 2020", "last summer" or "the winter of 2019/20"."""

    name: str
    year: int | None = None
    relation: int | None = None
    year_relation: int | None = None

    def resolve_in_year(self, year: int) -> days.Days:
        """Return the first and last day of a season such as "winter" that begins in the year `year`."""
        first = date(year, SEASONS[self.name], 1)
        return first, days.add_months(first, 3) - timedelta(days=1)

    def resolve(self, context: DateContext) -> When:
        """Return the three months of a season. The year of a winter is the year in which it begins."""
        is_bare = self.year is None and self.year_relation is None
        is_near = self.relation == 0 or (self.relation is None and context.direction is Direction.NONE)
        if is_bare and is_near and self.name == "winter" and context.today.month < 3:
            # In January the winter is the one that began last year.
            return make_span(self.resolve_in_year(context.today.year - 1), "season")
        return make_span(find_in_year(self, context), "season")


@dataclass(frozen=True, slots=True)
class YearFraction:
    """A quarter or half of a year, such as "Q3 2020" or "the first half of last year"."""

    months: int
    number: int
    year: Expression | None = None

    def resolve(self, context: DateContext) -> When:
        """Return the days of a quarter or half of a year, such as "Q3 2020"."""
        if not 1 <= self.number <= 12 // self.months:
            raise UnresolvableDateError

        def resolve_in_year(year: int) -> days.Days:
            first = date(year, (self.number - 1) * self.months + 1, 1)
            return first, days.add_months(first, self.months) - timedelta(days=1)

        precision = "quarter" if self.months == 3 else "half"
        if self.year is None:
            return make_span(context.choose(resolve_in_year), precision)
        within = self.year.resolve(context)
        if within.precision != "year":
            raise UnresolvableDateError
        return make_span(resolve_in_year(require_days(within)[0].year), precision)


@dataclass(frozen=True, slots=True)
class NumberedWeek:
    """An ISO week or a day in one, such as "week 12" or "2020-W53-5"."""

    week: int
    year: int | None = None
    weekday: int | None = None

    def resolve(self, context: DateContext) -> When:
        """Return the days of an ISO week such as "week 12", or the named weekday in it."""
        found = days.numbered_week_days(self.year or context.today.isocalendar().year, self.week)
        if self.weekday is not None:
            return make_day(found[0] + timedelta(days=self.weekday))
        return make_span(found, "week")


@dataclass(frozen=True, slots=True)
class NthIn:
    """The nth weekday, day, week or month in a span, such as "the second Monday of May"."""

    number: int
    unit: int | str
    within: Expression

    def resolve(self, context: DateContext) -> When:
        """Return the nth weekday, day, week or month of a span, such as "the second Monday of May"."""
        outer, first, last = resolve_span(self.within, context)
        if outer.precision == "season":
            # Which day a season begins on depends on whom one asks.
            raise UnresolvableDateError
        if isinstance(self.unit, int):
            return make_day(require(days.nth_weekday((first, last), self.unit, self.number)))
        if self.unit == "day":
            found = (first if self.number > 0 else last + timedelta(days=1)) + timedelta(
                days=self.number - (self.number > 0)
            )
            if not first <= found <= last:
                raise UnresolvableDateError
            return make_day(found)
        if self.unit in ("week", "weekend"):
            # The first week of a month is that of its first Thursday, as in ISO 8601.
            anchor_day = 3 if self.unit == "week" else 5
            middle: date = require(days.nth_weekday((first, last), anchor_day, self.number))
            monday, sunday = days.week_days(middle)
            return make_span((monday if self.unit == "week" else middle, sunday), self.unit)
        if self.unit in _MONTHS_IN and self.unit != outer.precision:
            step = _MONTHS_IN[self.unit]
            begin = (
                days.add_months(first, step * (self.number - 1))
                if self.number > 0
                else days.add_months(last + timedelta(days=1), step * self.number)
            )
            end = days.add_months(begin, step) - timedelta(days=1)
            if first <= begin and end <= last:
                return make_span((begin, end), self.unit)
        raise UnresolvableDateError


@dataclass(frozen=True, slots=True)
class WeekOf:
    """The week or weekend of a day, such as "the week of 2 October"."""

    unit: str
    day: Expression

    def resolve(self, context: DateContext) -> When:
        """Return the week that contains a named day, or the weekend of that week."""
        monday, sunday = days.week_days(resolve_single_day(self.day, context))
        return make_span((monday if self.unit == "week" else monday + timedelta(days=5), sunday), self.unit)


@dataclass(frozen=True, slots=True)
class EdgeOf:
    """The beginning, middle or end of a span, such as "late May" or "the end of the year"."""

    edge: str
    within: Expression

    def resolve(self, context: DateContext) -> When:
        """Divide a span into three parts: beginning, middle and end. Return the part that the text names."""
        outer, first, last = resolve_span(self.within, context)
        if outer.precision == "month":
            bounds = {"begin": (1, 10), "middle": (11, 20), "end": (21, last.day)}[self.edge]
            found = (first.replace(day=bounds[0]), first.replace(day=bounds[1]))
        else:
            length = (last - first).days + 1
            third = {"begin": 0, "middle": 1, "end": 2}[self.edge]
            begin = first + timedelta(days=length * third // 3)
            found = (begin, first + timedelta(days=length * (third + 1) // 3 - 1))
        return replace(make_span(found, outer.precision), is_approximate=True)


@dataclass(frozen=True, slots=True)
class HalfOf:
    """The first or second half of a month, year, decade or century."""

    number: int
    within: Expression

    def resolve(self, context: DateContext) -> When:
        """Return the first or second half of a month, year, decade or century."""
        outer = self.within.resolve(context)
        if outer.precision == "year":
            return YearFraction(6, self.number, self.within).resolve(context)
        first, last = require_days(outer)
        if outer.precision in ("decade", "century") and self.number in (1, 2):
            middle = (first.year + last.year + 1) // 2
            years = (first.year, middle - 1) if self.number == 1 else (middle, last.year)
            return make_span(days.year_days(*years), "half")
        if outer.precision != "month" or self.number not in (1, 2):
            raise UnresolvableDateError
        found = (first, first.replace(day=15)) if self.number == 1 else (first.replace(day=16), last)
        return make_span(found, "half")


@dataclass(frozen=True, slots=True)
class LastOrNextUnits:
    """Several units that end or begin at the anchor, such as "the last three days"."""

    amount: float
    unit: str
    relation: int

    def resolve(self, context: DateContext) -> When:
        """Return a span such as "the last three days", which ends or begins at the moment to count from."""
        other = Offset(((self.amount, self.unit),), 1 if self.relation > 0 else -1).resolve(context)
        if other.kind == "instant":
            ends = sorted([context.now, require(other.start)])
            return When(kind="span", start=ends[0], end=ends[1], precision=self.unit)
        day = require_days(other)[0]
        if self.relation < 0:
            return make_span((day, context.today), self.unit)
        return make_span((context.today, day), self.unit)


# --- Distances --------------------------------------------------------------------------------------------

Amounts = tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Offset:
    """A distance from the anchor or another date, such as "in two weeks" or "three days before Christmas"."""

    amounts: Amounts
    sign: int
    base: Expression | None = None
    # "two days later" counts from what was said before, which only the reader of a single expression ignores.
    is_narrative: bool = False

    def resolve(self, context: DateContext) -> When:
        """If the distance is in hours, minutes or seconds, return a moment. Otherwise return a day.

        A distance from a moment is a moment, too. The precision of a day is the unit of the distance.
        """
        base = self.base.resolve(context) if self.base is not None else None
        if base is not None and base.kind not in ("day", "instant") and base.start is None:
            raise UnresolvableDateError
        moment, day, units = context.now, context.today, []
        if base is not None and isinstance(base.start, datetime):
            moment, day = base.start, base.start.date()
        elif base is not None:
            day = require_days(base)[0 if self.sign < 0 else 1]
        seconds = 0.0
        for amount, unit in self.amounts:
            if not math.isfinite(amount) or amount > 1e6:
                raise UnresolvableDateError
            units.append(unit)
            if unit in _SECONDS_IN:
                seconds += amount * _SECONDS_IN[unit]
            elif unit in _DAYS_IN:
                if not float(amount * _DAYS_IN[unit]).is_integer() and unit != "week":
                    seconds += amount % 1 * 86400
                day += timedelta(days=self.sign * int(amount * _DAYS_IN[unit]))
            else:
                months = amount * _MONTHS_IN[unit]
                day = days.add_months(day, self.sign * int(months))
                day += timedelta(days=self.sign * int(months % 1 * 30))
        if seconds:
            if base is not None and not isinstance(base.start, datetime):
                raise UnresolvableDateError
            # Hours are counted on the world's clock, days on the calendar.
            moved = datetime.combine(day, moment.timetz()) if day != moment.date() else moment
            found = (moved.astimezone(UTC) + timedelta(seconds=self.sign * seconds)).astimezone(moment.tzinfo)
            return make_instant(context, found, units[-1])
        if base is not None and isinstance(base.start, datetime) and base.kind == "instant":
            return make_instant(context, datetime.combine(day, base.start.timetz()), base.precision)
        # "the day before yesterday at eight" is a day like any other.
        precision = {"fortnight": "week", "weekend": "week", "night": "day"}.get(units[-1], units[-1])
        return make_day(day, precision if self.base is None else "day")


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time, such as "for three weeks"."""

    amounts: Amounts

    def resolve(self, context: DateContext) -> When:
        """Return a length of time in one unit, the last that the text names: "a week and a day" is 8 days.

        Fortnights become weeks.
        """
        unit = "week" if self.amounts[-1][1] == "fortnight" else self.amounts[-1][1]
        total = 0.0
        for amount, each in self.amounts:
            total += amount * _convert(each, unit)
        whole = int(total) if total.is_integer() else total
        return When(kind="duration", amount=whole, unit=unit, precision=unit, rule=f"{whole:g} {unit}")


def _convert(unit: str, to: str) -> float:
    if unit == to:
        return 1.0
    for table in (_MONTHS_IN, _DAYS_IN, _SECONDS_IN):
        if unit in table and to in table:
            return table[unit] / table[to]
    if unit in _DAYS_IN and to in _SECONDS_IN:
        return _DAYS_IN[unit] * 86400 / _SECONDS_IN[to]
    raise UnresolvableDateError


# --- Times of day -----------------------------------------------------------------------------------------


def make_instant(context: DateContext, moment: datetime, precision: str) -> When:
    """Return a moment as a value; a time skipped by a change to summer time is moved forward."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).astimezone(moment.tzinfo)
    return When(kind="instant", start=moment, end=moment, precision=precision, zone=context.name_zone(moment))


@dataclass(frozen=True, slots=True)
class ClockTime:
    """A time of day; `half` is "am", "pm", a part of the day such as "evening", or empty if none is named."""

    hour: int
    minute: int = 0
    second: int | None = None
    half: str = ""
    zone: tzinfo | None = None
    has_minutes: bool = True

    @property
    def precision(self) -> str:
        """The unit of the value: a second if seconds are written, else a minute."""
        return "second" if self.second is not None else "minute"

    @property
    def is_ambiguous(self) -> bool:
        """Whether the hour is 1 to 12, and no word such as "pm" or "evening" tells which half of the day."""
        return not self.half and 1 <= self.hour <= 12

    def count_seconds(self) -> int:
        """Return the seconds since midnight; raise UnresolvableDateError for an invalid time."""
        hour, half = self.hour, self.half
        if half in ("am", "pm"):
            if not 1 <= hour <= 12:
                if half == "pm" and 13 <= hour <= 23 and self.has_minutes:
                    half = ""
                else:
                    raise UnresolvableDateError
            else:
                hour = hour % 12 + (12 if half == "pm" else 0)
        elif half in ("afternoon", "evening", "noon") and hour < 12:
            hour += 0 if half == "noon" and hour > 3 else 12
        elif half == "evening" and hour == 12:
            hour = 24
        elif half == "night" and 6 <= hour <= 12:
            hour += 12
        elif half == "morning" and hour == 12:
            hour = 0
        if hour > 24 or (hour == 24 and (self.minute or self.second)) or self.minute > 59:
            raise UnresolvableDateError
        if (self.second or 0) > 59:
            raise UnresolvableDateError
        return hour * 3600 + self.minute * 60 + (self.second or 0)

    def resolve(self, context: DateContext) -> When:
        """Return the next moment at a time of day, or the last one if the text is about the past."""
        seconds = self.count_seconds()
        now = context.now if self.zone is None else context.now.astimezone(self.zone)
        first = now.date() - timedelta(days=1)
        moments = [context.at(first + timedelta(days=each), seconds, self.zone) for each in range(4)]
        if context.direction is Direction.PAST:
            before = [moment for moment in moments if moment <= context.now]
            return make_instant(context, before[-1], self.precision)
        return make_instant(context, next(one for one in moments if one > context.now), self.precision)

    def resolve_on(self, context: DateContext, day: date) -> When:
        """Return the moment of this time of day on a given day."""
        return make_instant(context, context.at(day, self.count_seconds(), self.zone), self.precision)


@dataclass(frozen=True, slots=True)
class PartOfDay:
    """A part of a day, such as "in the morning"."""

    part: str
    distance: int = 0

    def resolve(self, context: DateContext) -> When:
        """Return the hours of a part of the day such as "evening", `distance` days from `context.today`."""
        return self.resolve_on(context, context.today + timedelta(days=self.distance))

    def resolve_on(self, context: DateContext, day: date) -> When:
        """Return the hours of a part of the day such as "evening", on a given day."""
        first, last = (context.at(day, hour * 3600) for hour in PARTS[self.part])
        zone = context.name_zone(first)
        return When(kind="span", start=first, end=last, precision="part_of_day", part=self.part, zone=zone)


@dataclass(frozen=True, slots=True)
class OnDay:
    """A time or part of a day, on a given day."""

    day: Expression | When
    time: "ClockTime | PartOfDay | ClockRange"

    def resolve(self, context: DateContext) -> When:
        """Return a moment such as "Monday at 9:00", or hours such as "Monday evening".

        Raise UnresolvableDateError if `self.day` means several days.
        """
        day = self.day if isinstance(self.day, When) else self.day.resolve(context)
        first, last = require_days(day)
        clock = self.time
        if day.precision == "part_of_day":
            if isinstance(clock, ClockTime) and clock.is_ambiguous:
                clock = replace(clock, half=day.part)
            elif isinstance(clock, ClockRange) and clock.first.is_ambiguous and clock.last.is_ambiguous:
                clock = ClockRange(*(replace(each, half=day.part) for each in (clock.first, clock.last)))
            elif isinstance(clock, PartOfDay):
                raise UnresolvableDateError
        elif first != last or day.kind != "day":
            raise UnresolvableDateError
        found = clock.resolve_on(context, first)
        return replace(found, is_approximate=day.is_approximate)


@dataclass(frozen=True, slots=True)
class ClockRange:
    """The hours between two times of a day; the second may lie on the next day."""

    first: ClockTime
    last: ClockTime

    def count_seconds(self) -> tuple[int, int]:
        """Return the ends of a range such as "9:00 to 17:00", in seconds since midnight of the first day."""
        first, last = self.first, self.last
        if not first.half and last.half and first.is_ambiguous and not first.has_minutes:
            shared = replace(first, half=last.half)
            if shared.count_seconds() < last.count_seconds():
                first = shared
        begin, end = first.count_seconds(), last.count_seconds()
        if end <= begin and last.is_ambiguous and first.is_ambiguous and end + 43200 > begin:
            end += 43200
        elif end <= begin:
            end += 86400
        return begin, end

    def resolve(self, context: DateContext) -> When:
        """Return the hours of a range such as "9:00 to 17:00", on the day `context.today`."""
        return self.resolve_on(context, context.today)

    def resolve_on(self, context: DateContext, day: date) -> When:
        """Return the hours of a range such as "9:00 to 17:00", whose beginning is on the given day."""
        begin, end = self.count_seconds()
        zone = self.first.zone or self.last.zone
        first, last = (
            make_instant(context, context.at(day, seconds, zone), "minute").start for seconds in (begin, end)
        )
        offset = context.name_zone(first) if isinstance(first, datetime) else ""
        return When(kind="span", start=first, end=last, precision="minute", zone=offset)


# --- Ranges and recurrences -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DateRange:
    """The days from one expression to another, such as "from May to July 2019"."""

    first: Expression
    last: Expression

    def resolve(self, context: DateContext) -> When:
        """Return the days from the beginning of `first` to the end of `last`.

        If `last` has no year or week, it is the first such day after that beginning.
        """
        first, last = self.first, self.last
        yearly = MonthDay | NamedMonth | Season
        if isinstance(last, yearly) and isinstance(first, yearly):
            first = _share_year(first, last, context)
        begin = first.resolve(context)
        if begin.kind not in ("day", "span") or isinstance(begin.start, datetime):
            raise UnresolvableDateError
        start = require_days(begin)[0]
        end = last.resolve(context)
        if isinstance(last, NamedWeekday | MonthDay | NamedMonth | DayOfMonth | Holiday) and not _is_dated(
            last
        ):
            after = DateContext(datetime.combine(start, context.now.timetz()), Direction.FUTURE)
            end = last.resolve(after)
        if end.kind not in ("day", "span") or isinstance(end.start, datetime):
            raise UnresolvableDateError
        finish = require_days(end)[1]
        if finish < start:
            raise UnresolvableDateError
        return make_span((start, finish), end.precision if end.precision == begin.precision else "day")


def _share_year(first: Any, last: Any, context: DateContext) -> Any:
    """Return the beginning with the year of the end, if it has none: May to July 2019."""
    if first.year is not None or last.year is None or first.relation is not None:
        return first
    year = complete_year(last.year, context, is_short=getattr(last, "is_short", False)) or last.year
    shared = replace(first, year=year)
    return replace(first, year=year - 1) if _begin(shared, context) > _begin(last, context) else shared


def _begin(expression: Expression, context: DateContext) -> date:
    return require_days(expression.resolve(context))[0]


def _is_dated(last: Any) -> bool:
    return any(
        getattr(last, name, None) is not None for name in ("year", "relation", "year_relation", "week")
    )


@dataclass(frozen=True, slots=True)
class MomentRange:
    """The time between moments on different days, such as "from Monday 9:00 to Tuesday 17:00"."""

    first: Expression
    last: Expression

    def resolve(self, context: DateContext) -> When:
        """Return the time from a first moment to a last one. Raise if the last moment is the earlier one."""
        first, last = self.first.resolve(context), self.last.resolve(context)
        if not (isinstance(first.start, datetime) and isinstance(last.end, datetime)):
            raise UnresolvableDateError
        if last.end < first.start:
            raise UnresolvableDateError
        return When(kind="span", start=first.start, end=last.end, precision="minute", zone=first.zone)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A rule of repetition, perhaps with a time or part of the day, such as "every Monday at noon"."""

    rule: str
    time: ClockTime | ClockRange | PartOfDay | None = None

    def resolve(self, context: DateContext) -> When:
        """Return how often something recurs, such as "every Monday", and at what time if one is named."""
        when = When(kind="recurrence", rule=self.rule, precision=self.rule.split()[0])
        if isinstance(self.time, PartOfDay):
            return replace(when, part=self.time.part)
        if isinstance(self.time, ClockTime):
            return replace(when, start=_as_time(self.time.count_seconds()))
        if isinstance(self.time, ClockRange):
            begin, end = self.time.count_seconds()
            return replace(when, start=_as_time(begin), end=_as_time(end))
        return when


def _as_time(seconds: int) -> time:
    seconds %= 86400
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60)


_ADVERBS = {"day": "daily", "week": "weekly", "month": "monthly", "year": "yearly", "hour": "hourly"}


def describe_interval(amount: float, unit: str) -> str:
    """Return the rule of an interval: `weekly`, `every 2 weeks`."""
    if unit == "fortnight":
        amount, unit = amount * 2, "week"
    if unit == "night":
        unit = "day"
    if amount == 1:
        return _ADVERBS.get(unit, f"every {unit}")
    if not float(amount).is_integer() or not 1 <= amount < 1000:
        raise UnresolvableDateError
    return f"every {int(amount)} {'centuries' if unit == 'century' else unit + 's'}"


def describe_weekdays(weekdays: tuple[int, ...], weeks: int = 1) -> str:
    """Return the rule of weekdays: `weekly on tuesday and thursday`."""
    names = [WEEKDAYS[each] for each in sorted(set(weekdays))]
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"{describe_interval(weeks, 'week')} on {listed}"


def describe_nth(number: int, what: str) -> str:
    """Return the rule of an nth weekday or day of the month: `monthly on the first tuesday`."""
    if not (number == -1 or 1 <= number <= 5):
        raise UnresolvableDateError
    return f"monthly on the {'last' if number < 0 else _ORDINALS[number]} {what}"


@dataclass(frozen=True, slots=True)
class Approximate:
    """An expression with a word that makes it approximate, such as "around 1990"."""

    inner: Expression

    def resolve(self, context: DateContext) -> When:
        """Return the value of the inner expression, marked as approximate."""
        return replace(self.inner.resolve(context), is_approximate=True)


@dataclass(frozen=True, slots=True)
class SinceExpression:
    """An expression after "since", which is resolved to the last such time in the past."""

    inner: Expression

    def resolve(self, context: DateContext) -> When:
        """Return the value of the inner expression, resolved to a day or moment in the past."""
        return self.inner.resolve(DateContext(context.now, Direction.PAST))


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """An expression with two equally likely meanings, such as "midnight". It is never resolved."""

    def resolve(self, context: DateContext) -> When:
        """Raise UnresolvableDateError in any case: the text has two meanings that are equally likely."""
        raise UnresolvableDateError
