"""Pruning: deletes expired sessions, deleted entries, old versions, backups, unused indexes and leftovers."""

import re
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from accounts.models import Person, Vault
from accounts.sessions import services as sessions_services
from diary.entries.services import purge_bin
from diary.history.services import purge_versions
from llamora.database import truncate_wal
from llamora.ops.backup import restore, retention

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
        return sum(astuple(self)[:-1])


def prune(*, now: datetime) -> PruneReport:
    """Remove expired data, then truncate the write-ahead log, which may still contain it."""
    ended = sessions_services.end_expired_sessions()
    owners = list(Person.objects.values_list("id", flat=True))
    purged = sum(purge_bin(owner_id=owner) for owner in owners)
    versions = sum(purge_versions(owner_id=owner) for owner in owners)
    backups = retention.remove_outdated_backups(
        settings.BACKUP_DIR, now=now, days=settings.BACKUP_KEEP_DAYS, weeks=settings.BACKUP_KEEP_WEEKS
    )
    replaced = retention.remove_replaced_databases(settings.DATA_DIR / restore.REPLACED_FOLDER, now=now)
    strays = retention.remove_leftovers(settings.DATA_DIR, backups=settings.BACKUP_DIR, now=now)
    return PruneReport(
        sessions=ended,
        entries=purged,
        versions=versions,
        backups=backups,
        replaced=replaced,
        indexes=remove_unused_indexes(settings.DATA_DIR / "search"),
        strays=strays,
        is_log_truncated=truncate_wal(),
    )


def remove_unused_indexes(folder: Path) -> int:
    """Remove sealed indexes of deleted people and of destroyed keys; return how many."""
    epochs = {str(owner): epoch for owner, epoch in Vault.objects.values_list("owner_id", "epoch")}
    dead = [
        path
        for path in folder.glob("*/*.sealed")
        if (found := _INDEX_FILE_NAME.fullmatch(path.name)) and epochs.get(path.parent.name) != int(found[1])
    ]
    for path in dead:
        path.unlink(missing_ok=True)
    return len(dead)
