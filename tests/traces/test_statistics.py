"""Tests of the frequency over time and of shared entries."""

from collections import Counter
from datetime import date, timedelta
from itertools import combinations
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.preferences.languages import DEFAULT_LANGUAGE, get_date_words
from traces.statistics import MAX_BARS, compute_frequency, count_cooccurrences

WORDS = get_date_words(DEFAULT_LANGUAGE)
DAYS = st.dates(date.min, date.max)


def test_one_day_has_no_frequency() -> None:
    assert compute_frequency({}, words=WORDS) is None
    assert compute_frequency({date(2026, 1, 1): 3}, words=WORDS) is None


@pytest.mark.parametrize(
    ("last", "unit", "bars", "labels"),
    [
        (date(2026, 2, 1), "week", 6, ("week of 22 December 2025", "week of 26 January 2026")),
        (date(2026, 12, 30), "month", 13, ("December 2025", "December 2026")),
        (date(2045, 1, 1), "year", 21, ("2025", "2045")),
        (date(2325, 1, 1), "decade", 31, ("2020 to 2029", "2320 to 2329")),
        (date(9025, 1, 1), "century", 71, ("2000 to 2099", "9000 to 9099")),
    ],
)
def test_the_stretch_grows_with_the_time(last: date, unit: str, bars: int, labels: tuple[str, str]) -> None:
    found = compute_frequency({date(2025, 12, 24): 1, last: 4}, words=WORDS)

    assert found is not None
    assert (found.unit, len(found.bars)) == (unit, bars)
    assert (found.bars[0].label, found.bars[-1].label) == labels
    assert [bar.count for bar in found.bars if bar.count] == [1, 4]
    assert (found.bars[0].height, found.bars[-1].height) == (25, 100)
    assert found.most.label == labels[1]


@given(st.dictionaries(DAYS, st.integers(1, 9), min_size=2, max_size=30))
def test_every_entry_is_in_one_stretch_and_there_are_never_too_many(counts: dict[date, int]) -> None:
    found = compute_frequency(counts, words=WORDS)

    if found is not None:
        assert sum(bar.count for bar in found.bars) == sum(counts.values())
        assert 2 <= len(found.bars) <= max(MAX_BARS, 100)
        assert len({bar.label for bar in found.bars}) == len(found.bars)


def test_the_ends_of_all_dates_are_counted_too() -> None:
    for days in ((date.min, date(1, 1, 9)), (date(9999, 11, 1), date.max), (date.min, date.max)):
        found = compute_frequency(dict.fromkeys(days, 1), words=WORDS)
        assert found is not None
        assert sum(bar.count for bar in found.bars) == 2


IDS = [UUID(int=number) for number in range(1, 9)]
ROWS = st.lists(st.sets(st.sampled_from(IDS)), max_size=40)


@given(ROWS)
def test_shared_entries_are_those_counted_one_by_one(rows: list[set[UUID]]) -> None:
    kept = [(UUID(int=1000 + number), trace) for number, row in enumerate(rows) for trace in row]

    shared = count_cooccurrences(kept)

    pairs = Counter(pair for row in rows for pair in combinations(sorted(row), 2))
    assert shared.ids == sorted({trace for row in rows for trace in row})
    for one, row_of in zip(shared.ids, shared.counts, strict=True):
        for other, count in zip(shared.ids, row_of, strict=True):
            own = sum(one in row for row in rows)
            assert count == (own if one == other else pairs[min(one, other), max(one, other)])


def test_more_entries_than_are_counted_at_once_are_all_counted() -> None:
    kept = [(UUID(int=number), IDS[place]) for number in range(10_000) for place in (0, number % 3 + 1)]

    shared = count_cooccurrences(kept)

    assert shared.counts.dtype == np.int64
    assert shared.counts[0].tolist() == [10_000, 3334, 3333, 3333]
    assert shared.counts[1].tolist() == [3334, 3334, 0, 0]


def test_what_is_kept_twice_counts_once() -> None:
    assert count_cooccurrences([(IDS[0], IDS[1]), (IDS[0], IDS[1])]).counts.tolist() == [[1]]


def test_weeks_begin_on_mondays() -> None:
    monday = date(2026, 11, 16)
    found = compute_frequency(
        {monday - timedelta(days=1): 1, monday: 2, monday + timedelta(days=6): 3}, words=WORDS
    )

    assert found is not None
    assert [bar.count for bar in found.bars] == [1, 5]
