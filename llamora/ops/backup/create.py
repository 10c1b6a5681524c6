"""Creation of a backup: copies the database without sessions, checks the copy, and writes the archive.

The file is renamed to the name of a backup only after the archive was read and checked, so every file with
such a name is complete.
"""

import os
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from accounts.keys import former_keys
from accounts.models import FormerKey
from llamora.database import backup_files, compaction, condition
from llamora.database.condition import FileState
from llamora.ops.backup import archive, integrity, retention, snapshot
from llamora.ops.backup.snapshot import StopCheck, never_stop
from llamora.ops.configuration import strip_credentials
from llamora.ops.errors import OperationRefused

_SECRET = re.compile(r"KEY|SECRET|TOKEN|PASSWORD")
_SECOND = timedelta(seconds=1)
# Beside the copy and the archive there should be room left for what people write meanwhile.
_SPARE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class HouseholdFiles:
    """The paths of the files that a backup contains."""

    data_dir: Path
    database: Path
    environment: Mapping[str, str]


def get_household_files() -> HouseholdFiles:
    """Return the paths of the household's files, from the settings."""
    database = Path(connections[DEFAULT_DB_ALIAS].settings_dict["NAME"])
    return HouseholdFiles(data_dir=settings.DATA_DIR, database=database, environment=os.environ)


@dataclass(frozen=True, kw_only=True)
class BackupReport:
    """The result of a finished backup."""

    path: Path
    size: int
    envelopes: int
    files: int


def create_backup(
    source: HouseholdFiles,
    *,
    folder: Path,
    now: datetime,
    with_secrets: bool = False,
    before_update: bool = False,
    stop: StopCheck = never_stop,
) -> BackupReport:
    """Create a backup in `folder`. Raise OperationRefused or BackupStopped, and leave no file in these cases.

    With `before_update`, fence triggers may be missing: an earlier update may have been killed, and the next
    one creates them.
    """
    file = condition.examine_file(source.database)
    if file.state is FileState.NEW:
        raise OperationRefused("Llamora is not set up here yet, so there is nothing to back up.")
    if file.sentence:
        raise OperationRefused(file.sentence)
    _create_folder(folder)
    retention.remove_abandoned_parts(folder, now=now, errors=[])
    _check_free_space(source, folder)
    made_at = _find_unused_moment(folder, now)
    name = backup_files.backup_file_name(made_at, before_update=before_update)
    part = folder / f".{name}.{os.getpid()}.part"
    locks = ExitStack()
    try:
        part.mkdir(mode=0o700)
        locks.enter_context(retention.lock_part(part))
        found = _copy_and_check(source.database, part, stop, with_triggers=not before_update)
        # Under its final name, which a refusal of `check_archive` says.
        whole = part / name
        with archive.create_archive(whole, made_at=made_at, stop=stop) as writer:
            files = _add_files(writer, source, part / archive.DATABASE, with_secrets=with_secrets)
        archive.check_archive(whole, stop=stop)
        path = folder / name
        whole.rename(path)
        sync_folder(folder)
    except (sqlite3.Error, OSError) as error:
        raise OperationRefused(_describe_failure(error)) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
        locks.close()
    return BackupReport(path=path, size=path.stat().st_size, envelopes=found.envelopes, files=files)


def _describe_failure(error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return f"The backup could not be made: {reason}. Nothing was changed."


def _create_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OperationRefused(f"The folder {folder} can't be created: {error.strerror}.") from None


def _check_free_space(source: HouseholdFiles, folder: Path) -> None:
    log = source.database.with_name(source.database.name + "-wal")
    size = source.database.stat().st_size + (log.stat().st_size if log.exists() else 0)
    sealed = sum(path.stat().st_size for path in _list_search_files(source.data_dir))
    needed, free = 2 * size + sealed + _SPARE_BYTES, shutil.disk_usage(folder).free
    if free < needed:
        raise OperationRefused(
            f"There is not enough space in {folder}: making a backup needs {needed // 2**20:,} MiB, and only "
            f"{free // 2**20:,} MiB are free."
        )


def _find_unused_moment(folder: Path, now: datetime) -> datetime:
    """Return `now` in whole seconds, or the next second that is not the time of an existing backup."""
    moment = now.replace(microsecond=0)
    taken = {backup.made_at for backup in backup_files.list_backups(folder)}
    while moment in taken:
        moment += _SECOND
    return moment


def _copy_and_check(
    database: Path, folder: Path, stop: StopCheck, *, with_triggers: bool
) -> integrity.IntegrityReport:
    """Copy the database without its sessions and check the copy; raise OperationRefused if it is damaged."""
    target = folder / archive.DATABASE
    # A key change may begin or end while the database is copied, so its files are copied before and after.
    _copy_former_key_files(database.parent, folder)
    is_due = compaction.is_compaction_due(database)
    snapshot.copy_database(database, target, stop=stop)
    _copy_former_key_files(database.parent, folder)
    _delete_other_former_key_files(target)
    snapshot.delete_sessions(target)
    if is_due or compaction.is_compaction_due(database):
        # The server writes its own file anew in its own time.
        snapshot.compact_copy(target)
    found = integrity.check_database(target, with_triggers=with_triggers, stop=stop)
    if stop():
        raise snapshot.BackupStopped
    if found.problems:
        raise OperationRefused(
            f"The database is damaged, so no backup was made of it. {found.problems[0]} "
            "Run manage.py verify, and don't delete your earlier backups."
        )
    return found


def _copy_former_key_files(data_dir: Path, folder: Path) -> None:
    target = folder / former_keys.FOLDER
    target.mkdir(mode=0o700, exist_ok=True)
    for path in _list_files(data_dir / former_keys.FOLDER, "*"):
        if archive.is_allowed_name(f"{former_keys.FOLDER}/{path.name}"):
            with suppress(FileNotFoundError):
                shutil.copyfile(path, target / path.name)


def _delete_other_former_key_files(copy: Path) -> None:
    """Delete the copied files of rotations that were not in progress when the database was copied."""
    with closing(snapshot.open_database(copy)) as database:
        database.row_factory = sqlite3.Row
        rows = database.execute(f"SELECT * FROM {FormerKey._meta.db_table}")  # noqa: S608 - our own name
        names = {f"{row['owner_id']}-{row['epoch']}" for row in rows}
    for path in _list_files(copy.parent / former_keys.FOLDER, "*"):
        if path.name not in names:
            path.unlink()


def _add_files(
    writer: archive.ArchiveWriter, source: HouseholdFiles, database: Path, *, with_secrets: bool
) -> int:
    added = int(writer.add(archive.DATABASE, database))
    # Without them, what such a key change has not reached yet could not be read in the restored household.
    for path in _list_files(database.parent / former_keys.FOLDER, "*"):
        added += writer.add(f"{former_keys.FOLDER}/{path.name}", path)
    for path in (*_list_search_files(source.data_dir), *_list_files(source.data_dir / "prompts", "*.txt")):
        name = path.relative_to(source.data_dir).as_posix()
        # What an editor or a file system left beside a prompt is no prompt; a restore would refuse it.
        added += writer.add(name, path) if archive.is_allowed_name(name) else 0
    writer.add_text(archive.SETTINGS, render_settings(source.environment, with_secrets=with_secrets))
    if with_secrets:
        added += writer.add(archive.SECRET_KEY, source.data_dir / "secrets" / "secret_key")
    return added + 1


def _list_search_files(data_dir: Path) -> list[Path]:
    return list(_list_files(data_dir / "search", "*.sealed"))


def _list_files(folder: Path, pattern: str) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob(pattern)) if path.is_file() and not path.is_symlink())


def render_settings(environment: Mapping[str, str], *, with_secrets: bool) -> str:
    """Return the settings in `environment` as the lines of a `.env` file."""
    lines = ["# The settings when this backup was made. The README explains them."]
    for name, value in sorted(environment.items()):
        if name.startswith("LLAMORA_") and (with_secrets or not _SECRET.search(name)):
            shown = value if with_secrets else strip_credentials(value)
            lines.append(
                f"{name}='{shown}'"
                if shown.isprintable()
                else f"# {name} is left out: it contains control characters."
            )
    return "\n".join(lines) + "\n"


def sync_folder(folder: Path) -> None:
    """Write the names in a folder to the disk (fsync)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
