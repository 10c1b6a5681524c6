"""Days in a person's time zone: parsing, formatting, and the months of a calendar. Pure.

Years run from 1 to 9999. Every day has a page. Entries can be saved on a day as soon as it has begun anywhere
on earth, so that a page opened before its person changed time zones can still be saved.
"""

import re
from calendar import Calendar, day_name, isleap, month_name
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from accounts.preferences.languages import DEFAULT_LANGUAGE, DateWords, get_date_words

_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ISO_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_ONE_DAY = timedelta(days=1)
_MAX_UTC_OFFSET = timedelta(hours=14)  # UTC+14, the Line Islands, where each day begins first


@lru_cache(maxsize=64)
def get_time_zone(name: str) -> ZoneInfo:
    """Return the time zone of that name, or UTC if this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def today(zone_name: str, *, now: datetime) -> date:
    """Return the current day in a time zone."""
    return now.astimezone(get_time_zone(zone_name)).date()


def has_begun(day: date, *, now: datetime) -> bool:
    """Return whether a day has begun anywhere on earth."""
    return day <= (now.astimezone(UTC) + _MAX_UTC_OFFSET).date()


def parse_day(text: str) -> date:
    """Return the date written as YYYY-MM-DD in ASCII digits; raise ValueError for anything else."""
    if not _ISO_DAY.fullmatch(text):
        raise ValueError("not a day")
    return date.fromisoformat(text)


def parse_month(text: str) -> date:
    """Return the first day of the month written as YYYY-MM; raise ValueError for anything else."""
    if not _ISO_MONTH.fullmatch(text):
        raise ValueError("not a month")
    return date.fromisoformat(f"{text}-01")


def day_before(day: date) -> date | None:
    """Return the day before, or None if `day` is the first of all dates."""
    return None if day == date.min else day - _ONE_DAY


def day_after(day: date, *, until: date) -> date | None:
    """Return the day after, or None if it is later than `until`."""
    return None if day >= until or day == date.max else day + _ONE_DAY


def get_noon(day: date, zone_name: str, *, delay: timedelta = timedelta()) -> datetime:
    """Return noon of a day in a time zone, plus the timedelta `delay`, converted to UTC.

    For the first and last possible dates, return noon in UTC.
    """
    at_noon = datetime.combine(day, time(12))
    try:
        return (at_noon + delay).replace(tzinfo=get_time_zone(zone_name)).astimezone(UTC)
    except OverflowError:
        return at_noon.replace(tzinfo=UTC)


def utc_offset(moment: datetime, zone_name: str) -> int:
    """Return how many seconds the clocks of a time zone are ahead of UTC at a moment."""
    offset = to_local_time(moment, zone_name).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def to_original_time(moment: datetime, *, offset: int | None, zone_name: str) -> datetime:
    """Return a moment in its original UTC offset, or in the time zone `zone_name` if the offset is None."""
    if offset is None:
        return to_local_time(moment, zone_name)
    try:
        return moment.astimezone(timezone(timedelta(seconds=offset)))
    except (OverflowError, ValueError):
        # An offset of more than a day is damaged, and so is the text that is bound to it.
        return moment


def format_time(moment: datetime, zone_name: str) -> str:
    """Return a moment's time of day in a time zone, as 08:12."""
    return to_local_time(moment, zone_name).strftime("%H:%M")


def to_local_time(moment: datetime, zone_name: str) -> datetime:
    """Return a moment converted to a time zone.

    If the result would be before year 1 or after year 9999, return the moment unchanged.
    """
    try:
        return moment.astimezone(get_time_zone(zone_name))
    except OverflowError:
        return moment


def format_day(day: date) -> str:
    """Return a day in words: 20 November 2026."""
    return f"{day.day} {month_name[day.month]} {day.year}"


def weekday_name(day: date) -> str:
    """Return the name of a day's weekday."""
    return day_name[day.weekday()]


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day in a calendar month; `date` is None for a day of another month."""

    date: date | None
    number: int
    in_month: bool
    written: bool
    # Has an opening and no entry.
    opened: bool
    is_today: bool
    is_selected: bool
    is_future: bool
    url: str = ""


@dataclass(frozen=True, slots=True)
class CalendarMonth:
    """A calendar month in whole weeks."""

    year: int
    month: int
    name: str
    previous: str | None
    next: str | None
    # The nearest days with entries, where the months beside this one have none.
    earlier: date | None
    later: date | None
    weeks: list[list[CalendarDay]]
    weekday_names: list[tuple[str, str]]
    # Its weeks as rows of a table, where they were rendered beforehand.
    rows: str = ""

    @property
    def address(self) -> str:
        """The month in URL form."""
        return f"{self.year:04}-{self.month:02}"


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """A year as its page shows it: its months, and its numbers of entries and of days with entries.

    `previous` and `next` are the years to which the page links.
    """

    number: int
    months: list[CalendarMonth]
    days: int
    entries: int
    previous: int | None
    next: int | None


def month_bounds(day: date) -> tuple[date, date]:
    """Return the first and last day of a day's month."""
    first = day.replace(day=1)
    last = date.max if (day.year, day.month) == (9999, 12) else _month_after(first) - _ONE_DAY
    return first, last


def _month_after(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def get_month_days_for_day_page(day: date) -> list[str]:
    """Return the days of the year (a list of MM-DD) for which a day's page shows entries of earlier years.

    In years without 29 February, the page of 28 February shows entries of 29 February too.
    """
    month_day = f"{day:%m-%d}"
    return [month_day] if isleap(day.year) else get_month_days_for_on_this_day(month_day)


def get_month_days_for_on_this_day(month_day: str) -> list[str]:
    """Return the days of the year (a list of MM-DD) for which an "on this day" page shows entries.

    The argument `month_day` is MM-DD too. The page of 28 February shows entries of 29 February too.
    """
    return [month_day, "02-29"] if month_day == "02-28" else [month_day]


def _adjacent_months(first: date, *, until: date) -> tuple[str | None, str | None]:
    before = None if first == date.min else (first - _ONE_DAY).strftime("%Y-%m")
    if (first.year, first.month) >= (until.year, until.month):
        return _pad_year(before), None
    return _pad_year(before), _pad_year(_month_after(first).strftime("%Y-%m"))


def _pad_year(month: str | None) -> str | None:
    # glibc's `strftime` does not pad the year 987.
    return month.zfill(7) if month else None


def build_month(
    day: date,
    *,
    written: Collection[date],
    now_day: date,
    selected: date | None,
    week_start: int,
    words: DateWords | None = None,
    opened: Collection[date] = (),
    address: Callable[[str], str] = str,
    earlier: date | None = None,
    later: date | None = None,
    until: date = date.min,
    bounded: bool = False,
) -> CalendarMonth:
    """Return the calendar of the month that contains `day`; weeks begin on `week_start` (0 is Monday).

    The month links to later months up to the month of today or of `until`, whichever is later. If it is
    `bounded`, it has no link to an earlier month, since there are no earlier entries.
    """

    def cell(year: int, month: int, number: int) -> CalendarDay:
        in_month = (year, month) == (day.year, day.month)
        cell_day = date(year, month, number) if in_month else None
        return CalendarDay(
            date=cell_day,
            number=number,
            in_month=in_month,
            written=cell_day in written,
            opened=cell_day in opened and cell_day not in written,
            is_today=cell_day == now_day,
            is_selected=cell_day is not None and cell_day == selected,
            is_future=cell_day is not None and cell_day > now_day,
            url=address(cell_day.isoformat()) if cell_day else "",
        )

    date_words = words or get_date_words(DEFAULT_LANGUAGE)
    calendar = Calendar(firstweekday=week_start)
    flat = [cell(*square) for square in calendar.itermonthdays3(day.year, day.month)]
    before, after = _adjacent_months(day.replace(day=1), until=max(now_day, until))
    return CalendarMonth(
        year=day.year,
        month=day.month,
        name=date_words.month(day.month),
        previous=None if bounded else before,
        next=after,
        earlier=earlier,
        later=later,
        weeks=[flat[start : start + 7] for start in range(0, len(flat), 7)],
        weekday_names=[
            (date_words.initials[one], date_words.weekdays[one]) for one in calendar.iterweekdays()
        ],
    )
