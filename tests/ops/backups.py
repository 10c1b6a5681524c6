"""A household to keep: people with entries in the tests' database, and folders to copy it into."""

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


def database() -> Path:
    """The tests' own database file."""
    return Path(connection.settings_dict["NAME"])


@dataclass(kw_only=True)
class BackupFolders:
    """A data folder that a backup is taken from and another that it is restored to."""

    folder: Path

    @property
    def house(self) -> HouseholdFiles:
        (self.folder / "here").mkdir(mode=0o700, exist_ok=True)
        return HouseholdFiles(data_dir=self.folder / "here", database=database(), environment={})

    @property
    def shelf(self) -> Path:
        return self.folder / "backups"

    @property
    def there(self) -> Path:
        """The database of the household that is restored to."""
        return self.folder / "there" / "llamora.sqlite3"

    @property
    def key_file(self) -> Path:
        return self.there.parent / "secrets" / "secret_key"

    def taken(self, *, now: datetime = NOW, with_secrets: bool = False) -> BackupReport:
        return create.create_backup(self.house, folder=self.shelf, now=now, with_secrets=with_secrets)


def rows(path: Path, table: str) -> int:
    """How many rows a table of any database file has."""
    with closing(sqlite3.connect(path)) as found:
        return int(found.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])


def everything_in(folder: Path) -> bytes:
    """The bytes of all files below a folder."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def dies_at_step(step: int, *, events: Collection[str]) -> None:
    """Have this process die before its nth of these events (files, connections) from here."""
    seen = 0

    def count(event: str, _: object) -> None:
        nonlocal seen
        if event in events:
            seen += 1
            if seen == step:
                os._exit(KILLED)

    sys.addaudithook(count)
