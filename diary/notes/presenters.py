"""Template data for the pages of notes: the list by kind, a single note, and earlier versions of a note.

A text that does not count as its owner's own is shown as plain text.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Final
from uuid import UUID

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

from diary import days
from diary.notes.kind_descriptions import (
    KIND_DESCRIPTIONS,
    KindDescription,
    get_note_folder,
    get_note_name,
    is_single,
)
from diary.notes.kinds import NoteKind
from diary.notes.queries import NoteLine, NoteText, NoteVersionText
from diary.notes.services import NOTE_VERSION_LIFETIME
from diary.origins.labels import OriginLabel, build_label
from diary.origins.provenance import is_claim_recent
from diary.rendering.page_texts import render_page_text
from diary.rendering.passage_highlights import highlight_passage
from llamora.clock.services import compute_end

DAMAGED_NAME: Final = "A note that can’t be opened"
# What is plain text even if its owner wrote it: the model gets it as it is, and a look at it should say so.
_PLAIN: Final = frozenset({NoteKind.SKILL, NoteKind.FILE})


@dataclass(frozen=True, kw_only=True)
class NoteRow:
    """Template data of a note in the list; `state` says if the note waits for its owner's approval."""

    id: UUID
    name: str = field(repr=False)
    folder: str = field(repr=False)
    changed_on: date | None
    origin: OriginLabel | None
    state: str = ""
    needs_owner: bool = False
    has_draft: bool = False


@dataclass(frozen=True, kw_only=True)
class NoteFolder:
    """Template data of the notes in one folder."""

    name: str = field(repr=False)
    rows: Sequence[NoteRow]


@dataclass(frozen=True, kw_only=True)
class NoteSection:
    """Template data of a kind of notes: its notes, or its purpose if it has none."""

    slug: str
    words: KindDescription
    is_single: bool
    rows: Sequence[NoteRow]
    folders: Sequence[NoteFolder]
    # Whether a new note of this kind was begun and not saved.
    has_draft: bool = False


@dataclass(frozen=True, kw_only=True)
class NoteView:
    """Template data of one note; `html` is None if the note is shown as plain text."""

    id: UUID
    name: str = field(repr=False)
    path: str = field(repr=False)
    revision: int
    changed_on: date
    origin: OriginLabel | None
    text: SafeString = field(repr=False)
    html: SafeString | None = field(repr=False)
    size: int
    is_damaged: bool
    is_file: bool
    has_draft: bool
    # A skill that waits for its owner, and whether an earlier text of it was approved.
    can_approve: bool
    was_approved: bool
    can_claim: bool
    can_unclaim: bool
    is_used_skill: bool
    # Files in the folder of a skill.
    scripts: Sequence[str] = field(default=(), repr=False)

    @property
    def can_edit(self) -> bool:
        """Whether there is a text to edit."""
        return not (self.is_damaged or self.is_file)

    @property
    def is_foreign(self) -> bool:
        """Whether the text is not its owner's own."""
        return self.can_claim or self.can_approve


@dataclass(frozen=True, kw_only=True)
class NoteVersionView:
    """Template data of an earlier version; `text` is None if it can't be decrypted."""

    id: UUID
    written: datetime
    until: date
    origin: OriginLabel | None
    text: str | None = field(repr=False)
    is_file: bool


def build_sections(
    lines: Iterable[NoteLine], *, zone: str, edited: Collection[UUID], begun: NoteKind | None
) -> list[NoteSection]:
    """Return the notes in sections by kind.

    `edited` are the ids of notes that have drafts. `begun` is the kind of a new note that is not saved yet.
    There is a section for each kind, also without notes; only "Other files" is left out if empty.
    """
    rows: dict[NoteKind, list[NoteRow]] = {kind: [] for kind in NoteKind}
    for line in lines:
        rows[line.kind].append(_build_row(line, zone=zone, has_draft=line.id in edited))
    return [
        NoteSection(
            slug=kind.value,
            words=KIND_DESCRIPTIONS[kind],
            is_single=is_single(kind),
            rows=rows[kind],
            folders=_group_by_folder(rows[kind]),
            has_draft=kind is begun,
        )
        for kind in NoteKind
        if rows[kind] or kind is begun or kind is not NoteKind.FILE
    ]


def _group_by_folder(rows: Sequence[NoteRow]) -> list[NoteFolder]:
    ordered = sorted(rows, key=lambda row: (row.folder.casefold(), row.folder, row.name.casefold(), row.id))
    return [NoteFolder(name=name, rows=list(some)) for name, some in groupby(ordered, lambda row: row.folder)]


def _build_row(line: NoteLine, *, zone: str, has_draft: bool) -> NoteRow:
    waits = _waits_for_approval(line)
    return NoteRow(
        id=line.id,
        name=DAMAGED_NAME if line.is_damaged else get_note_name(line.path),
        folder="" if line.is_damaged else get_note_folder(line.path),
        changed_on=days.to_local_time(line.updated_at, zone).date(),
        origin=build_label(line.origin, source=line.source),
        state="waits for your approval" if waits else "",
        needs_owner=waits,
        has_draft=has_draft,
    )


def _waits_for_approval(line: NoteLine) -> bool:
    return line.kind is NoteKind.SKILL and not line.is_damaged and not line.is_approved


def build_note_view(
    note: NoteText, *, zone: str, has_draft: bool, passage: str = "", scripts: Sequence[str] = ()
) -> NoteView:
    """Return the template data of a note, with a passage highlighted.

    Only trusted prose is rendered as Markdown.
    """
    can_approve = _waits_for_approval(note)
    can_claim = not (note.is_trusted or note.is_damaged or can_approve)
    is_prose = note.text is not None and note.is_trusted and not can_approve and note.kind not in _PLAIN
    return NoteView(
        id=note.id,
        name=get_note_name(note.path) or DAMAGED_NAME,
        path=note.path,
        revision=note.revision,
        changed_on=days.to_local_time(note.updated_at, zone).date(),
        origin=build_label(note.origin, source=note.source),
        text=highlight_passage(conditional_escape(note.text or ""), passage),
        html=highlight_passage(render_page_text(note.text or ""), passage) if is_prose else None,
        size=note.size,
        is_damaged=note.is_damaged,
        is_file=note.data is not None,
        has_draft=has_draft,
        can_approve=can_approve,
        was_approved=note.approved_revision is not None,
        can_claim=can_claim,
        can_unclaim=not note.is_damaged and note.is_trusted and is_claim_recent(note.provenance),
        is_used_skill=note.kind is NoteKind.SKILL and note.is_approved,
        scripts=scripts,
    )


def build_note_version_views(versions: Iterable[NoteVersionText], *, zone: str) -> list[NoteVersionView]:
    """Return the template data of earlier versions."""
    return [
        NoteVersionView(
            id=version.id,
            # Without tzinfo, since templates would convert an aware time.
            written=days.to_local_time(version.written_at, zone).replace(tzinfo=None),
            until=days.to_local_time(compute_end(version.replaced_at, NOTE_VERSION_LIFETIME), zone).date(),
            origin=build_label(version.origin, source=""),
            text=version.text,
            is_file=version.data is not None,
        )
        for version in versions
    ]
