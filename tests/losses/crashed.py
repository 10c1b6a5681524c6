"""A household whose process ended without closing its database, and damage to its files."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

from django.db import connection

from diary.models import Entry
from llamora.database import commit_log, truncate_wal, write_transaction
from tests.people import Resident

FIRST_DAY = date(2026, 3, 1)
SUFFIXES = ("", "-wal", "-commits")
HEADER_BYTES, FRAME_BYTES = 32, 24 + 4096


def begin_log() -> Path:
    """Begin a log of commits for the database of the tests; return the path of the database."""
    connection.ensure_connection()
    path = Path(connection.settings_dict["NAME"])
    commit_log.assign_household_number(connection.connection)
    truncate_wal()
    commit_log.begin_commit_log(path, connection.connection)
    return path


def save_entry(who: Resident, number: int) -> None:
    """Save one entry for a day of its own."""
    with who.unlocked(), write_transaction():
        day = FIRST_DAY.replace(day=1 + number % 28)
        text = f"Entry {number}. " + "rain " * (number * 131 % 900)
        Entry.objects.create(owner_id=who.id, day=day, text=text)


@dataclass(frozen=True, kw_only=True)
class CrashedHousehold:
    """A copy of a database and its logs, made while the database was in use."""

    database: Path
    entries: int

    @property
    def wal(self) -> Path:
        return Path(f"{self.database}-wal")

    @property
    def frames(self) -> int:
        return (self.wal.stat().st_size - HEADER_BYTES) // FRAME_BYTES

    def count_entries(self) -> int:
        """Return the number of entries that SQLite reads; it then overwrites what it does not read."""
        with closing(sqlite3.connect(self.database)) as found:
            return int(found.execute("SELECT count(*) FROM diary_entry").fetchone()[0])

    def change(self, change: Callable[[bytearray], None]) -> None:
        """Change the bytes of the write-ahead log."""
        content = bytearray(self.wal.read_bytes())
        change(content)
        self.wal.write_bytes(content)


def copy_files(database: Path, target: Path) -> Path:
    """Copy a database and its logs."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for suffix in SUFFIXES:
        shutil.copyfile(f"{database}{suffix}", f"{target}{suffix}")
    return target


def crash(who: Resident, folder: Path, *, entries: int = 20) -> CrashedHousehold:
    """Save entries, copy the files as they are then, and beside them an older log, of half of the entries."""
    database = begin_log()
    for number in range(entries // 2):
        save_entry(who, number)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(f"{database}-wal", folder / "older-wal")
    for number in range(entries // 2, entries):
        save_entry(who, number)
    copy = copy_files(database, folder / "llamora.sqlite3")
    commit_log.remove_commit_log(database)
    return CrashedHousehold(database=copy, entries=entries)


# --- Damages ---------------------------------------------------------------------------------------------


def flip_bit(house: CrashedHousehold, chance: Random) -> None:
    """Flip a bit anywhere."""

    def change(content: bytearray) -> None:
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)

    house.change(change)


def flip_bit_of_header(house: CrashedHousehold, chance: Random) -> None:
    """Flip a bit of the header of the log, or of a frame's own."""
    start = chance.choice([0, HEADER_BYTES + chance.randrange(house.frames) * FRAME_BYTES])

    def change(content: bytearray) -> None:
        content[start + chance.randrange(24)] ^= 1 << chance.randrange(8)

    house.change(change)


def zero_block(house: CrashedHousehold, chance: Random) -> None:
    """Overwrite a block of the disk with zeros."""
    start = chance.randrange(house.wal.stat().st_size // 4096) * 4096

    def change(content: bytearray) -> None:
        content[start : start + 4096] = bytes(4096)

    house.change(change)


def zero_tail(house: CrashedHousehold, chance: Random) -> None:
    """Overwrite the end with zeros."""
    start = chance.randrange(house.wal.stat().st_size - FRAME_BYTES)

    def change(content: bytearray) -> None:
        content[start:] = bytes(len(content) - start)

    house.change(change)


def cut(house: CrashedHousehold, chance: Random) -> None:
    """Cut the end off."""
    with house.wal.open("r+b") as file:
        file.truncate(chance.randrange(house.wal.stat().st_size))


def cut_out(house: CrashedHousehold, chance: Random) -> None:
    """Remove some bytes in the middle."""
    start = chance.randrange(house.wal.stat().st_size - 512)

    def change(content: bytearray) -> None:
        del content[start : start + 512]

    house.change(change)


def delete_log(house: CrashedHousehold, chance: Random) -> None:
    """Delete the log."""
    house.wal.unlink()


def put_older_log(house: CrashedHousehold, chance: Random) -> None:
    """Replace the log by an earlier copy of it."""
    shutil.copyfile(house.database.with_name("older-wal"), house.wal)


DAMAGES = (
    *(flip_bit, flip_bit_of_header, zero_block, zero_tail),
    *(cut, cut_out, delete_log, put_older_log),
)
