"""Tests of days, adjacent days and months, from year 1 to 9999."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary import days

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("UTC", date(2026, 11, 20)),
        ("Pacific/Kiritimati", date(2026, 11, 21)),
        ("Etc/GMT+12", date(2026, 11, 20)),
        ("No/Such_Zone", date(2026, 11, 20)),
        ("../../etc/passwd", date(2026, 11, 20)),
        ("", date(2026, 11, 20)),
    ],
)
def test_today_is_that_of_the_person(zone: str, day: date) -> None:
    assert days.today(zone, now=NOON) == day


def test_a_day_has_begun_once_it_has_begun_anywhere() -> None:
    assert days.has_begun(date(2026, 11, 21), now=NOON)
    assert not days.has_begun(date(2026, 11, 21), now=NOON - timedelta(hours=3))


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30",
        "0000-01-01",
        "2026-1-1",
        "20261120",
        "２０２６-11-20",
        " 2026-11-20",
        "2026-11-20\n",
        "",
        "x",
    ],
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        days.parse_day(text)


@given(st.dates())
def test_every_day_is_read_back_from_its_address(day: date) -> None:
    assert days.parse_day(day.isoformat()) == day


@given(st.dates())
def test_neighbours_are_a_day_away_and_end_with_the_calendar(day: date) -> None:
    before, after = days.day_before(day), days.day_after(day, until=date.max)

    assert before is None if day == date.min else before == day - timedelta(days=1)
    assert after is None if day == date.max else after == day + timedelta(days=1)


def test_there_is_no_next_day_beyond_today() -> None:
    today = date(2026, 11, 20)

    assert days.day_after(today, until=today) is None
    assert days.day_after(today - timedelta(days=1), until=today) == today


@given(st.dates(), st.integers(0, 6), st.dates())
def test_a_month_holds_each_of_its_days_once_in_whole_weeks(
    day: date, week_start: int, now_day: date
) -> None:
    first, last = days.month_bounds(day)

    month = days.build_month(day, written={day}, now_day=now_day, selected=day, week_start=week_start)

    cells = [cell for week in month.weeks for cell in week]
    inside = [cell.date for cell in cells if cell.in_month]
    assert all(len(week) == 7 for week in month.weeks)
    assert inside == [first + timedelta(days=number) for number in range((last - first).days + 1)]
    assert [cell.date for cell in cells if cell.written] == [day]
    assert [cell.date for cell in cells if cell.is_selected] == [day]
    for week in month.weeks:
        for place, cell in enumerate(week):
            if cell.date is not None:
                assert cell.date.weekday() == (week_start + place) % 7


def test_months_lead_to_their_neighbours_until_this_one() -> None:
    def neighbours(day: date) -> tuple[str | None, str | None]:
        month = days.build_month(day, written=(), now_day=date(2026, 11, 20), selected=None, week_start=0)
        return month.previous, month.next

    assert neighbours(date(2026, 11, 1)) == ("2026-10", None)
    assert neighbours(date(2025, 12, 1)) == ("2025-11", "2026-01")
    assert neighbours(date(987, 1, 1)) == ("0986-12", "0987-02")
    assert neighbours(date(1, 1, 1)) == (None, "0001-02")
    assert neighbours(date(9999, 12, 1)) == ("9999-11", None)


@given(
    st.dates(),
    st.sampled_from(["UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Europe/Amsterdam", "Asia/Kathmandu"]),
)
def test_noon_falls_on_its_day(day: date, zone: str) -> None:
    moment = days.get_noon(day, zone)

    assert moment.tzinfo is UTC
    if date.min < day < date.max:
        assert days.to_local_time(moment, zone).date() == day
    assert len(days.format_time(moment, zone)) == 5


def test_days_are_written_as_people_write_them() -> None:
    assert days.format_day(date(2026, 11, 20)) == "20 November 2026"
    assert days.weekday_name(date(2026, 11, 20)) == "Friday"
