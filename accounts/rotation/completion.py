"""The last step: nothing is left under the key before, so it is destroyed."""

import logging
import time

from django.db import connection

from accounts.models import FormerKey, Vault
from accounts.rotation.errors import DamagedRows, StaleKeyring
from accounts.rotation.sealed_tables import count_rows_of_other_epochs
from llamora.crypto import Keyring
from llamora.database import write_transaction

_log = logging.getLogger(__name__)
_TRIES = 20
_WAIT_MS = 100


def destroy_former_key(keyring: Keyring, *, leave_damaged: bool = False) -> bool:
    """Destroy it in the transaction that sees it unused; return whether there was one.

    Raise Damaged while rows of an earlier epoch are left, unless they are to be given up.
    """
    with write_transaction():
        if not Vault.objects.filter(owner_id=keyring.owner, epoch=keyring.epoch).exists():
            raise StaleKeyring
        left = count_rows_of_other_epochs(keyring.owner, keyring.epoch)
        if left and not leave_damaged:
            raise DamagedRows(left)
        destroyed, _ = FormerKey.objects.filter(owner_id=keyring.owner).delete()
    if not truncate_wal():
        _log.warning("Somebody was reading, so the old key's row may lie in the write-ahead log for a while.")
    return bool(destroyed)


def truncate_wal() -> bool:
    """Have the old keys' bytes overwritten and cut from the log; False when readers were in the way."""
    if connection.in_atomic_block:
        return False
    for _ in range(_TRIES):
        if _try_truncate():
            return True
        time.sleep(_WAIT_MS / 1000)
    return False


def _try_truncate() -> bool:
    # A checkpoint that waits holds up every writer, so it waits a little and is tried again.
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        (before,) = cursor.fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {_WAIT_MS:d}")
        try:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (busy, _, _) = cursor.fetchone()
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {int(before):d}")
    return not busy
