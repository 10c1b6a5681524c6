"""A backup put in the place of the household's database; killed anywhere, one of the two is there, whole.

unpack and check in <data>/restoring/       the database in use is not touched
old database: its log folded in, held shut  still the old one, now in a single file
sealed indexes of the old one removed       they can be made again from either database
old file linked to <data>/replaced/         it stays there under the moment's name
new file renamed over the old               the one step that counts, and it is atomic
sealed indexes, prompts, secrets put back   missing ones are made again or asked for
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from llamora.database import shelf
from llamora.management import data_folder, startup
from llamora.management.backup import archive, copying, structure
from llamora.management.backup.opening import standing_on
from llamora.management.backup.taking import sync
from llamora.management.refusals import Refusal

STAGING, REPLACED, SETTINGS = "restoring", "replaced", "restored.env"
_BESIDE = ("-wal", "-shm", "-journal")
_UNREADABLE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What a restore did."""

    envelopes: int
    kept_aside: Path | None
    settings: Path | None


def restore(
    backup: Path, *, database: Path, key_file: Path, now: datetime, prove: Callable[[], None] | None = None
) -> Restored:
    """Put a backup, or a database file, in place of `database`; raise Refusal before anything is changed.

    `prove` runs with the models reading the database to be, and raises Refusal to leave all as it is.
    """
    data_dir = database.parent
    data_folder.prepare(data_dir, key_file=key_file, key="")
    with data_folder.lock(data_dir):
        staging = data_dir / STAGING
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700)
        try:
            found = _stage(backup, staging)
            _bring_up_to_date(staging / archive.DATABASE, prove)
            aside = _swap(staging, database, now=now)
            settings = _put_back(staging, data_dir=data_dir, key_file=key_file)
        except OSError as error:
            raise Refusal(f"The backup could not be put back: {error.strerror}.") from None
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return Restored(envelopes=found.envelopes, kept_aside=aside, settings=settings)


# --- Before anything is changed ------------------------------------------------------------------


def _stage(backup: Path, staging: Path) -> structure.Structure:
    stage(backup, staging)
    found = structure.inspect(staging / archive.DATABASE)
    if found.problems:
        raise Refusal(f"This backup is damaged, so nothing was changed. {' '.join(found.problems)}")
    return found


def stage(backup: Path, folder: Path) -> None:
    """Put what is in a backup, or a bare database file, into an empty folder; raise Refusal."""
    try:
        with backup.open("rb") as file:
            is_database = file.read(16) == b"SQLite format 3\0"
    except OSError as error:
        raise Refusal(f"{backup} cannot be read: {error.strerror}.") from None
    if not is_database:
        archive.unpack(backup, folder)
        return
    try:
        copying.copy_database(backup, folder / archive.DATABASE)
    except sqlite3.Error as error:
        raise Refusal(f"{backup.name} is damaged: {error}.") from None
    copying.forget_sessions(folder / archive.DATABASE)


def _bring_up_to_date(staged: Path, prove: Callable[[], None] | None) -> None:
    """Migrate the staged copy as `up` would do; a backup that cannot be is found out here."""
    with standing_on(staged):
        startup.migrate()
        if prove is not None:
            prove()
    with closing(copying.connect(staged)) as database:
        copying.into_one_file(database)
    _sync_file(staged)


# --- The change --------------------------------------------------------------------------------------


def _swap(staging: Path, database: Path, *, now: datetime) -> Path | None:
    with _held_shut(database):
        with suppress(FileNotFoundError):
            (database.parent / "search").rename(staging / "search-before")
        aside = _keep_aside(database, now=now)
        for suffix in _BESIDE:
            # A log left beside would be read into the new file: it would be torn.
            database.with_name(database.name + suffix).unlink(missing_ok=True)
        sync(database.parent)
        (staging / archive.DATABASE).replace(database)
        sync(database.parent)
    return aside


@contextmanager
def _held_shut(database: Path) -> Iterator[None]:
    """Fold the old database into one file and let nobody else in; a damaged one is left as it is."""
    if not database.exists():
        yield
        return
    with closing(copying.connect(database)) as old:
        try:
            copying.into_one_file(old)
            old.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _UNREADABLE:
                raise Refusal(
                    f"The database in use could not be set aside: {error}. Something else may be using it; "
                    "end that, and try again. Nothing was changed."
                ) from None
        yield


def _keep_aside(database: Path, *, now: datetime) -> Path | None:
    """Give the old file, and a log it could not be parted from, a second name under `replaced`."""
    if not database.exists():
        return None
    folder = database.parent / REPLACED
    folder.mkdir(mode=0o700, exist_ok=True)
    aside = folder / f"llamora-{shelf.stamp(now)}.sqlite3"
    for suffix in ("", *_BESIDE):
        old, kept = database.with_name(database.name + suffix), aside.with_name(aside.name + suffix)
        if old.exists():
            kept.unlink(missing_ok=True)
            _link(old, kept)
    # Kept from today on, however old the file is.
    os.utime(aside, (now.timestamp(), now.timestamp()))
    sync(folder)
    return aside


def _link(old: Path, kept: Path) -> None:
    try:
        kept.hardlink_to(old)
    except OSError:
        # A file system without a second name for a file.
        shutil.copy2(old, kept)
        _sync_file(kept)


# --- What belongs to it ------------------------------------------------------------------------------


def _put_back(staging: Path, *, data_dir: Path, key_file: Path) -> Path | None:
    """Put the rest in its place; what stands there already stays, but for the sealed indexes."""
    if (staging / "search").is_dir():
        (staging / "search").rename(data_dir / "search")
    for source in sorted((staging / "prompts").rglob("*")):
        if source.is_file():
            _where_absent(source, data_dir / source.relative_to(staging))
    if (staging / archive.SECRET_KEY).is_file():
        _where_absent(staging / archive.SECRET_KEY, key_file)
    settings = staging / archive.SETTINGS
    return settings.replace(data_dir / SETTINGS) if settings.is_file() else None


def _where_absent(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not target.exists():
        source.rename(target)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
