"""Tests of the day page: its content, its owner, and exact texts."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from diary.days import format_day
from diary.models import Draft, Entry
from tests.diary.damage import flip_a_bit
from tests.people import Resident

EXACT = [
    "42",
    "true",
    "[1]",
    "<|im_end|>",
    "🧵",
    "مرحبا بك في يومي",
    "  indented\n\n\ttab  ",
    "a\x07b",
    "null",
    "{}",
]


def test_today_shows_what_was_written_today(owner: Resident) -> None:
    owner.write("Tea in the *garden*")

    page = owner.get("/")

    assert page.status_code == 200
    assert "Tea in the <em>garden</em>" in page.content.decode()


def test_a_stranger_is_sent_to_sign_in(owner: Resident, stranger: Client) -> None:
    owner.write("Not for strangers")

    answer = stranger.get("/")

    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/?")


def test_a_housemate_sees_an_empty_page_of_their_own(owner: Resident, housemate: Resident) -> None:
    owner.write("Only mine")

    page = housemate.get(f"/d/{owner.today}/")

    assert "Only mine" not in page.content.decode()
    assert "first page" in page.content.decode()


def test_a_future_day_of_an_empty_diary_invites_nobody_to_write(owner: Resident) -> None:
    page = owner.get(f"/d/{owner.today + timedelta(days=30)}/").content.decode()

    assert "first page" not in page
    assert "This day is still in the future" in page


@pytest.mark.parametrize("text", EXACT)
def test_a_text_is_kept_exactly(owner: Resident, text: str) -> None:
    answer = owner.post(f"/d/{owner.today}/", text=text, key=uuid4())

    assert answer.status_code == 302
    assert owner.list_texts() == [text]


def test_line_ends_become_line_feeds(owner: Resident) -> None:
    owner.post(f"/d/{owner.today}/", text="one\r\ntwo\rthree\n", key=uuid4())

    assert owner.list_texts() == ["one\ntwo\nthree\n"]


def test_a_hundred_thousand_characters_are_kept_and_one_more_is_refused(owner: Resident) -> None:
    whole = "语" * 99_999 + "🧵"

    kept = owner.post(f"/d/{owner.today}/", text=whole, key=uuid4())
    refused = owner.post(f"/d/{owner.today}/", text=whole + "x", key=uuid4())

    assert kept.status_code == 302
    assert owner.list_texts() == [whole]
    assert refused.status_code == 422
    assert "100,001 characters" in refused.content.decode()
    assert whole + "x" in refused.content.decode()


@pytest.mark.parametrize(
    "body", [b"a%00b", b"half %ED%A0%80 of it", b"half %ED%A0%80 and %EF%BF%BD of it", b"\xff%FE"]
)
def test_what_cannot_be_kept_exactly_is_refused_in_a_sentence(owner: Resident, body: bytes) -> None:
    form = b"owner=" + str(owner.id).encode() + b"&text=" + body

    answer = owner.client.post(
        f"/d/{owner.today}/",
        form,
        content_type="application/x-www-form-urlencoded",
        headers={"HX-Request": "true"},
    )

    assert answer.status_code == 422
    assert "broken or invisible character" in answer.content.decode("utf-8", "replace")
    assert owner.list_texts() == []


@pytest.mark.parametrize("text", ["", " ", "\n\t \n"])
def test_nothing_is_not_kept(owner: Resident, text: str) -> None:
    answer = owner.post(f"/d/{owner.today}/", text=text, key=uuid4(), script=True)

    assert answer.status_code == 422
    assert "nothing to save" in answer.content.decode()
    assert owner.list_texts() == []


def test_script_gets_the_entry_and_an_empty_composer_with_another_key(owner: Resident) -> None:
    key = uuid4()

    answer = owner.post(f"/d/{owner.today}/", text="Kept words", key=key, script=True)

    entry = Entry.objects.get()
    html = answer.content.decode()
    assert answer.status_code == 200
    assert f'id="entry-{entry.id}"' in html
    assert 'hx-swap-oob="true"' in html
    assert str(key) not in html
    assert html.count("Kept words") == 1


def test_without_script_a_save_leads_to_the_entry(owner: Resident) -> None:
    answer = owner.post(f"/d/{owner.today}/", text="Words", key=uuid4())

    assert answer["Location"] == f"/d/{owner.today}/#entry-{Entry.objects.get().id}"


def test_a_save_sent_twice_is_one_entry(owner: Resident) -> None:
    key = uuid4()

    for _ in range(2):
        owner.post(f"/d/{owner.today}/", text="Once", key=key, script=True)

    assert owner.list_texts() == ["Once"]


def test_another_text_under_the_same_key_is_kept_as_well(owner: Resident) -> None:
    key = uuid4()

    for text in ("One", "Two", "One", "Two"):
        owner.post(f"/d/{owner.today}/", text=text, key=key, script=True)

    assert owner.list_texts() == ["One", "Two"]


def test_a_save_sent_again_after_its_entry_was_deleted_brings_it_back(owner: Resident) -> None:
    key = uuid4()
    owner.post(f"/d/{owner.today}/", text="Wanted", key=key)
    owner.post(f"/entries/{Entry.objects.get().id}/delete/")

    owner.post(f"/d/{owner.today}/", text="Wanted", key=key)

    assert owner.list_texts() == ["Wanted"]


def test_keeping_clears_the_draft(owner: Resident) -> None:
    owner.post(f"/d/{owner.today}/draft/", text="So far", revision=0)

    owner.post(f"/d/{owner.today}/", text="So far and further", revision=1, key=uuid4())

    assert not Draft.objects.exists()


def test_keeping_leaves_a_draft_that_another_tab_is_writing(owner: Resident) -> None:
    owner.post(f"/d/{owner.today}/draft/", text="In the other tab", revision=0)

    owner.post(f"/d/{owner.today}/", text="In this tab", revision=0, key=uuid4())

    assert owner.list_texts() == ["In this tab"]
    assert "In the other tab" in owner.get("/").content.decode()


@pytest.mark.parametrize(
    "day", ["2026-02-30", "0000-01-01", "2026-13-01", "٢٠٢٦-٠١-٠١", "26-1-1", "2026-1-01", "x"]
)
def test_an_impossible_day_is_a_404(owner: Resident, day: str) -> None:
    assert owner.get(f"/d/{day}/").status_code == 404
    assert owner.post(f"/d/{day}/", text="x", key=uuid4()).status_code == 404


@pytest.mark.parametrize("day", ["0001-01-01", "1660-01-11", "1999-12-31", "9999-12-31"])
def test_any_day_of_the_calendar_opens(owner: Resident, day: str) -> None:
    assert owner.get(f"/d/{day}/").status_code == 200


def test_a_past_day_can_be_written_on(owner: Resident) -> None:
    owner.post("/d/1999-12-31/", text="Remembered", key=uuid4())

    page = owner.get("/d/1999-12-31/").content.decode()
    assert "Remembered" in page
    assert f"written on {format_day(owner.today)}" in page


@pytest.mark.parametrize("script", [True, False])
def test_a_day_that_has_begun_nowhere_is_not_written_on(owner: Resident, script: bool) -> None:
    day = owner.today + timedelta(days=3)

    answer = owner.post(f"/d/{day}/", text="Too early", key=uuid4(), script=script)

    assert answer.status_code == 422
    assert "Too early" in answer.content.decode()
    assert not Entry.objects.exists()
    assert 'id="composer"' not in owner.get(f"/d/{day}/").content.decode()


def test_a_page_of_another_person_keeps_nothing(owner: Resident, housemate: Resident) -> None:
    answer = housemate.post(
        f"/d/{owner.today}/", text="Whose?", key=uuid4(), owner=str(owner.id), script=True
    )

    assert answer.status_code == 409
    assert not Entry.objects.exists()


def test_the_calendar_marks_written_days_only(owner: Resident, housemate: Resident) -> None:
    day = owner.today.replace(day=1)
    owner.write("Here", day=day)
    housemate.write("There", day=day.replace(day=2))
    owner.write("Gone", day=day.replace(day=3)).delete()

    page = owner.get(f"/calendar/{day:%Y-%m}/", script=True).content.decode()

    assert page.count(", written") == 1
    assert 'id="calendar"' in page


def test_the_calendar_leads_across_a_gap_of_any_length(owner: Resident) -> None:
    owner.write("Then", day=date(1664, 12, 31))
    owner.write("Now")

    now = owner.get("/").content.decode()
    then = owner.get("/d/1664-12-31/").content.decode()

    assert "/calendar/1664-12/" in now
    assert f"/calendar/{owner.today:%Y-%m}/" in then


def test_the_calendar_leads_nowhere_else_where_the_months_beside_are_written_in(owner: Resident) -> None:
    first = owner.today.replace(day=1)
    for day in (date(1664, 12, 31), first - timedelta(days=1), owner.today):
        owner.write("Here", day=day)

    page = owner.get("/").content.decode()

    assert "/calendar/1664-12/" not in page


def test_an_empty_day_leads_to_the_written_days_around_it(owner: Resident, housemate: Resident) -> None:
    owner.write("Before", day=date(1664, 12, 31))
    owner.write("After", day=date(1999, 1, 2))
    housemate.write("Not mine", day=date(1900, 1, 1))

    page = owner.get("/d/1800-01-01/").content.decode()

    assert "31 December 1664" in page
    assert "2 January 1999" in page


def test_the_page_offers_a_deleted_entry_back_without_script(owner: Resident) -> None:
    entry = owner.write("Oops")

    answer = owner.client.post(f"/entries/{entry.id}/delete/", {"owner": str(owner.id)}, follow=True)

    page = answer.content.decode()
    assert f"/entries/{entry.id}/restore/" in page
    assert "Oops" not in page


def test_one_damaged_entry_does_not_take_its_day_with_it(owner: Resident) -> None:
    broken, _ = owner.write("Broken"), owner.write("Whole")
    flip_a_bit(broken)

    page = owner.get("/").content.decode()

    assert "Whole" in page
    assert "be opened: its data was changed" in page


def test_an_entry_of_another_day_says_when_it_was_written(owner: Resident) -> None:
    entry = owner.write("Later", day=owner.today - timedelta(days=9), at=timezone.now())

    with owner.unlocked():
        from diary.entries.presenters import build_entry_view

        view = build_entry_view(entry, zone="UTC")

    assert view.written_on == owner.today
