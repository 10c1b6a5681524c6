"""State of the database file (sound, new, missing, damaged, ...), determined without opening it in SQLite.

SQLite creates an empty database if the file is missing. If secrets or backups of a household exist, this
would hide the loss of its database, so a new database is created only if there are no other files of a
household.

Nothing here opens the file with SQLite, which would replay the write-ahead log. Opened descriptors are never
closed; see `open_permanently`.
"""

import os
import pwd
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, islice
from pathlib import Path

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, OperationalError, connections

from llamora.database import backup_files, commit_log, disk

_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100
NOT_SET_UP = "Llamora is not set up here yet. Run manage.py up first."

_open_files: dict[tuple[int, int], int] = {}
_guard = threading.Lock()


class FileState(StrEnum):
    """State of a database file."""

    OK = "ok"
    NEW = "new"  # there is no household yet
    MISSING = "missing"
    EMPTY = "empty"
    FOREIGN = "not a database"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class FileCondition:
    """The state of a database file, and a sentence that says what to do (empty if the file is sound)."""

    state: FileState
    sentence: str = ""


class DatabaseLost(OperationalError):  # noqa: N818 - it states what happened
    """Raised when the database file is missing although other files of the household exist."""


def get_database_path() -> Path:
    """Return the path of the household's database."""
    return Path(connections[DEFAULT_DB_ALIAS].settings_dict["NAME"])


def examine_file(path: Path) -> FileCondition:
    """Return the condition of a database file; changes nothing."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return _describe_absence(path, FileState.MISSING, "is missing")
    except OSError as error:
        return FileCondition(FileState.UNREADABLE, describe_unreadable(path, error))
    if size == 0:
        return _describe_absence(path, FileState.EMPTY, "is empty")
    try:
        header = os.pread(open_permanently(path), _HEADER_BYTES, 0)
    except OSError as error:
        return FileCondition(FileState.UNREADABLE, describe_unreadable(path, error))
    if not header.startswith(_MAGIC):
        sentence = f"{path} is not a database, or its beginning is damaged. {suggest_restore()}"
        return FileCondition(FileState.FOREIGN, sentence)
    if problem := _find_header_damage(header, size=size, has_log=bool(_get_log_size(path))):
        return FileCondition(FileState.DAMAGED, f"{path} is damaged: {problem}. {suggest_restore()}")
    return FileCondition(FileState.OK)


def refuse_new_database(path: Path) -> None:
    """Raise DatabaseLost if SQLite would create an empty database in place of a lost one."""
    try:
        if path.parent != Path(settings.DATA_DIR) or path.stat().st_size:
            return
    except FileNotFoundError:
        pass
    except OSError:
        # SQLite can't open it either.
        return
    if (found := examine_file(path)).state in (FileState.MISSING, FileState.EMPTY):
        raise DatabaseLost(found.sentence)


def describe_database_error(error: DatabaseError) -> str:
    """Return a sentence for the administrator about a database error and the state of the file."""
    path = get_database_path()
    found = examine_file(path)
    if found.state is FileState.NEW or (found.state is FileState.OK and "no such table" in str(error)):
        return NOT_SET_UP
    # Only of these two is the text SQLite's own; that of others may quote a value.
    words = str(error) if type(error) in (DatabaseError, OperationalError) else type(error).__name__
    return (
        found.sentence
        or disk.describe_problem(path.parent)
        or f"The database can't be used: {words}. Run manage.py doctor."
    )


def describe_unreadable(path: Path, error: OSError) -> str:
    """Return a sentence about an unreadable file and its owner."""
    owner = find_other_owner(path)
    if owner is None:
        return f"{path} can't be read: {error.strerror}."
    return f"{path} can't be read: it belongs to {owner}. Run this command as that user."


def find_other_owner(path: Path) -> str | None:
    """Return the user who owns a path (if it is inaccessible, a folder above it), or None if we own it."""
    for place in (path, *path.parents):
        try:
            number = place.stat().st_uid
        except PermissionError:
            continue
        except OSError:
            return None
        return None if number == os.geteuid() else describe_user(number)
    return None


def describe_user(number: int) -> str:
    """Return words for the user with a number: "the user" and the name, or the number if it has no name."""
    try:
        return f"the user {pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"the number {number}, which no user of this machine has"


def suggest_restore() -> str:
    """Return the sentence that names the newest backup and the command that restores it."""
    backups = backup_files.list_backups(settings.BACKUP_DIR)
    if not backups:
        return (
            f"There is no backup in {settings.BACKUP_DIR}. If you have one elsewhere, restore it: "
            "manage.py restore FILE"
        )
    newest = backups[-1]
    return (
        f"To restore the newest backup, of {newest.made_at:%Y-%m-%d %H:%M} UTC, run: "
        f"manage.py restore '{newest.path}'"
    )


def open_permanently(path: Path) -> int:
    """Return a file descriptor for reading a file; the caller must never close it.

    With POSIX locks, closing any descriptor of a file drops all locks of the process on it, including
    SQLite's. Then another process could truncate the write-ahead log during a read.
    """
    with _guard:
        found = path.stat()
        descriptor = _open_files.get((found.st_dev, found.st_ino))
        if descriptor is None:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            opened = os.fstat(descriptor)
            _open_files[opened.st_dev, opened.st_ino] = descriptor
        return descriptor


def _describe_absence(path: Path, state: FileState, words: str) -> FileCondition:
    is_household = path.parent == Path(settings.DATA_DIR)
    others = list(islice(_list_other_files(path), 4)) if is_household else []
    if not others:
        return FileCondition(FileState.NEW, NOT_SET_UP)
    is_backup_elsewhere = path.parent not in others[0].parents
    named = ", ".join(str(other) for other in others[:3]) + (", and others" if len(others) > 3 else "")
    return FileCondition(
        state,
        f"The database {path} {words}, but other files of a household are there: {named}. If its disk is not "
        "connected, connect it. To begin a new household, choose an empty folder with LLAMORA_DATA_DIR"
        f"{' and another with LLAMORA_BACKUP_DIR' if is_backup_elsewhere else ''}. {suggest_restore()}",
    )


def _list_other_files(database: Path) -> Iterator[Path]:
    """Yield files that exist only if a household has, or once had, a database."""
    folder = database.parent
    log = database.with_name(database.name + "-wal")
    yield from (path for path in (log,) if _get_log_size(database))
    yield from (path for path in (commit_log.get_log_path(database),) if path.is_file())
    yield from chain(
        (backup.path for backup in reversed(backup_files.list_backups(settings.BACKUP_DIR))),
        (path for path in (settings.SECRET_KEY_FILE,) if path.is_file()),
        (
            path
            for name in ("search", "former_keys", "register")
            for path in folder.glob(f"{name}/**/*")
            if path.is_file()
        ),
        folder.glob("replaced/llamora-*.sqlite3"),
    )


def _get_log_size(database: Path) -> int:
    try:
        return database.with_name(database.name + "-wal").stat().st_size
    except OSError:
        return 0


def _find_header_damage(header: bytes, *, size: int, has_log: bool) -> str:
    """Return what is wrong with the header (sqlite.org/fileformat.html, section 1.3), or an empty text."""
    if len(header) < _HEADER_BYTES:
        return "it ends in its header"
    (page_size,) = struct.unpack_from(">H", header, 16)
    page_size = 65536 if page_size == 1 else page_size
    is_power = page_size >= 512 and page_size & (page_size - 1) == 0
    if not is_power or header[18] not in (1, 2) or header[19] not in (1, 2) or header[21:24] != b"@  ":
        return "its header is not one of SQLite"
    (changes, pages), (valid_for,) = (
        struct.unpack_from(">II", header, 24),
        struct.unpack_from(">I", header, 92),
    )
    # While pages wait in the log, the file may be shorter than it says.
    if changes == valid_for and size < pages * page_size and not has_log:
        return f"it has {size:,} bytes instead of {pages * page_size:,}"
    return ""
