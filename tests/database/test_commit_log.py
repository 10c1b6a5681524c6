"""Tests of the log of commits: appending, reading, and finding the commits that a database has lost."""

import errno
import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.db import IntegrityError, connection

from accounts.models import Person
from diary.models import Entry
from llamora.database import NotWritten, commit_log, truncate_wal, write_transaction
from llamora.database.commit_log import CommitLog, CommitRecord
from llamora.database.losses import find_loss
from tests.fakes.waiting import wait_for
from tests.fields.stored import DAY
from tests.people import new_resident

HEADER_BYTES = RECORD_BYTES = 32


@pytest.fixture
def database(transactional_db: None) -> Iterator[Path]:
    """The database of the tests, with a log of commits."""
    connection.ensure_connection()
    path = Path(connection.settings_dict["NAME"])
    commit_log.assign_household_number(connection.connection)
    truncate_wal()
    commit_log.begin_commit_log(path, connection.connection)
    yield path
    commit_log.remove_commit_log(path)


def read_log(database: Path) -> CommitLog:
    found = commit_log.read_commit_log(database)
    assert found is not None
    return found


def get_number() -> int:
    return commit_log.read_number(connection.connection)


def test_each_transaction_that_wrote_is_recorded_with_its_number(database: Path) -> None:
    first = get_number()
    for name in ("Olive", "Humphrey"):
        with write_transaction():
            Person.objects.create(name=name)
            with write_transaction():
                Person.objects.filter(name=name).update(language="en-us")

    log = read_log(database)
    assert log.first.number == first
    assert [record.number for record in log.records] == [first + 1, first + 2]
    assert get_number() == first + 2
    now = datetime.now(UTC).timestamp()
    assert all(now - 60 < record.moment <= now for record in (log.first, *log.records))


def test_only_the_owner_can_read_the_log(database: Path) -> None:
    path = commit_log.get_log_path(database)

    assert path.name == f"{database.name}-commits"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_transaction_that_wrote_nothing_or_failed_is_not_recorded(database: Path) -> None:
    number = get_number()
    with write_transaction():
        Person.objects.count()
    save_person("Olive")
    with pytest.raises(IntegrityError):
        save_person("olive")

    assert len(read_log(database).records) == 1
    assert get_number() == number + 1


def test_a_record_says_whose_it_is_and_for_which_day(database: Path) -> None:
    olive = new_resident("Olive")
    with olive.unlocked(), write_transaction():
        Entry.objects.create(owner_id=olive.id, day=DAY, text="rain")
    with olive.unlocked(), write_transaction():
        Entry.objects.filter(owner_id=olive.id).delete()
    with write_transaction():
        Person.objects.create(name="Humphrey")

    *_, saved, deleted, other = read_log(database).records
    assert (saved.owner, saved.day) == (olive.id.bytes[8:], DAY)
    assert (deleted.owner, deleted.day) == (olive.id.bytes[8:], None)
    assert (other.has_owner, other.day) == (False, None)


def test_the_log_begins_again_when_the_write_ahead_log_is_emptied(database: Path) -> None:
    save_person("Olive")
    household = read_log(database).household

    assert truncate_wal()
    save_person("Humphrey")

    log = read_log(database)
    assert log.household == household != 0
    assert [record.number for record in log.records] == [log.first.number + 1] == [get_number()]


def test_a_log_in_which_nothing_was_recorded_stays_the_same_file(database: Path) -> None:
    def describe() -> tuple[int, ...]:
        # Without the time of the last reading, which is read as well.
        found = commit_log.get_log_path(database).stat()
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    before = describe()

    commit_log.begin_commit_log(database, connection.connection)

    assert describe() == before


def test_without_a_log_commits_are_counted_and_nothing_is_written(database: Path) -> None:
    commit_log.remove_commit_log(database)
    number = get_number()
    save_person("Olive")

    assert get_number() == number + 1
    assert not commit_log.get_log_path(database).exists()


def test_a_log_that_cannot_be_written_to_stops_no_save(database: Path) -> None:
    path = commit_log.get_log_path(database)
    path.unlink()
    path.mkdir()
    try:
        save_person("Olive")
    finally:
        path.rmdir()

    assert Person.objects.filter(name="Olive").exists()


def test_a_log_that_cannot_be_begun_again_stays_as_it_was(
    database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save_person("Olive")
    before = read_log(database)
    draft = database.with_name(f"{database.name}-commits.new")
    draft.mkdir()
    try:
        assert truncate_wal()
    finally:
        draft.rmdir()

    assert read_log(database) == before
    assert "could not be begun again: IsADirectoryError" in caplog.text


def test_another_process_that_finds_the_log_writes_to_it_too(database: Path) -> None:
    save_person("Olive")
    with commit_log.get_log_path(database).open("ab") as other:
        other.write(b"cut off")
    save_person("Humphrey")

    assert len(read_log(database).records) == 2


def save_person(name: str) -> None:
    with write_transaction():
        Person.objects.create(name=name)


@pytest.mark.parametrize("where", [0, 9, 30, HEADER_BYTES - 1])
def test_a_log_whose_beginning_is_damaged_is_no_log(database: Path, where: int) -> None:
    save_person("Olive")
    flip_bit(commit_log.get_log_path(database), where)

    assert commit_log.read_commit_log(database) is None


@pytest.mark.parametrize("where", range(0, RECORD_BYTES, 5))
def test_a_damaged_record_is_passed_over(database: Path, where: int) -> None:
    for name in ("Olive", "Humphrey", "Ada"):
        save_person(name)
    first, _, third = read_log(database).records
    flip_bit(commit_log.get_log_path(database), HEADER_BYTES + RECORD_BYTES + where)

    assert read_log(database).records == [first, third]


@pytest.mark.parametrize("size", [0, 1, HEADER_BYTES - 1])
def test_a_log_cut_in_its_beginning_is_no_log(database: Path, size: int) -> None:
    os.truncate(commit_log.get_log_path(database), size)
    save_person("Olive")

    assert commit_log.read_commit_log(database) is None


def flip_bit(path: Path, where: int) -> None:
    content = bytearray(path.read_bytes())
    content[where] ^= 4
    path.write_bytes(content)


# --- Which commits were lost -----------------------------------------------------------------------------


def build_log(*numbers: int, first: int = 10) -> CommitLog:
    """Return a log of commits with these numbers, one each second."""
    records = [
        CommitRecord(number=number, moment=1000.0 + place, owner=bytes(8), day=date(2026, 1, 1))
        for place, number in enumerate(numbers, 1)
    ]
    return CommitLog(household=1, first=CommitRecord(number=first, moment=1000.0), records=records)


@pytest.mark.parametrize(
    ("numbers", "found", "lost"),
    [
        ((11, 12, 13), 13, []),
        ((11, 12, 13), 14, []),  # killed before the last was recorded
        ((11, 13, 12, 14), 14, []),  # two processes
        ((10, 11), 11, []),  # recorded late by another process
        ((11, 12, 13), 11, [1002.0, 1003.0]),
        ((11, 12, 13), 9, [1000.0, 1001.0, 1002.0, 1003.0]),
        ((), 9, [1000.0]),
        ((11, 12, 13, 12, 13, 14), 14, [1002.0, 1003.0]),  # written to before anyone looked
        ((11, 12, 13, 12), 12, [1002.0, 1003.0]),
    ],
)
def test_a_database_behind_its_log_has_lost_something(
    numbers: tuple[int, ...], found: int, lost: list[float]
) -> None:
    assert [record.moment for record in build_log(*numbers).find_lost(found)] == lost


def test_the_numbers_are_those_of_the_header_of_the_file(database: Path) -> None:
    save_person("Olive")
    truncate_wal()
    header = database.read_bytes()[:100]

    assert int.from_bytes(header[60:64], "big") == get_number()
    assert int.from_bytes(header[68:72], "big") == read_log(database).household


def test_a_copy_of_the_database_has_the_same_numbers(database: Path, tmp_path: Path) -> None:
    save_person("Olive")
    with closing(sqlite3.connect(database)) as live, closing(sqlite3.connect(tmp_path / "copy")) as copy:
        live.backup(copy)
        copy.execute("VACUUM")

        assert commit_log.read_number(copy) == get_number()


def set_number(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA user_version = {number:d}")


def test_after_the_last_number_nothing_is_counted_until_the_log_begins_again(database: Path) -> None:
    set_number(2**31 - 2)
    commit_log.remove_commit_log(database)
    commit_log.begin_commit_log(database, connection.connection)
    for name in ("Olive", "Humphrey", "Ada"):
        save_person(name)

    assert Person.objects.count() == 3
    assert [record.number for record in read_log(database).records] == [2**31 - 1]
    assert get_number() == 2**31 - 1
    assert find_loss(database) is None

    assert truncate_wal()
    save_person("Tom")
    assert [record.number for record in read_log(database).records] == [1] == [get_number()]
    assert find_loss(database) is None


def test_a_number_below_zero_of_another_program_stops_no_save(database: Path) -> None:
    set_number(-5)
    assert get_number() == 0
    assert truncate_wal()
    save_person("Olive")

    assert [record.number for record in read_log(database).records] == [1] == [get_number()]
    assert find_loss(database) is None


def test_a_full_disk_leaves_the_number_as_it_was(database: Path) -> None:
    olive = new_resident("Olive")
    recorded = len(read_log(database).records)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        (pages,) = cursor.execute("PRAGMA page_count").fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages}")
    before = get_number()
    try:
        with pytest.raises(NotWritten), olive.unlocked(), write_transaction():
            Entry.objects.create(owner_id=olive.id, day=DAY, text="x" * 50_000)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count = 1073741823")

    assert get_number() == before
    assert len(read_log(database).records) == recorded


# --- On the disk -----------------------------------------------------------------------------------------


class Disk:
    """A simulated disk with the synced files of the log of commits."""

    def __init__(self, database: Path) -> None:
        self.path = commit_log.get_log_path(database)
        self.error: int | None = None
        self.contents: dict[int, bytes] = {}
        self.attempts = 0
        self.during: threading.Event | None = None

    def sync(self, descriptor: int) -> None:
        """Stand for `os.fdatasync`: what is in the file when it is called is on the disk when it returns."""
        about = os.fstat(descriptor)
        if about.st_ino != self.path.stat().st_ino:
            return
        self.attempts += 1
        if self.error:
            raise OSError(self.error, os.strerror(self.error))
        content = os.pread(descriptor, about.st_size, 0)
        if self.during:
            self.during.wait(5)
        self.contents[about.st_ino] = content

    def cut_power(self, folder: Path) -> list[int]:
        """Return the numbers of the commits that a log of commits has after a power cut."""
        content = self.contents.get(self.path.stat().st_ino, b"")
        copy = folder / "after-a-power-cut"
        commit_log.get_log_path(copy).write_bytes(content)
        found = commit_log.read_commit_log(copy)
        return [record.number for record in found.records] if found else []


@pytest.fixture
def disk(database: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A disk that has only what was synced, and a log that is synced without a pause."""
    monkeypatch.setattr(commit_log, "_SYNC_SECONDS", 0.01)
    disk = Disk(database)
    monkeypatch.setattr(os, "fdatasync", disk.sync)
    return disk


def test_the_log_is_on_the_disk_soon_after_each_save(database: Path, disk: Disk, tmp_path: Path) -> None:
    for name in ("Olive", "Humphrey"):
        save_person(name)
        wait_for(lambda: get_number() in disk.cut_power(tmp_path))

    assert disk.cut_power(tmp_path) == [get_number() - 1, get_number()]


def test_a_save_during_a_sync_does_not_wait_and_is_synced_next(
    database: Path, disk: Disk, tmp_path: Path
) -> None:
    disk.during = threading.Event()
    save_person("Olive")
    first = get_number()
    wait_for(lambda: disk.attempts > 0)

    save_person("Humphrey")
    assert disk.cut_power(tmp_path) == []
    disk.during.set()

    wait_for(lambda: disk.cut_power(tmp_path) == [first, first + 1])


def test_a_log_that_was_begun_again_is_synced(database: Path, disk: Disk, tmp_path: Path) -> None:
    save_person("Olive")
    wait_for(lambda: disk.cut_power(tmp_path) == [get_number()])

    assert truncate_wal()
    save_person("Humphrey")

    wait_for(lambda: disk.cut_power(tmp_path) == [get_number()])


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_a_disk_that_does_not_take_the_log_is_said_once_and_stops_nothing(
    database: Path, disk: Disk, tmp_path: Path, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    disk.error = number
    for attempt, name in enumerate(("Olive", "Humphrey", "Ada"), start=1):
        save_person(name)
        # At the third, what was to be said of the second has been said.
        wait_for(lambda attempt=attempt: disk.attempts >= attempt)
    said = [record.message for record in caplog.records if record.name == commit_log.__name__]

    assert said == [
        f"The log of commits could not be written to the disk ({os.strerror(number)}), so the loss of a save "
        "may not be noticed. Check that the disk has free space and works."
    ]
    assert Person.objects.count() == 3

    for error in (None, number, None):
        disk.error, attempts = error, disk.attempts
        save_person(f"Tom {error} {attempts}")
        wait_for(lambda attempts=attempts: disk.attempts > attempts)
    wait_for(lambda: get_number() in disk.cut_power(tmp_path))
    assert caplog.text.count("could not be written to the disk") == 2
