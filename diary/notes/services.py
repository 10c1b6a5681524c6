"""Saving, renaming, deleting and restoring notes.

Each change names the revision that it is based on, raises the revision by one and stores the earlier text as
a version for thirty days. The origin depends on the writer. A note that is its owner's own stays so when its
owner edits it, here or in a program that passes on what they type. A note of an import or a program keeps its
origin, even if its owner edits it, until its owner says "This is mine". A program cannot change a note that
is its owner's own.

A skill is used only at its approved revision, and only while it is its owner's own. A revision that its owner
writes here is approved; any other waits until they have read it (`diary.notes.claims`).

Each function puts the given keyring in force. `origin` is one of `Origin`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from diary.models import TRUSTED_ORIGINS, Note, NoteVersion, Origin
from diary.notes.drafts import delete_new_note_draft_if_saved, delete_note_draft_if_saved
from diary.notes.errors import NoteConflict, NoteDamaged, NotePathTaken, NoteProtected, TooManyNotes
from diary.notes.kinds import MAX_NOTES, NoteKind, check_content, check_path, derive_kind
from diary.notes.note_metadata import UNKNOWN, NoteMetadata
from diary.notes.queries import (
    NoteText,
    build_note_text,
    compute_path_index,
    get_note_row,
    get_version_row,
    load_content,
    load_metadata,
    open_metadata,
)
from diary.origins.provenance import Provenance
from llamora.clock.services import delete_expired
from llamora.crypto import EnvelopeError, Keyring, RealmKeyring, VaultLocked, WrongEpoch, in_force
from llamora.database import write_transaction
from llamora.fields import SealedFieldError

NOTE_VERSION_LIFETIME: Final = timedelta(days=30)
_WRITTEN: Final = [
    "path_index",
    "revision",
    "origin",
    "approved_revision",
    "head",
    "text",
    "data",
    "updated_at",
]
_DAMAGE: Final = (EnvelopeError, SealedFieldError)


@dataclass(frozen=True, kw_only=True)
class NewNote:
    """A note to insert. If this diary exported the note, `id` and `revision` are those of the export."""

    path: str = field(repr=False)
    content: str | bytes = field(repr=False)
    origin: str
    provenance: Provenance = field(default=UNKNOWN, repr=False)
    came_in: bool = False
    id: UUID | None = None
    revision: int = 1
    is_approved: bool = False


class NotePaths:
    """The paths and folders of a person's notes, loaded once to add many notes."""

    def __init__(self, paths: Iterable[str], *, count: int) -> None:
        self.count = count
        self._files: set[str] = set()
        self._folders: set[str] = set()
        for path in paths:
            self._add(path)

    @classmethod
    def load(cls, keyring: RealmKeyring) -> "NotePaths":
        """Load the paths of a person's notes; call inside `in_force(keyring)`.

        Damaged notes are counted, although their paths are unknown.
        """
        found = [open_metadata(row) for row in Note.objects.filter(owner_id=keyring.owner).only("head")]
        return cls((metadata.path for metadata in found if metadata is not None), count=len(found))

    def add(self, path: str) -> None:
        """Add the path of a note that was inserted."""
        self.count += 1
        self._add(path)

    def is_taken(self, path: str) -> bool:
        """Return whether a path is that of a note or a folder, or below the path of a note."""
        return (
            path in self._files
            or path in self._folders
            or any(folder in self._files for folder in _iter_folders(path))
        )

    def _add(self, path: str) -> None:
        self._files.add(path)
        self._folders.update(_iter_folders(path))


def save_note(
    keyring: RealmKeyring,
    path: str,
    content: str | bytes,
    *,
    note_id: UUID | None = None,
    based_on: int | None = None,
    origin: str,
    provenance: Provenance | None = None,
    came_in: bool = False,
    draft_revision: int | None = None,
) -> NoteText:
    """Save a text or a binary file as a new note, or as the next revision of the note `note_id`.

    Nothing changes if the note at this path has this content already. The note's draft is deleted if it has
    the revision `draft_revision` or the same text. Raise a NoteError (`NoteConflict` if `based_on` is not the
    present revision), or ObjectNotFound.

    based_on     the revision that the writer has read
    origin       that of the writer
    provenance   the source of the content, if its owner did not write it here
    came_in      whether the content is that of an imported file, unchanged
    """
    check_path(path)
    # What came in waits for its owner, who shortens it before it is used; nothing of it is lost.
    check_content(content, NoteKind.FILE if came_in else derive_kind(path))
    with in_force(keyring), write_transaction():
        if note_id is None:
            new_note = NewNote(
                path=path,
                content=content,
                origin=origin,
                provenance=provenance or UNKNOWN,
                came_in=came_in,
                is_approved=origin == Origin.OWN,
            )
            row = _create(keyring, new_note)
            delete_new_note_draft_if_saved(keyring.owner, content, revision=draft_revision)
            return build_note_text(row)
        row = get_note_row(keyring.owner, note_id)
        metadata = load_metadata(row)
        if metadata.path == path and load_content(row) == content:
            delete_note_draft_if_saved(row, content, revision=draft_revision)
            return build_note_text(row)
        _check_change(row, based_on=based_on, origin=origin)
        if metadata.path != path:
            _check_is_free(keyring, path, besides=row)
        if load_content(row) != content:
            _store_version(row)
        new = NoteMetadata.create(
            path, content, provenance=provenance or metadata.provenance, came_in=came_in
        )
        _set_content(row, content)
        _write(keyring, row, new, origin, approves=origin == Origin.OWN)
        delete_note_draft_if_saved(row, content, revision=draft_revision)
        return build_note_text(row)


def insert_note(
    keyring: Keyring,
    new: NewNote,
    *,
    paths: NotePaths,
    created_at: datetime | None = None,
    updated_at: datetime | None = None,
) -> Note:
    """Insert a note of an import, in the transaction of the caller, and add its path to `paths`.

    Return its row; raise a NoteError.
    """
    check_path(new.path)
    check_content(new.content, NoteKind.FILE)
    if paths.count >= MAX_NOTES:
        raise TooManyNotes
    if paths.is_taken(new.path):
        raise NotePathTaken
    with in_force(keyring):
        row = _insert(keyring, new, created_at=created_at, updated_at=updated_at)
    paths.add(new.path)
    return row


def replace_with_signed_content(
    keyring: Keyring, note_id: UUID, content: str | bytes, *, origin: str, is_approved: bool
) -> None:
    """Replace the content and the origin of a note with those of a file that this diary signed."""
    with in_force(keyring), write_transaction():
        row = get_note_row(keyring.owner, note_id)
        metadata = load_metadata(row)
        _store_version(row)
        row.origin = origin
        _set_content(row, content)
        new = NoteMetadata.create(
            metadata.path, content, provenance=Provenance(source=metadata.provenance.source)
        )
        _write(keyring, row, new, origin, approves=is_approved)


def rename_note(
    keyring: RealmKeyring, note_id: UUID, path: str, *, based_on: int, origin: str = Origin.OWN
) -> NoteText:
    """Change the path of a note, which may also change the kind of the note.

    Raise a NoteError, or ObjectNotFound if there is no such note. A skill that was approved stays so under
    its new name.
    """
    check_path(path)
    with in_force(keyring), write_transaction():
        row = get_note_row(keyring.owner, note_id)
        metadata = load_metadata(row)
        content = load_content(row)
        if metadata.path == path:
            return build_note_text(row)
        _check_change(row, based_on=based_on, origin=origin)
        check_content(content, NoteKind.FILE if metadata.came_in else derive_kind(path))
        _check_is_free(keyring, path, besides=row)
        new = NoteMetadata.create(path, content, provenance=metadata.provenance, came_in=metadata.came_in)
        was_approved = row.approved_revision == row.revision
        _write(keyring, row, new, origin, approves=was_approved)
        return build_note_text(row)


def delete_note(
    keyring: RealmKeyring, note_id: UUID, *, based_on: int | None = None, origin: str = Origin.OWN
) -> None:
    """Delete a note for good, even a damaged one, with its versions and drafts.

    Raise NoteConflict if `based_on` is given and not the present revision, NoteProtected, or ObjectNotFound.
    """
    with in_force(keyring), write_transaction():
        row = get_note_row(keyring.owner, note_id)
        _check_change(row, based_on=row.revision if based_on is None else based_on, origin=origin)
        row.delete()


def restore_version(keyring: RealmKeyring, version_id: UUID, *, based_on: int | None = None) -> NoteText:
    """Restore an earlier text of a note, with the origin that this text had.

    The present text becomes a version, unless it is damaged: then it is overwritten. Raise a NoteError, or
    ObjectNotFound if there is no such version.
    """
    with in_force(require_owner(keyring)), write_transaction():
        version = get_version_row(keyring.owner, version_id)
        row = get_note_row(keyring.owner, version.note_id)
        if based_on is not None and row.revision != based_on:
            raise NoteConflict(row)
        try:
            content = version.data if version.text is None else version.text
        except _DAMAGE:
            raise NoteDamaged from None
        if content is None:
            raise NoteDamaged
        metadata = open_metadata(row)
        # The name is gone with damaged metadata; the text need not be.
        path, provenance = f"restored/{row.id}.md", UNKNOWN
        if metadata is not None:
            path, provenance = metadata.path, metadata.provenance
        if version.origin not in TRUSTED_ORIGINS:
            provenance = provenance.withdraw_claim()
        check_content(content, NoteKind.FILE if metadata is None or metadata.came_in else derive_kind(path))
        if not _is_damaged(row):
            if metadata is not None and load_content(row) == content:
                return build_note_text(row)
            _store_version(row)
        # Bound to the version, so that nobody without a key can have changed it.
        row.origin = version.origin
        row.renew_macs()
        _set_content(row, content)
        new = NoteMetadata.create(path, content, provenance=provenance)
        _write(keyring, row, new, Origin.OWN, approves=True)
        return build_note_text(row)


def purge_note_versions(*, owner_id: UUID) -> int:
    """Delete the versions that were replaced at least thirty days ago; return their number."""
    rows = NoteVersion.objects.filter(owner_id=owner_id)
    return delete_expired(rows, moment="replaced_at", age=NOTE_VERSION_LIFETIME)


# --- Parts -----------------------------------------------------------------------------------------------


def _create(keyring: RealmKeyring, new: NewNote) -> Note:
    index = compute_path_index(keyring, new.path)
    existing = Note.objects.filter(owner_id=keyring.owner, path_index=index).first()
    if existing is not None:
        if not _is_damaged(existing) and load_content(existing) == new.content:
            return existing
        raise NotePathTaken
    if Note.objects.filter(owner_id=keyring.owner).count() >= MAX_NOTES:
        raise TooManyNotes
    _check_is_free(keyring, new.path, besides=None)
    return _insert(keyring, new)


def _insert(
    keyring: RealmKeyring,
    new: NewNote,
    *,
    created_at: datetime | None = None,
    updated_at: datetime | None = None,
) -> Note:
    now = timezone.now()
    metadata = NoteMetadata.create(new.path, new.content, provenance=new.provenance, came_in=new.came_in)
    row = Note(
        owner_id=keyring.owner,
        path_index=compute_path_index(keyring, new.path),
        origin=new.origin,
        revision=new.revision,
        head=metadata.to_json(),
        created_at=created_at or now,
        updated_at=updated_at or now,
    )
    if new.id is not None:
        row.id = new.id
    _set_content(row, new.content)
    if derive_kind(new.path) is NoteKind.SKILL and new.origin == Origin.OWN and new.is_approved:
        row.approved_revision = row.revision
    row.save(force_insert=True)
    return row


def require_owner(keyring: RealmKeyring) -> Keyring:
    """Return the keyring if it opens the whole diary; raise VaultLocked for the keyring of a program."""
    if not isinstance(keyring, Keyring):
        raise VaultLocked
    return keyring


def _check_change(row: Note, *, based_on: int | None, origin: str) -> None:
    if row.is_trusted and origin == Origin.PROGRAM:
        raise NoteProtected
    if row.revision != based_on:
        raise NoteConflict(row)


def _write(keyring: RealmKeyring, row: Note, metadata: NoteMetadata, origin: str, *, approves: bool) -> None:
    """Save the next revision of a note, which gets this origin unless `origin` is trusted.

    A trusted writer does not change the origin. With `approves`, a skill that is its owner's own is approved
    at the new revision.
    """
    row.head, row.path_index = metadata.to_json(), compute_path_index(keyring, metadata.path)
    row.revision, row.updated_at = row.revision + 1, timezone.now()
    if origin not in TRUSTED_ORIGINS:
        row.origin = origin
    if derive_kind(metadata.path) is not NoteKind.SKILL:
        row.approved_revision = None
    elif approves and row.origin == Origin.OWN:
        row.approved_revision = row.revision
    try:
        row.save(update_fields=_WRITTEN)
    except WrongEpoch:
        raise
    except EnvelopeError:
        raise NoteDamaged from None


def _set_content(row: Note, content: str | bytes) -> None:
    row.text, row.data = (None, content) if isinstance(content, bytes) else (content, None)


def _is_damaged(row: Note) -> bool:
    try:
        load_content(row)
    except NoteDamaged:
        return True
    return False


def _store_version(row: Note) -> None:
    content = load_content(row)
    version = NoteVersion(
        owner_id=row.owner_id,
        note=row,
        revision=row.revision,
        origin=row.origin,
        written_at=row.updated_at,
        replaced_at=timezone.now(),
    )
    version.text, version.data = (None, content) if isinstance(content, bytes) else (content, None)
    version.save(force_insert=True)


def _check_is_free(keyring: RealmKeyring, path: str, *, besides: Note | None) -> None:
    """Raise NotePathTaken if another note has this path, or if one path would be a folder of the other."""
    others = Note.objects.filter(owner_id=keyring.owner)
    if besides is not None:
        others = others.exclude(id=besides.id)
    taken = [compute_path_index(keyring, each) for each in (path, *_iter_folders(path))]
    if others.filter(path_index__in=taken).exists():
        raise NotePathTaken
    folder = path + "/"
    for row in others.only("head"):
        metadata = open_metadata(row)
        if metadata is not None and metadata.path.startswith(folder):
            raise NotePathTaken


def _iter_folders(path: str) -> Iterator[str]:
    parts = path.split("/")
    for count in range(1, len(parts)):
        yield "/".join(parts[:count])
