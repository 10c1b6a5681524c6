"""Rotation of a person's data key: all rows are resealed under a new key while the diary is in use.

    1  epoch_change   one transaction: next epoch, former key sealed under the new one, slots, vault, sessions
    2  reencryption   batches: every envelope that is not of the current epoch is resealed
    3  completion     one transaction: a former key is deleted when no envelope of its epoch is left

A killed rotation either has not begun or is resumed from the state of the database: the row of the former key
exists exactly as long as the rotation is unfinished. Until it is finished, keyrings hold the former key too
(`accounts.keys.keyrings`), and the fence triggers refuse envelopes that are sealed under it. A second
rotation may begin before the first is finished; then several former keys stand.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from accounts.keys.keyrings import copy_with_former_keys, list_former_keys
from accounts.models import Vault
from accounts.rotation.completion import destroy_former_keys
from accounts.rotation.errors import DamagedEnvelope, DamagedRows
from accounts.rotation.reencryption import ReencryptionResult, never_stop, reencrypt_all
from accounts.rotation.sealed_tables import count_rows_of_other_epochs, list_sealed_tables
from llamora.crypto import EnvelopeError, Keyring
from llamora.fields import MacField


@dataclass(frozen=True)
class RotationProgress:
    """The progress of an unfinished rotation, for a page; needs no key."""

    begun_at: datetime
    rows_left: int


@dataclass
class VerificationResult:
    """The numbers of rows and envelopes that opened, and the envelopes that do not open."""

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
    return RotationProgress(
        begun_at=former[0].begun_at, rows_left=count_rows_of_other_epochs(owner, vault.epoch)
    )


def resume_rotation(
    keyring: Keyring,
    *,
    progress: Callable[[int], None] | None = None,
    stop: Callable[[], bool] = never_stop,
    leave_damaged: bool = False,
) -> ReencryptionResult:
    """Do the second and third step of a rotation, from its current state.

    Raise DamagedRows if rows do not open, unless `leave_damaged`: the former key is then not deleted.
    """
    all_keys = copy_with_former_keys(keyring)
    try:
        result = reencrypt_all(all_keys, progress=progress, stop=stop)
        try:
            destroy_former_keys(all_keys, leave_damaged=leave_damaged)
        except DamagedRows as error:
            raise DamagedRows(error.count, where=result.damaged) from None
    finally:
        all_keys.close()
    return result


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
                        column.verify(keyring, envelope or b"", columns)
                    except EnvelopeError as error:
                        result.damaged.append(DamagedEnvelope(column.label, columns["id"], error.code))
    return result
