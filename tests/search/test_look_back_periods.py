"""Tests of the weeks and months of look-backs, and of their neighbours."""

from datetime import date
from itertools import pairwise

import pytest

from search.look_backs.periods import Period


@pytest.mark.parametrize(
    ("week_start", "first", "last"),
    [(0, date(2026, 2, 2), date(2026, 2, 8)), (6, date(2026, 2, 1), date(2026, 2, 7))],
)
def test_a_week_begins_with_the_chosen_weekday(week_start: int, first: date, last: date) -> None:
    week = Period.create_week(date(2026, 2, 5), week_start=week_start)

    assert (week.first, week.last) == (first, last)
    assert week.after is not None
    assert week.after.before == week


@pytest.mark.parametrize("week_start", range(7))
def test_weeks_follow_each_other_up_to_both_ends_of_all_days(week_start: int) -> None:
    for begin, end in ((date.min, date(1, 2, 1)), (date(9999, 12, 1), date.max)):
        week: Period | None = Period.create_week(begin, week_start=week_start)
        weeks = []
        while week is not None and week.first <= end:
            weeks.append(week)
            week = week.after
        assert weeks[0].first <= begin
        assert weeks[-1].last >= end
        for earlier, later in pairwise(weeks):
            assert later.first.toordinal() == earlier.last.toordinal() + 1
            assert later.before == earlier
    assert Period.create_week(date.min, week_start=week_start).before is None
    assert Period.create_week(date.max, week_start=week_start).after is None


def test_a_month_has_the_weeks_that_have_a_day_of_it() -> None:
    month = Period.create_month(date(2024, 2, 20))

    weeks = [week.first for week in month.iter_weeks(week_start=0)]

    assert (month.first, month.last) == (date(2024, 2, 1), date(2024, 2, 29))
    assert weeks == [date(2024, 1, 29), *(date(2024, 2, day) for day in (5, 12, 19, 26))]
    assert month.before == Period("month", date(2024, 1, 1))
    assert month.after == Period("month", date(2024, 3, 1))
    assert Period.create_month(date.min).before is None
    assert Period.create_month(date.max).after is None
