"""Drafts of notes, saved while typing: one for each note, and one for a new note.

As with those of entries, each save names the revision of the draft that it follows, so that two tabs
overwrite nothing, and an edit names the revision of the note that it is based on. An empty draft is deleted.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from diary import messages
from diary.drafts.services import create_first_revision, merge_texts
from diary.models import Note, NoteDraft
from diary.notes.errors import InvalidNoteText, NoteConflict, NoteTooLong
from diary.notes.kind_descriptions import build_path
from diary.notes.kinds import MAX_NOTE_TEXT, NoteKind, match_newlines
from diary.notes.queries import get_note_row
from llamora.crypto import EnvelopeError, RealmKeyring, in_force
from llamora.database import write_transaction

# A draft may be longer than a note, so that a text that is too long can be shortened at leisure.
MAX_NOTE_DRAFT = 5 * MAX_NOTE_TEXT


@dataclass(frozen=True, kw_only=True)
class SubmittedNoteDraft:
    """A draft of a note that a page sent, with the revision of the draft that it replaces (0 for none).

    `path` is the typed name, valid or not. `previous_text` is the text of the page's previous request, if the
    page has not received its revision yet.
    """

    text: str = field(repr=False)
    revision: int
    path: str = field(default="", repr=False)
    note_id: UUID | None = None
    based_on: int | None = None
    previous_text: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class NoteDraftText:
    """A decrypted draft of a note; a damaged draft has no text."""

    revision: int
    text: str = field(default="", repr=False)
    path: str = field(default="", repr=False)
    based_on: int | None = None
    updated_at: datetime = field(default_factory=timezone.now)
    is_damaged: bool = False


def find_note_draft(keyring: RealmKeyring, note_id: UUID | None = None) -> NoteDraftText | None:
    """Return the draft of a note, or without an id that of a new note; None if there is no such draft."""
    with in_force(keyring):
        row = _find(keyring.owner, note_id)
        return None if row is None else _open(row)


def list_drafted_notes(owner_id: UUID) -> frozenset[UUID]:
    """Return the ids of the notes that have a draft."""
    drafts = NoteDraft.objects.filter(owner_id=owner_id, note__isnull=False)
    return frozenset(drafts.values_list("note_id", flat=True))


def save_note_draft(keyring: RealmKeyring, sent: SubmittedNoteDraft) -> NoteDraftText:
    """Save a draft and return it with its new revision.

    Raise NoteConflict if another tab saved another text, InvalidNoteText, NoteTooLong, or ObjectNotFound.
    """
    _check(sent)
    with in_force(keyring), write_transaction():
        note = None if sent.note_id is None else get_note_row(keyring.owner, sent.note_id)
        row = _find(keyring.owner, sent.note_id)
        is_undone = note is not None and note.open_or("text", None) == sent.text
        text = "" if is_undone else sent.text
        if row is None:
            return _create(keyring.owner, sent, text)
        saved = _open(row)
        if row.revision == sent.revision or saved.is_damaged:
            return _update(row, sent, text)
        if saved.text == sent.text and saved.path == sent.path:
            return saved
        # The response to the last save was lost, and the page wrote on.
        if saved.text and (sent.text.startswith(saved.text) or saved.text == sent.previous_text):
            return _update(row, sent, text)
        raise NoteConflict(row)


def merge_note_draft(owner_id: UUID, late: SubmittedNoteDraft, *, follows: int) -> None:
    """Merge a late draft into the present draft of its note, without losing either text.

    Needs the keyring in force, and a transaction. `follows` is the revision of the draft that the page showed
    before; `late.revision` is the revision that the page got for this one. If the note was deleted meanwhile,
    the late draft becomes the draft of a new note. Raise EnvelopeError if the present draft is damaged.
    """
    note = None if late.note_id is None else Note.objects.filter(owner_id=owner_id, id=late.note_id).first()
    if late.note_id is not None and note is None:
        path = late.path or build_path(NoteKind.REFERENCE, "")
        late, follows = replace(late, note_id=None, based_on=None, path=path), 0
    saved_text = None if note is None else note.open_or("text", None)
    text = match_newlines(late.text, like=saved_text)
    row = _find(owner_id, late.note_id)
    if row is None:
        if text != saved_text:
            _create(owner_id, late, text, revision=late.revision)
        return
    is_next = row.revision == follows
    path = late.path
    if not is_next:
        text, path = _merge_bodies(row, late, text)
    if not text or text == saved_text:
        row.delete()
        return
    row.body, row.updated_at = {"path": path, "text": text}, timezone.now()
    # The revision that the page was given, if the draft now has the page's text; else one that no page has.
    row.revision = late.revision if is_next else max(row.revision, late.revision) + 1
    row.save(update_fields=["body", "revision", "updated_at"])


def _merge_bodies(row: NoteDraft, late: SubmittedNoteDraft, text: str) -> tuple[str, str]:
    """Return the merged text and the path of the present draft and of a late one that does not follow it."""
    saved_text, saved_path = row.body["text"], row.body["path"]
    merged = merge_texts(saved_text, text, follows=False)
    if merged in (saved_text, text) or saved_path == late.path:
        return merged, late.path if merged == text else saved_path
    # The name of the text below would be lost.
    return merge_texts(saved_text, f"{late.path}\n{text}", follows=False), saved_path


def is_note_draft_damaged(owner_id: UUID, note_id: UUID | None) -> bool:
    """Return whether the draft of a note is damaged. If `note_id` is None, check the draft of a new note."""
    row = _find(owner_id, note_id)
    return row is not None and _open(row).is_damaged


def discard_note_draft(keyring: RealmKeyring, note_id: UUID | None = None) -> None:
    """Delete the draft of a note. If `note_id` is None, delete the draft of a new note."""
    with write_transaction():
        NoteDraft.objects.filter(_is_of(keyring.owner, note_id)).delete()


def delete_note_draft_if_saved(note: Note, content: str | bytes, *, revision: int | None) -> None:
    """Delete the draft of a note that was saved. If another tab has changed the draft, the draft stays."""
    _delete_if_saved(_find(note.owner_id, note.id), content, revision=revision)


def delete_new_note_draft_if_saved(owner_id: UUID, content: str | bytes, *, revision: int | None) -> None:
    """Delete the draft of a new note that was saved. If another tab has changed the draft, it stays."""
    _delete_if_saved(_find(owner_id, None), content, revision=revision)


def _delete_if_saved(row: NoteDraft | None, content: str | bytes, *, revision: int | None) -> None:
    if row is not None and (row.revision == revision or _open(row).text == content):
        row.delete()


def _check(sent: SubmittedNoteDraft) -> None:
    if any("\ud800" <= one <= "\udfff" for one in sent.text + sent.path):
        raise InvalidNoteText(messages.INVALID_CHARACTERS)
    if len(sent.text) > MAX_NOTE_DRAFT or len(sent.path) > MAX_NOTE_DRAFT:
        raise NoteTooLong(messages.get_draft_too_long_message(length=len(sent.text), limit=MAX_NOTE_DRAFT))


def _find(owner_id: UUID, note_id: UUID | None) -> NoteDraft | None:
    return NoteDraft.objects.filter(_is_of(owner_id, note_id)).first()


def _is_of(owner_id: UUID, note_id: UUID | None) -> Q:
    return Q(owner_id=owner_id, note=None) if note_id is None else Q(owner_id=owner_id, note_id=note_id)


def _open(row: NoteDraft) -> NoteDraftText:
    body = row.open_or("body", None)
    if not isinstance(body, dict):
        return NoteDraftText(
            revision=row.revision, based_on=row.based_on, updated_at=row.updated_at, is_damaged=True
        )
    return NoteDraftText(
        revision=row.revision,
        text=str(body.get("text", "")),
        path=str(body.get("path", "")),
        based_on=row.based_on,
        updated_at=row.updated_at,
    )


def _create(
    owner_id: UUID, sent: SubmittedNoteDraft, text: str, *, revision: int | None = None
) -> NoteDraftText:
    if not text:
        return NoteDraftText(revision=sent.revision)
    row = NoteDraft(
        owner_id=owner_id,
        note_id=sent.note_id,
        based_on=sent.based_on,
        body={"path": sent.path, "text": text},
        revision=create_first_revision() if revision is None else revision,
    )
    row.save(force_insert=True)
    return _open(row)


def _update(row: NoteDraft, sent: SubmittedNoteDraft, text: str) -> NoteDraftText:
    if not text:
        row.delete()
        return NoteDraftText(revision=row.revision + 1)
    row.revision, row.based_on, row.updated_at = row.revision + 1, sent.based_on, timezone.now()
    row.body = {"path": sent.path, "text": text}
    try:
        row.save(update_fields=["revision", "based_on", "updated_at", "body"])
    except EnvelopeError:
        raise NoteConflict(row) from None
    return _open(row)
