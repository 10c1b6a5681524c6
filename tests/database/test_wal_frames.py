"""Tests of the check of a write-ahead log: damage is found, and the remains of a crash are not damage."""

import os
import random
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from llamora.database.wal_frames import scan_wal

COMMITS = 12
HEADER_BYTES, FRAME_BYTES = 32, 24 + 4096


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The log of a database with twelve commits of several frames, as a killed process leaves it."""
    return make_log(tmp_path)


def make_log(folder: Path, act: Callable[[sqlite3.Connection], None] = lambda _: None) -> Path:
    """Make a database, and copy it with its log while it is in use; `act` writes more before the copy."""
    live, left = folder / "live", folder / "left"
    with closing(sqlite3.connect(live, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA wal_autocheckpoint = 0")
        database.execute("CREATE TABLE texts (text BLOB)")
        for number in range(1, COMMITS):
            commit(database, number)
        act(database)
        left.write_bytes(live.read_bytes())
        log = left.with_name("left-wal")
        log.write_bytes(live.with_name("live-wal").read_bytes())
    return log


def commit(database: sqlite3.Connection, number: int) -> None:
    database.execute("BEGIN IMMEDIATE")
    database.execute("INSERT INTO texts VALUES (randomblob(9000))")
    database.execute(f"PRAGMA user_version = {number}")
    database.execute("COMMIT")


def read_number(header: bytes | None) -> int:
    assert header is not None
    return int.from_bytes(header[60:64], "big")


def read_with_sqlite(log: Path) -> int:
    """Return the number of the last commit that SQLite finds in the log."""
    with closing(sqlite3.connect(log.with_name("left"))) as database:
        return int(database.execute("PRAGMA user_version").fetchone()[0])


def test_a_whole_log_is_read_to_its_end(log: Path) -> None:
    scan = scan_wal(log)

    assert not scan.is_damaged
    assert scan.commits == COMMITS
    assert read_number(scan.database_header) == COMMITS - 1 == read_with_sqlite(log)


@pytest.mark.parametrize("content", [b"", b"\0" * 31, b"\0" * 32, b"x" * 20])
def test_a_log_without_a_frame_has_nothing_to_check(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "left-wal"
    assert not scan_wal(path).is_damaged

    path.write_bytes(content)
    assert not scan_wal(path).is_damaged


def test_every_flipped_bit_ends_the_check_where_it_ends_sqlite(log: Path) -> None:
    whole = log.read_bytes()
    database = log.with_name("left").read_bytes()
    chance = random.Random(7)
    for where in [*range(HEADER_BYTES), *(chance.randrange(len(whole)) for _ in range(40))]:
        damaged = bytearray(whole)
        damaged[where] ^= 1 << chance.randrange(8)
        log.write_bytes(damaged)
        log.with_name("left").write_bytes(database)
        scan = scan_wal(log)
        found = read_number(scan.database_header) if scan.database_header else 0

        # Version and number of the header are not looked at by SQLite, but are in its sum.
        assert found == read_with_sqlite(log), where
        lost = COMMITS - 1 - found
        # Of the commit with the bad frame the end may stand behind that.
        assert scan.is_damaged == (scan.commits_after_damage > 1)
        assert scan.commits_after_damage in (lost, lost - 1) or scan.is_header_damaged, where
        if lost > 2:
            assert scan.is_damaged, where


def test_a_frame_with_other_salts_in_the_middle_is_damage(log: Path) -> None:
    content = bytearray(log.read_bytes())
    content[HEADER_BYTES + 8 : HEADER_BYTES + 16] = bytes(8)
    log.write_bytes(content)

    assert scan_wal(log).is_damaged


@pytest.mark.parametrize("start", [0, 1, 2, 7, 15])
def test_a_block_of_zeros_is_damage(log: Path, start: int) -> None:
    content = bytearray(log.read_bytes())
    content[start * 4096 : (start + 1) * 4096] = bytes(4096)
    log.write_bytes(content)

    assert scan_wal(log).is_damaged


def test_a_log_in_the_other_byte_order_is_checked_too(log: Path) -> None:
    log.write_bytes(turn_byte_order(log.read_bytes()))
    scan = scan_wal(log)

    assert (scan.commits, scan.is_damaged) == (COMMITS, False)
    assert read_with_sqlite(log) == COMMITS - 1


def turn_byte_order(content: bytes) -> bytes:
    """Return a log with its sums over words of the other byte order, by the rule as it is written."""
    magic = int.from_bytes(content[:4], "big") ^ 1
    order = ">" if magic & 1 else "<"

    def add(sums: tuple[int, int], part: bytes) -> tuple[int, int]:
        first, second = sums
        words = struct.unpack(f"{order}{len(part) // 4}I", part)
        for one, two in zip(words[::2], words[1::2], strict=True):
            first = (first + one + second) % 2**32
            second = (second + two + first) % 2**32
        return first, second

    head = struct.pack(">I", magic) + content[4:24]
    sums = add((0, 0), head)
    turned = head + struct.pack(">2I", *sums)
    for start in range(HEADER_BYTES, len(content), FRAME_BYTES):
        frame = content[start : start + FRAME_BYTES]
        sums = add(sums, frame[:8] + frame[24:])
        turned += frame[:16] + struct.pack(">2I", *sums) + frame[24:]
    return turned


# --- What is left by a crash -----------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [1, 100, FRAME_BYTES, FRAME_BYTES + 1, 2 * FRAME_BYTES + 50])
def test_a_last_commit_that_was_not_finished_is_no_damage(log: Path, cut: int) -> None:
    os.truncate(log, log.stat().st_size - cut)

    assert not scan_wal(log).is_damaged


def test_a_last_commit_of_which_a_power_cut_left_only_the_end_is_no_damage(log: Path) -> None:
    content = bytearray(log.read_bytes())
    content[-2 * FRAME_BYTES : -FRAME_BYTES] = bytes(FRAME_BYTES)
    log.write_bytes(content)
    scan = scan_wal(log)

    assert scan.commits == COMMITS - 1
    assert scan.commits_after_damage == 1
    assert not scan.is_damaged


def test_frames_of_an_earlier_round_behind_the_end_are_no_damage(tmp_path: Path) -> None:
    def begin_new_round(database: sqlite3.Connection) -> None:
        database.execute("PRAGMA wal_checkpoint(RESTART)")
        commit(database, 100)

    log = make_log(tmp_path, begin_new_round)
    scan = scan_wal(log)

    assert log.stat().st_size > 20 * FRAME_BYTES
    assert (scan.commits, scan.is_damaged) == (1, False)
    assert read_number(scan.database_header) == 100 == read_with_sqlite(log)


def test_frames_of_transactions_that_were_undone_are_no_damage(tmp_path: Path) -> None:
    def undo(database: sqlite3.Connection) -> None:
        database.execute("PRAGMA cache_size = 4")
        for number in range(100, 103):
            database.execute("BEGIN IMMEDIATE")
            for _ in range(30 - 5 * (number - 100)):
                database.execute("INSERT INTO texts VALUES (randomblob(9000))")
            database.execute("ROLLBACK")
            commit(database, number)

    log = make_log(tmp_path, undo)
    scan = scan_wal(log)

    assert scan.commits == COMMITS + 3
    assert not scan.is_damaged
    assert read_number(scan.database_header) == 102 == read_with_sqlite(log)
