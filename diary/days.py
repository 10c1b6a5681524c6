"""Days: dates in a person's time zone, their names, and months as a calendar shows them. Pure.

A day runs from year 1 to 9999. It may be *opened* whatever it is; it may be *written on* once it has
begun anywhere on earth, so that a page opened before its person changed their time zone can still be kept.
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
_MAX_UTC_OFFSET = timedelta(hours=14)  # UTC+14, the Line Islands: where each day begins


@lru_cache(maxsize=64)
def get_time_zone(name: str) -> ZoneInfo:
    """Return the time zone of that name, or UTC where this machine knows none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def today(zone_name: str, *, now: datetime) -> date:
    """Return the day it is in a time zone."""
    return now.astimezone(get_time_zone(zone_name)).date()


def has_begun(day: date, *, now: datetime) -> bool:
    """Return whether it is that day, or later, anywhere on earth."""
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
    """Return the day before, or None at the beginning of dates."""
    return None if day == date.min else day - _ONE_DAY


def day_after(day: date, *, until: date) -> date | None:
    """Return the day after, or None where it lies beyond `until`."""
    return None if day >= until or day == date.max else day + _ONE_DAY


def noon(day: date, zone_name: str, *, plus: timedelta = timedelta()) -> datetime:
    """Return noon of a day in a time zone, as UTC; at the two ends of dates, noon in UTC."""
    at_noon = datetime.combine(day, time(12))
    try:
        return (at_noon + plus).replace(tzinfo=get_time_zone(zone_name)).astimezone(UTC)
    except OverflowError:
        return at_noon.replace(tzinfo=UTC)


def utc_offset(moment: datetime, zone_name: str) -> int:
    """Return how many seconds the clocks of a time zone are ahead of UTC at a moment."""
    ahead = to_local_time(moment, zone_name).utcoffset()
    return int(ahead.total_seconds()) if ahead else 0


def to_original_time(moment: datetime, *, offset: int | None, zone_name: str) -> datetime:
    """Return a moment as its person saw it on the clock; by their zone of now where that is not known."""
    if offset is None:
        return to_local_time(moment, zone_name)
    try:
        return moment.astimezone(timezone(timedelta(seconds=offset)))
    except OverflowError:
        return moment


def format_time(moment: datetime, zone_name: str) -> str:
    """Return a moment's time of day in a time zone, as 08:12."""
    return to_local_time(moment, zone_name).strftime("%H:%M")


def to_local_time(moment: datetime, zone_name: str) -> datetime:
    """Return a moment in a time zone; in UTC at the two ends of dates."""
    try:
        return moment.astimezone(get_time_zone(zone_name))
    except OverflowError:
        return moment


def format_day(day: date) -> str:
    """Return a day as people write it: 20 November 2026."""
    return f"{day.day} {month_name[day.month]} {day.year}"


def weekday_name(day: date) -> str:
    """Return the name of a day's weekday."""
    return day_name[day.weekday()]


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One square of a month; `date` is None where it would lie outside of all dates."""

    date: date | None
    number: int
    in_month: bool
    written: bool
    # Not written on, but begun by the model.
    opened: bool
    is_today: bool
    is_selected: bool
    is_future: bool
    iso: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class CalendarMonth:
    """A month as a calendar shows it, in whole weeks."""

    year: int
    month: int
    name: str
    previous: str | None
    next: str | None
    # The nearest written days where the months beside this one hold none.
    earlier: date | None
    later: date | None
    weeks: list[list[CalendarDay]]
    weekday_names: list[tuple[str, str]]

    @property
    def address(self) -> str:
        """Return the month as it stands in addresses."""
        return f"{self.year:04}-{self.month:02}"


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """A year as its page shows it: its months, what was written in it, and the written years around it."""

    number: int
    months: list[CalendarMonth]
    days: int
    entries: int
    previous: int | None
    next: int | None


def month_bounds(day: date) -> tuple[date, date]:
    """Return the first and last day of the month a day lies in."""
    first = day.replace(day=1)
    last = date.max if (day.year, day.month) == (9999, 12) else _month_after(first) - _ONE_DAY
    return first, last


def _month_after(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def get_remembered_month_days(day: date) -> list[str]:
    """Return the places in the year (MM-DD) that a day remembers.

    29 February would be remembered once in four years; in the others, the day before it does.
    """
    place = f"{day:%m-%d}"
    return [place] if isleap(day.year) else get_shown_month_days(place)


def get_shown_month_days(place: str) -> list[str]:
    """Return the places in the year whose days the page of one shows: all that leads there is found there."""
    return [place, "02-29"] if place == "02-28" else [place]


def _adjacent_months(first: date, *, until: date) -> tuple[str | None, str | None]:
    before = None if first == date.min else (first - _ONE_DAY).strftime("%Y-%m")
    if (first.year, first.month) >= (until.year, until.month):
        return _pad_year(before), None
    return _pad_year(before), _pad_year(_month_after(first).strftime("%Y-%m"))


def _pad_year(month: str | None) -> str | None:
    # glibc writes the year 987 as "987".
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
    """Return the month a day lies in, its weeks beginning on `week_start` (0 is Monday).

    `until`: it leads on to the month of that day where today's comes before.
    `bounded`: nothing was written before it, and so it leads no further back.
    """

    def cell(year: int, month: int, number: int) -> CalendarDay:
        in_month = (year, month) == (day.year, day.month)
        there = date(year, month, number) if in_month else None
        iso = there.isoformat() if there else ""
        return CalendarDay(
            date=there,
            number=number,
            in_month=in_month,
            written=there in written,
            opened=there in opened and there not in written,
            is_today=there == now_day,
            is_selected=there is not None and there == selected,
            is_future=there is not None and there > now_day,
            iso=iso,
            url=address(iso) if iso else "",
        )

    said = words or get_date_words(DEFAULT_LANGUAGE)
    calendar = Calendar(firstweekday=week_start)
    flat = [cell(*square) for square in calendar.itermonthdays3(day.year, day.month)]
    before, after = _adjacent_months(day.replace(day=1), until=max(now_day, until))
    return CalendarMonth(
        year=day.year,
        month=day.month,
        name=said.month(day.month),
        previous=None if bounded else before,
        next=after,
        earlier=earlier,
        later=later,
        weeks=[flat[start : start + 7] for start in range(0, len(flat), 7)],
        weekday_names=[(said.initials[number], said.weekdays[number]) for number in calendar.iterweekdays()],
    )
