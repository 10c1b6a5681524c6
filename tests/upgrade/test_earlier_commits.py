"""Tests that households of three earlier commits are updated, even if starts are killed.

`make_small_household.py` makes the small ones. A backup is made before the update. If a start is killed at
any moment, the next one completes the update, and nothing is lost.
"""

import json
import sqlite3
import tarfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from llamora.database import backup_files
from tests.browser_client import Visitor
from tests.page import read
from tests.server import Server, build_environment, run_command, run_server
from tests.upgrade import household
from tests.upgrade.sealed_columns import TRIGGERS

HERE = Path(__file__).parent
COMMITS = ("faa336b", "8e54668", "da69624")
# The slow run has the others; of the first, `test_upgrade.py` tests all that its people see.
TESTED = "8e54668"
# Amid its update, which has more write statements, and never fewer.
AMID = 200
SERVED = {"LLAMORA_BACKUP_DAILY": "false", "LLAMORA_REGISTRATION": "open"}
KILLED = {"DJANGO_SETTINGS_MODULE": "tests.upgrade.killed_settings"}
UPDATED = "The database was updated. "


@dataclass(frozen=True)
class Diary:
    """A person of a packed household, and the texts of their days."""

    name: str
    owner: str
    password: str
    days: dict[str, list[str]]


def unpack(commit: str, folder: Path) -> list[Diary]:
    """Unpack the household of a commit into a folder, and return its diaries."""
    if commit == "faa336b":
        packed = household.Household(folder=folder)
        packed.unpack()
        household.shift_dates(packed.database, made_at=packed.made_at)
        return [_read_export(packed, name) for name in ("Agnes", "Bruno")]
    build_environment(folder)
    with tarfile.open(HERE / f"small-{commit}.tar.xz") as tar:
        tar.extractall(folder, filter="data")
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    people = json.loads((folder / "expected.json").read_text())["people"]
    return [Diary(name, said["owner"], said["password"], said["days"]) for name, said in people.items()]


def _read_export(packed: household.Household, name: str) -> Diary:
    days: dict[str, list[str]] = {}
    for entry in packed.exported(name)["entries"]:
        if not entry["deleted_at"] and entry["text"].isascii() and entry["text"].isprintable():
            days.setdefault(entry["day"], []).append(entry["text"])
    secrets = packed.secrets(name)
    return Diary(name, secrets["id"], secrets["password"], days)


def assert_nothing_is_lost(server: Server, diaries: list[Diary]) -> None:
    for diary in diaries:
        browser = Visitor(server=server, name=diary.name, owner=diary.owner, password=diary.password)
        assert browser.sign_in().status == 302, diary.name
        for day, texts in diary.days.items():
            page = read(browser.get(f"/d/{day}/")).text
            for text in texts:
                assert text in page, (diary.name, day)


def list_triggers(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as rows:
        return {name for (name,) in rows.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}


def count_migrations(database: Path) -> int:
    with closing(sqlite3.connect(database)) as rows:
        return int(rows.execute("SELECT count(*) FROM django_migrations").fetchone()[0])


def list_backups(folder: Path) -> list[backup_files.BackupFile]:
    return backup_files.list_backups(folder / "data" / "backups")


def count_writes(commit: str, folder: Path) -> int:
    """Return the number of write statements of a start that updates the database."""
    unpack(commit, folder)
    count = folder / "count"
    with run_server(folder, extra=SERVED | KILLED | {"LLAMORA_TEST_COUNT": str(count)}):
        return count.stat().st_size


def start_and_kill(folder: Path, moment: Any) -> None:
    """Start the server, which is killed at this moment."""
    extra = SERVED | KILLED | {"LLAMORA_TEST_DIE_AT": str(moment)}
    ran = run_command(folder, "up", "--port", "0", "--no-model", extra=extra)
    assert ran.returncode == -9, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    "commit", [TESTED, *(pytest.param(name, marks=pytest.mark.slow) for name in COMMITS if name != TESTED)]
)
def test_a_household_is_updated_after_a_backup_of_it_that_can_be_restored(
    commit: str, tmp_path: Path
) -> None:
    diaries = unpack(commit, tmp_path)
    database = tmp_path / "data" / "llamora.sqlite3"
    migrations = count_migrations(database)

    with run_server(tmp_path, extra=SERVED) as server:
        log = server.log()
        assert_nothing_is_lost(server, diaries)
    triggers = list_triggers(database)

    if count_migrations(database) == migrations:
        # There is nothing to update yet.
        assert list_backups(tmp_path) == []
        assert UPDATED not in log
        return
    (backup,) = list_backups(tmp_path)
    assert backup.is_before_update
    assert f"{UPDATED}{backup.path} contains it as it was before, for thirty days.\n" in log
    assert triggers >= TRIGGERS
    verified = run_command(tmp_path, "verify", str(backup.path), extra=SERVED)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    with run_server(tmp_path, extra=SERVED) as again:
        assert UPDATED not in again.log()
    assert len(list_backups(tmp_path)) == 1
    restored = run_command(tmp_path, "restore", str(backup.path), extra=SERVED)
    assert restored.returncode == 0, restored.stdout + restored.stderr
    with run_server(tmp_path, extra=SERVED) as last:
        assert_nothing_is_lost(last, diaries)


def test_an_update_whose_backup_fails_is_refused_and_possible_without(tmp_path: Path) -> None:
    diaries = unpack(TESTED, tmp_path)
    before = (tmp_path / "data" / "llamora.sqlite3").read_bytes()
    # Nobody, root included, can create a folder there.
    extra = SERVED | {"LLAMORA_BACKUP_DIR": "/proc/backups"}

    ran = run_command(tmp_path, "up", "--port", "0", "--no-model", extra=extra)

    assert ran.returncode == 1
    assert "The database has to be updated, and the backup that is made before did not work." in ran.stderr
    assert "manage.py up --without-backup" in ran.stderr
    assert (tmp_path / "data" / "llamora.sqlite3").read_bytes() == before
    with run_server(tmp_path, "--without-backup", extra=extra) as server:
        assert UPDATED not in server.log()
        assert_nothing_is_lost(server, diaries)


def check_killed_starts(commit: str, folder: Path, *, at: list[int]) -> None:
    """Kill the update at its backup and at these of its write statements, each time from its start."""
    for moment in ("backup", *at):
        killed = folder / f"at-{moment}"
        diaries = unpack(commit, killed)
        start_and_kill(killed, moment)
        with run_server(killed, extra=SERVED) as server:
            assert_nothing_is_lost(server, diaries)
        assert list_triggers(server.data_dir / "llamora.sqlite3") >= TRIGGERS
        # A start that was killed after its backup made one, and the next start another one.
        assert list_backups(killed), moment
        verified = run_command(killed, "verify", extra=SERVED)
        assert verified.returncode == 0, (moment, verified.stdout + verified.stderr)


def test_an_update_that_was_killed_is_finished_by_the_next_start(tmp_path: Path) -> None:
    check_killed_starts(TESTED, tmp_path, at=[AMID])


@pytest.mark.slow
@pytest.mark.parametrize("commit", COMMITS)
def test_an_update_killed_at_six_moments_is_finished_by_the_next_start(commit: str, tmp_path: Path) -> None:
    writes = count_writes(commit, tmp_path / "counted")

    check_killed_starts(commit, tmp_path, at=[1 + number * (writes - 1) // 4 for number in range(5)])


def test_a_newer_database_is_refused_and_not_changed(tmp_path: Path) -> None:
    unpack("da69624", tmp_path)
    path = tmp_path / "data" / "llamora.sqlite3"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('diary', '9999_later', '2030-01-01')"
        )
    before = path.read_bytes()

    ran = run_command(tmp_path, "up", "--port", "0", "--no-model", extra=SERVED)

    assert ran.returncode == 1
    assert "was written by a newer Llamora. Update the program" in ran.stderr
    assert path.read_bytes() == before
    assert list_backups(tmp_path) == []
