"""Rotation of a person's data key: all rows are resealed under a new key while the diary is in use.

    1  epoch_change   one transaction: next epoch, former key sealed under the new one, slots, vault, sessions
    2  reencryption   batches: every envelope that is not of the current epoch is resealed
    3  completion     one transaction: a former key is destroyed when no row needs it

A rotation that is killed after its first step is resumed from the state of the database: the row of the
former key exists exactly as long as the rotation is unfinished. Until then, keyrings also hold the former key
(`accounts.keys.keyrings`), but the fence triggers refuse new envelopes under it. A second rotation may begin
before the first is finished; then there are several former keys.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from accounts.keys.keyrings import copy_with_former_keys, list_former_keys
from accounts.models import Vault
from accounts.rotation.completion import destroy_former_keys
from accounts.rotation.errors import DamagedEnvelope, LateRows, UnreadableFormerKey
from accounts.rotation.reencryption import ReencryptionResult, never_stop, reencrypt_all
from accounts.rotation.sealed_tables import (
    count_rows_of_epoch,
    count_rows_of_other_epochs,
    list_sealed_tables,
    verify,
)
from llamora.crypto import EnvelopeError, Keyring
from llamora.fields import MacField

# A row that is written between two steps is resealed by another pass.
_PASSES = 3


@dataclass(frozen=True)
class RotationProgress:
    """The progress of an unfinished rotation, for a page; needs no key."""

    begun_at: datetime
    rows_left: int


@dataclass
class VerificationResult:
    """The numbers of rows and envelopes that opened, and the envelopes that did not."""

    rows: int = 0
    envelopes: int = 0
    damaged: list[DamagedEnvelope] = field(default_factory=list)


def is_rotation_unfinished(keyring: Keyring) -> bool:
    """Return whether a rotation of the keyring's owner is unfinished."""
    return bool(list_former_keys(keyring.owner))


def get_rotation_progress(owner: UUID) -> RotationProgress | None:
    """Return the progress of an owner's unfinished rotation, or None."""
    former = list_former_keys(owner)
    vault = Vault.objects.filter(owner_id=owner).first()
    if not former or vault is None:
        return None
    rows_left = sum(count_rows_of_epoch(owner, row.epoch) for row in former)
    return RotationProgress(begun_at=former[0].begun_at, rows_left=rows_left)


def count_rows_of_destroyed_keys(owner: UUID) -> int:
    """Return the number of an owner's rows whose data key was destroyed, or 0 during a rotation.

    These rows were damaged when the key was destroyed, and cannot be decrypted any more. Needs no key.
    """
    vault = Vault.objects.filter(owner_id=owner).first()
    return count_rows_of_other_epochs(owner, vault.epoch) if vault and not list_former_keys(owner) else 0


def resume_rotation(
    keyring: Keyring,
    *,
    progress: Callable[[int], None] | None = None,
    stop: Callable[[], bool] = never_stop,
    leave_damaged: bool = False,
) -> ReencryptionResult:
    """Reseal the remaining rows and destroy the former keys: the second and third step of a rotation.

    Envelopes that do not open are in the result, and stay as they are. Raise UnreadableFormerKey if rows need
    an unreadable former key, unless `leave_damaged`. Raise LateRows if another program continues to write
    under a former key.
    """
    all_keys = copy_with_former_keys(keyring)
    envelopes = 0
    try:
        for attempt in range(_PASSES):
            result = reencrypt_all(all_keys, progress=progress, stop=stop)
            envelopes += result.envelopes
            try:
                destroy_former_keys(all_keys, leave_damaged=leave_damaged)
                break
            except UnreadableFormerKey as error:
                raise UnreadableFormerKey(error.count, where=result.damaged) from None
            except LateRows:
                if attempt == _PASSES - 1:
                    raise
    finally:
        all_keys.close()
    return replace(result, envelopes=envelopes)


def verify_envelopes(keyring: Keyring) -> VerificationResult:
    """Open every sealed column of every row of the keyring's owner; the plaintext is discarded."""
    result = VerificationResult()
    for table in list_sealed_tables():
        read_envelopes = table.build_envelope_reader(keyring.owner)
        for rows in table.iterate_batches(keyring.owner, skip_prefix=None):
            result.rows += len(rows)
            for row in rows:
                for column, envelope, columns in read_envelopes(row):
                    if envelope is None and (keyring.is_of_format_1 or not isinstance(column, MacField)):
                        continue
                    result.envelopes += 1
                    try:
                        verify(column, keyring, envelope=envelope or b"", columns=columns)
                    except EnvelopeError as error:
                        result.damaged.append(DamagedEnvelope(column.label, columns["id"], error.code))
    return result
