"""Compaction of the database file, which clears what deleted rows leave between others.

A deleted row is overwritten where it stands, since `secure_delete` is on. But where SQLite moved a row
before, when it split or joined pages, a copy can stay in the unused part of a page: a trial with rows like
those of facts left parts of at most 3 of 3,900. VACUUM writes the file anew, without such parts.
"""

import logging
import threading
import time

from django.db import DatabaseError, connection

from llamora.database.transactions import holding_write_lock
from llamora.database.wal import truncate_wal
from llamora.threads import yield_turn

_log = logging.getLogger(__name__)
# Other writers wait while the file is written, about 12 ms for each MB: not again and again.
PAUSE_SECONDS: float = 5.0
_guard = threading.Lock()
_requested = threading.Event()
_thread: threading.Thread | None = None


def compact_database() -> bool:
    """Write the database file anew and empty its log; return False if that failed.

    Never raises: what is deleted is deleted all the same.
    """
    try:
        with yield_turn(), holding_write_lock(), connection.cursor() as cursor:
            cursor.execute("VACUUM")
    except DatabaseError as error:
        # Another process was writing, or there is no space for a second copy.
        _log.warning(
            "The database file was not compacted, so parts of deleted rows may be in it: %s.",
            type(error).__name__,
        )
        return False
    return truncate_wal()


def request_compaction() -> None:
    """Compact the database file in a thread, soon; requests that come meanwhile are met together.

    Does nothing inside a transaction, which has not deleted anything yet.
    """
    global _thread  # noqa: PLW0603 - there is one file
    if connection.in_atomic_block:
        return
    with _guard:
        _requested.set()
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_run, name="compaction", daemon=True)
            _thread.start()


def wait_for_compaction(timeout: float) -> bool:
    """Wait until what was requested is done; return whether it is."""
    with _guard:
        thread = _thread
    if thread is not None:
        thread.join(timeout)
        return not thread.is_alive()
    return True


def _run() -> None:
    try:
        while True:
            _requested.clear()
            compact_database()
            with _guard:
                if not _requested.is_set():
                    # Under the guard, so that a request that comes now starts another thread.
                    _forget_thread()
                    return
            time.sleep(PAUSE_SECONDS)
    finally:
        connection.close()


def _forget_thread() -> None:
    global _thread  # noqa: PLW0603 - there is one file
    _thread = None
