"""Detection of committed transactions that the database has lost, before SQLite opens it.

Two sources show a loss: the commit log, which lists missing commits, and damaged frames in the write-ahead
log. Commits after such a frame are lost, including those that the commit log does not list.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from llamora.database import condition
from llamora.database.commit_log import CommitRecord, read_commit_log, to_number
from llamora.database.wal_frames import WalScan, scan_wal

_HEADER_BYTES = 100
_FIRST_BYTES = b"SQLite format 3\0"


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A loss of commits: how many (at least), the period in which they were made, and their owners.

    `days` maps the short id of each known owner (hexadecimal) to the days concerned. With
    `concerns_everyone`, the owner of at least one commit is unknown.
    """

    since: datetime
    until: datetime
    commits: int
    concerns_everyone: bool
    days: Mapping[str, Sequence[date]] = field(default_factory=dict)


def find_loss(database: Path) -> Loss | None:
    """Return what a database has lost, or None; call it before SQLite opens the database."""
    # The log first: a program that writes meanwhile has then committed whatever is in it.
    log = read_commit_log(database)
    scan = scan_wal(get_wal_path(database))
    header = scan.database_header or _read_header(database)
    if not header.startswith(_FIRST_BYTES):
        return None
    number, household = (int.from_bytes(header[start : start + 4], "big") for start in (60, 68))
    number = to_number(number)
    if log is not None and log.household == household:
        if lost := log.find_lost(number):
            return _describe_lost(lost)
        if scan.is_header_damaged:
            # A power cut may damage the header of a log whose commits are all in the database file.
            return None
    return _describe_unknown(database, scan) if scan.is_damaged else None


def get_wal_path(database: Path) -> Path:
    """Return the path of the write-ahead log of a database."""
    return database.with_name(database.name + "-wal")


def _read_header(database: Path) -> bytes:
    try:
        return os.pread(condition.open_permanently(database), _HEADER_BYTES, 0).ljust(_HEADER_BYTES, b"\0")
    except FileNotFoundError:
        return b""


def _describe_lost(lost: Sequence[CommitRecord]) -> Loss:
    days = defaultdict[str, set[date]](set)
    for record in lost:
        if record.has_owner:
            days[record.owner.hex()].update([record.day] if record.day else [])
    return Loss(
        since=_to_moment(lost[0].moment),
        until=_to_moment(lost[-1].moment),
        commits=len(lost),
        concerns_everyone=not all(record.has_owner for record in lost),
        days={owner: sorted(each) for owner, each in days.items()},
    )


def _describe_unknown(database: Path, scan: WalScan) -> Loss:
    """Describe a loss that only frames show: between the last writes to the database and to its log."""
    times = [os.stat(path).st_mtime for path in (database, get_wal_path(database))]
    return Loss(
        since=_to_moment(min(times)),
        until=_to_moment(max(times)),
        commits=scan.commits_after_damage,
        concerns_everyone=True,
    )


def _to_moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def list_files(database: Path) -> Iterable[Path]:
    """Return the files to preserve as evidence: a database, its write-ahead log and its commit log."""
    return [path for suffix in ("", "-wal", "-commits") if (path := Path(f"{database}{suffix}")).exists()]
