"""The second step: envelopes that are not of the newest format and epoch are opened and sealed anew.

In batches, each opened and sealed outside the transaction and written in one, where the bytes read still
stand (compare and swap): what was saved meanwhile is newer, and stays. A batch is whole or not there, so
it does not matter where the process dies; a row moved twice is only work.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from accounts.rotation.errors import DamagedEnvelope, RotationStopped, StaleKeyring
from accounts.rotation.sealed_tables import BATCH, Row, SealedTable, list_sealed_tables
from llamora.crypto import EnvelopeError, Keyring, newest_header
from llamora.database import FenceRefused, write_transaction
from llamora.fields import SealedField

Changes = dict[SealedField, list[tuple[bytes, str, bytes]]]


@dataclass
class ReencryptionResult:
    """What has been done so far."""

    envelopes: int = 0
    damaged: list[DamagedEnvelope] = field(default_factory=list)


def never_stop() -> bool:
    """Do not stop."""
    return False


def reencrypt_all(
    keyring: Keyring,
    *,
    progress: Callable[[int], None] | None = None,
    stop: Callable[[], bool] = never_stop,
    batch: int = BATCH,
) -> ReencryptionResult:
    """Move every row of the keyring's owner; raise Stopped, StaleKeyring, VaultLocked or NotWritten."""
    moved = ReencryptionResult()
    for table in list_sealed_tables():
        for rows in table.batches(keyring.owner, but=newest_header(keyring.epoch), size=batch):
            if stop():
                raise RotationStopped
            moved.envelopes += _write_changes(table, _reseal_rows(table, rows, keyring=keyring, moved=moved))
            if progress:
                progress(moved.envelopes)
    return moved


def _reseal_rows(
    table: SealedTable, rows: list[Row], *, keyring: Keyring, moved: ReencryptionResult
) -> Changes:
    """Return what to write, column by column."""
    newest, contexts = newest_header(keyring.epoch), table.contexts(keyring.owner)
    changes: Changes = defaultdict(list)
    for row in rows:
        for column, envelope, context in contexts(row):
            if envelope.startswith(newest):
                continue
            try:
                sealed = keyring.seal(keyring.unseal(envelope, context), context)
            except EnvelopeError as error:
                moved.damaged.append(DamagedEnvelope(column.label, context.row, error.code))
                continue
            changes[column].append((sealed, row[0], envelope))
    return changes


def _write_changes(table: SealedTable, changes: Changes) -> int:
    if not changes:
        return 0
    try:
        with write_transaction():
            return sum(table.write(column, written) for column, written in changes.items())
    except FenceRefused:
        raise StaleKeyring from None
