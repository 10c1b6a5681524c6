"""Numbered sources of an answer: passages of entries, followed by notes.

Call `load_sources` inside `in_force`, which makes the owner's keys available.

A question stores its sources without their words, so that a text deleted from the diary is gone here too. The
first source has number 1:

    [{"kind": "entry", "id", "day", "origin", "revision", "span": [start, end]}, ...,
     {"kind": "note", "id", "origin", "revision", "span"}, ...]
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from diary.generation.prompt_context import PromptNote
from diary.models import Entry, Origin
from diary.notes.queries import NoteText, read_notes
from diary.notes.recall import name_note
from diary.rendering.excerpts import get_first_words
from llamora.crypto import EnvelopeError, Realm, current_realm_keyring
from search.ask.passages import MAX_PASSAGES, Passage, cut_passage
from search.chunks import Span
from search.fact_recall.notes import MAX_NOTES

ENTRY_KIND: Final = "entry"
NOTE_KIND: Final = "note"
# With the note "Also remember".
_MAX_SOURCES: Final = MAX_PASSAGES + MAX_NOTES + 1
_LONGEST_TEXT: Final = 2**31
_SNIPPET_LENGTH: Final = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSource:
    """A stored source of an answer: the id of an entry or note, and a span instead of the text itself."""

    id: UUID
    day: date | None = None
    origin: str
    revision: int
    span: Span
    kind: str = ENTRY_KIND

    @property
    def is_note(self) -> bool:
        """Whether the source is a note."""
        return self.kind == NOTE_KIND


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A numbered source of an answer as shown.

    A source whose entry was changed or deleted has no `passage`; one whose note was changed or deleted has no
    `words`. `name` is the name of a note that still exists.
    """

    number: int
    stored: StoredSource
    passage: Passage | None = field(default=None, repr=False)
    name: str = field(default="", repr=False)
    words: str = field(default="", repr=False)

    @property
    def snippet(self) -> str:
        """The words to show, or an empty string."""
        return self.passage.snippet if self.passage is not None else self.words


def list_sources(passages: Sequence[Passage], notes: Sequence[PromptNote]) -> list[Source]:
    """Return the sources of an answer from these passages and notes."""
    entries = [
        Source(number=number, stored=_describe_passage(passage), passage=passage)
        for number, passage in enumerate(passages, start=1)
    ]
    of_notes = [
        Source(
            number=number,
            stored=_describe_note(note),
            name=note.name,
            words=get_first_words(note.text, length=_SNIPPET_LENGTH),
        )
        for number, note in enumerate(notes, start=len(entries) + 1)
    ]
    return [*entries, *of_notes]


def _describe_passage(passage: Passage) -> StoredSource:
    return StoredSource(
        id=passage.entry_id,
        day=passage.day,
        origin=passage.origin,
        revision=passage.revision,
        span=passage.span,
    )


def _describe_note(note: PromptNote) -> StoredSource:
    return StoredSource(
        id=note.id, origin=note.origin, revision=note.revision, span=note.span, kind=NOTE_KIND
    )


def store_sources(passages: Sequence[Passage], notes: Sequence[PromptNote] = ()) -> list[dict[str, Any]]:
    """Return passages and notes in the form in which a question stores them."""
    return [_store_source(source.stored) for source in list_sources(passages, notes)]


def replace_source_ids(
    value: Any, find_ids: Callable[[Sequence[UUID]], Mapping[UUID, UUID]]
) -> list[dict[str, Any]]:
    """Return the stored sources of a question with new ids. `find_ids` returns the new ids by the old ids."""
    stored = read_sources(value)
    ids = find_ids([source.id for source in stored])
    return [_store_source(replace(one, id=ids.get(one.id, one.id))) for one in stored]


def _store_source(source: StoredSource) -> dict[str, Any]:
    day = {"day": source.day.isoformat()} if source.day is not None else {}
    return {
        "kind": source.kind,
        "id": str(source.id),
        **day,
        "origin": source.origin,
        "revision": source.revision,
        "span": list(source.span),
    }


def read_sources(value: Any) -> list[StoredSource]:
    """Return the stored sources of a question, or an empty list if the value is malformed."""
    try:
        return [_read_source(one) for one in value[:_MAX_SOURCES]]
    except (AttributeError, KeyError, TypeError, ValueError):
        # UUID raises AttributeError for a number.
        return []


def _read_source(value: Mapping[str, Any]) -> StoredSource:
    start, end = (int(place) for place in value["span"])
    kind = value["kind"]
    if not 0 <= start <= end <= _LONGEST_TEXT or kind not in (ENTRY_KIND, NOTE_KIND):
        raise ValueError
    return StoredSource(
        id=UUID(value["id"]),
        day=date.fromisoformat(value["day"]) if kind == ENTRY_KIND else None,
        origin=Origin(value["origin"]).value,
        revision=int(value["revision"]),
        span=(start, end),
        kind=kind,
    )


def load_sources(owner_id: UUID, stored: Sequence[StoredSource], *, reads_untrusted: bool) -> list[Source]:
    """Return the sources of an answer, each with the words of its passage if its text has not changed.

    The text is an entry or a note. If `reads_untrusted` is false, the source of an entry that is not trusted
    has no words either.
    """
    entries = Entry.objects.for_owner(owner_id).in_bulk([one.id for one in stored if not one.is_note])
    notes = _read_notes([one.id for one in stored if one.is_note])
    return [
        _load_note(number, source, notes.get(source.id))
        if source.is_note
        else Source(
            number=number,
            stored=source,
            passage=_load_passage(entries.get(source.id), source, reads_untrusted=reads_untrusted),
        )
        for number, source in enumerate(stored, start=1)
    ]


def _load_passage(entry: Entry | None, source: StoredSource, *, reads_untrusted: bool) -> Passage | None:
    if entry is None or entry.revision != source.revision or not (reads_untrusted or entry.is_trusted):
        return None
    try:
        return cut_passage(entry, str(entry.text), source.span)
    except EnvelopeError:
        return None


def _read_notes(ids: Sequence[UUID]) -> dict[UUID, NoteText]:
    """Return the trusted notes with these ids; none if the keyring in force can't decrypt notes."""
    keyring = current_realm_keyring()
    if not ids or not keyring.has_realm(Realm.NOTES):
        return {}
    return {note.id: note for note in read_notes(keyring, ids) if note.is_trusted and note.path}


def _load_note(number: int, source: StoredSource, note: NoteText | None) -> Source:
    if note is None:
        return Source(number=number, stored=source)
    is_same = note.revision == source.revision and note.text is not None
    start, end = source.span
    words = get_first_words((note.text or "").strip()[start:end], length=_SNIPPET_LENGTH) if is_same else ""
    return Source(number=number, stored=source, name=name_note(note.path), words=words)
