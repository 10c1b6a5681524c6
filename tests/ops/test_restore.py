"""Tests of `manage.py restore`: atomic, and refused while a server runs."""

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

from accounts.rotation.epoch_change import begin_rotation
from accounts.rotation.services import resume_rotation
from llamora.crypto import TokenKind
from llamora.ops import data_folder
from llamora.ops.backup import archive, integrity, snapshot
from llamora.ops.backup import restore as backup_restore
from llamora.ops.backup.restore import RestoreReport
from llamora.ops.backup.verify_secret import using_database_file
from llamora.ops.errors import OperationRefused
from tests.ops.backups import NOW, BackupFolders, count_rows, die_at_step, get_database_path
from tests.people import PASSWORD, Resident, new_resident, register_resident
from tests.rotation.processes import KILLED, run_forked
from tests.tokens import make_token


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
        backup, database=place.target_database, key_file=place.key_file, now=NOW, check_secret=check_secret
    )


def create_used_household(place: BackupFolders, *, entries: int) -> None:
    """Create a household at the restore target, with writes in its write-ahead log."""
    shutil.rmtree(place.target_database.parent, ignore_errors=True)
    place.target_database.parent.mkdir(mode=0o700)
    snapshot.copy_database(get_database_path(), place.target_database)

    def writes() -> None:
        with closing(sqlite3.connect(place.target_database)) as house:
            house.execute("PRAGMA journal_mode = WAL")
            house.execute("PRAGMA wal_autocheckpoint = 0")
            house.execute("CREATE TABLE IF NOT EXISTS marks (number INTEGER)")
            house.executemany("INSERT INTO marks VALUES (?)", [(n,) for n in range(entries)])
            house.commit()
            os._exit(KILLED)  # a power cut: the log stays beside the file

    run_forked(writes)
    assert place.target_database.with_name("llamora.sqlite3-wal").stat().st_size > 0


def test_a_household_on_a_new_machine_is_as_it_was(owner: Resident, place: BackupFolders) -> None:
    taken = place.create_backup()

    restored = restore(place, taken.path)

    assert restored.envelopes == 27
    assert restored.set_aside_path is None
    with using_database_file(place.target_database):
        assert owner.list_texts() == [f"entry {number}" for number in range(20)]


def test_everything_restored_is_closed_to_others(owner: Resident, place: BackupFolders) -> None:
    restore(place, place.create_backup(with_secrets=True).path)

    found = {path: stat.S_IMODE(path.stat().st_mode) for path in place.target_database.parent.rglob("*")}
    assert [path for path, mode in found.items() if mode & 0o077] == []
    assert not (place.target_database.parent / "restoring").exists()


def test_what_was_written_since_is_gone_from_the_household_and_kept_aside(
    owner: Resident, place: BackupFolders
) -> None:
    taken = place.create_backup()
    create_used_household(place, entries=7)

    restored = restore(place, taken.path)

    assert restored.set_aside_path is not None
    assert count_rows(restored.set_aside_path, "marks") == 7
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        count_rows(place.target_database, "marks")
    assert integrity.check_database(place.target_database).problems == []


def test_no_log_of_the_old_database_is_read_into_the_new(owner: Resident, place: BackupFolders) -> None:
    taken = place.create_backup()
    create_used_household(place, entries=7)

    restore(place, taken.path)

    beside = {path.name for path in place.target_database.parent.iterdir() if path.is_file()}
    assert beside == {"llamora.sqlite3", "lock", "restored.env"}


def test_the_restore_itself_can_be_undone(owner: Resident, place: BackupFolders) -> None:
    taken = place.create_backup()
    create_used_household(place, entries=7)
    aside = restore(place, taken.path).set_aside_path
    assert aside is not None

    backup_restore.restore_backup(
        aside, database=place.target_database, key_file=place.key_file, now=NOW + timedelta(hours=1)
    )

    assert count_rows(place.target_database, "marks") == 7
    assert count_rows(place.target_database, "accounts_signin") == 0


def test_a_restore_is_refused_while_a_server_runs(owner: Resident, place: BackupFolders) -> None:
    taken = place.create_backup()
    create_used_household(place, entries=7)

    with (
        data_folder.lock(place.target_database.parent),
        pytest.raises(OperationRefused, match="already running"),
    ):
        restore(place, taken.path)

    assert count_rows(place.target_database, "marks") == 7


def test_a_restore_is_refused_while_another_command_uses_the_database(
    owner: Resident, place: BackupFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(snapshot, "_READER_SECONDS", 0.1)
    taken = place.create_backup()
    create_used_household(place, entries=7)

    with closing(sqlite3.connect(place.target_database)) as other:
        other.execute("SELECT count(*) FROM marks").fetchone()
        with pytest.raises(OperationRefused, match="Another program may be using it"):
            restore(place, taken.path)

    assert count_rows(place.target_database, "marks") == 7


def test_a_restore_waits_for_one_that_reads_the_database_for_a_moment(
    owner: Resident, place: BackupFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = place.create_backup()
    create_used_household(place, entries=7)
    other = sqlite3.connect(place.target_database)
    other.execute("SELECT count(*) FROM marks").fetchone()
    monkeypatch.setattr(snapshot.time, "sleep", lambda seconds: other.close())

    restore(place, taken.path)

    with pytest.raises(sqlite3.ProgrammingError):
        other.execute("SELECT 1")


def test_a_damaged_backup_changes_nothing(owner: Resident, place: BackupFolders) -> None:
    backup = place.create_backup().path
    content = bytearray(backup.read_bytes())
    content[len(content) // 2] ^= 0xFF
    backup.write_bytes(content)
    create_used_household(place, entries=7)

    with pytest.raises(OperationRefused, match="damaged"):
        restore(place, backup)

    assert count_rows(place.target_database, "marks") == 7


def copy_and_change(place: BackupFolders, statement: str) -> Path:
    """Return a copy of the database file, changed by a statement."""
    path = place.folder / "changed.sqlite3"
    snapshot.copy_database(get_database_path(), path)
    with closing(sqlite3.connect(path)) as changed:
        changed.executescript(statement)
    return path


@pytest.mark.parametrize(
    "statement",
    [
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
    create_used_household(place, entries=7)

    with pytest.raises(OperationRefused):
        restore(place, copy_and_change(place, statement))

    assert count_rows(place.target_database, "marks") == 7


def test_triggers_that_a_backup_lacks_are_created(owner: Resident, place: BackupFolders) -> None:
    create_used_household(place, entries=7)
    name = "fence_diary_entry_text_update"

    restore(place, copy_and_change(place, f"DROP TRIGGER {name}"))

    with closing(sqlite3.connect(place.target_database)) as restored:
        found = restored.execute("SELECT count(*) FROM sqlite_schema WHERE name = ?", [name]).fetchone()
    assert found == (1,)


def test_a_database_in_use_that_is_beyond_reading_is_replaced_and_kept(
    owner: Resident, place: BackupFolders
) -> None:
    taken = place.create_backup()
    create_used_household(place, entries=7)
    place.target_database.write_bytes(b"no database at all" * 1000)

    restored = restore(place, taken.path)

    assert count_rows(place.target_database, "diary_entry") == 20
    assert restored.set_aside_path is not None
    assert restored.set_aside_path.read_bytes().startswith(b"no database at all")
    assert restored.set_aside_path.with_name(restored.set_aside_path.name + "-wal").stat().st_size > 0


def test_indexes_of_the_old_database_go_and_those_of_the_backup_come(
    owner: Resident, place: BackupFolders
) -> None:
    here, there = (
        folder / "search" / str(owner.id) for folder in (place.house.data_dir, place.target_database.parent)
    )
    here.mkdir(parents=True)
    (here / "words-1-then.sealed").write_bytes(b"then")
    taken = place.create_backup()
    create_used_household(place, entries=1)
    there.mkdir(parents=True)
    (there / "words-1-now.sealed").write_bytes(b"now")

    restore(place, taken.path)

    assert os.listdir(there) == ["words-1-then.sealed"]


def test_prompts_and_secret_that_stand_there_stay(owner: Resident, place: BackupFolders) -> None:
    for folder, words in ((place.house.data_dir, "then"), (place.target_database.parent, "now")):
        for name in ("prompts/respond.txt", "secrets/secret_key"):
            (folder / name).parent.mkdir(parents=True, mode=0o700, exist_ok=True)
            (folder / name).write_text(words)
    (place.house.data_dir / "prompts" / "other.txt").write_text("then")
    place.target_database.parent.chmod(0o700)

    restore(place, place.create_backup(with_secrets=True).path)

    prompts = place.target_database.parent / "prompts"
    assert (prompts / "respond.txt").read_text() == place.key_file.read_text() == "now"
    assert (prompts / "other.txt").read_text() == "then"


def test_an_error_after_the_replacement_says_that_the_database_was_replaced(
    owner: Resident, place: BackupFolders
) -> None:
    create_used_household(place, entries=7)
    (place.house.data_dir / "prompts").mkdir()
    (place.house.data_dir / "prompts" / "respond.txt").write_text("then")
    taken = place.create_backup()
    (place.target_database.parent / "prompts").touch()

    with pytest.raises(OperationRefused, match="could be restored: File exists"):
        restore(place, taken.path)

    assert identify_database(place) == "new"
    (place.target_database.parent / "prompts").unlink()
    restore(place, taken.path)
    assert (place.target_database.parent / "prompts" / "respond.txt").read_text() == "then"


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

    with closing(snapshot.open_database(place.target_database)) as database_now:
        assert integrity.count_migrations_behind(database_now) == 0
        assert integrity.find_missing_triggers(database_now) == []


# --- Killed anywhere --------------------------------------------------------------------------------

EVENTS = {"open", "os.rename", "os.link", "os.remove", "os.rmdir", "os.mkdir", "sqlite3.connect", "os.utime"}


def identify_database(place: BackupFolders) -> str:
    """Return whether the target has the `old` database (with seven marks) or the `new` one; else fail."""
    assert integrity.check_database(place.target_database).problems == []
    try:
        assert count_rows(place.target_database, "marks") == 7
    except sqlite3.OperationalError:
        assert count_rows(place.target_database, "diary_entry") == 20
        return "new"
    return "old"


def restore_with_kills(place: BackupFolders, backup: Path, *, every: int) -> list[str]:
    stands: list[str] = []
    for step in range(1, 2000, every):
        create_used_household(place, entries=7)

        def restores(step: int = step) -> None:
            die_at_step(step, events=EVENTS)
            restore(place, backup)

        ended = run_forked(restores)
        stands.append(identify_database(place))
        if ended == 0:
            return stands
        assert ended == KILLED
        restore(place, backup)
        assert identify_database(place) == "new"
    raise AssertionError("it never came to its end")


def test_killed_anywhere_the_old_or_the_new_stands_whole(owner: Resident, place: BackupFolders) -> None:
    stands = restore_with_kills(place, place.create_backup().path, every=5)

    assert stands.index("new") > 3
    assert stands == sorted(stands, reverse=True)


@pytest.mark.slow
def test_killed_at_every_single_step_the_old_or_the_new_stands_whole(
    owner: Resident, place: BackupFolders
) -> None:
    stands = restore_with_kills(place, place.create_backup().path, every=1)

    assert stands == sorted(stands, reverse=True)


def test_a_value_that_was_damaged_at_the_last_key_change_prevents_no_backup_and_no_restore(
    owner: Resident, place: BackupFolders
) -> None:
    rowan = register_resident("Rowan", entries=3)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE diary_entry SET text = CAST(substr(text, 1, 60) || zeroblob(length(text) - 60) AS BLOB) "
            "WHERE id = (SELECT min(id) FROM diary_entry WHERE owner_id = %s)",
            [rowan.id.hex],
        )
    resume_rotation(begin_rotation(rowan.open_slot()).keyring)

    taken = place.create_backup()
    restore(place, taken.path)

    with pytest.raises(CommandError, match=r"diary\.entry\.text: 1 of 23 values are damaged"):
        call_command("verify", taken.path)
    assert count_rows(place.target_database, "diary_entry") == 23


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
def target_as_settings(
    place: BackupFolders, monkeypatch: pytest.MonkeyPatch, settings: object
) -> BackupFolders:
    """Make the restore target the household of the settings."""
    settings.DATA_DIR = place.target_database.parent  # type: ignore[attr-defined]
    settings.SECRET_KEY_FILE = place.key_file  # type: ignore[attr-defined]
    return place


def test_a_backup_is_proved_with_its_owners_secret(
    olive: Resident, target_as_settings: BackupFolders, password: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = target_as_settings.create_backup()
    create_used_household(target_as_settings, entries=7)

    with using_database_file(target_as_settings.target_database):
        call_command("restore", taken.path, user="olive", password_file=password)

    said = capsys.readouterr().out
    assert "encrypted texts of olive can be decrypted" in said
    assert list_target(target_as_settings) == 6


def list_target(place: BackupFolders) -> int:
    return count_rows(place.target_database, "diary_entry")


def test_a_secret_that_opens_nothing_changes_nothing(
    olive: Resident, target_as_settings: BackupFolders, password: Path
) -> None:
    taken = target_as_settings.create_backup()
    create_used_household(target_as_settings, entries=7)
    password.write_text("not the one")

    for name in ("olive", "nobody"):
        with using_database_file(target_as_settings.target_database), pytest.raises(CommandError):
            call_command("restore", taken.path, user=name, password_file=password)

    assert count_rows(target_as_settings.target_database, "marks") == 7


def test_a_changed_text_is_found_by_opening_and_changes_nothing(
    olive: Resident, target_as_settings: BackupFolders, password: Path
) -> None:
    bad = copy_and_change(
        target_as_settings,
        "UPDATE diary_entry SET day = date(day, '+1 year') WHERE id = (SELECT min(id) FROM diary_entry)",
    )
    create_used_household(target_as_settings, entries=7)

    with (
        using_database_file(target_as_settings.target_database),
        pytest.raises(CommandError, match=r"1 of .* can't be decrypted"),
    ):
        call_command("restore", bad, user="olive", password_file=password)

    assert count_rows(target_as_settings.target_database, "marks") == 7


def test_a_database_of_another_kind_is_no_household(olive: Resident, place: BackupFolders) -> None:
    other = place.folder / "other.sqlite3"
    with closing(sqlite3.connect(other)) as made:
        made.execute("CREATE TABLE notes (words TEXT)")

    with pytest.raises(OperationRefused, match="not one of Llamora"):
        restore(place, other)


def test_the_database_of_these_tests_is_still_the_default_one(olive: Resident, place: BackupFolders) -> None:
    before = connection.settings_dict["NAME"]
    with using_database_file(place.folder / "x"):
        pass

    assert connection.settings_dict["NAME"] == before
    assert archive.DATABASE == "llamora.sqlite3"


def test_a_restore_suspends_every_access_token(place: BackupFolders, transactional_db: None) -> None:
    make_token(register_resident("Olive"), TokenKind.DROP)

    restore(place, place.create_backup(with_secrets=True).path)

    with closing(sqlite3.connect(place.target_database)) as household:
        rows = household.execute("SELECT confirmation FROM accounts_accesstoken").fetchall()
    assert rows == [(None,)]
