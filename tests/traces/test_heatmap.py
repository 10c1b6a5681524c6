"""Tests of the heatmap of a year: rows, five shades, and the nearest years with entries."""

from calendar import isleap
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.preferences.languages import DEFAULT_LANGUAGE, get_date_words
from traces.detail.heatmap import STEPS, build_heatmap, get_step

WORDS = get_date_words(DEFAULT_LANGUAGE)


@given(st.integers(1, 9999), st.integers(0, 6))
def test_every_day_of_a_year_stands_in_the_row_of_its_weekday(year: int, week_start: int) -> None:
    made = build_heatmap(year, {}, week_start=week_start, years=[year], words=WORDS)

    found = [day.date for month in made.months for day in month.days]
    assert found[0] == date(year, 1, 1)
    assert len(found) == 365 + isleap(year)
    assert all((later - earlier).days == 1 for earlier, later in pairwise(found))
    for month in made.months:
        assert month.row == (month.days[0].date.weekday() - week_start) % 7 + 1
    assert made.first_weekday == WORDS.weekday(date(2026, 11, 16 + week_start))


def test_months_are_named_and_counted() -> None:
    made = build_heatmap(
        1663,
        {date(1663, 3, 1): 2, date(1663, 3, 31): 1, date(1664, 3, 1): 9},
        week_start=0,
        years=[1663, 1664],
        words=WORDS,
    )

    assert [month.name for month in made.months[:3]] == ["January", "February", "March"]
    assert [month.count for month in made.months[:4]] == [0, 0, 3, 0]
    assert made.count == 3
    assert [day.date.isoformat() for day in made.days_with_entries] == ["1663-03-01", "1663-03-31"]
    assert made.days_with_entries[0].label == "1 March 1663"


def test_the_years_beside_it_are_the_nearest_that_hold_something() -> None:
    years = [2020, 1660, 1700]

    between, first, last = (
        build_heatmap(year, {}, week_start=0, years=years, words=WORDS) for year in (1700, 1660, 2020)
    )

    assert (between.previous, between.next) == (1660, 2020)
    assert (first.previous, first.next) == (None, 1700)
    assert (last.previous, last.next) == (1700, None)


@pytest.mark.parametrize(
    ("most", "steps", "legend"),
    [
        (3, {0: 0, 1: 1, 2: 2, 3: 3}, [(1, "1"), (2, "2"), (3, "3")]),
        (5, {1: 1, 5: 5}, [(1, "1"), (2, "2"), (3, "3"), (4, "4"), (5, "5")]),
        (
            10,
            {1: 1, 2: 1, 3: 2, 10: 5},
            [(1, "1 to 2"), (2, "3 to 4"), (3, "5 to 6"), (4, "7 to 8"), (5, "9 to 10")],
        ),
    ],
)
def test_there_are_five_steps_and_a_legend_that_is_true(
    most: int, steps: dict[int, int], legend: list[tuple[int, str]]
) -> None:
    counts = {date(2026, 1, 1) + timedelta(days=count): count for count in range(1, most + 1)}

    made = build_heatmap(2026, counts, week_start=0, years=[2026], words=WORDS)

    assert {count: get_step(count, most) for count in steps} == steps
    assert made.legend == legend
    assert {day.step for day in made.days_with_entries} <= set(range(1, STEPS + 1))


@given(st.integers(1, 400))
def test_a_step_never_falls_as_the_count_rises(most: int) -> None:
    steps = [get_step(count, most) for count in range(most + 1)]

    assert steps == sorted(steps)
    assert steps[0] == 0
    assert steps[1] >= 1
    assert steps[-1] == min(most, STEPS)
