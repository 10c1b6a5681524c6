"""Calls that list, find, return, save, change and delete notes.

The path of a note is encrypted like its text, so it is sent in the body and never in the URL. A program
cannot change a note that its owner wrote, unless its token "writes what I type".
"""

import base64
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec

from diary.models import Origin
from diary.notes import services
from diary.notes.errors import NotePathTaken
from diary.notes.kinds import MAX_NOTE_TEXT, MAX_PATH
from diary.notes.queries import NoteLine, NoteText, list_notes, read_note
from diary.origins.provenance import Provenance
from llamora.api.call import Call
from llamora.api.endpoints import endpoint
from llamora.api.errors import ApiError
from llamora.api.resources.pages import USUAL_LIMIT, Limit, Offset
from llamora.database import write_transaction
from llamora.source_names import clean_source_name

_TAG: Final = "Notes"
_PATH: Final = "/api/v1/notes"
_SCOPES: Final = ("notes",)
_NOTHING_TO_CHANGE: Final = "Send a text, a path, or both."
KindName = Literal["persona", "remember", "requests", "reference", "skill", "file"]
NotePath = Annotated[
    str,
    msgspec.Meta(
        min_length=1, max_length=MAX_PATH, description="Relative, with slashes: knowledge/garden.md"
    ),
]
NoteContent = Annotated[
    str, msgspec.Meta(max_length=MAX_NOTE_TEXT, description="The text, with its line ends as they are.")
]
Revision = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]


class NoteListQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Query parameters of the list of notes: a page, and an optional kind."""

    kind: KindName | None = None
    limit: Limit = USUAL_LIMIT
    offset: Offset = 0


class NoteSummary(msgspec.Struct, kw_only=True):
    """A note without its text; `path` is null if it is damaged on the disk, `size` is in bytes.

    `is_used` says whether the model reads the note: a skill if its owner wrote or approved this revision, any
    other note if its owner wrote it.
    """

    id: UUID
    path: str | None
    kind: KindName
    origin: str
    source: str
    revision: int
    is_used: bool
    size: int
    updated_at: datetime


class NoteList(msgspec.Struct, kw_only=True):
    """A page of notes, ordered by path; `next_offset` is null on the last page."""

    notes: list[NoteSummary]
    next_offset: int | None


class NoteSearch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A search for notes by a part of the path, ignoring case; with `is_exact`, by the exact path."""

    path: NotePath
    is_exact: bool = False


class NoteBody(NoteSummary, kw_only=True):
    """A note with its text, or with base64 bytes if it is not a text; a damaged note has neither."""

    text: str | None
    data: str | None
    created_at: datetime


class NoteToSave(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A note to save."""

    path: NotePath
    text: NoteContent


class NoteChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A new text or path for a note; refused if `revision` is not the note's current one."""

    revision: Revision
    text: NoteContent | None = None
    path: NotePath | None = None


class DeletedNote(msgspec.Struct, kw_only=True):
    """Result of deleting a note for good."""

    id: UUID
    deleted: bool


@endpoint("GET", _PATH, scopes=_SCOPES, tag=_TAG)
def list_note_files(call: Call, *, query: NoteListQuery) -> NoteList:
    """List notes without their texts.

    Notes from imports and programs are left out, unless the token may read them too.
    """
    lines = [line for line in _list(call) if query.kind is None or line.kind == query.kind]
    return _build_part(lines, query)


@endpoint("POST", _PATH + "/search", scopes=_SCOPES, tag=_TAG)
def search_note_files(call: Call, *, body: NoteSearch) -> NoteList:
    """Find notes by their paths.

    All results are on one page.
    """
    wanted = body.path.casefold()
    found = [
        line
        for line in _list(call)
        if (line.path == body.path if body.is_exact else wanted in line.path.casefold())
    ]
    return NoteList(notes=[_build_summary(line) for line in found], next_offset=None)


@endpoint("GET", _PATH + "/{id}", scopes=_SCOPES, tag=_TAG)
def get_note(call: Call, *, id: UUID) -> NoteBody:  # noqa: A002 - its name there
    """Return a note with its text."""
    return _build_body(_read(call, id))


@endpoint("POST", _PATH, scopes=_SCOPES, tag=_TAG, status=201)
def save_note_file(call: Call, *, body: NoteToSave) -> NoteBody:
    """Save a text as a new note.

    Its origin is "program", and the model does not read it until the owner has approved it, unless the token
    "writes what I type". A repeated call with the same text and path saves nothing.
    """
    origin = _get_origin(call)
    program = Provenance(source=clean_source_name(call.program_name))
    note = services.save_note(call.keyring, body.path, body.text, origin=origin, provenance=program)
    is_its_own = (note.origin, note.source) == (Origin.PROGRAM, program.source)
    if not (note.is_trusted or is_its_own or call.terms.reads_untrusted):
        # A text that is there already and that the token may not read is another note's, whatever it says:
        # else a program would learn it by guessing.
        raise NotePathTaken
    return _build_body(note)


@endpoint("PATCH", _PATH + "/{id}", scopes=_SCOPES, tag=_TAG)
def change_note(call: Call, *, id: UUID, body: NoteChange) -> NoteBody:  # noqa: A002 - its name there
    """Change the text or the path of a note.

    The earlier text stays in its history for thirty days. Only a token that "writes what I type" may change a
    note that the owner wrote.
    """
    origin = _get_origin(call)
    with write_transaction():
        note = _read(call, id)
        if note.is_damaged:
            raise ApiError(409, "damaged")
        if body.text is None and body.path is None:
            raise ApiError(422, "invalid_field", field="text", message=_NOTHING_TO_CHANGE)
        path = note.path if body.path is None else body.path
        if body.text is None:
            changed = services.rename_note(call.keyring, id, path, based_on=body.revision, origin=origin)
        else:
            changed = services.save_note(
                call.keyring,
                path,
                body.text,
                note_id=id,
                based_on=body.revision,
                origin=origin,
                provenance=None if note.is_trusted else Provenance(source=call.program_name),
            )
    return _build_body(changed)


@endpoint("DELETE", _PATH + "/{id}", scopes=_SCOPES, tag=_TAG)
def delete_note_file(call: Call, *, id: UUID) -> DeletedNote:  # noqa: A002 - its name there
    """Delete a note and its history for good.

    Only a token that "writes what I type" may delete a note that the owner wrote.
    """
    with write_transaction():
        _read(call, id)
        services.delete_note(call.keyring, id, origin=_get_origin(call))
    return DeletedNote(id=id, deleted=True)


def _get_origin(call: Call) -> str:
    return Origin.OWN_TOKEN if call.terms.writes_own_text else Origin.PROGRAM


def _list(call: Call) -> list[NoteLine]:
    return list_notes(call.keyring, reads_others=call.terms.reads_untrusted)


def _read(call: Call, note_id: UUID) -> NoteText:
    return read_note(call.keyring, note_id, reads_others=call.terms.reads_untrusted)


def _build_part(lines: list[NoteLine], query: NoteListQuery) -> NoteList:
    end = query.offset + query.limit
    return NoteList(
        notes=[_build_summary(line) for line in lines[query.offset : end]],
        next_offset=end if end < len(lines) else None,
    )


def _build_summary(line: NoteLine) -> NoteSummary:
    return NoteSummary(**_build_fields(line))  # type: ignore[arg-type]  # by name


def _build_body(note: NoteText) -> NoteBody:
    data = None if note.data is None else base64.b64encode(note.data).decode("ascii")
    return NoteBody(**_build_fields(note), text=note.text, data=data, created_at=note.created_at)  # type: ignore[arg-type]  # by name


def _build_fields(line: NoteLine) -> dict[str, object]:
    return {
        "id": line.id,
        "path": None if line.is_damaged else line.path,
        "kind": str(line.kind),
        "origin": line.origin,
        "source": line.source,
        "revision": line.revision,
        "is_used": line.is_used,
        "size": line.size,
        "updated_at": line.updated_at,
    }
