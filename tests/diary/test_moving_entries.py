"""Tests of moving entries to other days, writing on other days, and other time zones."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection

from diary import days
from diary.models import Draft, Entry
from diary.transfer.line_imports import import_lines
from diary.transfer.line_reader import ImportLine
from tests.diary.damage import flip_a_bit
from tests.page import read
from tests.people import Resident, new_resident

THERE = date(2019, 5, 3)


def move(owner: Resident, entry: Entry, day: object, **fields: object) -> object:
    return owner.post(f"/entries/{entry.id}/move/", day=day, **fields)


@pytest.mark.parametrize("script", [True, False])
def test_an_entry_is_moved_to_another_day(owner: Resident, script: bool) -> None:
    entry = owner.write("Belongs to May")

    answer = owner.post(f"/entries/{entry.id}/move/", day=THERE, script=script)

    assert owner.list_texts() == []
    assert owner.list_texts(THERE) == ["Belongs to May"]
    if script:
        assert "3 May 2019" in answer.content.decode()
        assert "Move back" in answer.content.decode()
    else:
        assert answer["Location"] == f"/d/2019-05-03/#entry-{entry.id}"


def test_a_moved_entry_is_sealed_anew(owner: Resident) -> None:
    entry = owner.write("Sealed to its day")

    def stored() -> bytes:
        with connection.cursor() as cursor:
            cursor.execute("SELECT text FROM diary_entry")
            return bytes(cursor.fetchone()[0])

    before = stored()
    move(owner, entry, THERE)

    assert stored() != before


def test_a_moved_entry_says_where_it_was(owner: Resident) -> None:
    entry = owner.write("Moved")
    move(owner, entry, THERE)

    page = owner.get("/d/2019-05-03/").content.decode()

    assert f"moved here from {days.format_day(owner.today)}" in page
    assert "written on" not in page


def test_an_entry_that_was_moved_back_says_nothing(owner: Resident) -> None:
    entry = owner.write("There and back")
    move(owner, entry, THERE)

    answer = owner.post(f"/entries/{entry.id}/move/", day=owner.today, back=1, script=True)

    assert "There and back" in answer.content.decode()
    assert "moved here" not in answer.content.decode()
    assert Entry.objects.get().first_day is None


def test_a_second_move_still_names_the_first_day(owner: Resident) -> None:
    entry = owner.write("Twice", day=date(2020, 1, 1))
    move(owner, entry, "2020-01-02")
    move(owner, entry, "2020-01-03")

    assert Entry.objects.get().first_day == date(2020, 1, 1)


@pytest.mark.parametrize("day", ["", "x", "2026-02-30", "9999-12-31"])
@pytest.mark.parametrize("script", [True, False])
def test_a_day_that_is_none_is_refused_in_a_sentence(owner: Resident, day: str, script: bool) -> None:
    entry = owner.write("Stays")

    answer = owner.post(f"/entries/{entry.id}/move/", day=day, script=script)

    assert answer.status_code == 422
    assert "data-error" in answer.content.decode()
    assert owner.list_texts() == ["Stays"]


def test_a_damaged_entry_is_not_moved(owner: Resident) -> None:
    entry = owner.write("Broken")
    flip_a_bit(entry)

    answer = owner.post(f"/entries/{entry.id}/move/", day=THERE)

    assert answer.status_code == 422
    assert Entry.objects.get().day == owner.today


def test_somebody_elses_entry_is_not_moved(owner: Resident, housemate: Resident) -> None:
    entry = owner.write("Mine")

    answer = housemate.post(f"/entries/{entry.id}/move/", day=THERE)

    assert answer.status_code == 404
    assert owner.list_texts() == ["Mine"]


def test_what_is_being_changed_in_an_entry_moves_along(owner: Resident) -> None:
    entry = owner.write("Kept")
    owner.post(f"/d/{owner.today}/draft/", text="Half a change", revision=0, entry=entry.id, based_on=1)

    move(owner, entry, THERE)

    assert Draft.objects.get().day == THERE
    assert "Half a change" in owner.get(f"/entries/{entry.id}/edit/").content.decode()


def test_an_edit_begun_before_a_move_is_saved_on_the_new_day(owner: Resident) -> None:
    entry = owner.write("Before")
    move(owner, entry, THERE)

    owner.post(f"/entries/{entry.id}/edit/", text="After", revision=1)

    assert owner.list_texts(THERE) == ["After"]


def test_a_second_import_knows_a_line_whose_entry_was_moved(owner: Resident) -> None:
    lines = [
        ImportLine(number=1, day=date(2020, 1, 1), text="One"),
        ImportLine(number=2, day=date(2020, 1, 2), text="Two"),
    ]
    import_lines(person=owner.person, keyring=owner.keyring, lines=lines)
    entry = Entry.objects.get(day=date(2020, 1, 1))
    move(owner, entry, "2020-01-02")

    report = import_lines(person=owner.person, keyring=owner.keyring, lines=lines)

    assert (report.added, report.known) == (0, 2)
    assert Entry.objects.count() == 2


def test_writing_on_another_day_is_plainly_marked(owner: Resident) -> None:
    past, today = owner.get("/d/2019-05-03/").content.decode(), owner.get("/").content.decode()

    assert "On Friday 3 May 2019, not today" in past
    assert "not today" not in today


def test_the_time_of_an_entry_stays_what_the_person_saw(db: None) -> None:
    owner = new_resident("Tessa", time_zone="Europe/Paris")
    owner.post(f"/d/{owner.today}/", text="Before the flight", key=uuid4())
    before = read(owner.get("/")).first("article.entry time").text
    day = owner.today

    owner.set_preferences(time_zone="Pacific/Auckland")

    page = read(owner.get(f"/d/{day}/"))
    assert page.first("article.entry time").text == before
    assert "written on" not in page.text


def test_imported_entries_stay_at_noon_wherever_their_person_goes(db: None) -> None:
    owner = new_resident("Imke", time_zone="Europe/Paris")
    lines = [
        ImportLine(number=1, day=date(1660, 1, 11), text="Up"),
        ImportLine(number=2, day=date(2021, 7, 1), text="In"),
    ]
    import_lines(person=owner.person, keyring=owner.keyring, lines=lines)

    owner.set_preferences(time_zone="Pacific/Kiritimati")

    for day in ("1660-01-11", "2021-07-01"):
        page = owner.get(f"/d/{day}/").content.decode()
        assert "<time>12:00</time>" in page
        assert "written on" not in page


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        # The night of 23 hours, the night of 25, and one that is half an hour longer.
        ("Europe/Paris", "2026-03-28T22:59Z", "2026-03-29T22:00Z"),
        ("Europe/Paris", "2026-10-24T21:59Z", "2026-10-25T23:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T12:59Z", "2026-04-05T13:30Z"),
    ],
)
def test_a_day_of_23_or_25_hours_begins_and_ends_at_midnight(zone: str, before: str, after: str) -> None:
    moments = [datetime.fromisoformat(text.replace("Z", "+00:00")) for text in (before, after)]
    a_minute = timedelta(minutes=1)

    first, last = (days.today(zone, now=moment) for moment in moments)

    assert last - first == timedelta(days=2)
    assert days.today(zone, now=moments[0] + a_minute) == first + timedelta(days=1)
    assert days.today(zone, now=moments[1] - a_minute) == first + timedelta(days=1)


def test_the_hour_that_comes_twice_shows_as_it_was_and_keeps_its_order(db: None) -> None:
    owner = new_resident("Odile", time_zone="Europe/Paris")
    day = date(2026, 10, 25)
    for hour, text, offset in ((0, "Summer", 7200), (1, "Winter", 3600)):
        with owner.unlocked():
            Entry.objects.create(
                owner_id=owner.id,
                day=day,
                text=text,
                created_at=datetime(2026, 10, 25, hour, 30, tzinfo=UTC),
                utc_offset=offset,
            )

    page = owner.get(f"/d/{day}/").content.decode()

    assert page.count("<time>02:30</time>") == 2
    assert page.index("Summer") < page.index("Winter")
