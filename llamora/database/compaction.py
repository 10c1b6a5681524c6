"""Compaction of the database file with VACUUM, which clears remains of deleted rows.

A deleted row is overwritten in place, because `secure_delete` is on. But when SQLite splits or joins pages,
it moves rows, and a copy can remain in the unused part of a page: in a trial with 3,900 rows of the size of
facts, parts of at most 3 remained. VACUUM writes a new file without them.

    <database>-compact    an empty file: rows were deleted since the last compaction

It is created before the deletion is committed. So if the process is killed, the next one compacts the file,
and a backup knows that its copy must be compacted, too.
"""

import logging
import threading
import time
from contextlib import suppress
from pathlib import Path

from django.db import DatabaseError, connection, transaction

from llamora.database.transactions import hold_write_lock
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
    """Return the path of the file that marks a database for compaction."""
    return database.with_name(database.name + SUFFIX)


def is_compaction_due(database: Path | None = None) -> bool:
    """Return whether a database, by default ours, has deletions since its last compaction."""
    return get_mark_path(database or _get_database()).exists()


def compact_database() -> bool:
    """Compact the database and truncate its write-ahead log; return False if that failed, without raising.

    After a failure the rows are still deleted, but parts of them may remain in the file.
    """
    try:
        with yield_turn(), hold_write_lock(), connection.cursor() as cursor:
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
    """Compact the database soon, in a thread; requests that arrive meanwhile share one compaction.

    Call it in the transaction that deletes rows: compaction waits for its commit.
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
    """Wait at most `timeout` seconds for requested compactions; return whether they are finished."""
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
