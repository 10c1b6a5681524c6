"""Tests of damage to the write-ahead log: each lost save is noticed, and a crash is not taken for damage."""

import itertools
import os
import shutil
import signal
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from django.db import connections

from diary.models import Entry
from llamora.database import commit_log
from llamora.database.losses import find_loss
from tests.browser_client import Visitor
from tests.losses import crashed
from tests.losses.crashed import DAMAGES, FIRST_DAY, CrashedHousehold
from tests.people import Resident, new_resident
from tests.rotation.processes import KILLED, run_forked
from tests.server import run_command, run_server

ROUNDS, ALL_ROUNDS = 5, 90
MOST_TRIES = 10


@pytest.fixture
def olive(transactional_db: None) -> Resident:
    return new_resident("Olive")


Damage = Callable[[CrashedHousehold, Random], None]


@pytest.mark.parametrize(
    ("damage", "number"),
    [
        pytest.param(damage, number, marks=[] if number == 0 else [pytest.mark.slow])
        for damage, number in itertools.product(DAMAGES, range(MOST_TRIES))
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_damage_that_loses_a_save_is_noticed(
    olive: Resident, tmp_path: Path, damage: Damage, number: int
) -> None:
    house = crashed.crash(olive, tmp_path / "data")
    assert find_loss(house.database) is None
    # Damage to the only copy of nothing loses nothing: then another place is tried.
    for attempt in itertools.count():
        shutil.rmtree(tmp_path / "damaged", ignore_errors=True)
        shutil.copytree(house.database.parent, tmp_path / "damaged")
        damaged = CrashedHousehold(database=tmp_path / "damaged" / house.database.name, entries=house.entries)
        damage(damaged, Random(f"{damage.__name__} {number} {attempt}"))
        loss = find_loss(damaged.database)
        lost = house.entries - damaged.count_entries()
        assert (loss is not None) == (lost > 0)
        if loss is not None:
            break

    assert loss.commits == lost
    assert not loss.concerns_everyone
    assert loss.days == {
        olive.id.bytes[8:].hex(): [FIRST_DAY.replace(day=1 + day) for day in range(20 - lost, 20)]
    }
    assert loss.since <= loss.until


def test_without_the_log_of_commits_the_frames_show_it(olive: Resident, tmp_path: Path) -> None:
    house = crashed.crash(olive, tmp_path / "data")
    commit_log.remove_commit_log(house.database)
    house.change(flip_in_the_middle)
    loss = find_loss(house.database)

    assert loss is not None
    assert loss.concerns_everyone
    assert 2 <= loss.commits <= house.entries - house.count_entries()


def flip_in_the_middle(content: bytearray) -> None:
    content[len(content) // 2] ^= 1


@pytest.mark.parametrize("where", [0, 9, 17, 25])
def test_a_torn_header_of_a_log_that_is_all_in_the_database_file_is_no_loss(
    olive: Resident, tmp_path: Path, where: int
) -> None:
    """As a power cut leaves it while SQLite begins a new round."""
    database = crashed.begin_log()
    for number in range(6):
        crashed.save_entry(olive, number)
    behind = CrashedHousehold(database=crashed.copy_files(database, tmp_path / "1" / "llamora"), entries=6)
    with connections["default"].cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
    copied = CrashedHousehold(database=crashed.copy_files(database, tmp_path / "2" / "llamora"), entries=6)
    commit_log.remove_commit_log(database)

    def flip(content: bytearray) -> None:
        content[where] ^= 1

    for house in (behind, copied):
        house.change(flip)
    assert find_loss(copied.database) is None
    assert copied.count_entries() == 6
    loss = find_loss(behind.database)
    assert loss is not None
    assert loss.commits == 6 - behind.count_entries() == 6


def test_a_loss_is_still_noticed_after_another_program_wrote(olive: Resident, tmp_path: Path) -> None:
    """For instance a command that ran before the next start."""
    database = crashed.begin_log()
    for number in range(10):
        crashed.save_entry(olive, number)
    house = CrashedHousehold(database=crashed.copy_files(database, tmp_path / "llamora.sqlite3"), entries=10)
    log = commit_log.read_commit_log(database)
    assert log is not None
    house.change(flip_in_the_middle)
    lost = 10 - house.count_entries()
    assert lost > 2
    # The command gives its commits the numbers of those that were lost.
    path = commit_log.get_log_path(house.database)
    content = path.read_bytes()
    path.write_bytes(content + content[-32 * lost :])
    with closing(sqlite3.connect(house.database)) as written:
        written.execute(f"PRAGMA user_version = {log.records[-1].number}")
    commit_log.remove_commit_log(database)

    loss = find_loss(house.database)
    assert loss is not None
    assert loss.commits == lost


def test_a_database_of_another_household_has_lost_nothing(olive: Resident, tmp_path: Path) -> None:
    house = crashed.crash(olive, tmp_path / "data")
    content = bytearray(commit_log.get_log_path(house.database).read_bytes())
    house.wal.unlink()
    assert find_loss(house.database) is not None

    with house.database.open("r+b") as file:
        file.seek(68)
        file.write(b"\x12\x34\x56\x78")
    assert find_loss(house.database) is None
    assert commit_log.get_log_path(house.database).read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"SQLite", b"\0" * 4096])
def test_a_file_that_is_no_database_is_left_to_other_checks(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "llamora.sqlite3"
    assert find_loss(path) is None

    path.write_bytes(content)
    assert find_loss(path) is None


def test_a_household_that_is_served_says_what_it_lost(
    tmp_path: Path, household_settings: dict[str, str]
) -> None:
    with run_server(tmp_path, extra=household_settings) as server:
        olive = Visitor.join(server, "Olive")
        saved = [olive.write(f"Entry {number}") for number in range(12)]
        server.kill()
    wal = server.data_dir / "llamora.sqlite3-wal"
    content = bytearray(wal.read_bytes())
    flip_in_the_middle(content)
    wal.write_bytes(content)
    said = run_command(tmp_path, "doctor", extra=household_settings).stdout
    assert "may be missing" in said

    with run_server(tmp_path, "--port", str(server.port), extra=household_settings) as server:
        olive.move_to(server)
        log = server.log()
        left = olive.get(f"/d/{olive.today}/").entry_ids
        answer = olive.unlock()
        shown = olive.get(answer.headers["location"]).body
        health = olive.get("/healthz").body
        live = run_command(tmp_path, "doctor", extra=household_settings).stdout

    assert log.count("may be missing") == 1
    assert "-damaged.sqlite3" in log
    assert 0 < len(left) < len(saved)
    assert f"/d/{olive.today}/" in shown
    assert '"losses": "reported"' in health
    assert "bad   losses: What was saved between" in live


# --- Crashes ---------------------------------------------------------------------------------------------


def save_until_killed(who: Resident, *, seconds: float, confirmed: Path) -> None:
    """Save entries, the number of each written to a file when it was confirmed, until SIGKILL."""
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL))
    timer.daemon = True
    timer.start()
    with confirmed.open("ab", buffering=0) as file:
        for number in itertools.count():
            crashed.save_entry(who, number)
            file.write(b".")


def run_kills(who: Resident, folder: Path, *, rounds: int) -> None:
    database = crashed.begin_log()
    total, chance = 0, Random(11)
    confirmed = folder / "confirmed"
    for _ in range(rounds):
        seconds = chance.uniform(0.02, 0.25)
        assert run_forked(lambda s=seconds: save_until_killed(who, seconds=s, confirmed=confirmed)) == -KILLED  # type: ignore[misc]
        connections.close_all()

        assert find_loss(database) is None
        total = confirmed.stat().st_size
        assert 0 <= Entry.objects.count() - total <= rounds
        if chance.random() < 0.3:
            # Else the next process goes on with the same logs, as a command after a crash.
            crashed.begin_log()
    commit_log.remove_commit_log(database)
    assert total > rounds


def test_no_kill_is_taken_for_a_loss(olive: Resident, tmp_path: Path) -> None:
    run_kills(olive, tmp_path, rounds=ROUNDS)


@pytest.mark.slow
def test_no_kill_of_ninety_is_taken_for_a_loss(olive: Resident, tmp_path: Path) -> None:
    run_kills(olive, tmp_path, rounds=ALL_ROUNDS)
