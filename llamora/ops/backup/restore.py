"""Restoration of a backup: replaces the database; after a crash, either the old or the new one is complete.

unpack and check in <data>/restoring/       the database in use is not touched
place files of former keys                  under temporary names, beside those of the old database
merge the old database's log, lock it       still the old database, now in a single file
remove the commit log                       it belongs to the old database; the next start begins one
empty the register of credentials           browsers sign in again, and tokens wait for their owners, even
                                            if the restore is killed here
move the old sealed indexes away            either database can rebuild them
link the old file to <data>/replaced/       it stays there, named by the time of the restore, with its files
                                            of former keys
rename the new file over the old one        the replacement, which is atomic
rename the files of former keys             in place of those of the old database
restore sealed indexes, prompts, secrets    missing indexes are rebuilt
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from accounts.keys import former_keys, token_slots
from llamora.database import backup_files
from llamora.database.commit_log import remove_commit_log
from llamora.database.credential_register import clear_register
from llamora.ops import data_folder, startup
from llamora.ops.backup import archive, integrity, snapshot
from llamora.ops.backup.create import sync_folder
from llamora.ops.backup.verify_secret import using_database_file
from llamora.ops.errors import OperationRefused

STAGING_FOLDER, REPLACED_FOLDER, SETTINGS_FILE = "restoring", "replaced", "restored.env"
# Stands in the staging folder from when everything is placed, just before the database is replaced.
_READY = "ready"
# Between the names of a replaced database and of its file of a former key.
_FORMER = "-former-"
_SIDECAR_SUFFIXES = ("-wal", "-shm", "-journal")
_UNREADABLE_CODES = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@dataclass(frozen=True, kw_only=True)
class RestoreReport:
    """The result of a restore."""

    envelopes: int
    set_aside_path: Path | None
    settings_path: Path | None


def restore_backup(
    backup: Path,
    *,
    database: Path,
    key_file: Path,
    now: datetime,
    check_secret: Callable[[], None] | None = None,
) -> RestoreReport:
    """Replace `database` with a backup or a database file.

    `check_secret` is called while the models use the new database. If it or another check raises
    OperationRefused, the old database stays. After the replacement, OperationRefused is raised if the other
    files of the backup can't be restored; it then says that the database was replaced.
    """
    data_dir = database.parent
    _is_database_file(backup)
    data_folder.prepare(data_dir, key_file=key_file)
    with data_folder.lock(data_dir):
        staging = data_dir / STAGING_FOLDER
        _settle_former_keys(staging, data_dir)
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700)
        try:
            found = _stage_and_check(backup, staging)
            _migrate_staged(staging / archive.DATABASE, check_secret)
            placed = sorted((staging / former_keys.FOLDER).glob("*"))
            former_keys.place_restored_files(placed, data_dir / former_keys.FOLDER)
            (staging / _READY).touch()
            sync_folder(staging)
            aside = _swap_database(staging, database, now=now)
            settings = _complete_restore(staging, data_dir=data_dir, key_file=key_file)
        except OSError as error:
            raise OperationRefused(f"The backup could not be restored: {error.strerror}.") from None
        finally:
            _settle_former_keys(staging, data_dir)
            shutil.rmtree(staging, ignore_errors=True)
    return RestoreReport(envelopes=found.envelopes, set_aside_path=aside, settings_path=settings)


# --- Before anything is changed ------------------------------------------------------------------


def _stage_and_check(backup: Path, staging: Path) -> integrity.IntegrityReport:
    stage_backup(backup, staging)
    # Missing triggers are created again below.
    found = integrity.check_database(staging / archive.DATABASE, with_triggers=False)
    if found.problems:
        raise OperationRefused(f"This backup is damaged, so nothing was changed. {' '.join(found.problems)}")
    return found


def stage_backup(backup: Path, folder: Path) -> None:
    """Unpack a backup, or copy a database file, into an empty folder; raise OperationRefused."""
    if not _is_database_file(backup):
        archive.unpack_archive(backup, folder)
        return
    try:
        snapshot.copy_database(backup, folder / archive.DATABASE)
    except sqlite3.Error as error:
        raise OperationRefused(f"{backup.name} is damaged: {error}.") from None
    snapshot.delete_sessions(folder / archive.DATABASE)
    (folder / former_keys.FOLDER).mkdir(mode=0o700)
    for path in backup.parent.glob(f"{backup.name}{_FORMER}*"):
        shutil.copy2(path, folder / former_keys.FOLDER / path.name.removeprefix(f"{backup.name}{_FORMER}"))


def _is_database_file(path: Path) -> bool:
    """Return whether a file is a database, and not a backup; raise OperationRefused if it can't be read."""
    try:
        with path.open("rb") as file:
            return file.read(16) == b"SQLite format 3\0"
    except OSError as error:
        raise OperationRefused(f"{path} can't be read: {error.strerror}.") from None


def _migrate_staged(staged: Path, check_secret: Callable[[], None] | None) -> None:
    """Migrate the unpacked database, to find out now whether that works, then call `check_secret`."""
    with using_database_file(staged):
        startup.migrate()
        startup.restore_fence()
        # Which were revoked since the backup, only their owners know.
        token_slots.suspend_tokens()
        if check_secret is not None:
            check_secret()
    with closing(snapshot.open_database(staged)) as database:
        snapshot.leave_wal_mode(database)
    _sync_file(staged)


# --- The replacement --------------------------------------------------------------------------------------


def _swap_database(staging: Path, database: Path, *, now: datetime) -> Path | None:
    with _lock_old_database(database):
        with suppress(FileNotFoundError):
            (database.parent / "search").rename(staging / "search-before")
        aside = _preserve_old_database(database, now=now)
        for suffix in _SIDECAR_SUFFIXES:
            # A log left beside would be read into the new file and damage it.
            database.with_name(database.name + suffix).unlink(missing_ok=True)
        # The new database is behind it, but has lost nothing.
        remove_commit_log(database)
        # No browser and no program is let in by rows of the new one before its people said so.
        clear_register(database)
        sync_folder(database.parent)
        (staging / archive.DATABASE).replace(database)
        sync_folder(database.parent)
    return aside


@contextmanager
def _lock_old_database(database: Path) -> Iterator[None]:
    """Merge the old database and its log into one file and lock it; do nothing if it is damaged."""
    if not database.exists():
        yield
        return
    with closing(snapshot.open_database(database)) as old:
        try:
            snapshot.leave_wal_mode(old)
            old.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _UNREADABLE_CODES:
                raise OperationRefused(
                    f"The old database could not be moved: {error}. Another program may be using it; close "
                    "that program and try again. Nothing was changed."
                ) from None
        yield


def _preserve_old_database(database: Path, *, now: datetime) -> Path | None:
    """Link the old database, and its log if there is one, into the folder `replaced`; return the new path."""
    if not database.exists():
        return None
    folder = database.parent / REPLACED_FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    aside = folder / f"llamora-{backup_files.format_timestamp(now)}.sqlite3"
    for suffix in ("", *_SIDECAR_SUFFIXES):
        old, copy = database.with_name(database.name + suffix), aside.with_name(aside.name + suffix)
        if old.exists():
            copy.unlink(missing_ok=True)
            _link_or_copy(old, copy)
    for old in sorted((database.parent / former_keys.FOLDER).glob("*[0-9]")):
        # A copy: a rotation of the new database overwrites its file before removing it.
        shutil.copy2(old, copy := aside.with_name(f"{aside.name}{_FORMER}{old.name}"))
        _sync_file(copy)
    # The thirty days begin today, however old the file is.
    os.utime(aside, (now.timestamp(), now.timestamp()))
    sync_folder(folder)
    return aside


def _link_or_copy(old: Path, copy: Path) -> None:
    try:
        copy.hardlink_to(old)
    except OSError:
        # A file system without a second name for a file.
        shutil.copy2(old, copy)
        _sync_file(copy)


def _settle_former_keys(staging: Path, data_dir: Path) -> None:
    """Use the placed files of former keys if the database was replaced, else remove them.

    If a restore was killed, the next one calls this too: the files left in `staging` tell whether the
    database was replaced.
    """
    if not staging.is_dir():
        return
    ready, folder = staging / _READY, data_dir / former_keys.FOLDER
    if not ready.exists() or (staging / archive.DATABASE).exists():
        former_keys.remove_restored_files(folder)
    else:
        former_keys.adopt_restored_files(folder)
    ready.unlink(missing_ok=True)


# --- The other files ------------------------------------------------------------------------------


def _complete_restore(staging: Path, *, data_dir: Path, key_file: Path) -> Path | None:
    """Restore the other files of the backup; an error says that the database has already been replaced."""
    try:
        _settle_former_keys(staging, data_dir)
        return _restore_other_files(staging, data_dir=data_dir, key_file=key_file)
    except OSError as error:
        raise OperationRefused(
            "The database was replaced with that of the backup, but not all other files could be restored: "
            f"{error.strerror}. Correct that, then restore the backup again."
        ) from None


def _restore_other_files(staging: Path, *, data_dir: Path, key_file: Path) -> Path | None:
    """Restore the indexes, and missing prompts and secrets; return the path of the restored settings."""
    if (staging / "search").is_dir():
        (staging / "search").rename(data_dir / "search")
    for source in sorted((staging / "prompts").rglob("*")):
        if source.is_file():
            _move_if_absent(source, data_dir / source.relative_to(staging))
    if (staging / archive.SECRET_KEY).is_file():
        _move_if_absent(staging / archive.SECRET_KEY, key_file)
    settings = staging / archive.SETTINGS
    return settings.replace(data_dir / SETTINGS_FILE) if settings.is_file() else None


def _move_if_absent(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not target.exists():
        source.rename(target)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
