"""Tests of a household on a full or read-only disk: its reserve, its health, and what each command says."""

import io
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

import llamora.urls
from accounts.models import SignIn
from diary.models import Entry
from llamora.database import NotWritten, backup_files, disk, reserve, write_transaction
from llamora.database.disk import DiskProbe
from llamora.ops import startup
from llamora.ops.backup.verify_secret import using_database_file
from llamora.ops.doctor import machine
from llamora.ops.doctor.check_result import CheckResult, merge_prevented, ok, run_check
from llamora.ops.errors import OperationRefused
from tests import data_folder_template
from tests.ops.small_disk import SmallDisk, mount_small_disk
from tests.people import Resident, new_resident, register_resident
from tests.sign_in_updates import update_sign_ins

MIB = 2**20
READING_CHECKS = {"pages", "old keys", "encrypted columns"}
WRITING_CHECKS = {
    *("pragmas", "deletion", "people", "access tokens", "key derivations", "damaged rows"),
    # Where there is no backup, it is asked whether there is a diary.
    *("invitations", "key changes", "sessions", "replies", "late drafts", "inbox", "backups"),
}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of 16 MiB."""
    with mount_small_disk(tmp_path, mebibytes=16) as disk:
        yield disk
    reserve._ready.clear()


@pytest.fixture
def olive(small: SmallDisk, settings: Any, transactional_db: None) -> Iterator[Resident]:
    """A person whose household is on that disk."""
    data_folder_template.copy_database(small.folder)
    settings.DATA_DIR, settings.BACKUP_DIR = small.folder, small.folder / "backups"
    settings.SECRET_KEY_FILE = small.folder / "secrets" / "secret_key"
    settings.RESERVE_MIB = 2
    with using_database_file(small.folder / "llamora.sqlite3"):
        yield new_resident("Olive")


@pytest.fixture(autouse=True)
def eager_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a probe at each look at the health."""
    monkeypatch.setattr(llamora.urls, "disk_probe", DiskProbe(seconds=0))


def save(person: Resident, text: str) -> None:
    with person.unlocked(), write_transaction():
        Entry.objects.create(owner_id=person.id, day=person.today, text=text)


def get_health() -> tuple[int, str]:
    answer = Client().get("/healthz")
    return answer.status_code, answer.json()["disk"]


def get_unchecked(doctor: str) -> set[str]:
    """Return the names of the checks that `doctor` could not make, all of which are in one line."""
    (line,) = [line for line in doctor.splitlines() if line.startswith("bad   not checked: ")]
    beginning, _, names = line.removesuffix(".").rpartition(": ")
    found = set(names.split(", "))
    assert beginning.endswith(f": {len(found)} checks have to wait until the disk can be written to")
    return found


def run(*arguments: str) -> str:
    """Run a command; return what it says, in an error too."""
    out = io.StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=out)
    except CommandError as error:
        out.write(str(error))
    return out.getvalue()


# --- The reserve ----------------------------------------------------------------------------------


def test_the_reserve_has_blocks_of_its_own_and_only_its_user_reads_it(small: SmallDisk) -> None:
    assert reserve.create_reserve(small.folder, mebibytes=2)

    found = (small.folder / reserve.NAME).stat()
    assert found.st_size == 2 * MIB
    assert found.st_blocks * 512 >= 2 * MIB
    assert found.st_mode & 0o777 == 0o600


def test_the_reserve_takes_no_space_that_is_needed(small: SmallDisk) -> None:
    assert not reserve.create_reserve(small.folder, mebibytes=15)

    assert os.listdir(small.folder) == []
    assert not reserve.release()


def test_another_size_replaces_the_reserve_and_none_deletes_it(small: SmallDisk) -> None:
    for mebibytes in (2, 3, 1):
        assert reserve.create_reserve(small.folder, mebibytes=mebibytes)
        assert (small.folder / reserve.NAME).stat().st_size == mebibytes * MIB

    assert reserve.create_reserve(small.folder, mebibytes=0)
    assert os.listdir(small.folder) == []


def test_a_write_that_finds_no_space_takes_the_reserve_and_succeeds(
    small: SmallDisk, olive: Resident, caplog: pytest.LogCaptureFixture
) -> None:
    tom = register_resident("Tom")
    reserve.create_reserve(small.folder, mebibytes=2)
    save(olive, "There is space")
    assert (small.folder / reserve.NAME).exists()
    small.fill()
    assert disk.is_full(small.folder)

    save(olive, "The well is dry. " * 2000)
    signed_in = Client().post("/sign-in/", {"name": "Tom", "password": tom.password})

    assert signed_in.status_code == 302
    assert not (small.folder / reserve.NAME).exists()
    assert "Its reserve was deleted: free some space." in caplog.text
    assert "well" not in caplog.text

    small.empty()
    assert reserve.create_reserve(small.folder, mebibytes=2)


def test_a_write_that_was_refused_takes_it_too(small: SmallDisk, olive: Resident) -> None:
    """Where another program takes the space meanwhile, or a quota does that no figure shows."""
    reserve.create_reserve(small.folder, mebibytes=2)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count=1")

    with pytest.raises(NotWritten, match="disk_full"):
        save(olive, "The well is dry. " * 2000)

    assert not (small.folder / reserve.NAME).exists()


def test_doctor_warns_while_the_reserve_is_missing(small: SmallDisk, settings: Any) -> None:
    settings.DATA_DIR, settings.RESERVE_MIB = small.folder, 2
    assert [result.level for result in machine.check_reserve()] == ["warn"]

    reserve.create_reserve(small.folder, mebibytes=2)

    assert [result.message for result in machine.check_reserve()] == [
        "2 MiB of the disk are reserved, so that people can go on for a while when it is full."
    ]


# --- The health --------------------------------------------------------------------------------------


def test_the_health_is_bad_while_the_disk_takes_nothing(small: SmallDisk, olive: Resident) -> None:
    assert get_health() == (200, "ok")
    assert not (small.folder / ".probe").exists()

    if small.is_real:
        small.fill()
        assert get_health() == (503, "disk_full")
        small.empty()
        assert get_health() == (200, "ok")
        connection.close()
        small.set_read_only()
        assert DiskProbe().get_state(small.folder) == "read_only"


def test_the_health_is_bad_after_a_refused_save_until_one_works(small: SmallDisk, olive: Resident) -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only=ON")
    with pytest.raises(NotWritten):
        save(olive, "Nobody hears it")
    assert get_health() == (503, "read_only")

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only=OFF")
    save(olive, "Now it is heard")

    assert get_health() == (200, "ok")


def test_the_probe_is_written_at_most_once_in_its_time(small: SmallDisk) -> None:
    probe, eager = DiskProbe(seconds=3600), DiskProbe(seconds=0)
    assert probe.get_state(small.folder) == eager.get_state(small.folder) == "ok"
    (small.folder / ".probe").mkdir()

    assert probe.get_state(small.folder) == "ok"
    assert eager.get_state(small.folder) == "io"


# --- The commands ------------------------------------------------------------------------------------------


def make_old_backups(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    for days in (100, 200, 300):
        name = backup_files.backup_file_name(timezone.now() - timedelta(days=days))
        (folder / name).write_bytes(bytes(MIB))


def test_prune_makes_space_on_a_full_disk_and_then_deletes_rows(
    small: SmallDisk, olive: Resident, settings: Any
) -> None:
    settings.BACKUP_KEEP_DAYS, settings.BACKUP_KEEP_WEEKS = 1, 0
    update_sign_ins(created_at=timezone.now() - timedelta(days=31))
    make_old_backups(settings.BACKUP_DIR)
    connection.close()
    small.fill()

    said = run("prune")

    assert "Deleted: 1 expired sessions" in said
    assert "2 old backups" in said
    assert len(list(settings.BACKUP_DIR.iterdir())) == 1
    assert not SignIn.objects.exists()


def test_prune_says_what_it_could_not_delete(small: SmallDisk, olive: Resident, settings: Any) -> None:
    settings.BACKUP_KEEP_DAYS, settings.BACKUP_KEEP_WEEKS = 1, 0
    make_old_backups(settings.BACKUP_DIR)
    connection.close()
    small.set_read_only()

    said = run("prune")

    if small.is_real:
        assert "Deleted: 0 expired sessions" in said
        assert "0 old backups" in said
        assert "Not everything was deleted." in said
        assert f"The disk of {small.folder} is read-only" in said
        assert said.count("Read-only file system") == 2
    assert "Traceback" not in said


def test_a_full_disk_is_said_by_doctor_and_verify(small: SmallDisk, olive: Resident) -> None:
    connection.close()
    small.fill()

    doctor, verified = run("doctor"), run("verify")

    assert doctor.count(f"The disk of {small.folder} is full: 0 KiB are free.") == 1
    assert doctor.count("Free some space") == 1
    assert "Run manage.py verify" not in doctor
    if small.is_real:
        # SQLite can't create the file beside its log in which readers keep their places.
        assert get_unchecked(doctor) == READING_CHECKS | WRITING_CHECKS
    assert "No damage was found." in verified or f"The disk of {small.folder} is full" in verified
    assert "Traceback" not in doctor + verified


def test_a_damage_is_said_on_a_full_disk_too(small: SmallDisk, olive: Resident) -> None:
    """A check that found something is no check that the disk prevented."""

    def check_pages() -> Iterator[CheckResult]:
        with closing(sqlite3.connect(small.folder / "damaged")) as damaged:
            damaged.execute("SELECT * FROM sqlite_master")
        yield ok("pages", "")

    (small.folder / "damaged").write_bytes(b"no database " * 1000)
    small.fill()

    (found,) = merge_prevented(run_check(check_pages))

    assert found.message == "The database can't be read: file is not a database. Run manage.py verify."


def test_a_read_only_disk_is_said_by_doctor_and_up_and_verify_still_reads(
    small: SmallDisk, olive: Resident
) -> None:
    save(olive, "A line")
    connection.close()
    small.set_read_only()

    doctor, verified = run("doctor"), run("verify")

    assert doctor.count(f"The disk of {small.folder} is read-only, so nothing can be saved there.") == 1
    if small.is_real:
        assert get_unchecked(doctor) == WRITING_CHECKS
    assert "ok    pages: SQLite found no damage." in doctor
    assert "diary.entry.text: 1 encrypted value: 1 of format 2. All use" in doctor
    assert "No damage was found." in verified
    with pytest.raises(OperationRefused, match="is read-only, so nothing can be saved there"):
        startup.check_database_file()
