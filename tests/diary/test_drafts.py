"""Tests of drafts: saved while typing, never overwriting each other."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from accounts.models import ClockFormat, Person
from diary.models import Draft
from tests.people import Resident


def get_draft_text(member: Resident) -> str:
    with member.unlocked():
        text: str = Draft.objects.get(owner_id=member.id).text
    return text


def test_a_draft_is_there_when_the_page_is_opened_again(owner: Resident) -> None:
    answer = owner.post(f"/d/{owner.today}/draft/", text="Half a thou", revision=0)

    page = owner.get("/").content.decode()
    assert answer.json()["revision"] > 0
    assert "Half a thou</textarea>" in page
    assert f'name="revision" value="{answer.json()["revision"]}"' in page


def test_a_draft_grows_with_its_revision(owner: Resident) -> None:
    first = owner.post(f"/d/{owner.today}/draft/", text="On", revision=0).json()

    second = owner.post(f"/d/{owner.today}/draft/", text="One", revision=first["revision"]).json()

    assert second["revision"] == first["revision"] + 1
    assert get_draft_text(owner) == "One"


def test_two_tabs_do_not_write_over_one_another(owner: Resident) -> None:
    first = owner.post(f"/d/{owner.today}/draft/", text="Here", revision=0).json()

    answer = owner.post(f"/d/{owner.today}/draft/", text="There", revision=0)

    assert answer.status_code == 409
    standing = {"revision": first["revision"], "text": "Here", "saved_at": first["saved_at"]}
    assert answer.json() == standing
    assert get_draft_text(owner) == "Here"


def test_another_text_is_told_with_the_day_it_was_saved_on_where_that_is_over(owner: Resident) -> None:
    owner.post(f"/d/{owner.today}/draft/", text="Here", revision=0)
    Draft.objects.update(updated_at=datetime(2024, 2, 29, 14, 5, tzinfo=UTC))
    Person.objects.update(clock=ClockFormat.TWELVE)

    answer = owner.post(f"/d/{owner.today}/draft/", text="There", revision=0)

    assert answer.json()["saved_at"] == "29 February, 2:05 pm"


def test_a_page_without_script_that_keeps_its_text_leaves_the_draft_of_another(owner: Resident) -> None:
    owner.post(f"/d/{owner.today}/draft/", text="In the other tab", revision=0)

    owner.post(f"/d/{owner.today}/", text="In this one", revision=0, key=uuid4())

    assert owner.list_texts() == ["In this one"]
    assert "In the other tab</textarea>" in owner.get("/").content.decode()


def test_an_emptied_draft_is_gone(owner: Resident) -> None:
    first = owner.post(f"/d/{owner.today}/draft/", text="Never mind", revision=0).json()

    owner.post(f"/d/{owner.today}/draft/", text="", revision=first["revision"])

    assert not Draft.objects.exists()


def test_a_draft_that_was_overtaken_by_its_own_keeping_does_not_come_back(owner: Resident) -> None:
    owner.post(f"/d/{owner.today}/", text="All of it", key=uuid4())

    answer = owner.post(f"/d/{owner.today}/draft/", text="All of it", revision=3)

    assert answer.status_code == 200
    assert not Draft.objects.exists()


def test_a_draft_may_be_too_long_to_keep(owner: Resident) -> None:
    answer = owner.post(f"/d/{owner.today}/draft/", text="x" * 150_000, revision=0)

    assert answer.status_code == 200
    assert len(get_draft_text(owner)) == 150_000


def test_what_is_too_long_even_for_a_draft_is_told_both_bounds_apart(owner: Resident) -> None:
    answer = owner.post(f"/d/{owner.today}/draft/", text="x" * 1_000_005, revision=0)

    assert answer.status_code == 422
    assert answer.json()["error"] == (
        "This text has 1,000,005 characters; a draft can have 1,000,000, and an entry even fewer. It is "
        "only in this page until you shorten it by 5."
    )
    assert not Draft.objects.exists()


def test_a_draft_of_an_entry_stands_beside_that_of_its_day(owner: Resident) -> None:
    entry = owner.write("Before")

    owner.post(f"/d/{owner.today}/draft/", text="New", revision=0)
    answer = owner.post(f"/d/{owner.today}/draft/", text="Before, changed", revision=0, entry=entry.id)

    assert answer.status_code == 200
    assert Draft.objects.count() == 2


def test_a_draft_of_somebody_elses_entry_is_a_404(owner: Resident, housemate: Resident) -> None:
    entry = owner.write("Mine")

    answer = housemate.post(f"/d/{owner.today}/draft/", text="x", revision=0, entry=entry.id)

    assert answer.status_code == 404


@pytest.mark.parametrize("revision", ["", "-1", "x", "9" * 30, "²"])
def test_a_revision_that_is_none_overwrites_nothing(owner: Resident, revision: str) -> None:
    owner.post(f"/d/{owner.today}/draft/", text="Here", revision=0)

    answer = owner.post(f"/d/{owner.today}/draft/", text="Over it", revision=revision)

    assert answer.status_code == 409


def test_a_stranger_hands_in_no_draft(owner: Resident, stranger: object) -> None:
    owner.client.cookies.clear()

    answer = owner.post(f"/d/{owner.today}/draft/", text="x", revision=0, script=True)

    assert answer.status_code == 401
    assert "signed-out" in answer["HX-Trigger"]


def test_a_new_draft_never_has_the_number_of_one_that_was_kept(owner: Resident) -> None:
    first = owner.post(f"/d/{owner.today}/draft/", text="hello", revision=0).json()
    owner.post(f"/d/{owner.today}/", text="hello", revision=first["revision"], key=uuid4())
    owner.post(f"/d/{owner.today}/draft/", text="world", revision=0)

    stale = owner.post(f"/d/{owner.today}/draft/", text="hello again", revision=first["revision"])

    assert stale.status_code == 409
    assert get_draft_text(owner) == "world"


def test_a_page_whose_answer_was_lost_writes_on(owner: Resident) -> None:
    owner.post(f"/d/{owner.today}/draft/", text="Half a thou", revision=0)

    answer = owner.post(f"/d/{owner.today}/draft/", text="Half a thought, then", revision=0)

    assert answer.status_code == 200
    assert get_draft_text(owner) == "Half a thought, then"


def test_a_page_that_went_during_a_save_is_saved_over_its_own_text_and_no_other(owner: Resident) -> None:
    owner.post(f"/d/{owner.today}/draft/", text="One\r\nthree", revision=0)
    last = {"text": "One, two\r\nthree", "revision": 0}

    other = owner.post(f"/d/{owner.today}/draft/", **last, over="One\r\nfour")
    own = owner.post(f"/d/{owner.today}/draft/", **last, over="One\r\nthree")

    assert (other.status_code, own.status_code) == (409, 200)
    assert get_draft_text(owner) == "One, two\nthree"
