"""A lane outlives what goes wrong in a task, its database connection included."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from django.db import connection

from accounts.models import Person
from search.index.registry import SWEEP_SECONDS, IndexRegistry
from search.index.workers import SearchWorker
from tests.people import Resident

PATIENCE = 30


@pytest.fixture
def lane() -> Iterator[SearchWorker]:
    """A lane of the test's own."""
    lane = SearchWorker("a-lane-of-a-test")
    yield lane
    lane.stop(timeout=PATIENCE)


def done(lane: SearchWorker, task: Callable[[], None]) -> None:
    """Have a lane perform a task, whatever becomes of it."""
    lane.submit(uuid4(), "task", task)
    assert lane.wait_idle(timeout=PATIENCE)


def test_a_worker_whose_connection_went_bad_opens_another_for_the_next_task(
    lane: SearchWorker, owner: Resident, caplog: pytest.LogCaptureFixture
) -> None:
    people: list[int] = []

    def break_it() -> None:
        people.append(Person.objects.count())
        connection.connection.close()  # the raw handle, under Django's own

    def count() -> None:
        people.append(Person.objects.count())

    done(lane, break_it)
    done(lane, count)
    said = list(caplog.messages)
    done(lane, count)

    assert said == ["a task of search ended with ProgrammingError"]
    assert people == [1, 1]


def test_a_worker_with_nothing_to_do_soon_holds_no_connection(lane: SearchWorker, owner: Resident) -> None:
    held: list[object] = []

    def note() -> None:
        held.append(connection.connection)
        Person.objects.count()
        held.append(connection.connection)

    done(lane, note)
    done(lane, note)
    time.sleep(2.5)
    done(lane, note)

    before, opened, lasting, the_same, later, _ = held
    assert before is None
    assert opened is not None
    assert lasting is the_same is opened
    assert later is None


def test_a_worker_that_ends_leaves_no_connection_open(owner: Resident) -> None:
    lane = SearchWorker("a-lane-that-ends")
    held: list[sqlite3.Connection] = []

    def note() -> None:
        Person.objects.count()
        held.append(connection.connection)

    done(lane, note)

    lane.stop(timeout=PATIENCE)

    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        held[0].execute("SELECT 1")


def test_the_sweeper_ends_when_it_is_told_to(owner: Resident) -> None:
    household = IndexRegistry()
    household.for_owner(owner.keyring)
    [sweeper] = [each for each in threading.enumerate() if each is household._sweeper]
    assert SWEEP_SECONDS > 1

    household.stop(timeout=PATIENCE)

    assert not sweeper.is_alive()
    household.close_all()
