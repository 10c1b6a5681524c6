"""Tests of one entry: edited on its latest revision, deleted, restored, and closed to other people."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from diary.entries.services import purge_bin
from diary.models import Entry, Origin
from tests.clock.records import settle_clock
from tests.diary.damage import flip_a_bit
from tests.people import Resident


def test_an_edit_puts_the_new_text_in_place(owner: Resident) -> None:
    entry = owner.write("Befor")

    answer = owner.post(f"/entries/{entry.id}/edit/", text="Before", revision=1, script=True)

    assert answer.status_code == 200
    assert "Before" in answer.content.decode()
    assert owner.list_texts() == ["Before"]
    assert Entry.objects.get().revision == 2


def test_the_edit_form_holds_the_text_as_it_was_written(owner: Resident) -> None:
    entry = owner.write("\n*A* <b> & </textarea>")

    page = owner.get(f"/entries/{entry.id}/edit/").content.decode()

    assert "\n\n*A* &lt;b&gt; &amp; &lt;/textarea&gt;</textarea>" in page


@pytest.mark.parametrize("script", [True, False])
def test_an_edit_of_what_was_changed_meanwhile_shows_both_texts(owner: Resident, script: bool) -> None:
    entry = owner.write("First")
    owner.post(f"/entries/{entry.id}/edit/", text="In one tab", revision=1)

    answer = owner.post(f"/entries/{entry.id}/edit/", text="In another", revision=1, script=script)

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "In one tab" in page
    assert "In another" in page
    assert 'name="revision" value="2"' in page
    assert owner.list_texts() == ["In one tab"]


def test_the_second_text_can_be_kept_after_both_were_seen(owner: Resident) -> None:
    entry = owner.write("First")
    owner.post(f"/entries/{entry.id}/edit/", text="In one tab", revision=1)

    owner.post(f"/entries/{entry.id}/edit/", text="In another", revision=2)

    assert owner.list_texts() == ["In another"]


def test_an_edit_sent_twice_is_no_conflict(owner: Resident) -> None:
    entry = owner.write("First")

    answers = [
        owner.post(f"/entries/{entry.id}/edit/", text="Same", revision=1, script=True) for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert Entry.objects.get().revision == 2


@pytest.mark.parametrize("script", [True, False])
def test_a_refused_edit_keeps_what_was_typed_on_the_page(owner: Resident, script: bool) -> None:
    entry = owner.write("Kept")

    answer = owner.post(f"/entries/{entry.id}/edit/", text="x" * 100_001, revision=1, script=script)

    assert answer.status_code == 422
    assert "x" * 100_001 in answer.content.decode()
    assert owner.list_texts() == ["Kept"]


def test_a_deleted_entry_is_gone_and_comes_back(owner: Resident) -> None:
    entry = owner.write("There and back")

    gone = owner.post(f"/entries/{entry.id}/delete/", script=True)
    while_gone = owner.list_texts()
    back = owner.post(f"/entries/{entry.id}/restore/", script=True)

    assert f"/entries/{entry.id}/restore/" in gone.content.decode()
    assert while_gone == []
    assert "There and back" in back.content.decode()
    assert owner.list_texts() == ["There and back"]


def test_a_deleted_entry_has_no_page(owner: Resident) -> None:
    entry = owner.write("Gone")
    owner.post(f"/entries/{entry.id}/delete/")

    for path in (f"/entries/{entry.id}/", f"/entries/{entry.id}/edit/"):
        assert owner.get(path).status_code == 404
    assert owner.post(f"/entries/{entry.id}/edit/", text="x", revision=1).status_code == 404


def test_the_bin_is_emptied_after_thirty_days(owner: Resident, housemate: Resident) -> None:
    settle_clock()
    now = timezone.now()
    old, young, other = owner.write("Old"), owner.write("Young"), housemate.write("Other")
    owner.update_columns(old, deleted_at=now - timedelta(days=31))
    owner.update_columns(young, deleted_at=now - timedelta(days=29))
    housemate.update_columns(other, deleted_at=now - timedelta(days=31))

    purged = purge_bin(owner_id=owner.id)

    assert purged == 1
    assert set(Entry.objects.values_list("id", flat=True)) == {young.id, other.id}


def test_an_entry_has_an_address_of_its_own(owner: Resident) -> None:
    entry = owner.write("Here")

    answer = owner.get(f"/entries/{entry.id}/")
    fragment = owner.get(f"/entries/{entry.id}/", script=True)

    assert answer["Location"] == f"/d/{owner.today}/#entry-{entry.id}"
    assert "Here" in fragment.content.decode()


def test_somebody_elses_entry_is_the_same_404_as_none(owner: Resident, housemate: Resident) -> None:
    entry = owner.write("Mine")
    nobodys = "0190a5a0-0000-7000-8000-000000000000"

    def answers(entry_id: object) -> list[tuple[int, bytes]]:
        asked = [housemate.get(f"/entries/{entry_id}/{end}") for end in ("", "edit/")]
        sent = [
            housemate.post(f"/entries/{entry_id}/{end}/", text="x", revision=1)
            for end in ("edit", "delete", "restore")
        ]
        return [(answer.status_code, answer.content) for answer in asked + sent]

    assert answers(entry.id) == answers(nobodys)
    assert {status for status, _ in answers(entry.id)} == {404}
    assert owner.list_texts() == ["Mine"]


def test_nothing_is_changed_by_following_a_link(owner: Resident) -> None:
    entry = owner.write("Still")

    answers = [owner.get(f"/entries/{entry.id}/{end}/") for end in ("delete", "restore")]

    assert [answer.status_code for answer in answers] == [405, 405]
    assert owner.list_texts() == ["Still"]


def test_a_damaged_entry_is_not_edited_over(owner: Resident) -> None:
    entry = owner.write("Broken")
    flip_a_bit(entry)

    answers = [
        owner.get(f"/entries/{entry.id}/edit/"),
        owner.post(f"/entries/{entry.id}/edit/", text="Over it", revision=1),
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert "be opened: its data was changed" in answers[0].content.decode()
    assert Entry.objects.get().revision == 1


def test_a_damaged_entry_can_be_deleted(owner: Resident) -> None:
    entry = owner.write("Broken")
    flip_a_bit(entry)

    answer = owner.post(f"/entries/{entry.id}/delete/", script=True)

    assert answer.status_code == 200
    assert not Entry.objects.for_owner(owner.id).exists()


# --- Origin ----------------------------------------------------------------------------------------------


def test_what_is_written_here_is_its_owners_own_and_stays_so(owner: Resident) -> None:
    owner.post(f"/d/{owner.today}/", text="Fog.", key=str(uuid4()), draft_revision=0)

    owner.post(f"/entries/{Entry.objects.get().id}/edit/", text="Fog lifts.", revision=1)

    assert owner.list_texts() == ["Fog lifts."]
    assert Entry.objects.get().origin == Origin.OWN


def test_an_edit_does_not_make_an_imported_entry_ones_own(owner: Resident) -> None:
    with owner.unlocked():
        entry = Entry.objects.create(
            owner_id=owner.id, day=owner.today, text="From elsewhere.", origin=Origin.IMPORTED
        )

    owner.post(f"/entries/{entry.id}/edit/", text="From elsewhere, edited.", revision=1)
    owner.post(f"/entries/{entry.id}/move/", day=str(owner.today - timedelta(days=1)))

    assert owner.list_texts(owner.today - timedelta(days=1)) == ["From elsewhere, edited."]
    assert Entry.objects.get().origin == Origin.IMPORTED
