"""`manage.py restore`: all of the old database or of the new, and never under a running server."""

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from llamora.ops import data_folder
from llamora.ops.backup import archive, integrity, snapshot
from llamora.ops.backup import restore as backup_restore
from llamora.ops.backup.restore import RestoreReport
from llamora.ops.backup.verify_secret import using_database_file
from llamora.ops.errors import OperationRefused
from tests.ops.backups import NOW, BackupFolders, database, dies_at_step, rows
from tests.people import PASSWORD, Resident, new_resident, register_resident
from tests.rotation.processes import KILLED, forked


@pytest.fixture
def place(tmp_path: Path) -> BackupFolders:
    return BackupFolders(folder=tmp_path)


@pytest.fixture
def owner(transactional_db: None) -> Resident:
    owner = new_resident("Olive")
    for number in range(20):
        owner.write(f"entry {number}")
    return owner


def restore(
    place: BackupFolders, backup: Path, *, check_secret: Callable[[], None] | None = None
) -> RestoreReport:
    return backup_restore.restore_backup(
        backup, database=place.there, key_file=place.key_file, now=NOW, check_secret=check_secret
    )


def in_use(place: BackupFolders, *, entries: int) -> None:
    """A household at the place to restore to, with its last writes still in the write-ahead log."""
    shutil.rmtree(place.there.parent, ignore_errors=True)
    place.there.parent.mkdir(mode=0o700)
    snapshot.copy_database(database(), place.there)

    def writes() -> None:
        with closing(sqlite3.connect(place.there)) as house:
            house.execute("PRAGMA journal_mode = WAL")
            house.execute("PRAGMA wal_autocheckpoint = 0")
            house.execute("CREATE TABLE IF NOT EXISTS marks (number INTEGER)")
            house.executemany("INSERT INTO marks VALUES (?)", [(n,) for n in range(entries)])
            house.commit()
            os._exit(KILLED)  # a power cut: the log stays beside the file

    forked(writes)
    assert place.there.with_name("llamora.sqlite3-wal").stat().st_size > 0


def test_a_household_on_a_new_machine_is_as_it_was(owner: Resident, place: BackupFolders) -> None:
    taken = place.taken()

    restored = restore(place, taken.path)

    assert restored.envelopes == 22
    assert restored.set_aside_path is None
    with using_database_file(place.there):
        assert owner.list_texts() == [f"entry {number}" for number in range(20)]


def test_everything_restored_is_closed_to_others(owner: Resident, place: BackupFolders) -> None:
    restore(place, place.taken(with_secrets=True).path)

    found = {path: stat.S_IMODE(path.stat().st_mode) for path in place.there.parent.rglob("*")}
    assert [path for path, mode in found.items() if mode & 0o077] == []
    assert not (place.there.parent / "restoring").exists()


def test_what_was_written_since_is_gone_from_the_household_and_kept_aside(
    owner: Resident, place: BackupFolders
) -> None:
    taken = place.taken()
    in_use(place, entries=7)

    restored = restore(place, taken.path)

    assert restored.set_aside_path is not None
    assert rows(restored.set_aside_path, "marks") == 7
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        rows(place.there, "marks")
    assert integrity.check_database(place.there).problems == []


def test_no_log_of_the_old_database_is_read_into_the_new(owner: Resident, place: BackupFolders) -> None:
    taken = place.taken()
    in_use(place, entries=7)

    restore(place, taken.path)

    beside = {path.name for path in place.there.parent.iterdir() if path.is_file()}
    assert beside == {"llamora.sqlite3", "lock", "restored.env"}


def test_the_restore_itself_can_be_undone(owner: Resident, place: BackupFolders) -> None:
    taken = place.taken()
    in_use(place, entries=7)
    aside = restore(place, taken.path).set_aside_path
    assert aside is not None

    backup_restore.restore_backup(
        aside, database=place.there, key_file=place.key_file, now=NOW + timedelta(hours=1)
    )

    assert rows(place.there, "marks") == 7
    assert rows(place.there, "accounts_signin") == 0


def test_a_restore_is_refused_while_a_server_runs(owner: Resident, place: BackupFolders) -> None:
    taken = place.taken()
    in_use(place, entries=7)

    with data_folder.lock(place.there.parent), pytest.raises(OperationRefused, match="already running"):
        restore(place, taken.path)

    assert rows(place.there, "marks") == 7


def test_a_restore_is_refused_while_another_command_uses_the_database(
    owner: Resident, place: BackupFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "TIMEOUT_SECONDS", 0.2)
    taken = place.taken()
    in_use(place, entries=7)

    with closing(sqlite3.connect(place.there)) as other:
        other.execute("SELECT count(*) FROM marks").fetchone()
        with pytest.raises(OperationRefused, match="else may be using it"):
            restore(place, taken.path)

    assert rows(place.there, "marks") == 7


def test_a_damaged_backup_changes_nothing(owner: Resident, place: BackupFolders) -> None:
    backup = place.taken().path
    content = bytearray(backup.read_bytes())
    content[len(content) // 2] ^= 0xFF
    backup.write_bytes(content)
    in_use(place, entries=7)

    with pytest.raises(OperationRefused, match="damaged"):
        restore(place, backup)

    assert rows(place.there, "marks") == 7


def changed_copy(place: BackupFolders, statement: str) -> Path:
    """A bare database file that somebody has changed."""
    path = place.folder / "changed.sqlite3"
    snapshot.copy_database(database(), path)
    with closing(sqlite3.connect(path)) as changed:
        changed.executescript(statement)
    return path


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER fence_diary_entry_text_update",
        "CREATE TRIGGER mine AFTER INSERT ON diary_entry BEGIN DELETE FROM diary_draft; END",
        "DROP TRIGGER fence_diary_entry_text_update; UPDATE diary_entry SET text = x'0100000009'",
        "PRAGMA foreign_keys = OFF; DELETE FROM accounts_person",
        "DROP TABLE accounts_vault",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('diary', '9999_later', '2030-01-01')",
    ],
)
def test_what_is_not_a_sound_household_changes_nothing(
    owner: Resident, place: BackupFolders, statement: str
) -> None:
    in_use(place, entries=7)

    with pytest.raises(OperationRefused):
        restore(place, changed_copy(place, statement))

    assert rows(place.there, "marks") == 7


def test_a_database_in_use_that_is_beyond_reading_is_replaced_and_kept(
    owner: Resident, place: BackupFolders
) -> None:
    taken = place.taken()
    in_use(place, entries=7)
    place.there.write_bytes(b"no database at all" * 1000)

    restored = restore(place, taken.path)

    assert rows(place.there, "diary_entry") == 20
    assert restored.set_aside_path is not None
    assert restored.set_aside_path.read_bytes().startswith(b"no database at all")
    assert restored.set_aside_path.with_name(restored.set_aside_path.name + "-wal").stat().st_size > 0


def test_indexes_of_the_old_database_go_and_those_of_the_backup_come(
    owner: Resident, place: BackupFolders
) -> None:
    here, there = (folder / "search" / str(owner.id) for folder in (place.house.data_dir, place.there.parent))
    here.mkdir(parents=True)
    (here / "words-1-then.sealed").write_bytes(b"then")
    taken = place.taken()
    in_use(place, entries=1)
    there.mkdir(parents=True)
    (there / "words-1-now.sealed").write_bytes(b"now")

    restore(place, taken.path)

    assert os.listdir(there) == ["words-1-then.sealed"]


def test_prompts_and_secret_that_stand_there_stay(owner: Resident, place: BackupFolders) -> None:
    for folder, words in ((place.house.data_dir, "then"), (place.there.parent, "now")):
        for name in ("prompts/respond.txt", "secrets/secret_key"):
            (folder / name).parent.mkdir(parents=True, mode=0o700, exist_ok=True)
            (folder / name).write_text(words)
    (place.house.data_dir / "prompts" / "other.txt").write_text("then")
    place.there.parent.chmod(0o700)

    restore(place, place.taken(with_secrets=True).path)

    prompts = place.there.parent / "prompts"
    assert (prompts / "respond.txt").read_text() == place.key_file.read_text() == "now"
    assert (prompts / "other.txt").read_text() == "then"


def test_a_backup_of_an_older_version_is_brought_up_to_date(
    transactional_db: None, place: BackupFolders
) -> None:
    older = place.folder / "older.sqlite3"
    with using_database_file(older):
        call_command("migrate", "accounts", "0001", verbosity=0)
        call_command("migrate", "diary", "0001", verbosity=0)
    with closing(snapshot.open_database(older)) as database_then:
        assert integrity.count_migrations_behind(database_then) > 0

    restore(place, older)

    with closing(snapshot.open_database(place.there)) as database_now:
        assert integrity.count_migrations_behind(database_now) == 0
        assert integrity.find_missing_triggers(database_now) == []


# --- Killed anywhere --------------------------------------------------------------------------------

EVENTS = {"open", "os.rename", "os.link", "os.remove", "os.rmdir", "os.mkdir", "sqlite3.connect", "os.utime"}


def what_stands(place: BackupFolders) -> str:
    """Which database is there: `old` with its seven marks or `new` without; anything else fails."""
    assert integrity.check_database(place.there).problems == []
    try:
        assert rows(place.there, "marks") == 7
    except sqlite3.OperationalError:
        assert rows(place.there, "diary_entry") == 20
        return "new"
    return "old"


def killed_at_each_step(place: BackupFolders, backup: Path, *, every: int) -> list[str]:
    stands: list[str] = []
    for step in range(1, 2000, every):
        in_use(place, entries=7)

        def restores(step: int = step) -> None:
            dies_at_step(step, events=EVENTS)
            restore(place, backup)

        ended = forked(restores)
        stands.append(what_stands(place))
        if ended == 0:
            return stands
        assert ended == KILLED
        restore(place, backup)
        assert what_stands(place) == "new"
    raise AssertionError("it never came to its end")


def test_killed_anywhere_the_old_or_the_new_stands_whole(owner: Resident, place: BackupFolders) -> None:
    stands = killed_at_each_step(place, place.taken().path, every=5)

    assert stands.index("new") > 3
    assert stands == sorted(stands, reverse=True)


@pytest.mark.slow
def test_killed_at_every_single_step_the_old_or_the_new_stands_whole(
    owner: Resident, place: BackupFolders
) -> None:
    stands = killed_at_each_step(place, place.taken().path, every=1)

    assert stands == sorted(stands, reverse=True)


# --- Proved by opening --------------------------------------------------------------------------------


@pytest.fixture
def olive(transactional_db: None) -> Resident:
    return register_resident("Olive", entries=6)


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    return file


@pytest.fixture
def by_command(place: BackupFolders, monkeypatch: pytest.MonkeyPatch, settings: object) -> BackupFolders:
    """The place to restore to as the household of the settings."""
    settings.DATA_DIR = place.there.parent  # type: ignore[attr-defined]
    settings.SECRET_KEY_FILE = place.key_file  # type: ignore[attr-defined]
    return place


def test_a_backup_is_proved_with_its_owners_secret(
    olive: Resident, by_command: BackupFolders, password: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = by_command.taken()
    in_use(by_command, entries=7)

    with using_database_file(by_command.there):
        call_command("restore", taken.path, user="olive", password_file=password)

    said = capsys.readouterr().out
    assert "values of olive open" in said
    assert what_is_there(by_command) == 6


def what_is_there(place: BackupFolders) -> int:
    return rows(place.there, "diary_entry")


def test_a_secret_that_opens_nothing_changes_nothing(
    olive: Resident, by_command: BackupFolders, password: Path
) -> None:
    taken = by_command.taken()
    in_use(by_command, entries=7)
    password.write_text("not the one")

    for name in ("olive", "nobody"):
        with using_database_file(by_command.there), pytest.raises(CommandError):
            call_command("restore", taken.path, user=name, password_file=password)

    assert rows(by_command.there, "marks") == 7


def test_a_changed_text_is_found_by_opening_and_changes_nothing(
    olive: Resident, by_command: BackupFolders, password: Path
) -> None:
    bad = changed_copy(
        by_command,
        "UPDATE diary_entry SET day = date(day, '+1 year') WHERE id = (SELECT min(id) FROM diary_entry)",
    )
    in_use(by_command, entries=7)

    with using_database_file(by_command.there), pytest.raises(CommandError, match=r"1 of .* do not open"):
        call_command("restore", bad, user="olive", password_file=password)

    assert rows(by_command.there, "marks") == 7


def test_a_database_of_another_kind_is_no_household(olive: Resident, place: BackupFolders) -> None:
    other = place.folder / "other.sqlite3"
    with closing(sqlite3.connect(other)) as made:
        made.execute("CREATE TABLE notes (words TEXT)")

    with pytest.raises(OperationRefused, match="not a household"):
        restore(place, other)


def test_the_database_of_these_tests_is_still_the_default_one(olive: Resident, place: BackupFolders) -> None:
    before = connection.settings_dict["NAME"]
    with using_database_file(place.folder / "x"):
        pass

    assert connection.settings_dict["NAME"] == before
    assert archive.DATABASE == "llamora.sqlite3"
