"""Truncation of SQLite's write-ahead log, so that deleted and replaced bytes do not stay in it.

Otherwise deleted bytes, such as an old key, would stay in the log until later writes happen to overwrite
them.
"""

import logging
import time
from pathlib import Path

from django.db import DatabaseError, connection

from llamora.database.commit_log import renew_commit_log
from llamora.database.transactions import hold_write_lock
from llamora.threads import yield_turn

_log = logging.getLogger(__name__)
_ATTEMPTS = 20
_WAIT_MS = 100


def truncate_wal() -> bool:
    """Copy the write-ahead log into the database file and truncate it; return False if that failed.

    After success the commit log is restarted. Never raises: committed data is safe in the write-ahead log,
    and `up` truncates it later. Inside a transaction, it does nothing and returns False.
    """
    if connection.in_atomic_block:
        return False
    reason = "somebody was reading"
    try:
        with yield_turn():
            for _ in range(_ATTEMPTS):
                if _try_truncate():
                    with hold_write_lock():
                        renew_commit_log(Path(connection.settings_dict["NAME"]), connection.connection)
                    return True
                time.sleep(_WAIT_MS / 1000)
    except DatabaseError as error:
        reason = type(error).__name__
    _log.warning("The write-ahead log was not emptied, so deleted data may still be in it: %s.", reason)
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
