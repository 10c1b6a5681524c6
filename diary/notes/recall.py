"""Notes for the prompt of a reply or an answer: the note "Also remember", and notes found by search.

Only notes that are their owner's own are read, and only with a keyring of the realm `notes`.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from diary.generation.prompt_context import PromptNote
from diary.hooks import NamedLink
from diary.notes.kinds import REMEMBER_PATH, NoteKind
from diary.notes.queries import NoteText, find_note, read_notes
from diary.rendering.excerpts import extract_passage
from diary.rendering.passage_highlights import PASSAGE_ANCHOR
from llamora.crypto import Realm, RealmKeyring

REMEMBER_NAME: Final = "Also remember"
# It stands in each prompt.
MAX_REMEMBERED: Final = 2_000


def read_remembered(keyring: RealmKeyring) -> PromptNote | None:
    """Return the beginning of the note "Also remember" if it is its owner's own, else None."""
    if not keyring.has_realm(Realm.NOTES):
        return None
    note = find_note(keyring, REMEMBER_PATH)
    if note is None or not note.is_trusted or note.text is None or not note.text.strip():
        return None
    return build_prompt_note(note, (0, MAX_REMEMBERED), length=MAX_REMEMBERED)


def build_prompt_note(note: NoteText, span: tuple[int, int], *, length: int) -> PromptNote:
    """Return the part of a note around `span`, in at most `length` characters.

    `span` is a start and an end in the text of the note, without white space around the text.
    """
    whole = (note.text or "").strip()
    start, end = span
    passage = extract_passage(whole, (start, min(end, len(whole))), length=length)
    return PromptNote(
        id=note.id,
        name=name_note(note.path),
        text=passage,
        is_cut=len(passage) < len(whole),
        origin=note.origin,
        revision=note.revision,
        span=(start, min(end, len(whole))),
    )


def name_note(path: str) -> str:
    """Return the name of a note in prompts and sources."""
    return REMEMBER_NAME if path == REMEMBER_PATH else path


def list_read_notes(keyring: RealmKeyring, note_ids: Sequence[UUID]) -> list[NamedLink]:
    """Return links to the notes that were read and still exist, for the sources."""
    if not note_ids or not keyring.has_realm(Realm.NOTES):
        return []
    notes = {note.id: note for note in read_notes(keyring, note_ids)}
    return [build_note_link(id_, notes[id_].path) for id_ in note_ids if id_ in notes and notes[id_].path]


def build_note_link(note_id: UUID, path: str) -> NamedLink:
    """Return a link to the page of a note. The link has the name that the note has in prompts."""
    return NamedLink(name=name_note(path), address=reverse("note", args=[note_id]))


def build_note_address(note_id: UUID, *, revision: int, span: tuple[int, int]) -> str:
    """Return the URL of a passage of a note. The URL contains no word of the note."""
    query = urlencode({"passage": ".".join(map(str, (revision, *span)))})
    return f"{reverse('note', args=[note_id])}?{query}#{PASSAGE_ANCHOR}"


def load_reference_notes(keyring: RealmKeyring, note_ids: Sequence[UUID]) -> list[NoteText]:
    """Return the trusted reference notes among these notes, in the same order."""
    if not keyring.has_realm(Realm.NOTES) or not note_ids:
        return []
    notes = {note.id: note for note in read_notes(keyring, note_ids)}
    return [
        note
        for id_ in note_ids
        if (note := notes.get(id_)) is not None
        and note.is_trusted
        and note.kind is NoteKind.REFERENCE
        and note.text is not None
    ]
