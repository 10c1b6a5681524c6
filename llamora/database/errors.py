"""Errors of database writes, each with a code. Functions that detect damage of the database file.

NotWritten          nothing was written; `code` is one of disk_full, read_only, busy, io
  FenceRefused      `fence`: the row was sealed under an epoch that is no longer its owner's
"""

import sqlite3
import time
from collections import deque
from typing import Final

from django.db import Error, IntegrityError, OperationalError

FENCE_MARKER = "llamora.fence"


class NotWritten(Exception):  # noqa: N818 - it states what happened, which is what callers must not hide
    """Raised when nothing was written; the caller must preserve the text it wanted to write."""

    def __init__(self, code: str) -> None:
        super().__init__(f"not written: {code}")
        self.code = code


class FenceRefused(NotWritten):
    """Raised when a trigger refused a write because the data key was rotated meanwhile.

    The triggers are described in `llamora.fields.fence`.
    """

    def __init__(self) -> None:
        super().__init__("fence")


_CODES = {
    sqlite3.SQLITE_FULL: "disk_full",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_CANTOPEN: "read_only",
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_IOERR: "io",
}


def classify_error(error: Error) -> NotWritten | None:
    """Return the NotWritten for a database error, or None for an error of another kind."""
    if isinstance(error, IntegrityError) and FENCE_MARKER in str(error):
        return FenceRefused()
    if not isinstance(error, OperationalError):
        return None
    # The low byte is the primary result code; SQLite's extended codes refine it (sqlite.org/rescode.html).
    primary = getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF
    code = _CODES.get(primary)
    return NotWritten(code) if code else None


# A page or the header is not as SQLite wrote it, or a value is larger than any that Llamora writes.
_DAMAGE_CODES: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_TOOBIG})
# When damage was last found.
_found_at: deque[float] = deque(maxlen=1)


def is_file_damaged(error: BaseException | None) -> bool:
    """Return whether SQLite raised this error because the database file is damaged."""
    cause = error.__cause__ if isinstance(error, Error) else error
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF in _DAMAGE_CODES


def note_damage() -> None:
    """Record that damage of the database file was found now."""
    _found_at.append(time.monotonic())


def was_damage_found(*, seconds: float) -> bool:
    """Return whether damage of the database file was found within the last `seconds`."""
    return any(time.monotonic() - at < seconds for at in list(_found_at))
