"""Tests of a day that has begun further east and is still in the future further west."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from diary import days
from diary.models import Draft
from tests.page import read
from tests.people import Resident, new_resident

EAST, WEST = "Pacific/Kiritimati", "Pacific/Pago_Pago"


@pytest.fixture
def traveller(db: None) -> Resident:
    return new_resident("Teuila", time_zone=EAST)


def move_west(traveller: Resident) -> date:
    """Move the person to a time zone further west, and return the day in the east."""
    left = traveller.today
    traveller.set_preferences(time_zone=WEST)
    assert left > traveller.today
    return left


def save_draft(traveller: Resident, text: str) -> None:
    traveller.post(f"/d/{traveller.today}/draft/", text=text, revision="0", script=True)
    assert Draft.objects.count() == 1


def test_days_lead_on_to_the_last_one_that_was_begun(traveller: Resident) -> None:
    traveller.write("Written in the east.")
    left = move_west(traveller)

    day = traveller.today
    while day < left:
        page = read(traveller.get(f"/d/{day}/"))
        day += timedelta(days=1)
        assert set(page.values('.step[rel="next"]', "href")) == {f"/d/{day}/"}
    assert 'rel="next"' not in traveller.get(f"/d/{left}/").content.decode()


def test_a_draft_alone_is_led_on_to_as_well(traveller: Resident) -> None:
    traveller.write("Long ago", day=date(2020, 1, 1))
    save_draft(traveller, "Half a draft in the east")
    left = move_west(traveller)

    today, there = traveller.get("/").content.decode(), traveller.get(f"/d/{left}/").content.decode()

    assert f'href="/d/{traveller.today + timedelta(days=1)}/"' in today
    assert "Half a draft in the east</textarea>" in there
    assert "This day is still in the future where you are." in there


def test_what_was_being_written_there_can_be_kept(traveller: Resident) -> None:
    traveller.write("Written in the east.")
    save_draft(traveller, "Half a draft in the east")
    left = move_west(traveller)

    page = traveller.get(f"/d/{left}/").content.decode()
    answer = traveller.post(f"/d/{left}/", text="Half a draft in the east", key=uuid4(), revision="1")

    assert "Half a draft in the east</textarea>" in page
    assert 'href="#write"' in page
    assert f"On {days.weekday_name(left)}" in page
    assert answer.status_code == 302
    assert traveller.list_texts(left) == ["Written in the east.", "Half a draft in the east"]


@pytest.mark.parametrize("name", ["calendar", "year"])
def test_a_written_day_to_come_is_marked_and_leads_there(traveller: Resident, name: str) -> None:
    traveller.write("Written in the east.")
    left = move_west(traveller)
    path = f"/calendar/{left:%Y-%m}/" if name == "calendar" else f"/years/{left.year}/"

    page = read(traveller.get(path))

    assert page.has(f'a.cell.has-entries[href="/d/{left}/"]')


def test_the_month_leads_on_where_a_day_of_the_next_is_written_on() -> None:
    last = date(2026, 11, 30)

    month = days.build_month(
        last, written={last}, now_day=last, selected=None, week_start=0, until=date(2026, 12, 1)
    )

    assert month.next == "2026-12"


def test_a_day_that_nobody_began_has_no_place_to_write(traveller: Resident) -> None:
    traveller.write("Written in the east.")
    left = move_west(traveller)

    page = traveller.get(f"/d/{left + timedelta(days=1)}/").content.decode()

    assert 'id="composer"' not in page
    assert "This day is still in the future." in page
