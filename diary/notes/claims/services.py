"""Claims of notes ("This is mine"): a person declares notes to be their own; an undo is possible for 30 days.

The text is sealed again with the new origin, to which it is bound; the revision stays the same. A claimed
skill is approved at that revision. The former origin is stored in the metadata of the note. All this needs
the keyring of an unlocked diary; a program cannot do it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from hmac import compare_digest
from typing import Final
from uuid import UUID

from django.utils import timezone

from diary.errors import ImportChanged, ObjectNotFound
from diary.models import TRUSTED_ORIGINS, Note, Origin
from diary.notes.claims.groups import compute_note_review, get_note_group
from diary.notes.errors import NoteConflict, NoteError
from diary.notes.kinds import NoteKind, check_content, derive_kind
from diary.notes.queries import (
    NoteLine,
    NoteText,
    build_note_text,
    get_note_row,
    load_content,
    load_metadata,
)
from diary.notes.services import require_owner
from diary.origins.provenance import Provenance, is_claim_recent
from llamora.crypto import Keyring, RealmKeyring, in_force
from llamora.database import write_transaction

# A save of the person waits for the current batch.
_BATCH_SIZE: Final = 10


def approve_skill(keyring: RealmKeyring, note_id: UUID, revision: int) -> NoteText:
    """Mark a skill as its owner's own at the revision that they have read, so that replies may use it.

    Raise NoteConflict if `revision` is not the present one, ObjectNotFound if the note is not a skill, and
    VaultLocked with the keyring of a program. Raise another NoteError if its text is damaged or too long.
    """
    return _claim_one(keyring, note_id, revision, kinds=frozenset({NoteKind.SKILL}))


def claim_note(keyring: RealmKeyring, note_id: UUID, revision: int) -> NoteText:
    """Mark a note as its owner's own at the revision that they have read.

    The errors are those of `approve_skill`. Raise NoteTooLong if the note is longer than its kind allows, as
    an imported note may be: its owner has to shorten it first.
    """
    return _claim_one(keyring, note_id, revision, kinds=frozenset(NoteKind))


def unclaim_note(keyring: RealmKeyring, note_id: UUID) -> NoteText:
    """Undo the claim of a note: give the note the origin that it had before.

    After thirty days nothing changes. Raise NoteDamaged, ObjectNotFound, and VaultLocked with the keyring of
    a program.
    """
    with in_force(require_owner(keyring)), write_transaction():
        row = get_note_row(keyring.owner, note_id)
        if _is_recent(row.origin, load_metadata(row).provenance):
            _unclaim(row)
        return build_note_text(row)


def can_be_unclaimed(line: NoteLine) -> bool:
    """Return whether a note was claimed in the last thirty days."""
    return _is_recent(line.origin, line.provenance)


def claim_note_group(keyring: Keyring, group_id: UUID, *, review: str) -> int:
    """Mark those notes of a group that are not used yet as their owner's own; return how many were changed.

    `review` is the digest that `compute_note_review` returned when they were shown. A note that cannot be
    claimed, such as a persona that is too long, stays as it is. Raise ObjectNotFound, or ImportChanged if the
    notes are not the same now; then nothing is changed. If a batch cannot be written, the rest can be claimed
    with another call.
    """
    group = get_note_group(keyring, group_id)
    if not compare_digest(compute_note_review(keyring, group).encode(), review.encode("utf-8", "replace")):
        raise ImportChanged
    count = 0
    for lines in _iter_batches(group.waiting):
        with in_force(keyring), write_transaction():
            seen = {line.id: line.revision for line in lines}
            for row in Note.objects.filter(owner_id=keyring.owner, id__in=list(seen)):
                if row.revision == seen[row.id] and _claim_if_possible(row):
                    count += 1
    return count


def unclaim_note_group(keyring: Keyring, group_id: UUID) -> int:
    """Undo `claim_note_group` for notes claimed in the last thirty days; return how many were changed.

    Notes that were claimed one by one stay claimed. Raise ObjectNotFound.
    """
    lines = [
        line
        for line in get_note_group(keyring, group_id).lines
        if line.provenance.is_claimed_with_import and can_be_unclaimed(line)
    ]
    for batch in _iter_batches(lines):
        with in_force(keyring), write_transaction():
            for row in Note.objects.filter(owner_id=keyring.owner, id__in=[line.id for line in batch]):
                _unclaim(row)
    return len(lines)


def _claim_one(
    keyring: RealmKeyring, note_id: UUID, revision: int, *, kinds: Collection[NoteKind]
) -> NoteText:
    with in_force(require_owner(keyring)), write_transaction():
        row = get_note_row(keyring.owner, note_id)
        if derive_kind(load_metadata(row).path) not in kinds:
            raise ObjectNotFound
        if row.revision != revision:
            raise NoteConflict(row)
        _claim(row, is_with_import=False)
        return build_note_text(row)


def _claim_if_possible(row: Note) -> bool:
    try:
        _claim(row, is_with_import=True)
    except NoteError:
        return False
    return True


def _claim(row: Note, *, is_with_import: bool) -> None:
    head = load_metadata(row)
    kind = derive_kind(head.path)
    check_content(load_content(row), kind)
    if row.origin not in TRUSTED_ORIGINS:
        provenance = replace(
            head.provenance,
            former_origin=Origin(row.origin),
            claimed_at=timezone.now(),
            is_claimed_with_import=is_with_import,
            claimed_revision=row.revision,
        )
        row.head = replace(head, provenance=provenance).to_json()
    _save(row, Origin.OWN, approved_revision=row.revision if kind is NoteKind.SKILL else None)


def _unclaim(row: Note) -> None:
    head = load_metadata(row)
    load_content(row)
    origin = head.provenance.former_origin or Origin.IMPORTED
    row.head = replace(head, provenance=head.provenance.withdraw_claim()).to_json()
    _save(row, origin, approved_revision=None)


def _save(row: Note, origin: Origin, *, approved_revision: int | None) -> None:
    row.origin, row.approved_revision = origin, approved_revision
    row.save(update_fields=["origin", "approved_revision", "head", "text", "data"])


def _is_recent(origin: str, provenance: Provenance) -> bool:
    return origin in TRUSTED_ORIGINS and is_claim_recent(provenance)


def _iter_batches(lines: Sequence[NoteLine]) -> Iterator[Sequence[NoteLine]]:
    return (lines[start : start + _BATCH_SIZE] for start in range(0, len(lines), _BATCH_SIZE))
