"""Turning a person's data key: a new one for everything, the old one destroyed, the diary open meanwhile.

    1  turning.py    one transaction: next epoch, former key kept under the new one, slots, vault, sessions
    2  moving.py     batches: every envelope that is not of the newest format and epoch is sealed anew
    3  finishing.py  one transaction: no envelope of the epoch before is left, so the former key goes

    columns.py        every sealed column, found by introspection
    blind_indexes.py  columns of other apps that step 1 makes anew
    verifying.py      opens everything
    background.py     goes on with an unfinished rotation at its owner's next unlock

Killed anywhere, a rotation is either not begun or goes on from what the database says: the former key's
row is there exactly while it is unfinished. Until then readers hold both keys (`accounts.keyrings`), and
the fence in the database refuses whatever is still sealed under the former one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from accounts.keys.keyrings import copy_with_former_key, get_former_key
from accounts.rotation.completion import destroy_former_key
from accounts.rotation.epoch_change import BegunRotation, RefusedSlot, begin_rotation
from accounts.rotation.errors import (
    DamagedEnvelope,
    DamagedRows,
    DamagedVault,
    OpenedSlotRefused,
    RotationError,
    RotationStopped,
    RotationUnfinished,
    StaleKeyring,
)
from accounts.rotation.reencryption import ReencryptionResult, never_stop, reencrypt_all
from accounts.rotation.sealed_tables import count_rows_of_other_epochs, list_sealed_tables
from accounts.signals import data_key_rotated, data_key_rotating
from llamora.crypto import EnvelopeError, Keyring
from llamora.database import truncate_wal

# MERGED accounts.rotation.verifying: Opens every envelope a person has, and keeps nothing of what is inside.


@dataclass
class VerificationResult:
    """What was opened, and what did not open."""

    rows: int = 0
    envelopes: int = 0
    damaged: list[DamagedEnvelope] = field(default_factory=list)


def verify_envelopes(keyring: Keyring) -> VerificationResult:
    """Open every sealed column of every row of the keyring's owner."""
    found = VerificationResult()
    for table in list_sealed_tables():
        contexts = table.contexts(keyring.owner)
        for rows in table.batches(keyring.owner, but=None):
            found.rows += len(rows)
            for row in rows:
                for field_, envelope, context in contexts(row):
                    found.envelopes += 1
                    try:
                        field_.decode(keyring.unseal(envelope, context))
                    except EnvelopeError as error:
                        found.damaged.append(DamagedEnvelope(field_.label, context.row, error.code))
    return found


__all__ = [
    "BegunRotation",
    "DamagedEnvelope",
    "DamagedRows",
    "DamagedVault",
    "OpenedSlotRefused",
    "ReencryptionResult",
    "RefusedSlot",
    "RotationError",
    "RotationProgress",
    "RotationStopped",
    "RotationUnfinished",
    "StaleKeyring",
    "VerificationResult",
    "begin_rotation",
    "data_key_rotated",
    "data_key_rotating",
    "get_rotation_progress",
    "is_rotation_unfinished",
    "reseal",
    "resume_rotation",
    "verify_envelopes",
]


def is_rotation_unfinished(keyring: Keyring) -> bool:
    """Return whether rows of the keyring's owner still wait to be moved."""
    return get_former_key(keyring.owner) is not None


@dataclass(frozen=True)
class RotationProgress:
    """How far an unfinished rotation has come, for a page; needs no key."""

    begun_at: datetime
    rows_left: int


def get_rotation_progress(owner: UUID) -> RotationProgress | None:
    """Return where an owner's rotation stands, or None where there is none."""
    former = get_former_key(owner)
    if former is None:
        return None
    return RotationProgress(
        begun_at=former.begun_at, rows_left=count_rows_of_other_epochs(owner, former.epoch + 1)
    )


def resume_rotation(
    keyring: Keyring,
    *,
    progress: Callable[[int], None] | None = None,
    stop: Callable[[], bool] = never_stop,
    leave_damaged: bool = False,
) -> ReencryptionResult:
    """Do the second and third step of a rotation that has begun, from wherever it stands.

    Raise Damaged where rows do not open and are not to be given up: the former key is kept for them.
    """
    both = copy_with_former_key(keyring)
    try:
        moved = reencrypt_all(both, progress=progress, stop=stop)
        try:
            destroy_former_key(both, leave_damaged=leave_damaged)
        except DamagedRows as error:
            raise DamagedRows(error.count, where=moved.damaged) from None
    finally:
        both.close()
    return moved


def reseal(
    keyring: Keyring, *, progress: Callable[[int], None] | None = None, stop: Callable[[], bool] = never_stop
) -> ReencryptionResult:
    """Move what is in an older envelope format to the newest one; an unfinished rotation is not finished."""
    both = copy_with_former_key(keyring)
    try:
        return reencrypt_all(both, progress=progress, stop=stop)
    finally:
        both.close()
        truncate_wal()
