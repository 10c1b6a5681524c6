"""Tests of drafts of notes that arrive while their owner's diary is locked: nothing typed is lost."""

from typing import Any
from uuid import UUID

import pytest

from diary.models import LateDraft, Note, NoteDraft
from diary.notes.drafts import NoteDraftText, find_note_draft
from diary.notes.kinds import NoteKind, derive_kind
from diary.notes.queries import NoteText
from diary.notes.services import delete_note
from tests.diary.late_drafts import change, find_unchecked_texts, open_another_browser, unlock
from tests.diary.notes.writing import add_note
from tests.page import read
from tests.people import Resident


def send(who: Resident, text: str, *, name: str = "roses", revision: int = 0, kind: str = "reference") -> Any:
    """Send the draft of a new note as the script of its page does."""
    return who.post(
        f"/notes/new/{kind}/draft/", text=text, note_name=name, revision=revision, owner=who.id, script=True
    )


def send_edit(who: Resident, note: NoteText, text: str, *, revision: int = 0) -> Any:
    return who.post(
        f"/notes/{note.id}/draft/",
        text=text,
        revision=revision,
        entry=note.id,
        based_on=note.revision,
        owner=who.id,
        script=True,
    )


def get_draft(who: Resident, note_id: UUID | None = None) -> NoteDraftText:
    draft = find_note_draft(who.keyring, note_id)
    assert draft is not None
    return draft


def test_a_new_note_typed_on_a_locked_page_is_sealed_and_there_after_the_unlock(owner: Resident) -> None:
    typed = send(owner, "Pruned").json()
    owner.lock()

    answer = send(owner, "Pruned in March", name="garden/roses", revision=typed["revision"])

    assert (answer.status_code, answer.headers["HX-Trigger"]) == (200, "llamora:locked")
    assert b"Pruned" not in bytes(LateDraft.objects.get().box)
    again = send(owner, "Pruned in March, late", name="garden/roses", revision=answer.json()["revision"])
    unlock(owner)
    draft = get_draft(owner)
    assert (draft.text, draft.path) == ("Pruned in March, late", "knowledge/garden/roses.md")
    assert draft.revision == again.json()["revision"], "the page that sent it can go on"
    assert not LateDraft.objects.exists()


@pytest.mark.parametrize("kind", list(NoteKind))
def test_a_new_note_of_each_kind_arrives(owner: Resident, kind: NoteKind) -> None:
    owner.lock()

    assert send(owner, "Begun when locked", kind=kind).status_code == 200

    unlock(owner)
    draft = get_draft(owner)
    assert (draft.text, derive_kind(draft.path)) == ("Begun when locked", kind)


def test_an_edit_typed_on_a_locked_page_is_there_with_the_line_ends_of_its_note(owner: Resident) -> None:
    note = add_note(owner, "knowledge/a.md", "one\r\ntwo")
    owner.lock()

    assert send_edit(owner, note, "one\ntwo\nthree").status_code == 200

    unlock(owner)
    draft = get_draft(owner, note.id)
    assert (draft.text, draft.based_on) == ("one\r\ntwo\r\nthree", note.revision)
    assert find_note_draft(owner.keyring) is None
    form = read(owner.get(f"/notes/{note.id}/edit/")).form(f"#note-{note.id}")
    assert form["text"].split() == ["one", "two", "three"]


def test_late_drafts_of_a_day_a_note_and_a_new_note_are_apart(owner: Resident) -> None:
    note = add_note(owner, "knowledge/a.md", "A")
    owner.lock()
    owner.post(f"/d/{owner.today}/draft/", text="of the day", revision=0, owner=owner.id, script=True)
    send(owner, "of a new note")
    send_edit(owner, note, "of a note")

    assert LateDraft.objects.count() == 3
    unlock(owner)

    assert get_draft(owner).text == "of a new note"
    assert get_draft(owner, note.id).text == "of a note"
    assert read(owner.get(f"/d/{owner.today}/")).one("#write").text == "of the day"


def test_neither_text_nor_name_of_two_tabs_is_lost(owner: Resident) -> None:
    send(owner, "In the other tab", name="tulips")
    owner.lock()
    send(owner, "In this tab", name="roses")
    send(owner, "In a third tab", name="tulips")

    unlock(owner)

    draft = get_draft(owner)
    assert draft.path == "knowledge/tulips.md"
    assert draft.text == "In the other tab\n\nknowledge/roses.md\nIn this tab\n\nIn a third tab"


def test_what_was_emptied_or_is_as_it_was_saved_leaves_no_draft(owner: Resident) -> None:
    note = add_note(owner, "knowledge/a.md", "A")
    new, edit = send(owner, "Never mind").json(), send_edit(owner, note, "AB").json()
    owner.lock()
    send(owner, "", revision=new["revision"])
    send_edit(owner, note, "A", revision=edit["revision"])

    unlock(owner)

    assert not NoteDraft.objects.exists()


def test_what_was_typed_into_a_note_that_is_gone_becomes_a_new_note(owner: Resident) -> None:
    note = add_note(owner, "knowledge/a.md", "A")
    other = open_another_browser(owner)
    other.lock()
    assert send_edit(other, note, "A long afternoon of typing").status_code == 200
    delete_note(owner.keyring, note.id)

    unlock(other)

    draft = get_draft(owner)
    assert (draft.text, draft.based_on) == ("A long afternoon of typing", None)
    assert "A long afternoon" in owner.get("/notes/new/reference/").content.decode()


@pytest.mark.parametrize(
    ("column", "value"), [("is_of_note", 0), ("note_id", "0" * 32), ("follows", 7), ("day", "2024-05-03")]
)
def test_a_row_that_was_changed_is_added_to_nothing_and_shown_apart(
    owner: Resident, column: str, value: object
) -> None:
    note = add_note(owner, "knowledge/a.md", "A")
    owner.lock()
    send_edit(owner, note, "Typed too late")
    change(column, value)

    unlock(owner)

    assert not NoteDraft.objects.exists()
    assert LateDraft.objects.count() == 1
    assert find_unchecked_texts(owner).count('aria-label="Unchecked draft of') == 1


def test_a_damaged_draft_of_a_note_is_not_replaced_and_the_late_one_shown(owner: Resident) -> None:
    note = add_note(owner, "knowledge/a.md", "A")
    send_edit(owner, note, "Typed in time")
    owner.lock()
    send_edit(owner, note, "Typed too late")
    change("revision", 99, table="diary_notedraft")

    unlock(owner)

    page = find_unchecked_texts(owner)
    assert "Typed too late" in page
    assert "draft of a note" in page
    assert NoteDraft.objects.count() == 1


def test_a_text_that_cannot_be_stored_stays_in_the_page(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diary.drafts.late_drafts.MAX_DRAFT_LENGTH", 20)
    owner.lock()

    answer = send(owner, "x" * 21)

    assert answer.status_code == 422
    assert "only in this page" in answer.json()["error"]
    owner.client.cookies.clear()
    assert send(owner, "Nobody is signed in").status_code == 401
    assert not LateDraft.objects.exists()


def test_too_many_late_drafts_stay_in_their_pages(owner: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diary.drafts.late_drafts.MAX_LATE_DRAFTS", 1)
    owner.lock()

    answers = [send(owner, f"Late {number}") for number in range(2)]

    assert [answer.status_code for answer in answers] == [200, 423]
    assert "only in this page" in answers[1].json()["error"]


def test_a_draft_of_a_persona_is_shown_where_there_is_one_by_now(owner: Resident) -> None:
    owner.lock()
    send(owner, "Be brief.", kind="persona", name="")
    unlock(owner)
    note = add_note(owner, "SOUL.md", "Be calm.")

    page = read(owner.get("/notes/new/persona/")).one("#main")

    assert page.form("#new-note")["text"].strip() == "Be brief."
    assert "There is a note" in page.text
    send(owner, "", kind="persona", name="", revision=get_draft(owner).revision)
    assert owner.get("/notes/new/persona/").headers["Location"] == f"/notes/{note.id}/"
    assert Note.objects.count() == 1
