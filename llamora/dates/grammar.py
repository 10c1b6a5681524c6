"""The grammar of time expressions, one for all languages: rules, and the expressions that they build.

The languages differ in words and in order; where orders differ the rules hold both. `llamora.dates.parsing`
says how a rule is written.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from llamora.dates import expressions as ex
from llamora.dates.parsing import Build, Grammar, make_zone
from llamora.dates.values import UnresolvableDateError

Rules = dict[str, Iterable[tuple[str, Build]]]


def _refuse() -> Any:
    raise UnresolvableDateError


def _same(value: Any) -> Any:
    return value


def _to_float(text: tuple[str, ...]) -> float:
    return float(text[0].replace(",", "."))


def _to_year(text: str) -> tuple[int, bool]:
    """Return a year in digits, and whether it is written with two."""
    digits = text.removeprefix("'")
    return int(digits), len(digits) == 2


# --- Days -------------------------------------------------------------------------------------------------


def _read_iso_date(groups: Any) -> Any:
    return (
        ex.MonthDay(int(groups[2]), int(groups[3]), int(groups[0]))
        if 1 <= int(groups[2]) <= 12
        else ex.Ambiguous()
    )


def _read_basic_date(groups: Any) -> Any:
    month = int(groups[1])
    return ex.MonthDay(month, int(groups[2]), int(groups[0])) if 1 <= month <= 12 and int(groups[2]) else None


def _read_number_date(groups: Any, day_first: bool | None) -> Any:
    year, is_short = _to_year(groups[3])
    return _order_date(
        int(groups[0]), int(groups[2]), (year, is_short), True if groups[1] == "." else day_first
    )


def _read_day_month(groups: Any, day_first: bool | None) -> Any:
    first, second = int(groups[0]), int(groups[2])
    # `3.5` is a number, `3.5.` a date, and that never with the month first.
    if groups[1] == ".":
        return _make_month_day(first, second) if groups[3] and second <= 12 else None
    return _order_date(first, second, None, day_first)


def _order_date(first: int, second: int, year: Any, day_first: bool | None) -> Any:
    """Return a date in digits; a language decides the order where both are possible."""
    day, month = first, second
    if day <= 12 and month <= 12 and day != month:
        if day_first is None:
            return ex.Ambiguous()
        if not day_first:
            day, month = month, day
    elif month > 12:
        day, month = month, day
    is_date = 1 <= month <= 12 and 1 <= day <= 31
    return _make_month_day(day, month, year) if is_date else ex.Ambiguous()


def _read_iso_week(groups: Any) -> Any:
    return ex.NumberedWeek(int(groups[1]), int(groups[0]), int(groups[2]) - 1 if groups[2] else None)


def _make_month_day(day: int, month: int, year: Any = None) -> Any:
    if not 1 <= day <= 31:
        return None
    if isinstance(year, tuple):
        return ex.MonthDay(month, day, year[0], is_short=year[1])
    if isinstance(year, ex.RelativeUnit):
        return ex.MonthDay(month, day, year_relation=year.relation)
    return ex.MonthDay(month, day, year)


def _make_month(month: int, year: Any = None) -> Any:
    if isinstance(year, tuple):
        return ex.NamedMonth(month, year[0], is_short=year[1])
    if isinstance(year, ex.RelativeUnit):
        return ex.NamedMonth(month, year_relation=year.relation)
    return ex.NamedMonth(month, year)


def _make_yearly(cls: Any, name: str, year: Any = None) -> Any:
    if isinstance(year, ex.RelativeUnit):
        return cls(name, year_relation=year.relation)
    return cls(name, year[0] if isinstance(year, tuple) else year)


def _add_weekday(weekday: int, day: Any) -> Any:
    """Return a date that is also that weekday."""
    if isinstance(day, ex.MonthDay):
        return replace(day, weekday=weekday)
    return day


def _to_day_in_week(weekday: int, week: Any) -> Any:
    return ex.NamedWeekday(weekday, week=week.relation) if week.unit == "week" else None


def _make_day_in(day: int, month: Any) -> Any:
    return ex.NthIn(day, "day", month) if 1 <= day <= 31 else None


def _check_month_unit(unit: Any) -> Any:
    return unit if unit.unit == "month" else None


def _check_year_unit(unit: Any) -> Any:
    return unit if unit.unit == "year" else None


# --- Spans ------------------------------------------------------------------------------------------------


def _read_iso_month(groups: Any) -> Any:
    return ex.NamedMonth(int(groups[1]), int(groups[0])) if 1 <= int(groups[1]) <= 12 else None


def _read_number_month(groups: Any) -> Any:
    is_month = 1 <= int(groups[0]) <= 12 and 1000 <= int(groups[1]) < 3000
    return ex.NamedMonth(int(groups[0]), int(groups[1])) if is_month else None


def _make_decade(year: int) -> Any:
    if year % 10 or not (10 <= year <= 90 or 1000 <= year < 3000):
        return None
    # "The 1800s" are a hundred years.
    return ex.NamedYears(year, year + 99, "century") if year % 100 == 0 and year > 99 else ex.Decade(year)


def _make_century(number: int) -> Any:
    if not 1 <= number <= 30:
        return None
    return ex.NamedYears(number * 100 - 99, number * 100, "century")


def _read_year_pair(groups: Any) -> Any:
    """Return the years of `2019/20` or `1990-1995`."""
    first = int(groups[0])
    last = int(groups[1]) if len(groups[1]) == 4 else first // 100 * 100 + int(groups[1])
    return ex.NamedYears(first, last, "year") if first < last <= first + 999 else None


def _read_season_years(name: str, groups: Any) -> Any:
    years = _read_year_pair(groups)
    return ex.Season(name, years.first) if years and years.last == years.first + 1 else None


def _make_week(number: int, year: Any = None) -> Any:
    return (
        ex.NumberedWeek(number, year[0] if isinstance(year, tuple) else year) if 1 <= number <= 53 else None
    )


def _read_spoken_year(first: int, second: int) -> Any:
    return first * 100 + second if 11 <= first <= 20 and 10 <= second <= 99 else None


def _make_fraction(number: int, label: Any, year: Any = None) -> Any:
    months = 3 if label == "quarter" else 6
    if not 1 <= number <= 12 // months:
        return None
    within = ex.NamedYears(year, year) if isinstance(year, int) else year
    return ex.YearFraction(months, number, within)


def _make_rel(unit: str, relation: int) -> Any:
    # "the last second" and "this minute" name no time that a diary means.
    return ex.RelativeUnit(unit, relation) if unit not in ("second", "minute", "hour", "night") else None


def _make_last_units(relation: int, amount: float, unit: str) -> Any:
    return (
        ex.LastUnits(amount, unit, relation)
        if abs(relation) == 1 and amount > 1 and unit != "weekend"
        else None
    )


# --- Amounts ----------------------------------------------------------------------------------------------


def _make_amounts(amount: float | None, unit: str, half: Any = None) -> Any:
    return (((1 if amount is None else amount) + (0.5 if half else 0), unit),)


def _join_amounts(first: Any, second: Any) -> Any:
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


def _make_offset(sign: int, amounts: Any, base: Any = None, *, is_narrative: bool = False) -> Any:
    return ex.Offset(amounts, sign, base, is_narrative)


def _make_short_offset(sign: int, amounts: Any) -> Any:
    return ex.Offset(amounts, sign)


# --- Times ------------------------------------------------------------------------------------------------


def _read_digital(groups: Any, half: str = "", zone: Any = None) -> Any:
    second = int(groups[2]) if len(groups) > 2 and groups[2] else None
    return _make_clock(int(groups[0]), int(groups[1]), second, half, zone)


def _read_letter_clock(groups: Any, half: str = "") -> Any:
    return _make_clock(
        int(groups[0]), int(groups[1] or 0), None, half, None, has_minutes=groups[1] is not None
    )


def _make_clock(
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


def _make_clock_near(hour: Any, minutes: int) -> Any:
    """Return the time some minutes after or before an hour."""
    if not isinstance(hour, int) or not 0 <= hour <= 24 or not abs(minutes) < 60:
        return None
    total = (hour * 60 + minutes) % (12 * 60 if hour <= 12 else 24 * 60)
    return (
        ex.ClockTime(total // 60 or 12, total % 60) if hour <= 12 else ex.ClockTime(total // 60, total % 60)
    )


def _add_half(clock: Any, part: str) -> Any:
    return replace(clock, half=part) if clock.hour <= 12 and not clock.half else None


def _make_clock_range(first: Any, last: Any) -> Any:
    return ex.ClockRange(_to_clock(first), _to_clock(last))


def _to_clock(value: Any) -> Any:
    return ex.ClockTime(value, has_minutes=False) if isinstance(value, int) else value


def _make_hours_range(first: int, last: Any) -> Any:
    """Return the hours of "from 9 to 5": two numbers that are hours."""
    clock = _to_clock(last)
    return ex.ClockRange(_to_clock(first), clock) if first <= 24 and clock.hour <= 24 else None


def _make_part(relation: int, part: str) -> Any:
    return (
        ex.PartOfDay(part, relation)
        if relation == 0 or (part in ("night", "evening") and relation == -1)
        else None
    )


def _on(day: Any, time: Any) -> Any:
    if time is None:
        return None
    if isinstance(time, int):
        time = _make_clock(time, has_minutes=False)
        if time is None:
            return None
    return ex.OnDay(day, time)


def _on_weekday_part(value: Any, relation: int | None = None) -> Any:
    return ex.OnDay(ex.NamedWeekday(value[0], relation), ex.PartOfDay(value[1]))


# --- Ranges and recurrences -------------------------------------------------------------------------------


def _make_days_range(first: int, last: int, month: int, year: Any = None) -> Any:
    begin, end = _make_month_day(first, month, year), _make_month_day(last, month, year)
    return ex.DateRange(begin, end) if begin and end and first < last else None


def _make_years_range(first: int, last: int) -> Any:
    if last < 100:
        last += first // 100 * 100
    return ex.NamedYears(first, last) if first < last else None


def _make_span_rule(first: Any, last: Any) -> Any:
    both = (first, last)
    if any(isinstance(each, ex.Now) for each in both):
        return None
    moments = [isinstance(each, ex.OnDay | ex.PartOfDay) for each in both]
    if all(moments):
        return ex.MomentRange(first, last)
    return None if any(moments) else ex.DateRange(first, last)


def _every_unit(amount: float | None, unit: str) -> Any:
    if unit == "night":
        return None
    if unit == "weekend":
        return ex.Recurrence(ex.describe_weekdays((5, 6)))
    return ex.Recurrence(ex.describe_interval(amount or 1, unit))


def _every_weekdays(weekdays: Any, time: Any = None, weeks: int = 1) -> Any:
    return ex.Recurrence(ex.describe_weekdays(tuple(weekdays), weeks), time)


def _every_nth(number: int, weekday: int) -> Any:
    return ex.Recurrence(ex.describe_nth(number, ex.WEEKDAYS[weekday]))


def _every_nth_day(number: int, unit: str) -> Any:
    if unit in ("day", "week", "month", "year") and number > 1:
        return ex.Recurrence(ex.describe_interval(number, unit))
    return None


def _every_date(day: Any) -> Any:
    if isinstance(day, ex.MonthDay) and day.year is None:
        return ex.Recurrence(f"yearly on {day.month:02}-{day.day:02}")
    if isinstance(day, ex.Holiday) and day.year is None:
        return ex.Recurrence(f"yearly on {day.rule}")
    return None


def _add_time(rule: Any, time: Any) -> Any:
    if isinstance(rule.time, ex.PartOfDay):
        clock = _to_clock(time)
        if not isinstance(clock, ex.ClockTime):
            return None
        return replace(rule, time=_add_half(clock, rule.time.part) or clock)
    return replace(rule, time=_to_clock(time)) if rule.time is None else None


def _add_date(rule: Any, day: Any) -> Any:
    """Return the rule of "every year on 5 May" or "every month on the 15th"."""
    if rule.rule == "yearly" and isinstance(day, ex.MonthDay):
        return _every_date(day)
    is_monthly = rule.rule == "monthly" and isinstance(day, int) and 1 <= day <= 31
    return ex.Recurrence(f"monthly on day {day}") if is_monthly else None


def _build_rules(*, day_first: bool | None) -> Rules:
    days: Rules = {
        "number": [("int", _same), ("num", _same)],
        "small": [("int2", _same), ("num", _same)],
        "day_number": [("ord", _same), ("int2", _same)],
        "spoken_day": [("ord", _same), ("int2", _same), ("num", lambda n: n if n <= 31 else None)],
        "full_year": [
            ("year", lambda year: (year, False)),
            (
                "num ~and? num",
                lambda a, b: (_read_spoken_year(a, b), False) if _read_spoken_year(a, b) else None,
            ),
            ("thousand ~and? num?", lambda a, b: (a + (b or 0), False) if a + (b or 0) < 2100 else None),
        ],
        "short_year": [("~apostrophe int2", lambda year: (year, True))],
        "year_part": [
            ("~of? ~year_word? full_year|short_year", _same),
            ("~of? ~the? year_unit", _same),
        ],
        "year_unit": [("rel_unit_span", _check_year_unit)],
        "month_unit": [("rel_unit_span", _check_month_unit)],
        "rel_unit_span": [
            ("~the? rel single_unit", lambda rel, unit: _make_rel(unit, rel)),
            ("rel single_unit ~dash? ~here", lambda rel, unit: _make_rel(unit, rel)),
            ("~the? single_unit rel|post_rel", _make_rel),
            ("~the? rel_unit", lambda value: _make_rel(value[1], value[0])),
        ],
        "weekday_name": [
            ("~the? weekday", _same),
        ],
        "month_day": [
            ("~the? day_number ~of? month ~comma? year_part?", _make_month_day),
            ("~the? spoken_day ~of month ~comma? year_part?", _make_month_day),
            ("~the? num month ~comma? year_part?", _make_month_day),
            ("~dayword spoken_day ~of? month ~comma? year_part?", _make_month_day),
            (
                "month ~dash? ~comma? ~the? day_number ~comma? year_part?",
                lambda m, d, y: _make_month_day(d, m, y),
            ),
            ("month ~the? num", lambda m, d: _make_month_day(d, m)),
            ("month ~the? day_number ~comma? two_digit_year", lambda m, d, y: _make_month_day(d, m, y)),
            ("year ~dash|comma? month ~dash? day_number", lambda y, m, d: _make_month_day(d, m, y)),
            ("int2 ~dash|slash month ~dash|slash year", _make_month_day),
            ("int2 ~dash|slash month ~dash|slash int2", lambda d, m, y: _make_month_day(d, m, (y, True))),
        ],
        "numeric": [
            ("iso_date", _read_iso_date),
            ("iso_basic", _read_basic_date),
            ("number_date", lambda groups: _read_number_date(groups, day_first)),
        ],
        "numeric_short": [
            ("day_month", lambda groups: _read_day_month(groups, day_first)),
        ],
        "dotted_day": [
            (
                "day_month",
                lambda groups: _read_day_month(groups, True) if groups[1] == "." and groups[3] else None,
            ),
        ],
        # A day with nothing counted from it.
        "plain_day": [
            ("relday", ex.RelativeDay),
            ("numeric", _same),
            ("month_day", _same),
            ("iso_week", lambda groups: _read_iso_week(groups) if groups[2] else None),
            ("weekday_name ~comma? ~on? ~the? month_day|numeric|numeric_short|dotted_day", _add_weekday),
            ("month_day|numeric ~comma? weekday", lambda day, weekday: _add_weekday(weekday, day)),
            ("weekday_name ~comma? ~the? day_number", lambda weekday, day: ex.DayOfMonth(day, weekday)),
            ("weekday_name", ex.NamedWeekday),
            ("~the? rel weekday", lambda rel, weekday: ex.NamedWeekday(weekday, rel)),
            ("~the? weekday rel|post_rel", ex.NamedWeekday),
            ("weekday_name ~of? ~on? rel_unit_span", _to_day_in_week),
            ("rel_unit_span ~comma? ~on? ~the? weekday", lambda week, day: _to_day_in_week(day, week)),
            ("weekday week_later", lambda weekday, _: ex.NamedWeekday(weekday, later=7)),
            ("relday week_later", lambda day, _: ex.RelativeDay(day + 7)),
            ("~the? day_number ~of? ~the? month_unit", _make_day_in),
            ("~dayword spoken_day ~of? ~the? month_unit", _make_day_in),
            (
                "~the? day_number ~of ~the? month_word",
                lambda day, _: _make_day_in(day, ex.RelativeUnit("month", 0)),
            ),
            ("month_unit ~comma? ~on? ~the? ord", lambda month, day: _make_day_in(day, month)),
            ("~the digit_ord", ex.DayOfMonth),
            ("~dayword small", ex.DayOfMonth),
            ("~the? nth weekday ~of|in ~the? container", ex.NthIn),
            ("~the? nth weekday container", ex.NthIn),
            ("~the? weekday post_nth ~of|in ~the? container", lambda day, n, span: ex.NthIn(n, day, span)),
            ("~the? nth day_unit ~of|in ~the? container", lambda n, _, span: ex.NthIn(n, "day", span)),
            ("~the? day_unit post_nth ~of|in ~the? container", lambda _, n, span: ex.NthIn(n, "day", span)),
            ("~the? ord ~of ~the? month_unit", _make_day_in),
            ("~the? holiday", ex.Holiday),
            ("~the? holiday ~of? ~comma? year_part", lambda name, year: _make_yearly(ex.Holiday, name, year)),
            ("~the? rel holiday", lambda rel, name: ex.Holiday(name, relation=rel)),
            ("~the? holiday post_rel|rel", lambda name, rel: ex.Holiday(name, relation=rel)),
        ],
        "day_unit": [("unit", lambda unit: unit if unit == "day" else None)],
        "week_later": [("later_week", _same)],
        "nth": [("ord", _same), ("rel", lambda rel: -1 if rel == -1 else None), ("nth_last", _same)],
        "post_nth": [("rel|post_rel", lambda rel: -1 if rel == -1 else None), ("nth_last", _same)],
        "day": [
            ("plain_day", _same),
            ("dur ~before plain_day|shifted", lambda amounts, day: _make_offset(-1, amounts, day)),
            ("dur ~after plain_day|shifted", lambda amounts, day: _make_offset(1, amounts, day)),
            (
                "~the|on? day_dur ~before plain_day|shifted",
                lambda amounts, day: _make_offset(-1, amounts, day),
            ),
            ("~the|on? day_dur ~after plain_day|shifted", lambda amounts, day: _make_offset(1, amounts, day)),
            ("~the? ~day_after ~the? plain_day", lambda day: _make_offset(1, ((1, "day"),), day)),
            ("~the? ~day_before ~the? plain_day", lambda day: _make_offset(-1, ((1, "day"),), day)),
            ("dur ~from_base plain_day", lambda amounts, day: _make_offset(1, amounts, day)),
            ("plain_day in_pre dur", lambda day, _, amounts: _make_offset(1, amounts, day)),
            ("dur ~ago_post ~on? weekday", _make_week_ago),
            ("plain_day ~ago_pre dur ~ago_post?", _make_day_ago),
            ("plain_day dur ~ago_post", _make_day_ago),
            ("dur ~on weekday", _make_week_on),
            ("shifted", _same),
        ],
        "day_dur": [("unit", lambda unit: ((1, unit),) if unit in ("day", "week") else None)],
    }
    distances: Rules = {
        "amount": [
            ("number", _same),
            ("decimal", _to_float),
            ("half_number", _same),
            ("a", lambda _: 1),
            ("~a? ~couple ~of?", lambda: 2),
            ("~a? half_amount ~a?", lambda _: 0.5),
            ("number ~half_add", lambda number: number + 0.5),
        ],
        "unit_amount": [
            ("~a? half_hour", lambda value: (value,)),
            ("~a? fortnight", lambda _: ((1, "fortnight"),)),
            ("amount unit", _make_amounts),
            ("amount unit half_add", _make_amounts),
            ("letter_clock", lambda groups: ((int(groups[0]), "hour"),) if groups[1] is None else None),
            ("int unit_letter", lambda number, unit: ((number, unit),)),
        ],
        "dur": [
            ("unit_amount", _same),
            ("unit_amount ~and|comma? unit_amount", _join_amounts),
            ("unit_amount ~and|comma? unit_amount ~and|comma? unit_amount", _join_three),
        ],
        "shifted": [
            ("~the? dur ~ago_post", lambda amounts: _make_offset(-1, amounts)),
            ("~ago_pre ~about? dur ~ago_post?", lambda amounts: _make_offset(-1, amounts)),
            ("~in_pre ~about? dur", lambda amounts: _make_offset(1, amounts)),
            ("dur ~hence_post", lambda amounts: _make_offset(1, amounts)),
            ("dur ~later_post", lambda amounts: _make_offset(1, amounts, is_narrative=True)),
            ("dur ~earlier_post", lambda amounts: _make_offset(-1, amounts, is_narrative=True)),
        ],
    }
    spans: Rules = {
        "container": [
            ("month ~of? ~comma? year_part?", _make_month),
            ("iso_month", _read_iso_month),
            ("number_month", _read_number_month),
            ("~the? rel_unit_span", _same),
            ("~the? bare_unit", lambda unit: _make_rel(unit, 0)),
            ("~the? rel month", lambda rel, month: ex.NamedMonth(month, relation=rel)),
            ("month post_rel|rel", lambda month, rel: ex.NamedMonth(month, relation=rel)),
            ("~year_word? full_year", lambda year: ex.NamedYears(year[0], year[0])),
            ("~the? decade", _same),
            ("~the? century_span", _same),
            ("~the? season_span", _same),
        ],
        "bare_unit": [("unit", lambda unit: unit if unit in ("month", "year", "week") else None)],
        "decade": [
            ("~the? named_decade", ex.Decade),
            ("~decade_word? ~apostrophe? int ~apostrophe? ~decade_suffix", _make_decade),
            ("~the? ~decade_word ~apostrophe? int", _make_decade),
            ("~the? ~decade_word num", _make_decade),
        ],
        "century_span": [
            ("ord|roman ~roman_suffix? ~century", _make_century),
            ("~century ord|roman|int2", _make_century),
            ("int2 ~century", _make_century),
        ],
        "season_span": [
            ("season ~of? ~comma? year_part", lambda name, year: _make_yearly(ex.Season, name, year)),
            ("~the? rel season", lambda rel, name: ex.Season(name, relation=rel)),
            ("season post_rel|rel", lambda name, rel: ex.Season(name, relation=rel)),
            ("season", ex.Season),
        ],
        "fraction": [
            ("~quarter_label int ~comma? ~of? fraction_year?", lambda n, y: _make_fraction(n, "quarter", y)),
            ("~half_label int ~comma? ~of? fraction_year?", lambda n, y: _make_fraction(n, "half", y)),
            ("~quarter_word int ~of? fraction_year?", lambda n, y: _make_fraction(n, "quarter", y)),
            (
                "~the? ord ~quarter_word ~of? ~the? fraction_year?",
                lambda n, y: _make_fraction(n, "quarter", y),
            ),
            ("~the? ord ~half_word ~of? ~the? fraction_year", lambda n, y: _make_fraction(n, "half", y)),
            ("~the? rel ~quarter_word ~of ~the? fraction_year", _last_fraction),
        ],
        "fraction_year": [
            ("full_year", lambda year: ex.NamedYears(year[0], year[0])),
            ("~the? year_unit", _same),
            ("~the? bare_unit", lambda unit: ex.RelativeUnit("year", 0) if unit == "year" else None),
        ],
        "span": [
            ("month ~of? ~comma? year_part?", _make_month),
            ("~the? ~month_word ~of month ~of? year_part?", _make_month),
            ("month short", _make_month),
            ("iso_month", _read_iso_month),
            ("number_month", _read_number_month),
            ("~the? rel month", lambda rel, month: ex.NamedMonth(month, relation=rel)),
            ("month post_rel|rel", lambda month, rel: ex.NamedMonth(month, relation=rel)),
            ("rel_unit_span", _same),
            ("~the? weekend", lambda _: ex.BareWeekend()),
            ("~the? ~year_word? full_year", lambda year: ex.NamedYears(year[0], year[0])),
            ("~the? decade", _same),
            ("~the? century_span", _same),
            ("~the? season_span", _same),
            ("fraction", _same),
            ("~the? ~week_word int2 ~of? ~comma? fullish_year?", _make_week),
            ("~the? ord ~week_word ~of ~the? fullish_year", _make_week),
            ("iso_week", lambda groups: None if groups[2] else _read_iso_week(groups)),
            ("~the? week_unit ~of ~the? plain_day", ex.WeekOf),
            ("~the? nth span_unit ~of|in ~the? container", ex.NthIn),
            (
                "~the? span_unit post_nth ~of|in ~the? container",
                lambda unit, n, span: ex.NthIn(n, unit, span),
            ),
            ("~the? nth span_unit container_month", ex.NthIn),
            ("~the? edge ~of? ~dash? ~the? container", ex.EdgeOf),
            ("~the? ord ~half_word ~of ~the? container", ex.HalfOf),
            ("~the rel number unit", _make_last_units),
            (
                "~the|rel? number rel|post_rel unit",
                lambda number, rel, unit: _make_last_units(rel, number, unit),
            ),
            ("~the? number unit post_rel|rel", lambda number, unit, rel: _make_last_units(rel, number, unit)),
            ("~the? rel_couple unit", lambda rel, unit: _make_last_units(rel, 2, unit)),
        ],
        "short": [("short_year", _same), ("two_digit_year", _same)],
        "two_digit_year": [("int2", lambda year: (year, True) if year > 31 else None)],
        "container_month": [("month year_part?", _make_month)],
        "fullish_year": [("full_year", lambda year: year[0])],
        "week_unit": [("unit", lambda unit: unit if unit in ("week", "weekend") else None)],
        "span_unit": [
            ("unit", lambda unit: unit if unit in ("week", "month", "weekend", "year", "decade") else None)
        ],
        "weekend": [("unit", lambda unit: unit if unit == "weekend" else None)],
    }
    times: Rules = {
        "half_of_day": [("am", lambda _: "am"), ("pm", lambda _: "pm"), ("~comma? inpart", _same)],
        "zone_part": [
            ("zone", _same),
            ("zone_offset", _same),
            ("~zone zone_offset", _same),
        ],
        "clock": [
            ("digital half_of_day? ~oclock? zone_part?", _read_digital),
            ("digital ~oclock? half_of_day?", _read_digital),
            ("dotted_clock half_of_day|oclock_half", _read_digital),
            ("letter_clock half_of_day?", _read_letter_clock),
            ("int2 half_of_day zone_part?", _make_spoken),
            ("num half_of_day", lambda h, half: _make_spoken(h, half, None)),
            ("number ~oclock half_of_day?", lambda h, half: _make_spoken(h, half, None)),
            ("small ~oclock ~and? small", _make_clock),
            ("spoken_clock", _same),
            ("spoken_clock ~comma? half_of_day", _add_half),
            ("noon", lambda _: ex.ClockTime(12, has_minutes=False, half="pm")),
            ("midnight", lambda _: None),
        ],
        "oclock_half": [("~oclock half_of_day?", lambda half: half or "")],
        "hour": [("small", _same), ("small ~oclock", _same), ("noon", lambda _: 12)],
        "spoken_clock": [
            ("~half_past hour", lambda h: _make_clock_near(h, 30)),
            ("~half_to hour", lambda h: _make_clock_near(h, -30)),
            ("hour ~half_after", lambda h: _make_clock_near(h, 30)),
            ("~a? ~quarter_clock ~past ~the? hour", lambda h: _make_clock_near(h, 15)),
            ("~a? ~quarter_clock ~till ~the? hour", lambda h: _make_clock_near(h, -15)),
            ("hour ~quarter_after", lambda h: _make_clock_near(h, 15)),
            ("hour ~quarter_before", lambda h: _make_clock_near(h, -15)),
            ("~three_quarters hour", lambda h: _make_clock_near(h, -15)),
            ("small ~minute_word? ~past ~the? hour", lambda m, h: _make_clock_near(h, m)),
            ("small ~minute_word? ~till ~the? hour", lambda m, h: _make_clock_near(h, -m)),
            ("small ~past ~half_to hour", lambda m, h: _make_clock_near(h, m - 30)),
            ("small ~till ~half_to hour", lambda m, h: _make_clock_near(h, -m - 30)),
            ("hour ~minus ~the? small", lambda h, m: _make_clock_near(h, -m)),
            ("hour ~plus ~the? small ~minute_word?", _make_clock_near),
        ],
        "time": [("~at? ~about? clock", _same)],
        "loose_time": [("~at clock", _same), ("clock", _same), ("~at small", _same)],
        "part_span": [("inpart", ex.PartOfDay), ("named_part", _same)],
        "named_part": [
            ("relpart", lambda value: ex.PartOfDay(value[1], value[0])),
            ("~the? rel daypart", _make_part),
            ("~the? daypart post_rel|rel", lambda part, rel: _make_part(rel, part)),
        ],
        "day_part": [
            ("day ~comma? inpart", lambda day, part: ex.OnDay(day, ex.PartOfDay(part))),
            ("day ~of? ~the? daypart", lambda day, part: ex.OnDay(day, ex.PartOfDay(part))),
            ("weekday_part", _on_weekday_part),
            ("rel weekday_part", lambda rel, value: _on_weekday_part(value, rel)),
            ("weekday_part post_rel", _on_weekday_part),
            ("weekday daypart rel|post_rel", lambda day, part, rel: _on_weekday_part((day, part), rel)),
            ("inpart ~of ~the? day", lambda part, day: ex.OnDay(day, ex.PartOfDay(part))),
            ("~the? daypart ~of ~on? ~the? day", lambda part, day: ex.OnDay(day, ex.PartOfDay(part))),
            ("relday daypart", lambda day, part: ex.PartOfDay(part, day)),
            ("daypart relday", ex.PartOfDay),
        ],
        "day_time": [
            ("day ~comma? ~at? ~about? clock", _on),
            ("day ~comma? ~at small", _on),
            ("day_part|part_span ~comma? ~at? ~about? clock", _on),
            ("day_part|part_span ~comma? ~at small", _on),
            ("dotted_day ~comma? ~at? clock", _on),
            ("~at? clock ~comma? ~on|of? ~the? day|day_part|named_part", lambda clock, day: _on(day, clock)),
            ("~at small ~on ~the? day", lambda hour, day: _on(day, hour)),
            ("~at small ~comma? named_part|day_part", lambda hour, day: _on(day, hour)),
            ("~at small relday_node", lambda hour, day: _on(day, hour)),
            ("iso_date|iso_basic ~t digital zone_part?", _read_stamp),
        ],
        "relday_node": [("relday", ex.RelativeDay)],
    }
    ranges: Rules = {
        "clock_end": [("clock", _same), ("small", _same)],
        "clock_range": [
            ("~from ~the? clock ~to ~the? clock_end", _make_clock_range),
            ("~from ~the? small ~to ~the? clock", _make_hours_range),
            ("~from ~the? small ~to ~the? small ~oclock?", _make_hours_range),
            ("~between ~the? clock ~and|to ~the? clock_end", _make_clock_range),
            ("~between ~the? small ~and|to ~the? clock", _make_hours_range),
            ("~between ~the? small ~and|to ~the? small", _make_hours_range),
            ("clock ~dash|to ~the? clock", _make_clock_range),
            ("int2 ~dash|to clock", _make_hours_range),
        ],
        "day_range": [
            (
                "~from? ~the? day_number ~to|dash ~the? day_number ~of? month ~comma? year_part?",
                _make_days_range,
            ),
            (
                "~between ~the? day_number ~and|to ~the? day_number ~of? month ~comma? year_part?",
                _make_days_range,
            ),
            (
                "~from? month ~the? day_number ~to|dash ~the? day_number ~comma? year_part?",
                _reorder_days_range,
            ),
            ("~between month ~the? day_number ~and ~the? day_number ~comma? year_part?", _reorder_days_range),
            ("dashed_day_month month ~comma? year_part?", _read_dashed_days),
            ("month dashed_day_month ~comma? year_part?", lambda m, d, y: _read_dashed_days(d, m, y)),
            ("~from ~the? dotted_day ~to ~the? plain_day|dotted_day", _make_span_rule),
            ("~from|between ~the? ends ~to|and|dash ~the? ends", _make_span_rule),
            ("day|span ~to|dash ~the? ends", _make_span_rule),
            ("~from|between year ~to|and|dash year", _make_years_range),
            ("year ~to|dash year", _make_years_range),
            ("year_pair", _read_year_pair),
        ],
        "ends": [("day_time", _same), ("day_part", _same), ("day", _same), ("span", _same)],
        "hours_on_day": [
            ("clock_range ~comma? ~on? ~of? ~the? day", lambda hours, day: _on(day, hours)),
            ("day ~comma? clock_range", _on),
        ],
        "weekday_list": [
            ("weekday", lambda a: (a,)),
            ("weekday ~comma|and weekday", lambda a, b: (a, b)),
            ("weekday ~and ~the? weekday", lambda a, b: (a, b)),
            ("weekday ~comma weekday ~comma? ~and weekday", lambda a, b, c: (a, b, c)),
            ("weekday ~comma weekday ~comma weekday ~comma? ~and weekday", lambda a, b, c, d: (a, b, c, d)),
        ],
        "plural_list": [
            ("weekdays", lambda a: (a,)),
            ("weekdays ~comma? ~and ~on? ~the? weekdays", lambda a, b: (a, b)),
            ("weekdays ~comma weekdays ~comma? ~and ~on? ~the? weekdays", lambda a, b, c: (a, b, c)),
        ],
        "recurring": [
            ("often", ex.Recurrence),
            ("~every ~the? unit", lambda unit: _every_unit(1, unit)),
            ("~every ~the? number unit", _every_unit),
            ("~every ~other unit", lambda unit: _every_unit(2, unit)),
            ("~every ~the? ord unit", _every_nth_day),
            ("~every ~the? weekday_list", _every_weekdays),
            ("~every plural_list", _every_weekdays),
            ("~every ~other weekday_list", lambda listed: _every_weekdays(listed, None, 2)),
            ("~every ord weekday", lambda n, day: _every_weekdays((day,), None, n) if n == 2 else None),
            ("~every|the nth weekday ~of|in ~the|every? ~month_word", _every_nth),
            ("~the? nth weekday ~of|in ~every ~month_word", _every_nth),
            ("~every weekday_part", lambda v: _every_weekdays((v[0],), ex.PartOfDay(v[1]))),
            ("~every daypart", lambda part: ex.Recurrence("daily", ex.PartOfDay(part))),
            ("~every ~workday", lambda: _every_weekdays(range(5))),
            ("~on? ~workdays", lambda: _every_weekdays(range(5))),
            ("~every month_day|holiday_node", _every_date),
            ("~on? ~the? plural_list", _every_weekdays),
            ("~once ~a|every|the? unit", lambda unit: _every_unit(1, unit)),
        ],
        "month_word": [("unit", lambda unit: unit if unit == "month" else None)],
        "holiday_node": [("holiday", ex.Holiday)],
        "recurring_time": [
            ("recurring ~comma? part_name", lambda rule, part: _add_time(rule, ex.PartOfDay(part))),
            ("recurring ~comma? ~at? clock", _add_time),
            ("recurring ~comma? ~on ~the? month_day|day_number", _add_date),
            ("recurring ~comma? ~at small", _add_time),
            ("recurring ~comma? clock_range", _add_time),
            ("clock_range ~comma? recurring", lambda hours, rule: _add_time(rule, hours)),
            ("~at clock ~comma? recurring", lambda clock, rule: _add_time(rule, clock)),
        ],
        "part_name": [("inpart", _same), ("daypart", _same)],
        "period": [
            ("~for_pre ~about? dur", ex.Duration),
            ("~for_pre ~the? dur", ex.Duration),
            ("~for_pre? dur ~long_post", ex.Duration),
        ],
    }
    roots: Rules = {
        "exact": [
            ("~the? season ~of? year_pair", _read_season_years),
            ("hours_on_day", _same),
            ("recurring_time", _same),
            ("recurring", _same),
            ("day_time", _same),
            ("day", _same),
            ("day_range", _same),
            ("clock_range", _same),
            ("day_part", _same),
            ("period", _same),
            ("span", _same),
            ("part_span", _same),
            ("clock", _same),
        ],
        "scanned": [
            ("exact", _same),
            ("~about exact", ex.Approximate),
            ("~since exact", ex.LookingBack),
            ("~on|at exact", _same),
            ("~on numeric_short|dotted_day", _same),
            ("~on digit_ord", ex.DayOfMonth),
        ],
        "whole": [
            ("exact", _same),
            ("~about exact", ex.Approximate),
            ("~since ~the? exact", ex.LookingBack),
            ("~on|at|introducer|for_pre ~the? exact", _same),
            ("~on|at|introducer ~about exact", ex.Approximate),
            ("~on|introducer? ~the? numeric_short|dotted_day", _same),
            ("~on|the ord|bare_day", ex.DayOfMonth),
            ("~on|introducer ~the ord", ex.DayOfMonth),
            ("~at small", lambda hour: ex.ClockTime(hour) if 13 <= hour <= 24 else None),
            ("now", lambda _: ex.Now()),
            ("midnight", lambda _: ex.Ambiguous()),
            ("part_alone", _same),
            ("rel number unit", _make_last_units),
            ("dur", ex.Duration),
            ("~on|at? ~the? int2", lambda _: None),
        ],
        "part_alone": [("~the? daypart", ex.PartOfDay)],
    }
    return {**days, **distances, **spans, **times, **ranges, **roots}


def _make_spoken(hour: int, half: Any, zone: Any) -> Any:
    # "13 pm" is no time, and what is refused must be taken for one first.
    if hour > 24:
        return None
    return ex.ClockTime(
        hour, half=half or "", zone=make_zone(zone) if zone is not None else None, has_minutes=False
    )


def _read_stamp(day: Any, clock: Any, zone: Any = None) -> Any:
    read = _read_iso_date(day) if len(day) == 4 else _read_basic_date(day)
    return _on(read, _read_digital(clock, "", zone)) if read is not None else None


def _make_week_ago(amounts: Any, weekday: int) -> Any:
    if len(amounts) != 1 or amounts[0][1] != "week" or not float(amounts[0][0]).is_integer():
        return None
    return ex.NamedWeekday(weekday, -1 - int(amounts[0][0])) if amounts[0][0] < 100 else None


def _make_week_on(amounts: Any, weekday: int) -> Any:
    if len(amounts) != 1 or amounts[0][1] != "week" or not float(amounts[0][0]).is_integer():
        return None
    return ex.NamedWeekday(weekday, 1 + int(amounts[0][0])) if amounts[0][0] < 100 else None


def _make_day_ago(day: Any, amounts: Any) -> Any:
    if isinstance(day, ex.NamedWeekday) and day.relation is None:
        return _make_week_ago(amounts, day.weekday)
    return _make_offset(-1, amounts, day)


def _join_three(first: Any, second: Any, third: Any) -> Any:
    joined = _join_amounts(first, second)
    return _join_amounts(joined, third) if joined else None


def _reorder_days_range(month: int, first: int, last: int, year: Any = None) -> Any:
    return _make_days_range(first, last, month, year)


def _read_dashed_days(groups: Any, month: int, year: Any = None) -> Any:
    return _make_days_range(int(groups[0]), int(groups[2]), month, year)


def _last_fraction(relation: int, year: Any) -> Any:
    return ex.YearFraction(3, 4, year) if relation == -1 else None


MONTH_FIRST, DAY_FIRST, UNKNOWN_ORDER = (
    Grammar(_build_rules(day_first=order)) for order in (False, True, None)
)
