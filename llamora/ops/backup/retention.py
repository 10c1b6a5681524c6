"""Deletion of old backups, of replaced databases and of files left by interrupted work."""

import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path

from llamora.database import backup_files

# As long as the bin: what a person deleted for good is then nowhere but in the retained backups.
REPLACED_RETENTION = timedelta(days=30)
_LEFTOVER_AGE = timedelta(hours=6)


def remove_outdated_backups(folder: Path, *, now: datetime, days: int, weeks: int) -> int:
    """Remove outdated backups, but never the newest one; return how many."""
    outdated = backup_files.select_outdated(
        backup_files.list_backups(folder), now=now, days=days, weeks=weeks
    )
    for backup in outdated:
        backup.path.unlink(missing_ok=True)
    return len(outdated)


def remove_replaced_databases(folder: Path, *, now: datetime) -> int:
    """Remove databases that a restore replaced more than thirty days ago; return the number of files."""
    return sum(
        _remove_path(path)
        for path in _find_older(folder, "llamora-*.sqlite3*", before=now - REPLACED_RETENTION)
    )


def remove_leftovers(data_dir: Path, *, backups: Path, now: datetime) -> int:
    """Remove files and folders left by interrupted work; return how many."""
    before = now - _LEFTOVER_AGE
    strays = [
        *_find_older(backups, ".llamora-*.part", before=before),
        *_find_older(data_dir, "restoring*", before=before),
        *_find_older(data_dir, "verifying-*", before=before),
        *_find_older(data_dir / "secrets", "*.new", before=before),
        *(path for path in _find_older(data_dir / "search", "*/*.part", before=before)),
    ]
    return sum(_remove_path(path) for path in strays)


def _find_older(folder: Path, pattern: str, *, before: datetime) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.glob(pattern) if path.lstat().st_mtime < before.timestamp()]


def _remove_path(path: Path) -> int:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    return int(not os.path.lexists(path))
