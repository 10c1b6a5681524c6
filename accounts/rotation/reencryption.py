"""Second step of a rotation: reseals all envelopes that are not of the current epoch.

It works in batches. A batch is decrypted and sealed outside a transaction, then written in one transaction
with compare-and-swap, so that a row saved meanwhile is not overwritten. A crash between batches is safe, and
so is resealing a row twice.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from accounts.rotation.errors import DamagedEnvelope, RotationStopped, StaleKeyring
from accounts.rotation.sealed_tables import BATCH, Row, SealedTable, list_sealed_tables, reseal
from llamora.crypto import EnvelopeError, Keyring, newest_header
from llamora.database import FenceRefused, write_transaction
from llamora.fields import SealedField

Changes = dict[SealedField, list[tuple[bytes, int, bytes]]]


@dataclass
class ReencryptionResult:
    """The number of envelopes resealed so far, and the envelopes that do not open."""

    envelopes: int = 0
    damaged: list[DamagedEnvelope] = field(default_factory=list)


def never_stop() -> bool:
    """Return False; the default for `stop`, a function that says whether to stop."""
    return False


def reencrypt_all(
    keyring: Keyring,
    *,
    progress: Callable[[int], None] | None = None,
    stop: Callable[[], bool] = never_stop,
    batch: int = BATCH,
) -> ReencryptionResult:
    """Reseal every row of the keyring's owner.

    Raise RotationStopped, StaleKeyring, VaultLocked or NotWritten.
    """
    result = ReencryptionResult()
    for table in list_sealed_tables():
        for rows in table.iterate_batches(
            keyring.owner, skip_prefix=newest_header(keyring.epoch), size=batch
        ):
            if stop():
                raise RotationStopped
            changes = _reseal_rows(table, rows, keyring=keyring, result=result)
            result.envelopes += _write_changes(table, changes)
            if progress:
                progress(result.envelopes)
    return result


def _reseal_rows(
    table: SealedTable, rows: list[Row], *, keyring: Keyring, result: ReencryptionResult
) -> Changes:
    """Return the new envelopes to write, by column."""
    newest, read_envelopes = newest_header(keyring.epoch), table.build_envelope_reader(keyring.owner)
    changes: Changes = defaultdict(list)
    for row in rows:
        for column, envelope, columns in read_envelopes(row):
            if envelope is None or envelope.startswith(newest):
                continue
            try:
                sealed = reseal(column, keyring, envelope=envelope, columns=columns)
            except EnvelopeError as error:
                result.damaged.append(DamagedEnvelope(column.label, columns["id"], error.code))
                continue
            changes[column].append((sealed, row[0], envelope))
    return changes


def _write_changes(table: SealedTable, changes: Changes) -> int:
    if not changes:
        return 0
    try:
        with write_transaction():
            return sum(table.replace_envelopes(column, rows) for column, rows in changes.items())
    except FenceRefused:
        raise StaleKeyring from None
