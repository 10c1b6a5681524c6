"""Tests of holidays: those in the tables are found, and movable ones have the right dates."""

from datetime import date

import pytest

from llamora.dates import LANGUAGES
from llamora.dates.holidays import find_holiday
from llamora.dates.lexicon import load_lexicon


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_holiday_of_a_language_has_a_day_in_a_leap_year(language: str) -> None:
    rules = load_lexicon(language).table.words["holiday"]

    missing = [rule for rule in rules if find_holiday(rule, 2024) is None]

    assert missing == []


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("advent", ["2022-11-27", "2023-12-03", "2024-12-01"]),
        ("advent-11", ["2022-11-16", "2023-11-22", "2024-11-20"]),
        ("easter+39", ["2022-05-26", "2023-05-18", "2024-05-09"]),
        ("11-thu-4", ["2022-11-24", "2023-11-23", "2024-11-28"]),
        ("11-thu-4+1", ["2022-11-25", "2023-11-24", "2024-11-29"]),
        ("11-mon-1+1", ["2022-11-08", "2023-11-07", "2024-11-05"]),
        ("5-mon--1", ["2022-05-30", "2023-05-29", "2024-05-27"]),
        ("12-26", ["2022-12-26", "2023-12-26", "2024-12-26"]),
    ],
)
def test_a_movable_holiday_lies_where_the_calendar_says(rule: str, days: list[str]) -> None:
    found = [find_holiday(rule, year) for year in (2022, 2023, 2024)]

    assert found == [date.fromisoformat(day) for day in days]


def test_a_rule_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no rule"):
        find_holiday("sometime", 2024)
