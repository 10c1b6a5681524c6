"""Statistics of traces from days and ids only: frequency over time, and shared entries. Pure."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import numpy as np
import numpy.typing as npt

from accounts.preferences.languages import DateWords

MAX_BARS = 72
_MAX_WEEKS = 15
_BAR_SPACING = 10
# Entries counted at once: an incidence table of 300 traces then takes 5 MB, however large the diary is.
_ENTRIES_PER_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class FrequencyBar:
    """The count of one period; `height` is in percent of the highest bar."""

    label: str
    count: int
    height: int
    x: int = 0

    @property
    def y(self) -> int:
        """The distance of the bar from the top of the chart."""
        return 100 - self.height


@dataclass(frozen=True, slots=True)
class Frequency:
    """The counts of all periods from the first to the last. `unit` is the kind of period, such as a month."""

    unit: str
    bars: Sequence[FrequencyBar]

    @property
    def width(self) -> int:
        """The width of all bars together."""
        return _BAR_SPACING * len(self.bars)

    @property
    def last(self) -> FrequencyBar:
        """The bar of the latest period in the chart."""
        return self.bars[-1]

    @property
    def most(self) -> FrequencyBar:
        """The highest bar; the earliest if several are equal."""
        return max(self.bars, key=lambda bar: bar.count)


@dataclass(frozen=True, slots=True)
class _TimeUnit:
    """A kind of period, such as a week: its name, and functions for its start, the next start, its label."""

    name: str
    start: Callable[[date], date]
    next_start: Callable[[date], date]
    label: Callable[[DateWords, date], str]


def compute_frequency(counts: Mapping[date, int], *, words: DateWords) -> Frequency | None:
    """Return the number of entries in each period, such as a month, from the first day to the last.

    If all days are in one period, return None. `counts` has the number of entries of each day.
    """
    if len(counts) < 2:
        return None
    first, last = min(counts), max(counts)
    unit = _choose_unit(first, last)
    totals: Counter[date] = Counter()
    for day, count in counts.items():
        totals[unit.start(day)] += count
    highest = max(totals.values())
    starts = _list_starts(unit, first, last)
    bars = [
        FrequencyBar(
            unit.label(words, start),
            totals[start],
            _get_bar_height(totals[start], highest),
            _BAR_SPACING * index,
        )
        for index, start in enumerate(starts)
    ]
    return Frequency(unit.name, bars) if len(bars) > 1 else None


def _get_bar_height(count: int, highest: int) -> int:
    # A count of one beside two hundred must still be visible.
    return max(2, round(100 * count / highest)) if count else 0


def _choose_unit(first: date, last: date) -> _TimeUnit:
    if (last - first).days < 7 * _MAX_WEEKS:
        return _WEEKS
    if 12 * (last.year - first.year) + last.month - first.month < MAX_BARS:
        return _MONTHS
    steps = {1: "year", 10: "decade", 100: "century"}
    step = next((step for step in steps if (last.year - first.year) // step < MAX_BARS), 100)
    return _build_years_unit(step, steps[step])


def _list_starts(unit: _TimeUnit, first: date, last: date) -> list[date]:
    starts, following = [unit.start(first)], unit.next_start(unit.start(first))
    while starts[-1] < following <= last:
        starts.append(following)
        following = unit.next_start(following)
    return starts


def _get_week_start(day: date) -> date:
    return day - timedelta(days=day.weekday()) if day.toordinal() > 7 else date.min


def _get_next_week(start: date) -> date:
    return start + timedelta(days=7) if start <= date.max - timedelta(days=7) else date.max


_WEEKS = _TimeUnit(
    "week", _get_week_start, _get_next_week, lambda words, start: f"week of {words.day(start)}"
)
_MONTHS = _TimeUnit(
    "month",
    lambda day: day.replace(day=1),
    # The last month of all dates has no next one: returning it again ends the loop.
    lambda start: start if (start.year, start.month) == (9999, 12) else _get_next_month(start),
    DateWords.month_year,
)


def _get_next_month(start: date) -> date:
    return (start + timedelta(days=32)).replace(day=1)


def _build_years_unit(step: int, name: str) -> _TimeUnit:
    def start(day: date) -> date:
        return date(max(1, day.year - day.year % step), 1, 1)

    def following(start_: date) -> date:
        year = start_.year - start_.year % step + step
        return date(year, 1, 1) if year <= date.max.year else start_

    def label(words: DateWords, start_: date) -> str:
        del words
        return str(start_.year) if step == 1 else f"{start_.year} to {following(start_).year - 1}"

    return _TimeUnit(name, start, following, label)


@dataclass(frozen=True, slots=True)
class CoOccurrences:
    """The number of entries that each pair of traces shares; rows and columns are in the order of `ids`."""

    ids: Sequence[UUID]
    counts: npt.NDArray[np.int64]


def count_cooccurrences(pairs: Iterable[tuple[Hashable, UUID]]) -> CoOccurrences:
    """Return how many entries each pair of traces shares, from (entry, trace) pairs.

    The diagonal has the number of entries of each trace.
    """
    entries: dict[Hashable, int] = {}
    traces: dict[UUID, int] = {}
    flat: list[int] = []
    for entry, trace in pairs:
        flat.append(entries.setdefault(entry, len(entries)))
        flat.append(traces.setdefault(trace, len(traces)))
    table = np.array(flat, dtype=np.int64).reshape(-1, 2)
    rows, columns = table[np.argsort(table[:, 0], kind="stable")].T
    counts = np.zeros((len(traces), len(traces)), dtype=np.int64)
    for first in range(0, len(entries), _ENTRIES_PER_BLOCK):
        begin, end = np.searchsorted(rows, (first, first + _ENTRIES_PER_BLOCK))
        # float32 counts exactly up to 2**24, and multiplies a hundred times faster than integers do.
        incidence = np.zeros((_ENTRIES_PER_BLOCK, len(traces)), dtype=np.float32)
        incidence[rows[begin:end] - first, columns[begin:end]] = 1
        counts += (incidence.T @ incidence).astype(np.int64)
    ids = sorted(traces)
    order = [traces[trace] for trace in ids]
    return CoOccurrences(ids, counts[order][:, order])
