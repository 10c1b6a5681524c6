"""Tests of `manage.py verify`, without a key and with a key."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from llamora.ops.backup import snapshot
from tests.ops.backups import BackupFolders, get_database_path
from tests.people import PASSWORD, Resident, register_resident


@pytest.fixture
def place(tmp_path: Path) -> BackupFolders:
    return BackupFolders(folder=tmp_path)


@pytest.fixture
def olive(transactional_db: None) -> Resident:
    return register_resident("Olive", entries=6)


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    return file


def copy_and_change(place: BackupFolders, statement: str) -> Path:
    """Return a copy of the database file, changed by a statement."""
    path = place.folder / "changed.sqlite3"
    snapshot.copy_database(get_database_path(), path)
    with closing(sqlite3.connect(path)) as changed:
        changed.executescript(statement)
    return path


def test_verify_looks_at_the_database_in_use_and_at_a_backup(
    olive: Resident, place: BackupFolders, password: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = place.create_backup()

    call_command("verify")
    call_command("verify", taken.path, user="Olive", password_file=password)

    said = capsys.readouterr().out
    assert "diary.entry.text: 6 encrypted values, format 2" in said
    assert said.count("No damage was found") == 2
    assert "encrypted texts of Olive can be decrypted" in said


def test_verify_takes_a_recovery_code_too(olive: Resident, place: BackupFolders, password: Path) -> None:
    password.write_text(olive.recovery_code)

    call_command("verify", place.create_backup().path, user="Olive", password_file=password)


def test_verify_ends_in_an_error_where_something_is_wrong(
    olive: Resident, place: BackupFolders, password: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = copy_and_change(place, "UPDATE diary_entry SET day = date(day, '+1 year')")

    call_command("verify", bad)
    with pytest.raises(CommandError, match="6 of"):
        call_command("verify", bad, user="Olive", password_file=password)

    assert capsys.readouterr().err.count("can't be decrypted: not_authentic") == 6
    with pytest.raises(CommandError):
        call_command("verify", place.folder / "absent")


def test_verify_leaves_nothing_unpacked(olive: Resident, place: BackupFolders, settings: Any) -> None:
    call_command("verify", place.create_backup().path)

    assert list(settings.DATA_DIR.glob("verifying-*")) == []


def test_verify_may_run_beside_somebody_who_writes(olive: Resident, place: BackupFolders) -> None:
    with closing(sqlite3.connect(get_database_path(), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        call_command("verify")
        other.execute("ROLLBACK")


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DROP TRIGGER fence_diary_entry_text_insert", "missing or changed"),
        ("CREATE VIEW mine AS SELECT 1", "that Llamora did not create"),
        ("DROP TABLE search_recentsearch", r"it lacks search_recentsearch\.\w+ and \d+ more"),
        ("UPDATE accounts_vault SET epoch = 7", "have an unknown format or a key"),
        ("PRAGMA foreign_keys = OFF; DELETE FROM accounts_person", "rows refer to rows that don't exist"),
    ],
)
def test_verify_says_what_is_wrong(olive: Resident, place: BackupFolders, statement: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("verify", copy_and_change(place, statement))


def test_verify_finds_pages_that_were_overwritten(olive: Resident, place: BackupFolders) -> None:
    bad = copy_and_change(place, "SELECT 1")
    content = bytearray(bad.read_bytes())
    content[4096 * 20 : 4096 * 24] = b"\xff" * 4096 * 4
    bad.write_bytes(content)

    with pytest.raises(CommandError):
        call_command("verify", bad)
