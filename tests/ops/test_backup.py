"""Tests of `manage.py backup`: one file, complete or absent, with the protection of the household."""

import os
import shutil
import sqlite3
import stat
import tarfile
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from accounts.models import SignIn
from diary.entries.services import edit_entry
from diary.models import Entry, Version
from llamora.ops.backup import archive, create, integrity, retention, snapshot
from llamora.ops.errors import OperationRefused
from tests.ops.backups import NOW, BackupFolders, count_rows, die_at_step, get_database_path, read_all_files
from tests.people import Resident, new_resident
from tests.rotation.processes import run_forked

MARKER = "the heron stood in the reeds"


@pytest.fixture
def place(tmp_path: Path) -> BackupFolders:
    return BackupFolders(folder=tmp_path)


@pytest.fixture
def owner(transactional_db: None) -> Resident:
    owner = new_resident("Olive")
    for number in range(40):
        owner.write(f"{MARKER} {number}")
    return owner


def unpack(place: BackupFolders, backup: Path) -> Path:
    folder = place.folder / "unpacked"
    folder.mkdir()
    archive.unpack_archive(backup, folder)
    return folder


def test_a_backup_is_one_closed_file_named_by_its_moment(owner: Resident, place: BackupFolders) -> None:
    taken = place.create_backup()

    assert taken.path == place.backup_folder / "llamora-20261120T101500Z.tar"
    assert stat.S_IMODE(taken.path.stat().st_mode) == 0o600
    assert os.listdir(place.backup_folder) == [taken.path.name]
    assert taken.envelopes == 47


def test_any_tar_program_opens_it(owner: Resident, place: BackupFolders) -> None:
    with tarfile.open(place.create_backup().path) as tar:
        assert tar.getnames() == ["llamora.sqlite3", "settings.env", "manifest.json"]


def test_it_holds_every_entry_and_no_session(owner: Resident, place: BackupFolders) -> None:
    copy = unpack(place, place.create_backup().path) / archive.DATABASE

    assert count_rows(copy, "diary_entry") == 40
    assert count_rows(copy, "accounts_signin") == count_rows(copy, "accounts_unlock") == 0
    assert count_rows(get_database_path(), "accounts_signin") == 1


def test_not_even_bytes_of_a_session_are_in_it(owner: Resident, place: BackupFolders) -> None:
    row = SignIn.objects.select_related("unlock").get()
    secret_parts = [bytes(row.half_hash), bytes(row.unlock.salt), bytes(row.unlock.wrapped_dek)]
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert all(part in get_database_path().read_bytes() for part in secret_parts)

    whole = place.create_backup().path.read_bytes()

    assert [part for part in secret_parts if part in whole] == []


def test_no_word_of_anybody_is_in_it(owner: Resident, place: BackupFolders) -> None:
    assert MARKER.encode() not in place.create_backup(with_secrets=True).path.read_bytes()


def test_a_copy_is_sound_and_stands_alone(owner: Resident, place: BackupFolders) -> None:
    folder = unpack(place, place.create_backup().path)

    found = integrity.check_database(folder / archive.DATABASE)

    assert found.problems == []
    assert sorted(os.listdir(folder)) == ["llamora.sqlite3", "manifest.json", "settings.env"]
    assert {column.label: column.envelopes for column in found.columns}["diary.entry.text"] == 40


def test_indexes_and_prompts_come_along_and_half_written_ones_do_not(
    owner: Resident, place: BackupFolders
) -> None:
    search = place.house.data_dir / "search" / str(owner.id)
    search.mkdir(parents=True)
    (search / "words-1-x.sealed").write_bytes(b"sealed")
    (search / "words-1-y.part").write_bytes(b"half")
    (place.house.data_dir / "prompts").mkdir()
    (place.house.data_dir / "prompts" / "respond.txt").write_text("Be brief.")

    folder = unpack(place, place.create_backup().path)

    assert (folder / "search" / str(owner.id) / "words-1-x.sealed").read_bytes() == b"sealed"
    assert (folder / "prompts" / "respond.txt").read_text() == "Be brief."
    assert not list(folder.rglob("*.part"))


def test_names_that_a_restore_would_refuse_are_left_out(owner: Resident, place: BackupFolders) -> None:
    prompts = place.house.data_dir / "prompts"
    prompts.mkdir()
    for name in ("respond.txt", "._respond.txt", "respond (old).txt", "réponse.txt"):
        (prompts / name).write_text("Be brief.")

    folder = unpack(place, place.create_backup().path)

    assert sorted(os.listdir(folder / "prompts")) == ["respond.txt", "réponse.txt"]


def test_an_archive_that_does_not_read_back_never_gets_its_name(
    owner: Resident, place: BackupFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A disk that hands back something else than was written.
    monkeypatch.setattr(
        os, "fsync", lambda _: damage_file(next(place.backup_folder.glob(".*.part/*.tar"), None))
    )

    with pytest.raises(OperationRefused, match="damaged"):
        place.create_backup()

    assert os.listdir(place.backup_folder) == []


def damage_file(path: Path | None) -> None:
    if path is not None:
        whole = bytearray(path.read_bytes())
        whole[len(whole) // 2] ^= 1
        path.write_bytes(whole)


SETTINGS = {
    "LLAMORA_PORT": "9000",
    "LLAMORA_SECRET_KEY": "very secret words",
    "LLAMORA_MODEL_API_KEY": "sk-other",
    "LLAMORA_MODEL_URL": "http://user:hidden@10.0.0.2:8080/v1",
    "HOME": "/home/olive",
}


def test_settings_come_without_secrets(owner: Resident, place: BackupFolders) -> None:
    text = create.render_settings(SETTINGS, with_secrets=False)

    assert "LLAMORA_PORT='9000'" in text
    assert "http://10.0.0.2:8080/v1" in text
    for hidden in ("secret words", "sk-other", "hidden", "HOME"):
        assert hidden not in text


def test_secrets_come_when_asked_for(owner: Resident, place: BackupFolders) -> None:
    (place.house.data_dir / "secrets").mkdir()
    (place.house.data_dir / "secrets" / "secret_key").write_text("the key")

    without = place.create_backup().path.read_bytes()
    folder = unpack(place, place.create_backup(with_secrets=True).path)

    assert b"the key" not in without
    assert (folder / "secrets" / "secret_key").read_text() == "the key"
    assert "sk-other" in create.render_settings(SETTINGS, with_secrets=True)


def test_two_in_one_second_are_two(owner: Resident, place: BackupFolders) -> None:
    assert place.create_backup().path != place.create_backup().path


def write_rows(path: Path, stop: threading.Event, written: list[int]) -> None:
    """Commit small rows without pause, as another process could."""
    with closing(sqlite3.connect(path, timeout=20, isolation_level=None)) as storm:
        number = 0
        while not stop.is_set():
            storm.execute("INSERT INTO storm VALUES (?, ?)", [number, os.urandom(3000)])
            written.append(number)
            number += 1


def test_a_backup_in_a_storm_of_writes_ends_and_holds_what_was_confirmed_before(
    owner: Resident, place: BackupFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "STEP_PAGES", 8)
    live = place.folder / "live.sqlite3"
    snapshot.copy_database(get_database_path(), live)
    with closing(sqlite3.connect(live)) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE storm (number INTEGER, ballast BLOB)")
        made.executemany("INSERT INTO storm VALUES (?, ?)", [(-1, os.urandom(3000)) for _ in range(1000)])
        made.commit()
    stop, written = threading.Event(), list[int]()
    storm = threading.Thread(target=write_rows, args=(live, stop, written))
    storm.start()
    while len(written) < 50:
        pass

    confirmed = len(written)
    snapshot.copy_database(live, place.folder / "copy.sqlite3")
    meanwhile = len(written) - confirmed
    stop.set()
    storm.join()

    assert meanwhile > 20, "there was no storm"
    copied = count_rows(place.folder / "copy.sqlite3", "storm") - 1000
    assert confirmed <= copied <= confirmed + meanwhile
    assert integrity.check_database(place.folder / "copy.sqlite3").problems == []


def test_a_damaged_database_is_not_backed_up(owner: Resident, place: BackupFolders) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER fence_diary_entry_text_insert")
    try:
        with pytest.raises(OperationRefused, match="damaged"):
            place.create_backup()
    finally:
        call_command("migrate", verbosity=0)

    assert os.listdir(place.backup_folder) == []


def test_a_row_that_refers_to_nothing_stops_no_backup(owner: Resident, place: BackupFolders) -> None:
    with owner.unlocked():
        edit_entry(owner_id=owner.id, entry_id=Entry.objects.latest("id").id, text="Edited.", revision=1)
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        one = "(SELECT min(id) FROM diary_version)"
        cursor.execute(f"UPDATE diary_version SET entry_id = %s WHERE id = {one}", [UUID(int=0).hex])

        backup = place.create_backup().path
        Version.objects.all().delete()

    found = integrity.check_database(unpack(place, backup) / archive.DATABASE)
    assert (found.problems, found.damage) == ([], ["1 rows refer to rows that don't exist."])


def test_a_backup_that_is_stopped_leaves_nothing(owner: Resident, place: BackupFolders) -> None:
    for patience in (0, 1, 2, 3, 5, 8):
        asked = iter(range(1000))

        with pytest.raises(snapshot.BackupStopped):
            create.create_backup(
                place.house,
                folder=place.backup_folder,
                now=NOW,
                stop=lambda: next(asked) >= patience,  # noqa: B023
            )

        assert os.listdir(place.backup_folder) == []


def test_a_backup_without_room_is_refused(
    owner: Resident, place: BackupFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(place.folder)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    with pytest.raises(OperationRefused, match="not enough space"):
        place.create_backup()


def test_a_household_that_is_not_there_is_refused(transactional_db: None, place: BackupFolders) -> None:
    house = create.HouseholdFiles(data_dir=place.folder, database=place.folder / "none", environment={})

    with pytest.raises(OperationRefused, match="not set up"):
        create.create_backup(house, folder=place.backup_folder, now=NOW)


def test_the_command_says_counts_and_place(
    owner: Resident, place: BackupFolders, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("backup", to=place.backup_folder)

    said = capsys.readouterr().out
    assert str(place.backup_folder) in said
    assert "47 encrypted values" in said
    with pytest.raises(CommandError, match="can't be created"):
        call_command("backup", to=get_database_path() / "below a file")


def test_the_household_is_not_kept_from_writing_meanwhile(
    owner: Resident, place: BackupFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "STEP_PAGES", 1)
    done = threading.Thread(target=place.create_backup)
    done.start()

    written = 0
    while done.is_alive():
        owner.write("meanwhile")
        written += 1
    done.join()
    connections.close_all()

    assert written > 5


def test_nothing_readable_is_left_beside_it(owner: Resident, place: BackupFolders) -> None:
    place.create_backup(now=NOW + timedelta(days=1))

    assert MARKER.encode() not in read_all_files(place.folder)


EVENTS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "sqlite3.connect"}


def test_a_backup_killed_anywhere_leaves_no_half_one_under_its_name(
    owner: Resident, place: BackupFolders
) -> None:
    made, left = [], 0
    for step in range(1, 400, 2):

        def backs_up(step: int = step) -> None:
            die_at_step(step, events=EVENTS)
            place.create_backup(now=NOW + timedelta(hours=step))

        ended = run_forked(backs_up)
        made = sorted(place.backup_folder.glob("*.tar")) if place.backup_folder.is_dir() else []
        for path in made:
            shutil.rmtree(place.folder / "unpacked", ignore_errors=True)
            unpack(place, path)
        if ended == 0:
            break
        parts = list(place.backup_folder.glob(".llamora-*.part"))
        left += len(parts)
        # The next one removes what the last one left.
        assert len(parts) <= 1

    assert ended == 0
    assert made
    assert left
    assert sorted(place.backup_folder.iterdir()) == made


def test_a_part_is_removed_unless_a_process_is_at_work_on_it(place: BackupFolders) -> None:
    killed, at_work = (place.backup_folder / f".llamora-{name}.tar.1.part" for name in ("killed", "at-work"))
    for part in (killed, at_work):
        part.mkdir(parents=True)
        (part / "database.sqlite3").touch()

    with retention.lock_part(at_work):
        removed = retention.remove_abandoned_parts(place.backup_folder, now=NOW, errors=[])

    assert removed == 1
    assert list(place.backup_folder.iterdir()) == [at_work]
