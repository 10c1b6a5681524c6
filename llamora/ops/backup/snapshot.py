"""A consistent copy of a database, made while other connections write to it."""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from accounts.models import SignIn, Unlock
from llamora.database import disk
from llamora.database.sqlite.reading import decode_text

# A step is a megabyte; between two of them the pages of the household get the processor.
STEP_PAGES = 256
PAUSE_SECONDS = 0.004
TIMEOUT_SECONDS = 20.0
# How long another program may read on while the log is being given up.
_READER_SECONDS, _READER_PAUSE_SECONDS = 2.0, 0.05
_BUSY_CODES = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
SESSION_TABLES = (Unlock._meta.db_table, SignIn._meta.db_table)

StopCheck = Callable[[], bool]


class BackupStopped(Exception):  # noqa: N818 - a request that was followed, not an error
    """Raised when a backup was asked to stop; its files are deleted."""


def never_stop() -> bool:
    """Return False; the default for `stop`, a function that says whether to stop."""
    return False


def open_database(path: Path) -> sqlite3.Connection:
    """Open an existing database, tolerating text that is not UTF-8; raise an error if it does not exist."""
    # Not mode=ro: the readers of a write-ahead log keep their places in a file beside it. On a read-only disk
    # there can be neither such a file nor a writer.
    log = path.with_name(path.name + "-wal")
    is_unchanging = disk.is_read_only(path.parent) and not (log.exists() and log.stat().st_size)
    uri = f"{path.absolute().as_uri()}?mode={'ro&immutable=1' if is_unchanging else 'rw'}"
    database = sqlite3.connect(uri, uri=True, timeout=TIMEOUT_SECONDS, isolation_level=None)
    database.text_factory = decode_text
    return database


def copy_database(source: Path, target: Path, *, stop: StopCheck = never_stop) -> None:
    """Copy a consistent state of `source` to the new file `target`, with SQLite's backup API.

    Raise BackupStopped.
    """

    def pause(*_: int) -> None:
        if stop():
            raise BackupStopped
        time.sleep(PAUSE_SECONDS)

    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(open_database(source)) as live, closing(open_database(target)) as copy:
        copy.execute("PRAGMA synchronous = OFF")  # it is synced with the archive it goes into
        # The read transaction holds one moment fast: without it each write by others would make SQLite
        # begin the copy again, and in a storm of them it would never end.
        live.execute("BEGIN")
        live.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        live.backup(copy, pages=STEP_PAGES, progress=pause)
        live.execute("ROLLBACK")
        leave_wal_mode(copy)


def compact_copy(path: Path) -> None:
    """Run VACUUM on a copy of a database, to clear remains of deleted rows."""
    with closing(open_database(path)) as copy:
        copy.execute("PRAGMA journal_mode = MEMORY")
        copy.execute("VACUUM")


def leave_wal_mode(database: sqlite3.Connection) -> None:
    """Merge the write-ahead log into the database file, and stop using a log.

    Raise OperationalError if another connection goes on using the database.
    """
    # SQLite's own timeout does not hold for this statement.
    deadline = time.monotonic() + _READER_SECONDS
    while not _try_to_leave_wal_mode(database):
        if time.monotonic() > deadline:
            raise sqlite3.OperationalError("database is locked")
        time.sleep(_READER_PAUSE_SECONDS)


def _try_to_leave_wal_mode(database: sqlite3.Connection) -> bool:
    try:
        (mode,) = database.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in _BUSY_CODES:
            raise
        return False
    return bool(mode == "delete")


def delete_sessions(path: Path) -> int:
    """Delete the session rows of a copy and overwrite their bytes; return the number of rows."""
    with closing(open_database(path)) as copy:
        # In memory: a journal would put on the disk once more what is to be overwritten.
        copy.execute("PRAGMA journal_mode = MEMORY")
        copy.execute("PRAGMA secure_delete = ON")
        existing = {name for (name,) in copy.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        return sum(
            copy.execute(f'DELETE FROM "{table}"').rowcount  # noqa: S608 - names of our own tables
            for table in SESSION_TABLES
            if table in existing
        )
