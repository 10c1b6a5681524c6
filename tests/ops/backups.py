"""A household with people and entries, and folders for its backups."""

import os
import sqlite3
import sys
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection

from llamora.ops.backup import create
from llamora.ops.backup.create import BackupReport, HouseholdFiles
from tests.rotation.processes import KILLED

NOW = datetime(2026, 11, 20, 10, 15, tzinfo=UTC)


def get_database_path() -> Path:
    """Return the database file of the tests."""
    return Path(connection.settings_dict["NAME"])


@dataclass(kw_only=True)
class BackupFolders:
    """A data folder to back up, and another to restore to."""

    folder: Path

    @property
    def house(self) -> HouseholdFiles:
        (self.folder / "here").mkdir(mode=0o700, exist_ok=True)
        return HouseholdFiles(data_dir=self.folder / "here", database=get_database_path(), environment={})

    @property
    def backup_folder(self) -> Path:
        return self.folder / "backups"

    @property
    def target_database(self) -> Path:
        """The database of the household that is restored to."""
        return self.folder / "there" / "llamora.sqlite3"

    @property
    def key_file(self) -> Path:
        return self.target_database.parent / "secrets" / "secret_key"

    def create_backup(self, *, now: datetime = NOW, with_secrets: bool = False) -> BackupReport:
        return create.create_backup(self.house, folder=self.backup_folder, now=now, with_secrets=with_secrets)


def count_rows(path: Path, table: str) -> int:
    """Return the number of rows of a table in a database file."""
    with closing(sqlite3.connect(path)) as found:
        return int(found.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])


def read_all_files(folder: Path) -> bytes:
    """Return the bytes of all files in a folder."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def die_at_step(step: int, *, events: Collection[str]) -> None:
    """Make this process exit at the nth of these audit events from now on."""
    seen = 0

    def count(event: str, _: object) -> None:
        nonlocal seen
        if event in events:
            seen += 1
            if seen == step:
                os._exit(KILLED)

    sys.addaudithook(count)
