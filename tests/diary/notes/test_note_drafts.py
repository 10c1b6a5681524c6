"""Tests of drafts of notes, in one tab and in two."""

import pytest

from diary.models import NoteDraft, Origin
from diary.notes.drafts import (
    SubmittedNoteDraft,
    discard_note_draft,
    find_note_draft,
    save_note_draft,
)
from diary.notes.errors import NoteConflict, NoteTooLong
from diary.notes.kinds import MAX_NOTE_TEXT
from diary.notes.queries import list_note_versions, read_note
from diary.notes.services import save_note
from tests.diary.notes.writing import add_note
from tests.people import Resident
from tests.rotation.processes import KILLED, die_at_statement, run_forked


def test_a_new_note_and_an_edit_have_a_draft_each_until_they_are_saved(owner: Resident) -> None:
    keyring = owner.keyring
    note = add_note(owner, "SOUL.md", "Be brief.")
    new = save_note_draft(keyring, SubmittedNoteDraft(text="Roses", path="../x", revision=0))
    edit = save_note_draft(
        keyring, SubmittedNoteDraft(text="Be brief!", revision=0, note_id=note.id, based_on=1)
    )

    assert find_note_draft(keyring) == new
    assert (new.text, new.path) == ("Roses", "../x")
    assert find_note_draft(keyring, note.id) == edit
    assert edit.based_on == 1
    save_note(keyring, "knowledge/a.md", "Roses!", origin=Origin.OWN, draft_revision=new.revision)
    save_note(keyring, "SOUL.md", "Be brief!", note_id=note.id, based_on=1, origin=Origin.OWN)
    assert not NoteDraft.objects.exists()


def test_a_draft_of_another_tab_is_not_overwritten_and_not_deleted_by_a_save(owner: Resident) -> None:
    keyring = owner.keyring
    first = save_note_draft(keyring, SubmittedNoteDraft(text="one", revision=0))
    second = save_note_draft(keyring, SubmittedNoteDraft(text="one two", revision=first.revision))

    # The response was lost, and the page wrote on.
    third = save_note_draft(keyring, SubmittedNoteDraft(text="one two three", revision=first.revision))
    with pytest.raises(NoteConflict):
        save_note_draft(keyring, SubmittedNoteDraft(text="else", revision=second.revision))
    save_note(keyring, "a.md", "else", origin=Origin.OWN, draft_revision=first.revision)

    assert third.revision > second.revision > first.revision
    kept = find_note_draft(keyring)
    assert kept is not None
    assert kept.text == "one two three"


def test_an_empty_draft_and_one_that_is_back_at_its_note_are_deleted(owner: Resident) -> None:
    keyring = owner.keyring
    note = add_note(owner, "a.md", "A")
    new = save_note_draft(keyring, SubmittedNoteDraft(text="x", revision=0))
    edit = save_note_draft(keyring, SubmittedNoteDraft(text="AB", revision=0, note_id=note.id, based_on=1))

    save_note_draft(keyring, SubmittedNoteDraft(text="", revision=new.revision))
    save_note_draft(
        keyring, SubmittedNoteDraft(text="A", revision=edit.revision, note_id=note.id, based_on=1)
    )

    assert not NoteDraft.objects.exists()
    save_note_draft(keyring, SubmittedNoteDraft(text="x", revision=0))
    discard_note_draft(keyring)
    assert find_note_draft(keyring) is None


def test_a_draft_may_be_longer_than_a_note_within_reason(owner: Resident) -> None:
    keyring = owner.keyring
    save_note_draft(keyring, SubmittedNoteDraft(text="x" * (MAX_NOTE_TEXT + 1), revision=0))

    with pytest.raises(NoteTooLong):
        save_note_draft(keyring, SubmittedNoteDraft(text="x" * (5 * MAX_NOTE_TEXT + 1), revision=0))


@pytest.mark.django_db(transaction=True)
def test_a_kill_at_any_statement_of_a_save_loses_no_text(owner: Resident) -> None:
    note = add_note(owner, "SOUL.md", "Be brief.")
    edit = SubmittedNoteDraft(text="Be calm.", revision=0, note_id=note.id, based_on=1)
    draft = save_note_draft(owner.keyring, edit)
    code, at = KILLED, 1
    while code == KILLED:

        def save(at: int = at) -> None:
            die_at_statement(at)
            save_note(
                owner.keyring,
                "SOUL.md",
                draft.text,
                note_id=note.id,
                based_on=1,
                origin=Origin.OWN,
                draft_revision=draft.revision,
            )

        code, at = run_forked(save), at + 1
        found, left = read_note(owner.keyring, note.id), find_note_draft(owner.keyring, note.id)
        if code == KILLED and found.text == "Be brief.":
            assert left == draft
            assert list_note_versions(owner.keyring, note.id) == []
        else:
            # At the last statement it may be saved already.
            assert (found.text, left) == ("Be calm.", None)
            assert [each.text for each in list_note_versions(owner.keyring, note.id)] == ["Be brief."]
            break
    assert at > 5
