"""Tests of write transactions: one writer at a time, atomic, and errors with a reason."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections
from django.db.backends.sqlite3.base import DatabaseWrapper

from accounts.models import Person
from diary.models import Entry
from llamora.database import NotWritten, write_transaction
from llamora.database.transactions import hold_write_lock
from llamora.threads import FairExecutor
from tests.fakes.waiting import PATIENCE
from tests.fields.stored import DAY
from tests.people import Resident, new_resident
from tests.threads.running import run_in_threads


@pytest.mark.django_db(transaction=True)
def test_writers_of_many_threads_all_write() -> None:
    def writes(n: int) -> Callable[[], None]:
        def act() -> None:
            for m in range(5):
                with write_transaction():
                    Person.objects.create(name=f"person {n} {m}")
            connection.close()

        return act

    run_in_threads(*(writes(n) for n in range(6)), apart=0)

    assert Person.objects.count() == 30


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("has_writer", [False, True])
def test_a_page_that_writes_lets_programs_run_only_if_it_waits_for_a_writer(*, has_writer: bool) -> None:
    """The writer may be a program."""
    pool = FairExecutor(threads=3, name="pool", max_active=1)
    order: list[str] = []
    hold, lock, has_program = pool.hold_others(), hold_write_lock(), threading.Event()

    def end_writer() -> None:
        order.append("program")
        if has_writer:
            lock.__exit__(None, None, None)

    def write_page() -> None:
        assert has_program.wait(PATIENCE)
        with write_transaction():
            for _ in range(2):
                pool.submit_for_key("next page", lambda: None).result(PATIENCE)
            order.append("page")
        connection.close()

    if has_writer:
        lock.__enter__()
    page = pool.submit_for_key("", write_page)
    program = pool.submit_for_key("program", end_writer, rank=1)
    has_program.set()
    page.result(PATIENCE)
    hold.release()
    program.result(PATIENCE)
    pool.shutdown()

    assert order == (["program", "page"] if has_writer else ["page", "program"])


@pytest.mark.django_db(transaction=True)
def test_a_transaction_inside_another_is_a_part_of_it() -> None:
    def makes_two_and_fails() -> None:
        with write_transaction():
            Person.objects.create(name="outer")
            with write_transaction():
                Person.objects.create(name="inner")
            raise ValueError("changed my mind")

    with pytest.raises(ValueError, match="changed my mind"):
        makes_two_and_fails()

    assert not Person.objects.exists()
    with write_transaction():
        Person.objects.create(name="after")


@pytest.mark.django_db(transaction=True)
def test_the_next_writer_goes_on_after_one_that_failed() -> None:
    Person.objects.create(name="Olive")
    with pytest.raises(IntegrityError), write_transaction():
        Person.objects.create(name="olive")

    def writes() -> None:
        with write_transaction():
            Person.objects.create(name="next")
        connection.close()

    run_in_threads(writes)
    assert Person.objects.count() == 2


# --- What the database does not take ---------------------------------------------------------------


@contextmanager
def with_connection(**changes: Any) -> Iterator[DatabaseWrapper]:
    """Replace the default connection of this thread."""
    before = connections["default"]
    settings = {**before.settings_dict, **changes}
    other = DatabaseWrapper(settings, "default")
    connections["default"] = other
    try:
        yield other
    finally:
        other.close()
        connections["default"] = before


@pytest.fixture
def owner(transactional_db: None) -> Resident:
    return new_resident("Olive")


def save_entry(who: Resident, text: str = "x" * 50_000) -> None:
    with who.unlocked(), write_transaction():
        Entry.objects.create(owner_id=who.id, day=DAY, text=text)


def get_refusal(who: Resident) -> NotWritten:
    with pytest.raises(NotWritten) as refused:
        save_entry(who, text="the words " * 5000)
    return refused.value


def test_a_full_disk_has_a_code(owner: Resident) -> None:
    with connection.cursor() as cursor:
        # Free pages that earlier tests left would take the entry.
        cursor.execute("VACUUM")
        (pages,) = cursor.execute("PRAGMA page_count").fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages}")
    try:
        error = get_refusal(owner)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count = 1073741823")

    assert error.code == "disk_full"
    assert not Entry.objects.exists()
    save_entry(owner)
    assert Entry.objects.count() == 1


def test_a_file_that_can_only_be_read_has_a_code(owner: Resident) -> None:
    path = Path(connection.settings_dict["NAME"])
    options = {**connection.settings_dict["OPTIONS"], "uri": True}

    with with_connection(NAME=f"file:{path}?mode=ro", OPTIONS=options):
        error = get_refusal(owner)
        assert Person.objects.count() == 1

    assert error.code == "read_only"


def test_a_file_that_is_not_there_has_a_code(owner: Resident, tmp_path: Path) -> None:
    with with_connection(NAME=tmp_path / "gone" / "llamora.sqlite3"):
        error = get_refusal(owner)

    assert error.code == "read_only"


def test_another_process_that_does_not_stop_writing_has_a_code(owner: Resident) -> None:
    options = {**connection.settings_dict["OPTIONS"], "timeout": 0.1}
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")
    try:
        with with_connection(OPTIONS=options):
            error = get_refusal(owner)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")

    assert error.code == "busy"


def test_no_refusal_quotes_what_was_to_be_written(owner: Resident, tmp_path: Path) -> None:
    with with_connection(NAME=tmp_path / "gone" / "llamora.sqlite3"):
        error = get_refusal(owner)

    assert "the words" not in str(error)
    assert error.__cause__ is None
    assert error.__suppress_context__
