"""Notes of a person: a list without texts, one note with its text, its versions.

Each function puts the given keyring in force, which may be that of a program with the realm `notes`. A note
that cannot be decrypted is listed as damaged, and does not hide the others. `reads_others=False` leaves out
notes that were imported or are from a program, for programs that may read only what is the owner's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from diary.errors import get_first_or_404
from diary.models import TRUSTED_ORIGINS, Note, NoteVersion
from diary.models.notes import NOTE_PATH_INDEX_LABEL
from diary.notes.errors import NoteDamaged
from diary.notes.kinds import NoteKind, derive_kind
from diary.notes.note_metadata import UNKNOWN, NoteMetadata
from diary.origins.provenance import Provenance
from llamora.crypto import EnvelopeError, RealmKeyring, WrongEpoch, in_force
from llamora.fields import SealedFieldError

_DAMAGE = (EnvelopeError, SealedFieldError, KeyError, TypeError, ValueError)


@dataclass(frozen=True, kw_only=True)
class NoteLine:
    """A note in a list; a damaged one has no path and is of the kind `file`."""

    id: UUID
    path: str = field(repr=False)
    kind: NoteKind
    origin: str
    revision: int
    approved_revision: int | None
    updated_at: datetime
    # Of the file, in bytes.
    size: int
    # Where it is from, and what its owner said of that.
    provenance: Provenance = field(default=UNKNOWN, repr=False)
    # Whether a file came in with exactly this text.
    came_in: bool = False
    is_damaged: bool = False

    @property
    def source(self) -> str:
        """The name of the program or import that the note is from."""
        return self.provenance.source

    @property
    def is_trusted(self) -> bool:
        """Whether the note is its owner's own."""
        return self.origin in TRUSTED_ORIGINS

    @property
    def is_used(self) -> bool:
        """Whether the note is in use, which means that replies may be generated from it.

        A skill must be approved at its present revision; any other note must be trusted.
        """
        is_decided = self.is_approved if self.kind is NoteKind.SKILL else self.is_trusted
        return is_decided and not self.is_damaged

    @property
    def is_approved(self) -> bool:
        """Whether this revision of a skill is approved and its owner's own."""
        return self.origin == "own" and self.approved_revision == self.revision


@dataclass(frozen=True, kw_only=True)
class NoteText(NoteLine):
    """A note with its text, or with the bytes of a binary file; a damaged one has neither."""

    text: str | None = field(default=None, repr=False)
    data: bytes | None = field(default=None, repr=False)
    created_at: datetime

    @property
    def content(self) -> str | bytes | None:
        """The text, or the bytes of a binary file; None if the note is damaged."""
        return self.data if self.text is None else self.text


@dataclass(frozen=True, kw_only=True)
class NoteVersionText:
    """The content of a note before a change; a damaged version has neither text nor bytes."""

    id: UUID
    note_id: UUID
    revision: int
    origin: str
    written_at: datetime
    replaced_at: datetime
    text: str | None = field(default=None, repr=False)
    data: bytes | None = field(default=None, repr=False)
    is_damaged: bool = False


def list_notes(keyring: RealmKeyring, *, reads_others: bool = True) -> list[NoteLine]:
    """Return the notes of a person without their texts, sorted by path; damaged ones are at the end."""
    with in_force(keyring):
        rows = _filter(keyring, reads_others=reads_others).only("head", "updated_at", "created_at")
        lines = [_build_line(row) for row in rows]
    return sorted(lines, key=lambda line: (line.is_damaged, line.path, line.id))


def read_note(keyring: RealmKeyring, note_id: UUID, *, reads_others: bool = True) -> NoteText:
    """Return a note with its text; raise ObjectNotFound."""
    with in_force(keyring):
        row = get_first_or_404(_filter(keyring, reads_others=reads_others).filter(id=note_id))
        return build_note_text(row)


def read_notes(
    keyring: RealmKeyring, note_ids: Sequence[UUID], *, reads_others: bool = True
) -> list[NoteText]:
    """Return the notes of these ids that exist, with their texts, in one query."""
    with in_force(keyring):
        rows = _filter(keyring, reads_others=reads_others).filter(id__in=note_ids)
        return [build_note_text(row) for row in rows]


def find_note(keyring: RealmKeyring, path: str, *, reads_others: bool = True) -> NoteText | None:
    """Return the note at a path, or None."""
    index = compute_path_index(keyring, path)
    with in_force(keyring):
        row = _filter(keyring, reads_others=reads_others).filter(path_index=index).first()
        return None if row is None else build_note_text(row)


def list_note_versions(keyring: RealmKeyring, note_id: UUID) -> list[NoteVersionText]:
    """Return the earlier versions of a note, the latest first, with their texts; raise ObjectNotFound."""
    get_note_row(keyring.owner, note_id)
    with in_force(keyring):
        versions = NoteVersion.objects.filter(owner_id=keyring.owner, note_id=note_id).order_by("-revision")
        return [_build_version(row) for row in versions]


def compute_path_index(keyring: RealmKeyring, path: str) -> bytes:
    """Return the blind index of a path."""
    return keyring.blind_index(label=NOTE_PATH_INDEX_LABEL, value=path)


def get_note_row(owner_id: UUID, note_id: UUID) -> Note:
    """Return the row of a person's note; raise ObjectNotFound."""
    return get_first_or_404(Note.objects.filter(owner_id=owner_id, id=note_id))


def get_version_row(owner_id: UUID, version_id: UUID) -> NoteVersion:
    """Return the row of an earlier version of a person's note; raise ObjectNotFound."""
    return get_first_or_404(NoteVersion.objects.filter(owner_id=owner_id, id=version_id))


def open_metadata(row: Note) -> NoteMetadata | None:
    """Return the metadata of a row, or None if it is damaged; call inside `in_force`."""
    try:
        return NoteMetadata.from_json(row.head)
    except _DAMAGE:
        return None


def load_metadata(row: Note) -> NoteMetadata:
    """Return the metadata of a row; raise NoteDamaged if it does not open. Call inside `in_force`."""
    metadata = open_metadata(row)
    if metadata is None:
        raise NoteDamaged
    return metadata


def load_content(row: Note) -> str | bytes:
    """Return the content of a note's row: its text, or its bytes.

    Raise WrongEpoch if the keyring lacks the key, and NoteDamaged if the content does not open for another
    reason. Call inside `in_force`.
    """
    try:
        content: str | bytes | None = row.data if row.text is None else row.text
    except WrongEpoch:
        raise
    except (EnvelopeError, SealedFieldError):
        raise NoteDamaged from None
    if content is None:
        raise NoteDamaged
    return content


def build_note_text(row: Note) -> NoteText:
    """Return the note in a row with its decrypted text; call inside `in_force` with the owner's keyring."""
    line = _build_line(row)
    try:
        text, data = row.text, row.data
    except _DAMAGE:
        text = data = None
    is_damaged = line.is_damaged or (text is None) == (data is None)
    if is_damaged:
        text = data = None
    fields = {name: getattr(line, name) for name in NoteLine.__dataclass_fields__}
    return NoteText(**{**fields, "is_damaged": is_damaged}, text=text, data=data, created_at=row.created_at)


def _filter(keyring: RealmKeyring, *, reads_others: bool) -> QuerySet[Note]:
    rows = Note.objects.filter(owner_id=keyring.owner)
    return rows if reads_others else rows.filter(origin__in=TRUSTED_ORIGINS)


def _build_line(row: Note) -> NoteLine:
    metadata = open_metadata(row)
    return NoteLine(
        id=row.id,
        path="" if metadata is None else metadata.path,
        kind=NoteKind.FILE if metadata is None else derive_kind(metadata.path),
        origin=row.origin,
        revision=row.revision,
        approved_revision=row.approved_revision,
        updated_at=row.updated_at,
        size=0 if metadata is None else metadata.size,
        provenance=UNKNOWN if metadata is None else metadata.provenance,
        came_in=metadata is not None and metadata.came_in,
        is_damaged=metadata is None,
    )


def _build_version(row: NoteVersion) -> NoteVersionText:
    try:
        text, data = row.text, row.data
    except _DAMAGE:
        text = data = None
    return NoteVersionText(
        id=row.id,
        note_id=row.note_id,
        revision=row.revision,
        origin=row.origin,
        written_at=row.written_at,
        replaced_at=row.replaced_at,
        text=text,
        data=data,
        is_damaged=(text is None) == (data is None),
    )
