"""Import of a workspace into the notes of a person, after a preview that changes nothing.

A file at a new path becomes a note. A note with the same text stays as it is. A note with another text stays
too, unless the importing person lets files replace notes; its text then becomes a version for thirty days.
A file that cannot be imported is reported with a sentence, and the others are imported.

A file with a valid stamp of this diary becomes the note that it was, with its id, revision and origin. All
other files become imported notes. Needs the keyring of an unlocked diary.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from django.db import connection
from django.utils import timezone

from diary.entries.queries import get_digest_key
from diary.models import Note, Origin
from diary.notes.errors import NoteError
from diary.notes.kinds import NoteKind, derive_kind
from diary.notes.note_metadata import UNKNOWN
from diary.notes.queries import NoteLine, list_notes, read_note
from diary.notes.services import (
    NewNote,
    NotePaths,
    insert_note,
    replace_with_signed_content,
    save_note,
)
from diary.notes.workspace.files import WorkspaceFile
from diary.notes.workspace.stamps import NoteStamp
from diary.origins.provenance import Provenance
from llamora.crypto import Keyring, in_force
from llamora.database import split_into_parts, write_transaction
from llamora.threads import let_others_run


class WorkspaceFileState(StrEnum):
    """State of a file of an import, compared with the notes of the person."""

    NEW = "new"
    SAME = "same"
    CHANGED = "changed"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class ComparedFile:
    """A file of a workspace, and what an import would do with it."""

    file: WorkspaceFile
    state: WorkspaceFileState
    kind: NoteKind
    # Believed: the file is one that this diary exported.
    stamp: NoteStamp | None = None
    note: NoteLine | None = None
    sentence: str = ""

    @property
    def path(self) -> str:
        """The path of the file."""
        return self.file.path

    @property
    def origin(self) -> str:
        """The origin that the note would have."""
        return str(self.stamp.origin) if self.stamp else str(Origin.IMPORTED)


@dataclass(kw_only=True)
class NoteImportReport:
    """Counts of an import, and a sentence for each file that was not imported."""

    import_id: UUID | None = None
    added: int = 0
    same: int = 0
    replaced: int = 0
    # Notes with another text, which stayed.
    left: list[str] = field(default_factory=list, repr=False)
    refused: list[tuple[str, str]] = field(default_factory=list, repr=False)
    # Whether any note is from elsewhere, and not one that this diary exported itself.
    has_others: bool = False
    by_kind: Counter[str] = field(default_factory=Counter)


def preview_workspace(keyring: Keyring, files: Sequence[WorkspaceFile]) -> list[ComparedFile]:
    """Return what an import would do with each file, in the same order, without changing anything."""
    with in_force(keyring):
        key = get_digest_key(keyring.owner)
        present = {line.path: line for line in list_notes(keyring) if not line.is_damaged}
        return [_compare(keyring, file, present, key) for file in files]


def import_workspace(
    keyring: Keyring, files: Sequence[WorkspaceFile], *, source: str, replaces: bool = False
) -> NoteImportReport:
    """Import files and return the report; raise NotWritten, after which the call can be repeated.

    `source` is the name of the folder or the zip, which the notes show. With `replaces`, files take the place
    of notes that have another text.
    """
    run = Provenance.create_import(source=source, at=timezone.now())
    report = NoteImportReport(import_id=run.import_id)
    with in_force(keyring):
        version, paths = _read_version(), NotePaths.load(keyring)
        for part in split_into_parts(preview_workspace(keyring, files)):
            with write_transaction():
                if (latest := _read_version()) != version:
                    paths, version = NotePaths.load(keyring), latest
                for each in part:
                    _import_file(keyring, each, paths, report, run=run, replaces=replaces)
    return report


def _read_version() -> int:
    """Return a number that changes when another connection has written to the database."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA data_version")
        return int(cursor.fetchone()[0])


def _compare(keyring: Keyring, file: WorkspaceFile, present: dict[str, NoteLine], key: bytes) -> ComparedFile:
    let_others_run()
    kind = derive_kind(file.path)
    if file.refusal:
        return ComparedFile(file=file, state=WorkspaceFileState.REFUSED, kind=kind, sentence=file.refusal)
    stamp = None
    if file.stamp is not None and isinstance(file.content, str):
        stamp = file.stamp.verify(file.path, file.content, key)
    line = present.get(file.path)
    if line is None:
        return ComparedFile(file=file, state=WorkspaceFileState.NEW, kind=kind, stamp=stamp)
    is_same = read_note(keyring, line.id).content == file.content
    state = WorkspaceFileState.SAME if is_same else WorkspaceFileState.CHANGED
    return ComparedFile(file=file, state=state, kind=kind, stamp=stamp, note=line)


def _import_file(
    keyring: Keyring,
    each: ComparedFile,
    paths: NotePaths,
    report: NoteImportReport,
    *,
    run: Provenance,
    replaces: bool,
) -> None:
    if each.state is WorkspaceFileState.REFUSED:
        report.refused.append((each.path, each.sentence))
        return
    if each.state is WorkspaceFileState.SAME:
        report.same += 1
        return
    if each.state is WorkspaceFileState.CHANGED and not replaces:
        report.left.append(each.path)
        return
    try:
        if each.note is None:
            _insert(keyring, each, paths, run=run)
            report.added += 1
        else:
            _replace(keyring, each, each.note, run=run)
            report.replaced += 1
    except NoteError as error:
        report.refused.append((each.path, error.sentence))
        return
    report.has_others |= each.stamp is None
    report.by_kind[each.kind] += 1


def _insert(keyring: Keyring, each: ComparedFile, paths: NotePaths, *, run: Provenance) -> None:
    stamp = each.stamp
    new = NewNote(
        path=each.path,
        content=each.file.content,
        origin=each.origin,
        provenance=UNKNOWN if stamp else run,
        # The lines of a stamp are taken out, so what is saved is not what came in.
        came_in=each.file.stamp is None,
        id=None if stamp is None or _is_known(stamp.id) else stamp.id,
        revision=1 if stamp is None else stamp.revision,
        is_approved=stamp is not None and stamp.is_approved,
    )
    insert_note(keyring, new, paths=paths)


def _replace(keyring: Keyring, each: ComparedFile, note: NoteLine, *, run: Provenance) -> None:
    if each.stamp is not None:
        replace_with_signed_content(
            keyring,
            note.id,
            each.file.content,
            origin=each.origin,
            is_approved=each.stamp.is_approved,
        )
        return
    save_note(
        keyring,
        each.path,
        each.file.content,
        note_id=note.id,
        based_on=note.revision,
        origin=Origin.IMPORTED,
        provenance=run,
        came_in=each.file.stamp is None,
    )


def _is_known(note_id: UUID) -> bool:
    return Note.objects.filter(id=note_id).exists()
