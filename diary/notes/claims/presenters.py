"""Groups of imported notes, for the list of notes and for the page of a group."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID

from diary import days
from diary.notes.claims.groups import OTHERS, NoteGroup
from diary.notes.errors import NoteError
from diary.notes.kind_descriptions import KIND_DESCRIPTIONS
from diary.notes.kinds import check_content
from diary.notes.queries import NoteText
from diary.origins.labels import OriginLabel, build_label
from diary.origins.provenance import find_undo_end

# A longer text is read on the page of its note.
MAX_SHOWN: Final = 20_000


@dataclass(frozen=True, kw_only=True)
class NoteGroupView:
    """Template data of a group of notes; `undo_until` is the last day on which its claim can be undone."""

    id: UUID
    source: str = field(repr=False)
    day: date | None
    count: int
    waiting: int
    undo_until: date | None

    @property
    def is_import(self) -> bool:
        """Whether the group is one import, not the notes of programs."""
        return self.id != OTHERS


@dataclass(frozen=True, kw_only=True)
class ReviewedNoteView:
    """Template data of a note that its owner reads before claiming it.

    `text` is None for a binary file; `sentence` says why the note can't be claimed as it is.
    """

    id: UUID
    path: str = field(repr=False)
    kind: str
    origin: OriginLabel | None
    is_used: bool
    text: str | None = field(repr=False)
    is_cut: bool
    size: int
    sentence: str


def build_group_views(groups: Iterable[NoteGroup], *, zone: str) -> list[NoteGroupView]:
    """Return the groups that wait for a claim, or whose claim can be undone."""
    views = (build_group_view(group, zone=zone) for group in groups)
    return [view for view in views if view.waiting or view.undo_until]


def build_group_view(group: NoteGroup, *, zone: str) -> NoteGroupView:
    """Return the template data of a group of notes."""
    undo_end = find_undo_end(group.claimed_at)
    return NoteGroupView(
        id=group.id,
        source=group.source,
        day=days.to_local_time(group.imported_at, zone).date() if group.imported_at else None,
        count=len(group.lines),
        waiting=len(group.waiting),
        undo_until=days.to_local_time(undo_end, zone).date() if undo_end else None,
    )


def build_reviewed_notes(notes: Sequence[NoteText]) -> list[ReviewedNoteView]:
    """Return the template data of the notes that a person is to review, in the order of `notes`."""
    return [_build_reviewed(note) for note in notes]


def _build_reviewed(note: NoteText) -> ReviewedNoteView:
    sentence = ""
    try:
        check_content(note.content or "", note.kind)
    except NoteError as error:
        sentence = error.sentence
    text = None if note.text is None else note.text[:MAX_SHOWN]
    return ReviewedNoteView(
        id=note.id,
        path=note.path,
        kind=KIND_DESCRIPTIONS[note.kind].title,
        origin=build_label(note.origin, source=note.source),
        is_used=note.is_used,
        text=text,
        is_cut=note.text is not None and len(note.text) > MAX_SHOWN,
        size=note.size,
        sentence="" if note.is_used else sentence,
    )
