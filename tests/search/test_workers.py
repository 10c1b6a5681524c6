"""Tests that a worker survives failing tasks and a failing database connection."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from django.db import connection

from accounts.models import Person
from search.index import registry, workers
from search.index.registry import IndexRegistry
from search.index.workers import SearchWorker
from tests.fakes.waiting import PATIENCE, wait_for
from tests.people import Resident


@pytest.fixture
def worker() -> Iterator[SearchWorker]:
    """A search worker for the test."""
    lane = SearchWorker("a-lane-of-a-test")
    yield lane
    lane.stop(timeout=PATIENCE)


def run_task(lane: SearchWorker, task: Callable[[], None]) -> None:
    """Run a task on a worker and wait for its end, even if it fails."""
    lane.submit(uuid4(), "task", task)
    assert lane.wait_idle(timeout=PATIENCE)


def test_a_worker_whose_connection_went_bad_opens_another_for_the_next_task(
    worker: SearchWorker, owner: Resident, caplog: pytest.LogCaptureFixture
) -> None:
    people: list[int] = []

    def break_it() -> None:
        people.append(Person.objects.count())
        connection.connection.close()  # the raw handle, under Django's own

    def count() -> None:
        people.append(Person.objects.count())

    run_task(worker, break_it)
    run_task(worker, count)
    said = list(caplog.messages)
    run_task(worker, count)

    assert said == ["A search task failed: ProgrammingError"]
    assert people == [1, 1]


def test_a_worker_gives_its_connection_up_before_the_database_is_another_one(
    worker: SearchWorker, owner: Resident
) -> None:
    used: list[sqlite3.Connection] = []

    def count() -> None:
        Person.objects.count()
        used.append(connection.connection)

    assert worker.close_connection(timeout=PATIENCE)  # that of a worker which has done nothing yet
    run_task(worker, count)
    assert not is_closed(used[0])
    assert worker.close_connection(timeout=PATIENCE)

    assert is_closed(used[0])


def is_closed(connection: sqlite3.Connection) -> bool:
    try:
        # Not a statement: another thread that closes the connection during one would end the process.
        _ = connection.in_transaction
    except sqlite3.ProgrammingError:
        return True
    return False


def test_a_worker_with_nothing_to_do_soon_holds_no_connection(
    worker: SearchWorker, owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[sqlite3.Connection | None] = []
    assert 0 < workers._LINGER_SECONDS < 5
    monkeypatch.setattr(workers, "_LINGER_SECONDS", PATIENCE)

    def note() -> None:
        held.append(connection.connection)
        Person.objects.count()
        held.append(connection.connection)

    run_task(worker, note)
    monkeypatch.setattr(workers, "_LINGER_SECONDS", 0.01)
    run_task(worker, note)
    before, opened, lasting, the_same = held
    assert before is None
    assert opened is not None
    assert lasting is the_same is opened
    wait_for(lambda: is_closed(opened))
    run_task(worker, note)

    assert held[4] is None


def test_a_worker_that_ends_leaves_no_connection_open(owner: Resident) -> None:
    lane = SearchWorker("a-lane-that-ends")
    held: list[sqlite3.Connection] = []

    def note() -> None:
        Person.objects.count()
        held.append(connection.connection)

    run_task(lane, note)

    lane.stop(timeout=PATIENCE)

    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        held[0].execute("SELECT 1")


def test_the_sweeper_ends_when_it_is_told_to(owner: Resident) -> None:
    household = IndexRegistry()
    household.for_owner(owner.keyring)
    [sweeper] = [each for each in threading.enumerate() if each is household._sweeper]
    assert registry.SWEEP_SECONDS > PATIENCE

    household.stop(timeout=PATIENCE)

    assert not sweeper.is_alive()
    household.close_all()


def test_a_task_with_a_pause_lets_others_go_first_and_the_same_one_takes_its_place(
    worker: SearchWorker, owner: Resident
) -> None:
    order: list[str] = []
    key_id = owner.keyring.key_id
    worker.submit(key_id, "embed", lambda: order.append("embed"), pause=3600)
    worker.submit(key_id, "poll", lambda: order.append("poll"))
    wait_for(lambda: order == ["poll"])
    worker.submit(key_id, "embed", lambda: order.append("embed later"), pause=7200)
    assert not worker.is_idle(key_id)

    worker.submit(key_id, "embed", lambda: order.append("embed now"))

    assert worker.wait_idle(timeout=PATIENCE)
    assert order == ["poll", "embed now"]
