"""Tests of truncating the write-ahead log without blocking readers or writers."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import Person
from llamora.database import truncate_wal, wal, write_transaction
from llamora.threads import FairExecutor, yield_turn
from tests.fakes.waiting import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)


def get_log_size() -> int:
    return Path(f"{connection.settings_dict['NAME']}-wal").stat().st_size


@contextmanager
def open_reader() -> Iterator[None]:
    """Open another connection with an unfinished read transaction."""
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM accounts_person").fetchone()
        yield


@pytest.fixture(autouse=True)
def _few_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wal, "_ATTEMPTS", 3)


def test_the_log_is_cut_to_nothing() -> None:
    Person.objects.create(name="Olive")
    assert get_log_size() > 0

    assert truncate_wal()
    assert get_log_size() == 0


def test_a_reader_prevents_it_for_a_while_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with open_reader():
        Person.objects.create(name="Olive")

        assert not truncate_wal()

    assert "somebody was reading" in caplog.text
    assert truncate_wal()


def test_it_waits_for_a_reader_that_ends_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wal, "_ATTEMPTS", 100_000)
    reading, ended = threading.Event(), threading.Event()

    def reads() -> None:
        with open_reader():
            reading.set()
            ended.wait(PATIENCE)

    thread = threading.Thread(target=reads)
    thread.start()
    assert reading.wait(PATIENCE)
    Person.objects.create(name="Olive")
    threading.Timer(0.15, ended.set).start()

    assert truncate_wal()
    thread.join(PATIENCE)


def test_a_writer_does_not_wait_until_the_last_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wal, "_ATTEMPTS", 100_000)

    def truncates() -> None:
        truncate_wal()
        connection.close()

    thread = threading.Thread(target=truncates)
    with open_reader():
        Person.objects.create(name="Olive")
        thread.start()
        time.sleep(0.02)
        with write_transaction():
            Person.objects.create(name="Humphrey")
        is_still_trying = thread.is_alive()
    thread.join(PATIENCE)

    assert is_still_trying


def test_the_time_limit_of_the_connection_stays_what_it_was() -> None:
    with connection.cursor() as cursor:
        before = cursor.execute("PRAGMA busy_timeout").fetchone()
        truncate_wal()

        assert cursor.execute("PRAGMA busy_timeout").fetchone() == before


def test_nothing_is_done_inside_a_transaction() -> None:
    with transaction.atomic():
        Person.objects.create(name="Olive")

        assert not truncate_wal()

    assert Person.objects.count() == 1


def test_an_error_of_the_database_is_logged_by_its_type(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails() -> bool:
        raise DatabaseError("with words of the diary")

    monkeypatch.setattr(wal, "_try_truncate", fails)

    assert not truncate_wal()
    assert "DatabaseError" in caplog.text
    assert "words of the diary" not in caplog.text


def test_other_requests_go_on_while_it_waits() -> None:
    """In a pool with one active call."""
    pool, order = FairExecutor(threads=2, name="pool", max_active=1), list[str]()

    def truncates() -> None:
        truncate_wal()
        order.append("truncated")
        with yield_turn():
            connection.close()

    with open_reader():
        Person.objects.create(name="Olive")
        first, second = pool.submit(truncates), pool.submit(order.append, "page")
        first.result(PATIENCE)
        second.result(PATIENCE)
    pool.shutdown()

    assert order == ["page", "truncated"]
