"""Readings: functions that make a time expression from the values that a grammar rule has matched.

A function that returns None rejects the values, and the next rule is tried.
"""

from dataclasses import replace
from typing import Any

from llamora.dates import expressions as ex
from llamora.dates import relative_expressions as near
from llamora.dates.holidays import WEEKDAYS
from llamora.dates.parsing import make_zone


def to_float(text: tuple[str, ...]) -> float:
    return float(text[0].replace(",", "."))


def to_year(text: str) -> tuple[int, bool]:
    """Return the number of a year written in digits, and whether it has only two digits."""
    digits = text.removeprefix("'")
    return int(digits), len(digits) == 2


# --- Days -------------------------------------------------------------------------------------------------


def read_iso_date(groups: Any) -> Any:
    return (
        ex.MonthDay(int(groups[2]), int(groups[3]), int(groups[0]))
        if 1 <= int(groups[2]) <= 12
        else ex.Ambiguous()
    )


def read_basic_date(groups: Any) -> Any:
    month = int(groups[1])
    return ex.MonthDay(month, int(groups[2]), int(groups[0])) if 1 <= month <= 12 and int(groups[2]) else None


def read_number_date(groups: Any, day_first: bool | None) -> Any:
    year, is_short = to_year(groups[3])
    return order_date(
        int(groups[0]), int(groups[2]), (year, is_short), True if groups[1] == "." else day_first
    )


def read_day_month(groups: Any, day_first: bool | None) -> Any:
    first, second = int(groups[0]), int(groups[2])
    # `3.5` is a number, `3.5.` a date, and that never with the month first.
    if groups[1] == ".":
        return make_month_day(first, second) if groups[3] and second <= 12 else None
    return order_date(first, second, None, day_first)


def order_date(first: int, second: int, year: Any, day_first: bool | None) -> Any:
    """Return a date written in numbers. If day and month could be exchanged, the language decides."""
    day, month = first, second
    if day <= 12 and month <= 12 and day != month:
        if day_first is None:
            return ex.Ambiguous()
        if not day_first:
            day, month = month, day
    elif month > 12:
        day, month = month, day
    is_date = 1 <= month <= 12 and 1 <= day <= 31
    return make_month_day(day, month, year) if is_date else ex.Ambiguous()


def read_iso_week(groups: Any) -> Any:
    return ex.NumberedWeek(int(groups[1]), int(groups[0]), int(groups[2]) - 1 if groups[2] else None)


def make_month_day(day: int, month: int, year: Any = None) -> Any:
    if not 1 <= day <= 31:
        return None
    if isinstance(year, tuple):
        return ex.MonthDay(month, day, year[0], is_short=year[1])
    if isinstance(year, ex.RelativeUnit):
        return ex.MonthDay(month, day, year_relation=year.relation)
    return ex.MonthDay(month, day, year)


def make_month(month: int, year: Any = None) -> Any:
    if isinstance(year, tuple):
        return ex.NamedMonth(month, year[0], is_short=year[1])
    if isinstance(year, ex.RelativeUnit):
        return ex.NamedMonth(month, year_relation=year.relation)
    return ex.NamedMonth(month, year)


def make_yearly(cls: Any, name: str, year: Any = None) -> Any:
    if isinstance(year, ex.RelativeUnit):
        return cls(name, year_relation=year.relation)
    return cls(name, year[0] if isinstance(year, tuple) else year)


def add_weekday(weekday: int, day: Any) -> Any:
    """Return the date `day`, which must be on the named weekday, as in "Tuesday 5 May"."""
    if isinstance(day, ex.MonthDay):
        return replace(day, weekday=weekday)
    return day


def to_day_in_week(weekday: int, week: Any) -> Any:
    return ex.NamedWeekday(weekday, week=week.relation) if week.unit == "week" else None


def make_day_in(day: int, month: Any) -> Any:
    return ex.NthIn(day, "day", month) if 1 <= day <= 31 else None


def make_roman_day(day: int, month: int, year: Any) -> Any:
    """Return a date whose month is a Roman number."""
    return make_month_day(day, month, year) if 1 <= month <= 12 else None


def make_counted_weekday(weekday: int, number: int) -> Any:
    """Return the nth occurrence of a weekday before or after the anchor, as in "two Sundays ago"."""
    return ex.NamedWeekday(weekday, number) if 1 <= abs(number) <= 60 else None


def make_same_day(unit: Any) -> Any:
    """Return the same day in another week, month or year: "this day last year"."""
    is_moved = unit.unit in ("week", "month", "year") and unit.relation
    return near.SameDayIn(unit) if is_moved else None


def make_advent(number: int, year: Any = None) -> Any:
    """Return a Sunday of Advent."""
    return make_yearly(ex.Holiday, f"advent+{7 * (number - 1)}", year) if 1 <= number <= 4 else None


def make_lent(number: int, year: Any = None) -> Any:
    """Return a Sunday of Lent."""
    return make_yearly(ex.Holiday, f"easter-{49 - 7 * number}", year) if 1 <= number <= 6 else None


def check_month_unit(unit: Any) -> Any:
    return unit if unit.unit == "month" else None


def check_year_unit(unit: Any) -> Any:
    return unit if unit.unit == "year" else None


# --- Spans ------------------------------------------------------------------------------------------------


def read_iso_month(groups: Any) -> Any:
    return ex.NamedMonth(int(groups[1]), int(groups[0])) if 1 <= int(groups[1]) <= 12 else None


def read_number_month(groups: Any) -> Any:
    is_month = 1 <= int(groups[0]) <= 12 and 1000 <= int(groups[1]) < 3000
    return ex.NamedMonth(int(groups[0]), int(groups[1])) if is_month else None


def make_decade(year: int) -> Any:
    if year % 10 or not (10 <= year <= 90 or 1000 <= year < 3000):
        return None
    # "The 1800s" are a hundred years; those of 2000 are not over yet.
    is_century = year % 100 == 0 and 99 < year < 2000
    return ex.NamedYears(year, year + 99, "century") if is_century else ex.Decade(year)


def make_decade_in(decade: int, century: Any) -> Any:
    """Return a decade of a century: the sixties of the 19th century."""
    return ex.Decade(century.first - 1 + decade) if decade % 10 == 0 and decade < 100 else None


def make_century(number: int) -> Any:
    if not 1 <= number <= 30:
        return None
    return ex.NamedYears(number * 100 - 99, number * 100, "century")


def read_year_pair(groups: Any) -> Any:
    """Return the years of `2019/20` or `1990-1995`."""
    first = int(groups[0])
    last = int(groups[1]) if len(groups[1]) == 4 else first // 100 * 100 + int(groups[1])
    return ex.NamedYears(first, last, "year") if first < last <= first + 999 else None


def read_season_years(name: str, groups: Any) -> Any:
    years = read_year_pair(groups)
    return ex.Season(name, years.first) if years and years.last == years.first + 1 else None


def make_week(number: int, year: Any = None) -> Any:
    return (
        ex.NumberedWeek(number, year[0] if isinstance(year, tuple) else year) if 1 <= number <= 53 else None
    )


def read_spoken_year(first: int, second: int) -> Any:
    """Return the year of "nineteen eighty-seven"."""
    return read_hundreds(first, second) if second >= 10 else None


def read_hundreds(hundreds: int, rest: int) -> Any:
    """Return the year of "nineteen hundred and six"."""
    return (hundreds * 100 + rest, False) if 11 <= hundreds <= 20 and 0 <= rest <= 99 else None


def read_thousand(thousand: int, hundreds: int, rest: int) -> Any:
    """Return the year of "two thousand and six"."""
    year = thousand + hundreds + rest
    return (year, False) if 0 <= rest <= 99 and hundreds <= 900 and year < 2100 else None


def make_short_year(year: int) -> Any:
    """Return a ShortYear, a year of which the text names only the last two digits, such as "'87"."""
    return ex.ShortYear(year)


def make_year_ago(amounts: Any) -> Any:
    """Return the year in "May two years ago"."""
    if len(amounts) != 1 or amounts[0][1] != "year" or not float(amounts[0][0]).is_integer():
        return None
    return ex.RelativeUnit("year", -int(amounts[0][0])) if amounts[0][0] < 5000 else None


def add_year(year: Any, yearly: Any) -> Any:
    """Return an annual event in a given year: "last year on 5 May"."""
    if yearly.year is not None or yearly.year_relation is not None:
        return None
    return replace(yearly, year_relation=year.relation)


def add_relation(day: Any, relation: int) -> Any:
    """Return a date without a year to which a word such as "last" is added, as in "5 May last"."""
    if day.year is not None or day.year_relation is not None or relation == 0:
        return None
    return replace(day, relation=relation)


def read_fraction(groups: Any, label: str) -> Any:
    """Return a fraction of a year (a quarter or a half), as in `Q3/2021`."""
    return make_fraction(int(groups[0]), label, int(groups[1]))


def make_spoken_decade(hundreds: int, decade: int) -> Any:
    """Return the decade of "the nineteen seventies"."""
    return ex.Decade(hundreds * 100 + decade) if 11 <= hundreds <= 20 and decade < 100 else None


def make_month_week(number: int, month_week: Any, year: Any = None) -> Any:
    """Return the nth week, weekend or day of a month, as in "zweite Maiwoche" (second week of May)."""
    month, unit = month_week
    return ex.NthIn(number, unit, make_month(month, year))


def make_unit_edge(value: Any, year: Any = None) -> Any:
    """Return the beginning, middle or end of a week, month or year, from one word such as "Jahresende"."""
    edge, unit = value
    if year is None:
        return ex.EdgeOf(edge, ex.RelativeUnit(unit, 0))
    if unit != "year":
        return None
    return ex.EdgeOf(edge, ex.NamedYears(year[0], year[0]) if isinstance(year, tuple) else year)


def make_first_units(number: int, amount: int, unit: str, within: Any) -> Any:
    """Return the first or last units of a span, as in "the first three days of May"."""
    if number not in (1, -1) or not 2 <= amount <= 400 or unit not in ("day", "week", "month", "year"):
        return None
    return near.FirstOrLastUnits(amount, unit, within, is_last=number < 0)


def make_within(relation: int, amounts: Any) -> Any:
    """Return the span from the anchor to a distance from it: "within three days"."""
    is_one = len(amounts) == 1 and relation in (-1, 1) and amounts[0][1] != "weekend"
    return ex.LastOrNextUnits(amounts[0][0], amounts[0][1], relation) if is_one else None


def make_fraction(number: int, label: Any, year: Any = None) -> Any:
    months = 3 if label == "quarter" else 6
    if not 1 <= number <= 12 // months:
        return None
    within = ex.NamedYears(year, year) if isinstance(year, int) else year
    return ex.YearFraction(months, number, within)


def make_rel(unit: str, relation: int) -> Any:
    # "the last second" and "this minute" name no time that a diary means.
    return ex.RelativeUnit(unit, relation) if unit not in ("second", "minute", "hour", "night") else None


def make_last_units(relation: int, amount: float, unit: str) -> Any:
    return (
        ex.LastOrNextUnits(amount, unit, relation)
        if abs(relation) == 1 and amount > 1 and unit != "weekend"
        else None
    )


# --- Amounts ----------------------------------------------------------------------------------------------


def make_amounts(amount: float | None, unit: str, half: Any = None) -> Any:
    return (((1 if amount is None else amount) + (0.5 if half else 0), unit),)


def make_quarter_more(amount: float, unit: str) -> Any:
    """Return a number of hours and a quarter of an hour, as in "two hours and a quarter"."""
    return ((amount + 0.25, unit),) if unit == "hour" else None


def join_amounts(first: Any, second: Any) -> Any:
    order = (
        "century",
        "decade",
        "year",
        "quarter",
        "month",
        "fortnight",
        "week",
        "day",
        "hour",
        "minute",
        "second",
    )
    if len(first) + len(second) > 4 or first[-1][1] not in order or second[0][1] not in order:
        return None
    return first + second if order.index(first[-1][1]) < order.index(second[0][1]) else None


def make_offset(sign: int, amounts: Any, base: Any = None, *, is_narrative: bool = False) -> Any:
    return ex.Offset(amounts, sign, base, is_narrative)


# --- Times ------------------------------------------------------------------------------------------------


def read_digital(groups: Any, half: str = "", zone: Any = None) -> Any:
    second = int(groups[2]) if len(groups) > 2 and groups[2] else None
    return make_clock(int(groups[0]), int(groups[1]), second, half, zone)


def read_letter_clock(groups: Any, half: str = "") -> Any:
    return make_clock(
        int(groups[0]), int(groups[1] or 0), None, half, None, has_minutes=groups[1] is not None
    )


def make_clock(
    hour: int,
    minute: int = 0,
    second: int | None = None,
    half: str = "",
    zone: Any = None,
    *,
    has_minutes: bool = True,
) -> Any:
    if hour > 24 or minute > 59 or (second or 0) > 59 or hour < 0 or minute < 0:
        return None
    return ex.ClockTime(
        hour, minute, second, half or "", make_zone(zone) if zone is not None else None, has_minutes
    )


def make_clock_near(hour: Any, minutes: int) -> Any:
    """Return the time some minutes after or before an hour."""
    if not isinstance(hour, int) or not 0 <= hour <= 24 or not abs(minutes) < 60:
        return None
    total = (hour * 60 + minutes) % (12 * 60 if hour <= 12 else 24 * 60)
    return (
        ex.ClockTime(total // 60 or 12, total % 60) if hour <= 12 else ex.ClockTime(total // 60, total % 60)
    )


def make_spoken_clock(hour: int, minute: int, half: str = "") -> Any:
    """Return the time of "eight thirty"."""
    return make_clock(hour, minute, None, half) if 10 <= minute <= 59 else None


def add_half(clock: Any, part: str) -> Any:
    return replace(clock, half=part) if clock.hour <= 12 and not clock.half else None


def make_clock_range(first: Any, last: Any) -> Any:
    return ex.ClockRange(to_clock(first), to_clock(last)) if first is not None and last is not None else None


def make_dotted_range(first: Any, last: Any) -> Any:
    """Return the range from one time of day to another, such as `18.00 tot 20.00 uur` (Dutch)."""
    return make_clock_range(read_digital(first), read_digital(last))


def to_clock(value: Any) -> Any:
    return ex.ClockTime(value, has_minutes=False) if isinstance(value, int) else value


def make_hours_range(first: int, last: Any) -> Any:
    """Return the range from one time of day to another, such as "from 9 to 5". The numbers have no unit."""
    clock = to_clock(last)
    return ex.ClockRange(to_clock(first), clock) if first <= 24 and clock.hour <= 24 else None


def make_part(relation: int, part: str) -> Any:
    return (
        ex.PartOfDay(part, relation)
        if relation == 0 or (part in ("night", "evening") and relation == -1)
        else None
    )


def on(day: Any, time: Any) -> Any:
    if time is None:
        return None
    if isinstance(time, int):
        time = make_clock(time, has_minutes=False)
        if time is None:
            return None
    return ex.OnDay(day, time)


def on_weekday_part(value: Any, relation: int | None = None) -> Any:
    return ex.OnDay(ex.NamedWeekday(value[0], relation), ex.PartOfDay(value[1]))


def on_weekday_part_in(value: Any, week: Any) -> Any:
    """Return the part of a weekday in a given week: "Monday evening next week"."""
    day = to_day_in_week(value[0], week)
    return ex.OnDay(day, ex.PartOfDay(value[1])) if day else None


def read_stamp_with_year(weekday: int, month: int, day: int, clock: Any, zone: Any, year: int) -> Any:
    """Return the moment of `Wed May 15 14:30:00 2024`."""
    found = make_month_day(day, month, year)
    return on(add_weekday(weekday, found), read_digital(clock, "", zone)) if found else None


def make_night_between(part: str, first: int, last: int, month: int, year: Any = None) -> Any:
    """Return the night from one day of a month to the next."""
    day = make_month_day(first, month, year)
    return (
        ex.OnDay(day, ex.PartOfDay(part))
        if day and last == first + 1 and part in ("night", "evening")
        else None
    )


def make_night_onto(part: str, weekday: int) -> Any:
    """Return the night that ends on a weekday, as in "Nacht auf Montag"."""
    day = ex.Offset(((1, "day"),), -1, ex.NamedWeekday(weekday))
    return ex.OnDay(day, ex.PartOfDay(part)) if part == "night" else None


# --- Ranges and recurrences -------------------------------------------------------------------------------


def make_days_range(first: int, last: int, month: int, year: Any = None) -> Any:
    begin, end = make_month_day(first, month, year), make_month_day(last, month, year)
    return ex.DateRange(begin, end) if begin and end and first < last else None


def make_days_range_in(first: int, last: int, month: Any) -> Any:
    """Return a range of days in a month, as in "from the 5th to the 9th of last month"."""
    begin, end = make_day_in(first, month), make_day_in(last, month)
    return ex.DateRange(begin, end) if begin and end and first < last else None


def make_days_until(first: int, last: Any) -> Any:
    """Return the days of "from the 20th to 22/5/2024"."""
    if not isinstance(last, ex.MonthDay) or not 1 <= first < last.day:
        return None
    return ex.DateRange(replace(last, day=first), last)


def make_bare_days_range(first: int, last: int) -> Any:
    """Return days without their month: "from the 5th to the 9th"."""
    return ex.DateRange(ex.DayOfMonth(first), ex.DayOfMonth(last)) if first < last <= 31 else None


def make_years_range(first: int, last: int) -> Any:
    if last < 100:
        last += first // 100 * 100
    return ex.NamedYears(first, last) if first < last else None


def make_span_rule(first: Any, last: Any) -> Any:
    both = (first, last)
    if first == last:
        # "L'été a été".
        return None
    if any(isinstance(each, ex.Now) for each in both):
        return None
    if isinstance(first, ex.NamedYears) and getattr(last, "year", 0) is None:
        # A year and a month are no ends of one span.
        return None
    moments = [isinstance(each, ex.OnDay | ex.PartOfDay) for each in both]
    if all(moments):
        return ex.MomentRange(first, last)
    return None if any(moments) else ex.DateRange(first, last)


def every_unit(amount: float | None, unit: str) -> Any:
    if unit == "night":
        return None
    if unit == "weekend":
        return ex.Recurrence(ex.describe_weekdays((5, 6)))
    return ex.Recurrence(ex.describe_interval(amount or 1, unit))


def every_weekdays(weekdays: Any, time: Any = None, weeks: int = 1) -> Any:
    return ex.Recurrence(ex.describe_weekdays(tuple(weekdays), weeks), time)


def every_nth(number: int, weekday: int) -> Any:
    return ex.Recurrence(ex.describe_nth(number, WEEKDAYS[weekday]))


def every_nth_day(number: int, unit: str) -> Any:
    if unit in ("day", "week", "month", "year") and number > 1:
        return ex.Recurrence(ex.describe_interval(number, unit))
    return None


def every_date(day: Any) -> Any:
    if isinstance(day, ex.MonthDay) and day.year is None:
        return ex.Recurrence(f"yearly on {day.month:02}-{day.day:02}")
    if isinstance(day, ex.Holiday) and day.year is None:
        return ex.Recurrence(f"yearly on {day.rule}")
    return None


def add_time(rule: Any, time: Any) -> Any:
    if isinstance(rule.time, ex.PartOfDay):
        clock = to_clock(time)
        if not isinstance(clock, ex.ClockTime):
            return None
        return replace(rule, time=add_half(clock, rule.time.part) or clock)
    return replace(rule, time=to_clock(time)) if rule.time is None else None


def add_date(rule: Any, day: Any) -> Any:
    """Return a recurrence with a date added, as in "every year on 5 May", or None if they do not fit."""
    if rule.rule == "yearly" and isinstance(day, ex.MonthDay):
        return every_date(day)
    is_monthly = rule.rule == "monthly" and isinstance(day, int) and 1 <= day <= 31
    return ex.Recurrence(f"monthly on day {day}") if is_monthly else None


def make_spoken(hour: int, half: Any, zone: Any) -> Any:
    # "13 pm" is no time, and what is refused must be taken for one first.
    if hour > 24:
        return None
    return ex.ClockTime(
        hour, half=half or "", zone=make_zone(zone) if zone is not None else None, has_minutes=False
    )


def read_stamp(day: Any, clock: Any, zone: Any = None) -> Any:
    read = read_iso_date(day) if len(day) == 4 else read_basic_date(day)
    return on(read, read_digital(clock, "", zone)) if read is not None else None


def make_week_ago(amounts: Any, weekday: int) -> Any:
    if len(amounts) != 1 or amounts[0][1] != "week" or not float(amounts[0][0]).is_integer():
        return None
    return ex.NamedWeekday(weekday, -1 - int(amounts[0][0])) if amounts[0][0] < 100 else None


def make_week_on(amounts: Any, weekday: int) -> Any:
    if len(amounts) != 1 or amounts[0][1] != "week" or not float(amounts[0][0]).is_integer():
        return None
    return ex.NamedWeekday(weekday, 1 + int(amounts[0][0])) if amounts[0][0] < 100 else None


def make_ago_from(amounts: Any, distance: int) -> Any:
    """Return the day of "a year ago today"."""
    is_long = all(unit not in ("hour", "minute", "second") for _, unit in amounts)
    return make_offset(-1, amounts, ex.RelativeDay(distance)) if is_long else None


def make_weeks_from(amounts: Any, distance: int) -> Any:
    """Return the day of "a week tomorrow"."""
    is_long = all(unit in ("week", "fortnight", "month", "year") for _, unit in amounts)
    return make_offset(1, amounts, ex.RelativeDay(distance)) if is_long and abs(distance) < 2 else None


def make_day_ago(day: Any, amounts: Any) -> Any:
    if isinstance(day, ex.NamedWeekday) and day.relation is None:
        return make_week_ago(amounts, day.weekday)
    return make_offset(-1, amounts, day)


def join_three(first: Any, second: Any, third: Any) -> Any:
    joined = join_amounts(first, second)
    return join_amounts(joined, third) if joined else None


def reorder_days_range(month: int, first: int, last: int, year: Any = None) -> Any:
    return make_days_range(first, last, month, year)


def read_dashed_days(groups: Any, month: int, year: Any = None) -> Any:
    return make_days_range(int(groups[0]), int(groups[2]), month, year)


def last_fraction(relation: int, year: Any) -> Any:
    return ex.YearFraction(3, 4, year) if relation == -1 else None
