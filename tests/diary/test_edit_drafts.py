"""Tests of drafts of edits: saved while typing, shown again, and shown beside a conflicting edit."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from accounts.signals import vault_unlocked
from diary.models import Draft, Entry
from tests.people import Resident


def save_edit_draft(owner: Resident, entry: Entry, text: str, *, revision: int = 0, based_on: int = 1) -> Any:
    path = f"/d/{entry.day}/draft/"
    return owner.post(path, text=text, revision=revision, entry=entry.id, based_on=based_on)


def load_edit_form(owner: Resident, entry: Entry) -> str:
    return str(owner.get(f"/entries/{entry.id}/edit/", script=True).content.decode())


def test_what_was_typed_is_there_when_the_form_is_opened_again(owner: Resident) -> None:
    entry = owner.write("Kept")
    save_edit_draft(owner, entry, "Half a chan")

    page = load_edit_form(owner, entry)

    assert "\nHalf a chan</textarea>" in page
    assert 'name="revision" value="1"' in page
    assert f'name="draft_revision" value="{Draft.objects.get().revision}"' in page
    assert owner.list_texts() == ["Kept"]


def test_the_day_says_that_a_change_is_unfinished(owner: Resident) -> None:
    entry = owner.write("Kept")
    before = owner.get("/").content.decode()
    save_edit_draft(owner, entry, "Half a chan")

    assert "unfinished" not in before
    assert "unsaved changes" in owner.get("/").content.decode()


def test_an_unfinished_change_is_no_draft_of_the_day(owner: Resident) -> None:
    entry = owner.write("Kept")
    save_edit_draft(owner, entry, "Half a chan")

    page = owner.get("/").content.decode()

    assert "Half a chan" not in page
    owner.post(f"/d/{owner.today}/", text="New words", key=uuid4())
    assert Draft.objects.count() == 1


def test_saving_clears_the_draft(owner: Resident) -> None:
    entry = owner.write("Kept")
    save_edit_draft(owner, entry, "Half a chan")

    owner.post(
        f"/entries/{entry.id}/edit/",
        text="Half a change",
        revision=1,
        draft_revision=Draft.objects.get().revision,
    )

    assert owner.list_texts() == ["Half a change"]
    assert not Draft.objects.exists()


def test_saving_leaves_a_draft_that_another_tab_is_writing(owner: Resident) -> None:
    entry = owner.write("Kept")
    save_edit_draft(owner, entry, "In the other tab")

    owner.post(f"/entries/{entry.id}/edit/", text="In this tab", revision=1, draft_revision=0)

    assert Draft.objects.count() == 1


def test_a_draft_that_comes_after_its_text_was_saved_makes_none(owner: Resident) -> None:
    entry = owner.write("Kept")
    owner.post(f"/entries/{entry.id}/edit/", text="Changed", revision=1)

    save_edit_draft(owner, entry, "Changed")

    assert not Draft.objects.exists()


def test_a_change_taken_back_by_hand_is_no_draft_any_more(owner: Resident) -> None:
    entry = owner.write("Kept")
    save_edit_draft(owner, entry, "Kept!")

    save_edit_draft(owner, entry, "Kept", revision=Draft.objects.get().revision)

    assert not Draft.objects.exists()


@pytest.mark.parametrize("script", [True, False])
def test_a_draft_on_an_entry_changed_since_is_shown_beside_it(owner: Resident, script: bool) -> None:
    entry = owner.write("First")
    save_edit_draft(owner, entry, "Half a chan")
    owner.post(f"/entries/{entry.id}/edit/", text="Changed elsewhere", revision=1)

    page = owner.get(f"/entries/{entry.id}/edit/", script=script).content.decode()

    assert "\nHalf a chan</textarea>" in page
    assert "Changed elsewhere" in page
    assert 'name="revision" value="2"' in page


def test_both_texts_can_be_kept_in_one_without_script(owner: Resident) -> None:
    entry = owner.write("First")
    owner.post(f"/entries/{entry.id}/edit/", text="Theirs", revision=1)

    owner.post(f"/entries/{entry.id}/edit/", text="Mine", revision=2, both=1)

    assert owner.list_texts() == ["Mine\n\nTheirs"]


def test_two_tabs_that_change_one_entry_never_write_over_one_another(owner: Resident) -> None:
    entry = owner.write("First")
    save_edit_draft(owner, entry, "One tab")

    answer = owner.post(f"/d/{entry.day}/draft/", text="Another tab", revision=0, entry=entry.id, based_on=1)

    assert answer.status_code == 409
    assert answer.json()["revision"] == Draft.objects.get().revision
    assert answer.json()["text"] == "One tab"


def test_discarding_lets_go_of_the_draft_alone(owner: Resident) -> None:
    entry, other = owner.write("Kept"), owner.write("Other")
    save_edit_draft(owner, entry, "Not after all")
    save_edit_draft(owner, other, "Still wanted")

    answer = owner.post(f"/entries/{entry.id}/discard/", script=True)

    assert "Kept" in answer.content.decode()
    assert "unfinished" not in answer.content.decode()
    assert [draft.entry_id for draft in Draft.objects.all()] == [other.id]


def test_somebody_elses_draft_is_not_discarded(owner: Resident, housemate: Resident) -> None:
    entry = owner.write("Mine")
    save_edit_draft(owner, entry, "Half a chan")

    answer = housemate.post(f"/entries/{entry.id}/discard/")

    assert answer.status_code == 404
    assert Draft.objects.exists()


def test_a_deleted_entry_takes_no_draft(owner: Resident) -> None:
    entry = owner.write("Gone")
    owner.post(f"/entries/{entry.id}/delete/")

    answer = save_edit_draft(owner, entry, "Too late")

    assert answer.status_code == 404  # type: ignore[attr-defined]


def test_a_change_that_arrives_while_locked_is_there_after_the_unlock(owner: Resident) -> None:
    entry = owner.write("Kept")
    owner.lock()
    save_edit_draft(owner, entry, "Typed as it locked")

    with owner.unlocked():
        vault_unlocked.send(Resident, person_id=owner.id, keyring=owner.keyring)

    draft = Draft.objects.get()
    with owner.unlocked():
        assert draft.text == "Typed as it locked"
    assert (draft.entry_id, draft.based_on) == (entry.id, 1)


@pytest.mark.parametrize("script", [True, False])
def test_a_change_of_an_entry_that_was_deleted_meanwhile_keeps_what_was_typed(
    owner: Resident, script: bool
) -> None:
    entry = owner.write("Gone")
    owner.post(f"/entries/{entry.id}/delete/")

    answer = owner.post(f"/entries/{entry.id}/edit/", text="Typed in vain?", revision=1, script=script)

    page = answer.content.decode()
    assert answer.status_code == 404
    assert "This entry was deleted" in page
    assert ("Typed in vain?" in page) is not script


def damage(draft: Draft) -> None:
    """Damage a draft's sealed bytes."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE diary_draft SET text = substr(text, 1, 40) WHERE id = %s", [draft.id.hex])


def test_a_damaged_change_is_said_and_a_new_one_takes_its_place(owner: Resident) -> None:
    entry = owner.write("Kept")
    save_edit_draft(owner, entry, "Half a chan")
    damaged = Draft.objects.get()
    damage(damaged)

    page = load_edit_form(owner, entry)
    typed = save_edit_draft(owner, entry, "Another chan", revision=damaged.revision)

    assert "This draft can&#39;t be opened" in page
    assert "This entry can&#39;t be opened" not in page
    assert "\nKept</textarea>" in page
    assert f'name="draft_revision" value="{damaged.revision}"' in page
    assert typed.status_code == 200
    assert "\nAnother chan</textarea>" in load_edit_form(owner, entry)


def test_a_damaged_draft_of_a_day_is_said_and_a_new_one_takes_its_place(owner: Resident) -> None:
    path = f"/d/{owner.today}/draft/"
    owner.post(path, text="Half a thou", revision=0)
    damaged = Draft.objects.get()
    damage(damaged)

    page = owner.get("/").content.decode()
    typed = owner.post(path, text="Another thou", revision=damaged.revision)

    assert "This draft can&#39;t be opened" in page
    assert typed.status_code == 200
    assert "\nAnother thou</textarea>" in owner.get("/").content.decode()
