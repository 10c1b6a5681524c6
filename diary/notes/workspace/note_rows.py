"""Notes in the JSON of an export: the rules for what a program may export, and the import of notes.

A note that this diary signed is imported as it was, with its earlier versions. All other notes get the origin
`imported`, whatever the file says. A note whose path exists is skipped, and so are drafts.

Call these functions inside `in_force`, which makes the owner's keys available.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from weakref import WeakKeyDictionary

from diary import messages
from diary.hooks import ExportRule, ImportedFile
from diary.models import TRUSTED_ORIGINS, Note, NoteDraft, NoteVersion, Origin
from diary.notes.errors import NoteError, NotePathTaken
from diary.notes.kinds import MAX_FILE_BYTES, NoteKind, check_content
from diary.notes.note_metadata import NoteMetadata
from diary.notes.queries import build_note_text
from diary.notes.services import NOTE_VERSION_LIFETIME, NewNote, NotePaths, insert_note
from diary.origins.provenance import Provenance
from diary.transfer.row_parser import (
    MAX_REVISION,
    ColumnParsers,
    InvalidValue,
    int_parser,
    parse_datetime,
    parse_uuid,
)
from llamora.crypto import current_keyring

NOTE_ROW_SIGNATURE: Final = b"diary.export.note_row"
VERSION_ROW_SIGNATURE: Final = b"diary.export.note_version_row"
_VERSIONS: Final = "note_versions"
_MOST_VERSIONS: Final = 1_000
_parse_revision: Final = int_parser(least=1, most=MAX_REVISION)
_COLUMNS: Final[ColumnParsers] = {"created_at": (parse_datetime, None), "updated_at": (parse_datetime, None)}
# The provenance of all notes of a file.
_runs: "WeakKeyDictionary[ImportedFile, Provenance]" = WeakKeyDictionary()
# Loaded once for each file, since all existing notes are decrypted for it.
_paths: "WeakKeyDictionary[ImportedFile, NotePaths]" = WeakKeyDictionary()


def build_note_rule(owner_id: UUID, own_ids: frozenset[UUID]) -> ExportRule:
    """Return the rule for notes in exports to programs: a note is exported if it is the owner's own."""
    del owner_id, own_ids
    return lambda row, _: _is_own(row)


def build_version_rule(owner_id: UUID, own_ids: frozenset[UUID]) -> ExportRule:
    """Return the rule for versions of notes: a version is exported if it and its note are the owner's own."""
    del owner_id, own_ids
    return lambda row, _: row.origin in TRUSTED_ORIGINS and _opens(row) and _is_of_own_note(row)


def build_draft_rule(owner_id: UUID, own_ids: frozenset[UUID]) -> ExportRule:
    """Return the rule for drafts of notes: a draft is exported if its note is new or the owner's own."""
    del owner_id, own_ids
    return lambda row, _: (
        row.open_or("body", None) is not None and (row.note_id is None or _is_of_own_note(row))
    )


def _is_of_own_note(row: NoteVersion | NoteDraft) -> bool:
    # The note of a row that was changed in the database may not exist.
    notes = Note.objects.filter(owner_id=row.owner_id)
    note = notes.filter(id=row.note_id).first() if row.note_id else None
    return note is not None and _is_own(note)


def _is_own(row: Note) -> bool:
    return row.is_trusted and not build_note_text(row).is_damaged


def _opens(row: NoteVersion | NoteDraft) -> bool:
    return row.open_or("text", None) is not None or row.open_or("data", None) is not None


def insert_note_row(file: ImportedFile, number: int, row: dict[str, Any]) -> bool:
    """Insert a note with its versions, unless its path is taken; return whether it was added."""
    label = messages.NOTE_LABEL.format(number=number)
    is_own = file.is_signed(row, NOTE_ROW_SIGNATURE)
    keyring = current_keyring()
    try:
        new = _parse_note(file, row, is_own=is_own)
    except InvalidValue:
        return file.refuse(messages.NOTE_INCOMPLETE.format(label=label))
    if file not in _paths:
        _paths[file] = NotePaths.load(keyring)
    columns = file.parse_columns(label, row, _COLUMNS)
    created_at = min(columns["created_at"] or file.now, file.now)
    updated_at = min(columns["updated_at"] or created_at, file.now)
    try:
        note = insert_note(
            keyring, new, paths=_paths[file], created_at=created_at, updated_at=max(created_at, updated_at)
        )
    except NotePathTaken:
        return False
    except NoteError as error:
        return file.refuse(f"{label}: {error.sentence.removesuffix('.')}")
    for each in file.group_rows(_VERSIONS, by="note_id").get(str(row.get("id")), [])[:_MOST_VERSIONS]:
        _insert_version(file, note, each)
    return True


def skip_row(file: ImportedFile, number: int, row: dict[str, Any]) -> bool:
    """Insert nothing: versions are inserted with their note, and drafts are left out."""
    del file, number, row
    return False


def _parse_note(file: ImportedFile, row: Mapping[str, Any], *, is_own: bool) -> NewNote:
    head = row.get("head")
    path = head.get("path") if isinstance(head, dict) else None
    if not isinstance(head, dict) or not isinstance(path, str):
        raise InvalidValue
    known = NoteMetadata.from_json({**head, "size": 0}).provenance
    run = _runs.setdefault(file, Provenance.create_import(source="", at=file.now))
    new = NewNote(
        path=path,
        content=_parse_content(row),
        origin=Origin.IMPORTED,
        provenance=replace(run, source=known.source),
        came_in=head.get("came_in") is True,
    )
    if not is_own:
        return new
    note_id, revision = parse_uuid(row.get("id")), _parse_revision(row.get("revision"))
    return NewNote(
        path=path,
        content=new.content,
        origin=_parse_origin(row),
        provenance=known,
        came_in=new.came_in,
        id=None if Note.objects.filter(id=note_id).exists() else note_id,
        revision=revision,
        is_approved=row.get("approved_revision") == revision,
    )


def _parse_content(row: Mapping[str, Any]) -> str | bytes:
    text, data = row.get("text"), row.get("data")
    if isinstance(text, str):
        return text
    if not isinstance(data, str) or len(data) > 2 * MAX_FILE_BYTES:
        raise InvalidValue
    try:
        return bytes.fromhex(data)
    except ValueError:
        raise InvalidValue from None


def _parse_origin(row: Mapping[str, Any]) -> Origin:
    try:
        return Origin(str(row.get("origin")))
    except ValueError:
        raise InvalidValue from None


def _insert_version(file: ImportedFile, note: Note, row: dict[str, Any]) -> None:
    """Insert a version, unless it is damaged or the note has a version of the same revision."""
    try:
        content = check_content(_parse_content(row), NoteKind.FILE)
        revision = _parse_revision(row.get("revision"))
        written_at, replaced_at = (
            parse_datetime(row.get("written_at")),
            parse_datetime(row.get("replaced_at")),
        )
        is_own = file.is_signed(row, VERSION_ROW_SIGNATURE)
        origin = _parse_origin(row) if is_own else Origin.IMPORTED
    except (InvalidValue, NoteError):
        return
    if NoteVersion.objects.filter(note=note, revision=revision).exists():
        return
    version = NoteVersion(
        owner_id=note.owner_id,
        note=note,
        revision=revision,
        origin=origin,
        written_at=min(written_at, file.now),
        replaced_at=_limit(replaced_at, file.now),
    )
    version.text, version.data = (None, content) if isinstance(content, bytes) else (content, None)
    version.save(force_insert=True)


def _limit(replaced_at: datetime, now: datetime) -> datetime:
    """Return when the thirty days of a version begin: now, if they are over or have not begun."""
    return replaced_at if now - NOTE_VERSION_LIFETIME < replaced_at <= now else now
