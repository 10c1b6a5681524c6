"""Pruning: deletes expired sessions, deleted entries, old versions, backups, unused indexes and leftovers."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError

from accounts.losses import reports
from accounts.models import Person, Vault
from accounts.sessions import services as sessions_services
from diary.entries.services import purge_bin
from diary.history.services import purge_versions
from llamora.clock import services as clock
from llamora.database import NotWritten, condition, reserve, truncate_wal
from llamora.database.condition import FileState
from llamora.ops.backup import restore, retention
from llamora.ops.errors import describe_error

# The name of a sealed index: its kind, the epoch of its key, and which of its kind it is.
_INDEX_FILE_NAME = re.compile(r"[a-z_]+-(\d+)-(?:[0-9a-f]{16}-)?[0-9a-f-]{36}\.sealed")


@dataclass(frozen=True, kw_only=True)
class PruneReport:
    """The numbers of removed rows and files, by kind."""

    sessions: int
    entries: int
    versions: int
    backups: int
    replaced: int
    indexes: int
    strays: int
    is_log_truncated: bool
    problems: tuple[str, ...] = ()  # sentences about what could not be deleted

    def __str__(self) -> str:
        return (
            f"{self.sessions:,} expired sessions, {self.entries:,} entries in the bin, "
            f"{self.versions:,} earlier versions, {self.backups:,} old backups, "
            f"{self.replaced:,} replaced databases, {self.indexes:,} unused search indexes, "
            f"{self.strays:,} leftover files"
        )

    @property
    def total(self) -> int:
        """The number of all removed rows and files."""
        return sum(astuple(self)[:-2])


def prune(*, now: datetime) -> PruneReport:
    """Delete expired data, then truncate the write-ahead log, which may still contain it.

    Files are deleted first: on a full disk no row can be deleted before there is space. If one kind of data
    can't be deleted, the other kinds still are.
    """
    folder: Path = settings.DATA_DIR
    problems: list[str] = []
    # SQLite may need space even to open the database.
    was_full = reserve.release_if_full(folder)
    with suppress(DatabaseError):  # the steps say so
        clock.observe()
    counts = _run_steps(
        {
            "strays": lambda errors: (
                retention.remove_leftovers(folder, backups=settings.BACKUP_DIR, now=now, errors=errors)
                + _remove_reports()
            ),
            "replaced": lambda errors: retention.remove_replaced_databases(
                folder / restore.REPLACED_FOLDER, errors=errors
            ),
            "backups": lambda errors: retention.remove_outdated_backups(
                settings.BACKUP_DIR,
                now=now,
                days=settings.BACKUP_KEEP_DAYS,
                weeks=settings.BACKUP_KEEP_WEEKS,
                errors=errors,
            ),
            "indexes": lambda _errors: remove_unused_indexes(folder / "search"),
            "sessions": lambda _errors: sessions_services.end_expired_sessions(),
            "entries": lambda _errors: sum(purge_bin(owner_id=owner) for owner in _list_owners()),
            "versions": lambda _errors: sum(purge_versions(owner_id=owner) for owner in _list_owners()),
        },
        problems,
    )
    is_readable = condition.examine_file(condition.get_database_path()).state is FileState.OK
    is_log_truncated = is_readable and truncate_wal()
    if was_full:
        reserve.create_reserve(folder, mebibytes=settings.RESERVE_MIB)
    return PruneReport(**counts, is_log_truncated=is_log_truncated, problems=tuple(problems))


def _run_steps(steps: Mapping[str, Callable[[list[OSError]], int]], problems: list[str]) -> dict[str, int]:
    """Run each step and return the counts; append a sentence about each failure to `problems`, each once."""
    counts = dict.fromkeys(steps, 0)
    for name, remove in steps.items():
        errors: list[OSError] = []
        try:
            counts[name] = remove(errors)
        except (NotWritten, DatabaseError, OSError) as error:
            problems.append(describe_error(error) or "")
        problems += [describe_error(error) or "" for error in errors]
    problems[:] = dict.fromkeys(problems)
    return counts


def _remove_reports() -> int:
    before = clock.get_cutoff(retention.REPLACED_RETENTION)
    return 0 if before is None else reports.remove_acknowledged_reports(before=before)


def _list_owners() -> list[UUID]:
    return list(Person.objects.values_list("id", flat=True))


def remove_unused_indexes(folder: Path) -> int:
    """Delete sealed search indexes of deleted people and of destroyed keys; return their number."""
    epochs = {str(owner): epoch for owner, epoch in Vault.objects.values_list("owner_id", "epoch")}
    dead = [
        path
        for path in folder.glob("*/*.sealed")
        if (found := _INDEX_FILE_NAME.fullmatch(path.name)) and epochs.get(path.parent.name) != int(found[1])
    ]
    for path in dead:
        path.unlink(missing_ok=True)
    return len(dead)
