"""Deletion of old backups, of replaced databases and of files left by interrupted work."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from django.db import DatabaseError

from llamora.clock import services as clock
from llamora.database import FIRST_MOMENT, backup_files

# As long as the bin: what a person deleted for good is then nowhere but in the retained backups.
REPLACED_RETENTION = timedelta(days=30)
_LEFTOVER_AGE = timedelta(hours=6)
# Somebody may want to go on with a download that ended early.
_DOWNLOAD_AGE = timedelta(days=7)


def remove_outdated_backups(
    folder: Path, *, now: datetime, days: int, weeks: int, errors: list[OSError]
) -> int:
    """Delete outdated backups, but never the newest one; return their number.

    While elapsed time is unknown, ages are taken from the wall clock, because enough backups always remain;
    backups that were made before an update are then not deleted. Here and in the other functions, the errors
    of files that could not be deleted are appended to `errors`.
    """
    outdated = backup_files.select_outdated(
        backup_files.list_backups(folder),
        now=min(now, _find_now(timedelta(days=days)) or now),
        days=days,
        weeks=weeks,
        updates_before=_find_cutoff(backup_files.UPDATE_RETENTION) or FIRST_MOMENT,
    )
    return sum(_remove_path(backup.path, errors) for backup in outdated)


def _find_cutoff(age: timedelta) -> datetime | None:
    """Return the time before which things are older than `age`; None if it is unknown."""
    try:
        return clock.get_cutoff(age)
    except DatabaseError:
        return None


def _find_now(age: timedelta) -> datetime | None:
    cutoff = _find_cutoff(age)
    return None if cutoff is None else cutoff + age


def remove_replaced_databases(folder: Path, *, errors: list[OSError]) -> int:
    """Remove databases that a restore replaced more than thirty days ago; return the number of files."""
    before = clock.get_cutoff(REPLACED_RETENTION)
    if before is None:
        return 0
    return sum(
        _remove_path(path, errors) for path in _find_older(folder, "llamora-*.sqlite3*", before=before)
    )


def remove_leftovers(data_dir: Path, *, backups: Path, now: datetime, errors: list[OSError]) -> int:
    """Delete files and folders left by interrupted work; return their number.

    All that they contain exists in other places or can be made again. So while elapsed time is unknown, their
    ages are taken from the wall clock.
    """
    now = min(now, _find_now(_LEFTOVER_AGE) or now)
    before = now - _LEFTOVER_AGE
    strays = [
        *_find_older(data_dir, "restoring*", before=before),
        *_find_older(data_dir, "verifying-*", before=before),
        *_find_older(data_dir / "secrets", "*.new", before=before),
        *(path for path in _find_older(data_dir / "search", "*/*.part", before=before)),
        *_find_older(data_dir / "models", ".choice.json.*.new", before=before),
        *_find_older(data_dir / "models", "*.gguf.part*", before=now - _DOWNLOAD_AGE),
    ]
    removed = sum(_remove_path(path, errors) for path in strays)
    return removed + remove_abandoned_parts(backups, now=now, errors=errors)


def remove_abandoned_parts(folder: Path, *, now: datetime, errors: list[OSError]) -> int:
    """Delete the folders of killed backups, which no process has locked; return their number."""
    before = now - _LEFTOVER_AGE
    parts = [path for path in sorted(folder.glob(".llamora-*.part")) if _is_abandoned(path, before=before)]
    return sum(_remove_path(path, errors) for path in parts)


@contextmanager
def lock_part(path: Path) -> Iterator[None]:
    """Lock the folder of a backup in progress; the kernel releases the lock when the process ends or dies."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # some network shares lock no folders
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_abandoned(path: Path, *, before: datetime) -> bool:
    """Return whether no process has locked a folder; if unknown, whether it is older than `before`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(descriptor)
    except BlockingIOError:
        return False
    except OSError:
        return path.lstat().st_mtime < before.timestamp()
    return True


def _find_older(folder: Path, pattern: str, *, before: datetime) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.glob(pattern) if path.lstat().st_mtime < before.timestamp()]


def _remove_path(path: Path, errors: list[OSError]) -> int:
    """Remove a file or folder; return 1, or append the error and return 0."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        errors.append(error)
        return 0
    return 1
