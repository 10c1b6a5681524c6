"""The heatmap of a year: twelve blocks of days, weeks as columns, in five shades. Pure.

Each month is a separate block: twelve blocks fit side by side on a wide page and wrap on a narrow one,
whereas a single strip of fifty-three columns would leave four pixels for a day.
"""

from calendar import isleap, monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from django.utils.text import capfirst

from accounts.preferences.languages import DateWords

STEPS = 5


@dataclass(frozen=True, slots=True)
class HeatDay:
    """A day: the number of entries, and its shade from 0 (none) to 5."""

    date: date
    count: int
    step: int
    label: str


@dataclass(frozen=True, slots=True)
class HeatMonth:
    """A month of a heatmap, with a column for each week. The month begins in row `row`, from 1 to 7."""

    name: str
    row: int
    days: Sequence[HeatDay]
    count: int

    @property
    def days_with_entries(self) -> list[HeatDay]:
        """The days with entries, in order."""
        return [day for day in self.days if day.count]


@dataclass(frozen=True, slots=True)
class Heatmap:
    """The heatmap of a year, with the weekday of its first row and the nearest years with entries."""

    year: int
    months: Sequence[HeatMonth]
    legend: Sequence[tuple[int, str]]
    first_weekday: str
    previous: int | None
    next: int | None
    count: int

    @property
    def days_with_entries(self) -> list[HeatDay]:
        """The days with entries, in order."""
        return [day for month in self.months for day in month.days_with_entries]


def build_heatmap(
    year: int, counts: Mapping[date, int], *, week_start: int, years: Sequence[int], words: DateWords
) -> Heatmap:
    """Return the heatmap of a year; `years` are all years with entries, in any order."""
    counts_of_year = {day: count for day, count in counts.items() if day.year == year}
    most = max(counts_of_year.values(), default=0)
    offset = (date(year, 1, 1).weekday() - week_start) % 7
    months, days_before = [], 0
    for number in range(1, 13):
        length = monthrange(2024 if isleap(year) else 2023, number)[1]
        row = (offset + days_before) % 7 + 1
        months.append(_build_month(date(year, number, 1), length, counts_of_year, most, row=row, words=words))
        days_before += length
    return Heatmap(
        year=year,
        months=months,
        legend=_build_legend(most),
        first_weekday=capfirst(words.weekdays[week_start]),
        previous=max((other for other in years if other < year), default=None),
        next=min((other for other in years if other > year), default=None),
        count=sum(counts_of_year.values()),
    )


def _build_month(
    first: date, length: int, counts: Mapping[date, int], most: int, *, row: int, words: DateWords
) -> HeatMonth:
    cells = []
    for number in range(length):
        day = first + timedelta(days=number)
        count = counts.get(day, 0)
        label = _get_day_label(words, day) if count else ""
        cells.append(HeatDay(day, count, get_step(count, most), label))
    total = sum(cell.count for cell in cells)
    return HeatMonth(words.month(first.month), row, cells, total)


@lru_cache(maxsize=4096)
def _get_day_label(words: DateWords, day: date) -> str:
    """Return a day in words; cached, since formatting the days of a year takes half of the page's time."""
    return words.day(day)


def get_step(count: int, most: int) -> int:
    """Return the step (shade) of a count. It is the count itself if no day has more than five."""
    return count if most <= STEPS else -(-STEPS * count // most)


def _build_legend(most: int) -> list[tuple[int, str]]:
    """Return each shade that can occur, with its range of counts."""
    counts_by_step: dict[int, list[int]] = {}
    for count in range(1, most + 1):
        counts_by_step.setdefault(get_step(count, most), []).append(count)
    return [
        (step, str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}")
        for step, counts in counts_by_step.items()
    ]
