"""A year of days as twelve blocks, weeks as columns, in five steps of one hue. Pure.

A month is a block of its own: twelve fit beside one another on a wide page and wrap on a narrow one, where a
single strip of fifty-three columns would be four pixels to a day.
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
    """One day: how many entries, and the step of the hue from 0, nothing, to 5."""

    date: date
    count: int
    step: int
    label: str

    @property
    def iso(self) -> str:
        """Return the day as it stands in addresses."""
        return self.date.isoformat()


@dataclass(frozen=True, slots=True)
class HeatMonth:
    """A month of days from top to bottom and left to right; its first stands in row `row`, of 1 to 7."""

    name: str
    row: int
    days: Sequence[HeatDay]
    count: int

    @property
    def days_with_entries(self) -> list[HeatDay]:
        """Return its days with something, in order."""
        return [day for day in self.days if day.count]


@dataclass(frozen=True, slots=True)
class Heatmap:
    """A year, the weekday at the top of its columns, and the years beside it that lie within the bounds."""

    year: int
    months: Sequence[HeatMonth]
    legend: Sequence[tuple[int, str]]
    first_weekday: str
    previous: int | None
    next: int | None
    count: int

    @property
    def days_with_entries(self) -> list[HeatDay]:
        """Return all such days, in order."""
        return [day for month in self.months for day in month.days_with_entries]


def build_heatmap(
    year: int, counts: Mapping[date, int], *, week_start: int, years: Sequence[int], words: DateWords
) -> Heatmap:
    """Return a year as it is shown; `years` are those that hold something, in any order."""
    here = {day: count for day, count in counts.items() if day.year == year}
    most = max(here.values(), default=0)
    offset = (date(year, 1, 1).weekday() - week_start) % 7
    months, passed = [], 0
    for number in range(1, 13):
        length = monthrange(2024 if isleap(year) else 2023, number)[1]
        months.append(
            _build_month(
                date(year, number, 1), length, here, most, row=(offset + passed) % 7 + 1, words=words
            )
        )
        passed += length
    return Heatmap(
        year=year,
        months=months,
        legend=_build_legend(most),
        first_weekday=capfirst(words.weekdays[week_start]),
        previous=max((other for other in years if other < year), default=None),
        next=min((other for other in years if other > year), default=None),
        count=sum(here.values()),
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
    """Return a day as it is written; writing each anew would be half of the page's time."""
    return words.day(day)


def get_step(count: int, most: int) -> int:
    """Return the step of a count: the count itself while no day has more than five, else a share."""
    return count if most <= STEPS else -(-STEPS * count // most)


def _build_legend(most: int) -> list[tuple[int, str]]:
    """Return each step that can occur, with the counts it stands for."""
    found: dict[int, list[int]] = {}
    for count in range(1, most + 1):
        found.setdefault(get_step(count, most), []).append(count)
    return [
        (step, str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}")
        for step, counts in found.items()
    ]
