"""Arithmetic on days: months of different lengths, weeks that begin on Monday, Easter, nth weekdays."""

from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache

Days = tuple[date, date]


def add_months(day: date, months: int) -> date:
    """Return the same day `months` months later, or the last day if that month is too short."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def month_days(year: int, month: int) -> Days:
    """Return the first and last day of a month."""
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])


def year_days(first: int, last: int | None = None) -> Days:
    """Return the first and last day of a year, or of the years from `first` to `last`."""
    return date(first, 1, 1), date(first if last is None else last, 12, 31)


def week_days(day: date) -> Days:
    """Return the Monday and the Sunday of the week of a day."""
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=6)


def numbered_week_days(year: int, week: int) -> Days:
    """Return the days of an ISO week; raise ValueError if the year has no such week."""
    monday = date.fromisocalendar(year, week, 1)
    return monday, monday + timedelta(days=6)


def next_weekday(day: date, weekday: int) -> date:
    """Return the first day after `day` that is this weekday; 0 is Monday."""
    return day + timedelta(days=(weekday - day.weekday() - 1) % 7 + 1)


def last_weekday(day: date, weekday: int) -> date:
    """Return the last day before `day` that is this weekday; 0 is Monday."""
    return day - timedelta(days=(day.weekday() - weekday - 1) % 7 + 1)


def nth_weekday(within: Days, weekday: int, number: int) -> date | None:
    """Return the nth day of a span that is this weekday, the last one for -1; None if there are fewer."""
    first, last = within
    found = (
        last_weekday(last + timedelta(days=1), weekday) - timedelta(days=7 * (-1 - number))
        if number < 0
        else next_weekday(first - timedelta(days=1), weekday) + timedelta(days=7 * (number - 1))
    )
    return found if first <= found <= last else None


@lru_cache(maxsize=512)
def easter(year: int) -> date:
    """Return the Gregorian Easter Sunday (Meeus, Jones, Butcher)."""
    golden, (century, rest) = year % 19, divmod(year, 100)
    quarter, leap = divmod(century, 4)
    shift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - quarter - shift + 15) % 30
    weekday = (32 + 2 * leap + 2 * (rest // 4) - epact - rest % 4) % 7
    correction = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * correction + 114, 31)
    return date(year, month, day + 1)
