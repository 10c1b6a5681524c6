"""Compaction of the database file, which clears what deleted rows leave between others.

A deleted row is overwritten where it stands, since `secure_delete` is on. But where SQLite moved a row
before, when it split or joined pages, a copy can stay in the unused part of a page: a trial with rows like
those of facts left parts of at most 3 of 3,900. VACUUM writes the file anew, without such parts.

    <database>-compact    an empty file: something was forgotten since the file was written anew

It is there before the deletion is committed, so that a process that ends meanwhile leaves the work to the
next one, and a backup knows that its copy is to be written anew as well.
"""

import logging
import threading
import time
from contextlib import suppress
from pathlib import Path

from django.db import DatabaseError, connection, transaction

from llamora.database.transactions import holding_write_lock
from llamora.database.wal import truncate_wal
from llamora.threads import yield_turn

SUFFIX = "-compact"
_log = logging.getLogger(__name__)
# Other writers wait while the file is written, about 12 ms for each MB: not again and again.
PAUSE_SECONDS: float = 5.0
# So that they wait for at most this part of the time, however large the file is.
_WRITING_SHARE = 0.05
_TRIES = 3
_guard = threading.Lock()
_requested = threading.Event()
_thread: threading.Thread | None = None


def get_mark_path(database: Path) -> Path:
    """Return the path of the file that says that a database is to be written anew."""
    return database.with_name(database.name + SUFFIX)


def is_compaction_due(database: Path | None = None) -> bool:
    """Return whether something was forgotten in a database, by default ours, since it was written anew."""
    return get_mark_path(database or _get_database()).exists()


def compact_database() -> bool:
    """Write the database file anew and empty its log; return False if that failed.

    Never raises: what is deleted is deleted all the same.
    """
    try:
        with yield_turn(), holding_write_lock(), connection.cursor() as cursor:
            cursor.execute("VACUUM")
            # Whoever forgets something marks the database while they have the lock.
            get_mark_path(_get_database()).unlink(missing_ok=True)
    except (DatabaseError, OSError) as error:
        # Another process was writing, or there is no space for a second copy.
        _log.warning(
            "The database file was not compacted, so parts of deleted rows may be in it: %s.",
            type(error).__name__,
        )
        return False
    return truncate_wal()


def request_compaction() -> None:
    """Compact the database file in a thread, soon; requests that come meanwhile are met together.

    In a transaction that has deleted something: the file is compacted after its commit.
    """
    with suppress(OSError):  # of a full disk, which stops no deletion
        get_mark_path(_get_database()).touch(mode=0o600)
    transaction.on_commit(_start)


def _start() -> None:
    global _thread  # noqa: PLW0603 - there is one file
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
    failures = 0
    try:
        while True:
            _requested.clear()
            began = time.monotonic()
            failures = 0 if compact_database() else failures + 1
            taken = time.monotonic() - began
            with _guard:
                # After these tries the daily round of the server tries again.
                if not _requested.is_set() and (not failures or failures >= _TRIES):
                    # Under the guard, so that a request that comes now starts another thread.
                    _forget_thread()
                    return
            time.sleep(max(PAUSE_SECONDS, taken / _WRITING_SHARE) if PAUSE_SECONDS else 0)
    finally:
        connection.close()


def _forget_thread() -> None:
    global _thread  # noqa: PLW0603 - there is one file
    _thread = None


def _get_database() -> Path:
    return Path(connection.settings_dict["NAME"])
