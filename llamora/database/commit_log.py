"""The commit log: a file beside the database that records committed transactions.

SQLite reads its write-ahead log up to the first damaged frame and silently ignores the rest. So each write
transaction also increments a number in the database, and when COMMIT has returned, that number is appended to
this file. If the number in the database is lower than the last one in the commit log, transactions are lost.
The opposite is normal, because a process may be killed between COMMIT and the append.

    <database>-commits
    header  "llamora1" | u64 number in the database | u64 time, microseconds | u32 household | u32 CRC-32
    record  u64 number | u64 time, microseconds | 8 bytes of the owner | u32 day | u32 CRC-32

Numbers are big-endian. The CRC-32 of a record continues from that of the header. The bytes of the owner are
the last half of a person's id, or zeros; the day is its ordinal, or 0. In the database, the number is
`user_version`, and the household is `application_id`, which is chosen once at random. Both are in the header
of the database file, at bytes 60 and 68, so they can be read without SQLite.

The file is restarted whenever the write-ahead log was copied into the database file and truncated, so it
contains only later commits. It contains the commits of `write_transaction`, from every process. The admin,
migrations and single statements outside a transaction are not recorded, so their loss is not detected here.
"""

import logging
import os
import secrets
import sqlite3
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from llamora.crypto import VaultLocked, current_realm_keyring

SUFFIX = "-commits"
_MAGIC: Final = b"llamora1"
_HEADER = struct.Struct(">8s2Q2I")
_RECORD = struct.Struct(">2Q8s2I")
_NOBODY: Final = bytes(8)
_MICROSECOND = 1_000_000
# SQLite stores the number with a sign, and takes a larger one for 0.
_LAST_NUMBER: Final = 2**31 - 1
# A power cut then loses at most the records of this time, and a record that is missing proves nothing.
_SYNC_SECONDS = 1.0

_log = logging.getLogger(__name__)


def get_log_path(database: Path) -> Path:
    """Return the path of a database's commit log."""
    return database.with_name(database.name + SUFFIX)


def shorten_id(person_id: UUID) -> bytes:
    """Return the 8 bytes that stand for a person in the log."""
    return person_id.bytes[8:]


# --- Reading ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class CommitRecord:
    """A record of a commit: its number, its time (in seconds), and the owner and day of the written rows."""

    number: int
    moment: float
    owner: bytes = _NOBODY
    day: date | None = None

    @property
    def has_owner(self) -> bool:
        """Whether the record names the person whose data the commit changed."""
        return self.owner != _NOBODY


@dataclass(frozen=True, kw_only=True)
class CommitLog:
    """The contents of a log: the number that identifies its database, the first commit, and the records."""

    household: int
    first: CommitRecord
    records: list[CommitRecord]

    def find_lost(self, number: int) -> list[CommitRecord]:
        """Return the recorded commits that a database at commit `number` lacks, sorted by time.

        A number that occurs twice shows that the database lost commits in between. A record before the first
        commit is ignored: its process may have written it late, after the log was restarted.
        """
        latest = {self.first.number: self.first}
        lost = []
        for record in self.records:
            if record.number <= self.first.number:
                continue
            if earlier := latest.get(record.number):
                lost.append(earlier)
            latest[record.number] = record
        lost.extend(record for record in latest.values() if record.number > number)
        return sorted(lost, key=lambda record: record.moment)


def read_commit_log(database: Path) -> CommitLog | None:
    """Return the contents of a database's log, or None if it is missing or its header is damaged."""
    try:
        content = get_log_path(database).read_bytes()
    except FileNotFoundError:
        return None
    if len(content) < _HEADER.size:
        return None
    magic, number, moment, household, crc = _HEADER.unpack_from(content)
    if magic != _MAGIC or crc != zlib.crc32(content[: _HEADER.size - 4]):
        return None
    first = CommitRecord(number=number, moment=moment / _MICROSECOND)
    return CommitLog(household=household, first=first, records=list(_read_records(content, crc)))


def _read_records(content: bytes, first_crc: int) -> Iterator[CommitRecord]:
    """Yield the undamaged records, at any offset, since one that was written only in part shifts the rest."""
    position = _HEADER.size
    while position + _RECORD.size <= len(content):
        number, moment, owner, day, crc = _RECORD.unpack_from(content, position)
        if crc != zlib.crc32(content[position : position + _RECORD.size - 4], first_crc):
            position += 1
            continue
        position += _RECORD.size
        yield CommitRecord(
            number=number,
            moment=moment / _MICROSECOND,
            owner=owner,
            day=date.fromordinal(day) if 0 < day <= date.max.toordinal() else None,
        )


# --- Beginning -------------------------------------------------------------------------------------------


def assign_household_number(connection: sqlite3.Connection) -> None:
    """Give the database a random `application_id` if it has none. The commit log refers to this number."""
    if not _read_pragma(connection, "application_id"):
        connection.execute(f"PRAGMA application_id = {secrets.randbelow(2**31 - 1) + 1:d}")


def begin_commit_log(database: Path, connection: sqlite3.Connection) -> None:
    """Begin a new, empty commit log at the current commit number. The database's old log is replaced.

    If the log is like that already, it is not replaced.

    Call it after the write-ahead log was truncated, and after `assign_household_number`.
    """
    if read_number(connection) == _LAST_NUMBER:
        # The log first: beside it, the database would seem to have lost everything.
        remove_commit_log(database)
        connection.execute("PRAGMA user_version = 0")
    number, household = read_number(connection), _read_pragma(connection, "application_id")
    before = read_commit_log(database)
    if before and (before.household, before.first.number, before.records) == (household, number, []):
        return
    start = _HEADER.pack(_MAGIC, number, _count_microseconds(), household, 0)[:-4]
    path = get_log_path(database)
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, start + struct.pack(">I", zlib.crc32(start)))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.replace(path)


def renew_commit_log(database: Path, connection: sqlite3.Connection) -> None:
    """Restart the log if there is one; if that fails, the old log remains and is still correct."""
    if not get_log_path(database).exists():
        return
    try:
        begin_commit_log(database, connection)
    except (OSError, sqlite3.Error) as error:
        _log.warning("The log of commits could not be begun again: %s.", type(error).__name__)


def remove_commit_log(database: Path) -> None:
    """Delete the log, before the database is replaced by another one."""
    get_log_path(database).unlink(missing_ok=True)


def read_number(connection: sqlite3.Connection) -> int:
    """Return the number of the last commit visible to a connection."""
    return to_number(_read_pragma(connection, "user_version"))


def to_number(stored: int) -> int:
    """Return a stored 32-bit value as a number; a negative one, from another program, counts as 0."""
    return stored if 0 <= stored <= _LAST_NUMBER else 0


def _read_pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _count_microseconds() -> int:
    return time.time_ns() // 1000


# --- Writing ---------------------------------------------------------------------------------------------

_saved = threading.local()


def set_commit_owner(owner_id: Any, day: Any) -> None:
    """Set the owner and day to record with the transaction of this thread."""
    if isinstance(owner_id, UUID):
        _saved.owner = shorten_id(owner_id)
    if isinstance(day, date):
        _saved.day = day.toordinal()


@dataclass(slots=True)
class CountedCommit:
    """A transaction to record in the commit log. If it wrote nothing, its `number` is None."""

    database: Path
    number: int | None = None
    owner: bytes = _NOBODY
    day: int = 0

    def record(self) -> None:
        """Append the commit to the log; called after COMMIT has returned."""
        if self.number is not None:
            _get_writer(self.database).append(self)


@contextmanager
def count_commit(connection: Any) -> Iterator[CountedCommit]:
    """Increment the commit number at the end of the `with` block if the block wrote anything."""
    counted = CountedCommit(Path(connection.settings_dict["NAME"]))
    raw: sqlite3.Connection = connection.connection
    before = raw.total_changes
    _saved.owner, _saved.day = _NOBODY, 0
    yield counted
    if raw.total_changes == before:
        return
    with connection.wrap_database_errors:
        number = read_number(raw) + 1
        if number > _LAST_NUMBER:
            # Not counted until the log begins again.
            return
        raw.execute(f"PRAGMA user_version = {number:d}")
    counted.owner = _saved.owner if _saved.owner != _NOBODY else _get_owner_in_force()
    counted.number, counted.day = number, _saved.day


def _get_owner_in_force() -> bytes:
    try:
        return shorten_id(current_realm_keyring().owner)
    except VaultLocked:
        return _NOBODY


@dataclass
class _LogWriter:
    """Writer of a commit log; it only reports a failed append, since the commit itself is on the disk."""

    path: Path
    _descriptor: int | None = None
    _crc: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _unsynced: threading.Event = field(default_factory=threading.Event)
    _is_syncing: bool = False
    _has_failed: bool = False

    def append(self, commit: CountedCommit) -> None:
        """Append one record."""
        with self._lock, self._reporting():
            if not self._open():
                return
            content = _RECORD.pack(commit.number, _count_microseconds(), commit.owner, commit.day, 0)[:-4]
            record = content + struct.pack(">I", zlib.crc32(content, self._crc))
            assert self._descriptor is not None
            os.write(self._descriptor, record)
            if not self._is_syncing:
                self._is_syncing = True
                threading.Thread(target=self._sync_for_ever, name="commit log", daemon=True).start()
        self._unsynced.set()

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        """Log an error of the disk during the `with` block, but not again until a sync works."""
        try:
            yield
        except OSError as error:
            if not self._has_failed:
                self._has_failed = True
                _log.warning(
                    "The log of commits could not be written to the disk (%s), so the loss of a save may not "
                    "be noticed. Check that the disk has free space and works.",
                    error.strerror,
                )

    def _open(self) -> bool:
        """Open the log, again if it was restarted meanwhile; return False if there is no valid log."""
        if self._descriptor is not None:
            if os.fstat(self._descriptor).st_nlink:
                return True
            os.close(self._descriptor)
            self._descriptor = None
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        header = os.pread(descriptor, _HEADER.size, 0)
        if not header.startswith(_MAGIC) or len(header) < _HEADER.size:
            os.close(descriptor)
            return False
        self._descriptor, self._crc = descriptor, _HEADER.unpack(header)[-1]
        return True

    def _sync_for_ever(self) -> None:
        while True:
            self._unsynced.wait()
            time.sleep(_SYNC_SECONDS)
            self._unsynced.clear()
            with self._reporting():
                self._sync()

    def _sync(self) -> None:
        """Write what was appended to the disk; saves need not wait for it."""
        with self._lock:
            descriptor = None if self._descriptor is None else os.dup(self._descriptor)
        if descriptor is None:
            return
        try:
            _sync_file(descriptor)
        finally:
            os.close(descriptor)
        self._has_failed = False


def _sync_file(descriptor: int) -> None:
    # macOS has no fdatasync.
    getattr(os, "fdatasync", os.fsync)(descriptor)


_writers: dict[Path, _LogWriter] = {}


def _get_writer(database: Path) -> _LogWriter:
    path = get_log_path(database)
    # Two threads may make one each: of a dictionary both get the same.
    return _writers.get(path) or _writers.setdefault(path, _LogWriter(path))
