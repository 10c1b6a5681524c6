"""Tests of the schedule of check-ins, over midnights and changes of the clock."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from search.checkins.schedule import Hours, compute_next

VIENNA = ZoneInfo("Europe/Vienna")
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALL_DAY = Hours(start=time(0), end=time(0))


def at(text: str) -> datetime:
    """Return a moment by the clock of Vienna."""
    return datetime.fromisoformat(text).replace(tzinfo=VIENNA).astimezone(UTC)


def next_due(
    *,
    latest: datetime | None = START,
    switched_on: datetime = START - timedelta(days=9),
    unlocked: datetime = START,
    interval: timedelta = 2 * HOUR,
    hours: Hours = ALL_DAY,
) -> datetime:
    return compute_next(
        latest=latest, switched_on=switched_on, unlocked=unlocked, interval=interval, hours=hours, zone=VIENNA
    )


def test_the_first_is_due_an_interval_after_they_were_switched_on() -> None:
    assert next_due(latest=None, switched_on=START) == START + 2 * HOUR
    # One from before that does not count.
    assert next_due(latest=START - 9 * HOUR, switched_on=START) == START + 2 * HOUR


def test_what_was_due_while_locked_is_made_up_for_once_a_minute_after_the_unlock() -> None:
    unlocked = START + timedelta(days=3, minutes=7)

    due = next_due(unlocked=unlocked)

    assert due == unlocked + timedelta(minutes=1)
    assert next_due(latest=due, unlocked=unlocked) == due + 2 * HOUR


@pytest.mark.parametrize(
    ("moment", "contained"),
    [("08:00", True), ("21:59", True), ("22:00", False), ("07:59", False), ("00:00", False)],
)
def test_hours_are_those_of_the_clock_where_the_person_is(moment: str, contained: bool) -> None:
    assert Hours().contain(at(f"2026-07-01 {moment}"), zone=VIENNA) is contained
    assert Hours().contain(at(f"2026-12-01 {moment}"), zone=VIENNA) is contained


@pytest.mark.parametrize(
    ("moment", "contained"),
    [("22:00", True), ("23:59", True), ("00:00", True), ("01:59", True), ("02:00", False), ("12:00", False)],
)
def test_hours_may_cross_midnight(moment: str, contained: bool) -> None:
    assert Hours(start=time(22), end=time(2)).contain(at(f"2026-07-01 {moment}"), zone=VIENNA) is contained


def test_one_that_is_due_outside_the_hours_waits_for_them() -> None:
    due = next_due(latest=at("2026-07-01 21:30"), unlocked=at("2026-07-01 08:00"), hours=Hours())

    assert due == at("2026-07-02 08:00")


@pytest.mark.parametrize(
    ("latest", "hours", "expected"),
    [
        # 02:00 to 03:00 is left out on this day: what begins there begins with the hour after it.
        ("2026-03-29 00:30", Hours(start=time(2, 30), end=time(5)), "2026-03-29 03:30"),
        ("2026-03-28 21:30", Hours(), "2026-03-29 08:00"),
        # 02:00 to 03:00 comes twice on this day.
        ("2026-10-25 00:30", Hours(start=time(2, 30), end=time(5)), "2026-10-25 02:30"),
        ("2026-10-24 21:30", Hours(), "2026-10-25 08:00"),
    ],
)
def test_hours_begin_once_on_a_day_on_which_the_clock_is_changed(
    latest: str, hours: Hours, expected: str
) -> None:
    due = next_due(latest=at(latest), unlocked=at(latest), interval=HOUR, hours=hours)

    assert due == at(expected)
    assert hours.contain(due, zone=VIENNA)


def test_the_interval_is_time_that_passes_and_not_the_clock() -> None:
    before = at("2026-10-25 01:30")

    # Two hours later the clock shows 02:30 for the second time.
    assert next_due(latest=before, unlocked=before) == before + 2 * HOUR
