"""Tests of the queue for key derivations: its order, its limits, and its end."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from types import FrameType

import pytest

from llamora.crypto import BadCost, Cost, DerivationBusy, DerivationQueue, derivation, derive
from llamora.threads.fair_executor import PoolCall
from tests.crypto.cast import CHEAP, SALT
from tests.fakes.waiting import PATIENCE

# A derivation of this cost lasts until the test ends it, so that no machine is too fast or too slow.
HELD = Cost(memory_kib=64 * 1024, time=4, lanes=1)


class Gate:
    """A gate that holds derivations of the cost HELD; `started` lists all names in order of their starts."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self._open: set[str] = set()
        self._is_open = False
        self._changed = threading.Condition()

    def derive(self, *, secret: str, salt: bytes, cost: Cost) -> bytes:
        with self._changed:
            self.started.append(secret)
            if cost == HELD:
                self._changed.wait_for(lambda: self._is_open or secret in self._open)
        return derive(secret=secret, salt=salt, cost=CHEAP if cost == HELD else cost)

    def open(self, *names: str) -> None:
        """End the derivations of these names, or all of them and those to come if none is named."""
        with self._changed:
            self._open.update(names)
            self._is_open = self._is_open or not names
            self._changed.notify_all()


@pytest.fixture(autouse=True)
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate()
    monkeypatch.setattr(derivation, "derive", gate.derive)
    yield gate
    gate.open()


@pytest.fixture
def one_at_a_time(gate: Gate) -> Iterator[DerivationQueue]:
    queue = DerivationQueue(workers=1)
    yield queue
    gate.open()
    queue.close(timeout=10)


@pytest.fixture
def two_at_a_time(gate: Gate) -> Iterator[DerivationQueue]:
    queue = DerivationQueue(workers=2)
    yield queue
    gate.open()
    queue.close(timeout=10)


def submit(
    queue: DerivationQueue,
    *,
    address: str,
    name: str,
    cost: Cost = CHEAP,
    failures: int = 0,
    is_recognised: bool = False,
) -> Future[bytes]:
    return queue.submit(
        secret=name,
        salt=SALT,
        cost=cost,
        address=address,
        name=name,
        failures=failures,
        is_recognised=is_recognised,
    )


def submit_and_wait_for_start(queue: DerivationQueue, *, address: str, name: str) -> Future[bytes]:
    future = submit(queue, address=address, name=name, cost=HELD)
    wait_until(future.running)
    return future


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.001)


def _note(ended: list[str], name: str, _: Future[bytes]) -> None:
    ended.append(name)


def list_names_by_end(gate: Gate, **futures: Future[bytes]) -> list[str]:
    """End what is held, and return the names in the order in which their derivations end."""
    ended: list[str] = []
    for name, future in futures.items():
        future.add_done_callback(partial(_note, ended, name))
    gate.open()
    for future in futures.values():
        future.result(timeout=PATIENCE)
    wait_until(lambda: len(ended) == len(futures))
    return ended


def test_a_queued_derivation_gives_the_derived_key(two_at_a_time: DerivationQueue) -> None:
    queued = two_at_a_time.derive(secret="horse", salt=SALT, cost=CHEAP, address="10.0.0.1", name="anna")

    assert queued == derive(secret="horse", salt=SALT, cost=CHEAP)


def test_many_people_at_once_all_get_their_own_key(two_at_a_time: DerivationQueue) -> None:
    names = [f"person {number}" for number in range(20)]

    futures = [submit(two_at_a_time, address=name, name=name) for name in names]

    assert [future.result(PATIENCE) for future in futures] == [
        derive(secret=name, salt=SALT, cost=CHEAP) for name in names
    ]


def test_a_second_one_waiting_for_an_address_is_refused_at_once(
    gate: Gate, one_at_a_time: DerivationQueue
) -> None:
    running = submit_and_wait_for_start(one_at_a_time, address="10.0.0.1", name="anna")
    waiting = submit(one_at_a_time, address="10.0.0.1", name="ben")

    with pytest.raises(DerivationBusy) as refused:
        submit(one_at_a_time, address="10.0.0.1", name="cleo")

    assert running.running()
    assert refused.value.code == "busy"
    gate.open()
    assert waiting.result(PATIENCE)


def test_a_third_one_waiting_for_a_name_is_refused_at_once(
    gate: Gate, one_at_a_time: DerivationQueue
) -> None:
    submit_and_wait_for_start(one_at_a_time, address="10.0.0.1", name="anna")
    guessing = submit(one_at_a_time, address="10.0.0.2", name="ben")
    owner = submit(one_at_a_time, address="10.0.0.3", name="ben")

    with pytest.raises(DerivationBusy):
        submit(one_at_a_time, address="10.0.0.4", name="ben")

    gate.open()
    assert guessing.result(PATIENCE)
    assert owner.result(PATIENCE)


def test_one_that_waited_makes_room_for_the_next(one_at_a_time: DerivationQueue) -> None:
    for _ in range(3):
        assert submit(one_at_a_time, address="10.0.0.1", name="anna").result(PATIENCE)


def test_an_address_that_keeps_a_worker_busy_waits_behind_one_that_does_not(
    gate: Gate,
    two_at_a_time: DerivationQueue,
) -> None:
    """The flooding address came first, but a derivation of it is already running."""
    submit_and_wait_for_start(two_at_a_time, address="flooder", name="one")
    submit_and_wait_for_start(two_at_a_time, address="other", name="two")
    submit(two_at_a_time, address="flooder", name="three")
    submit(two_at_a_time, address="late", name="four")

    gate.open("two")

    wait_until(lambda: len(gate.started) == 4)
    assert gate.started == ["one", "two", "four", "three"]


def test_among_equals_the_one_that_came_first_goes_first(gate: Gate, one_at_a_time: DerivationQueue) -> None:
    submit_and_wait_for_start(one_at_a_time, address="0", name="zero")

    waiting = {name: submit(one_at_a_time, address=name, name=name) for name in ("first", "second", "third")}

    assert list_names_by_end(gate, **waiting) == ["first", "second", "third"]


def test_no_more_than_the_workers_run_at_a_time(gate: Gate, two_at_a_time: DerivationQueue) -> None:
    running = [submit(two_at_a_time, address=str(number), name=str(number), cost=HELD) for number in range(2)]
    wait_until(lambda: all(future.running() for future in running))

    third = submit(two_at_a_time, address="3", name="3")

    assert not third.running()
    gate.open("0")
    assert third.result(PATIENCE)
    assert running[1].running()


def test_the_queue_is_never_longer_than_its_limit(
    gate: Gate, one_at_a_time: DerivationQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(derivation, "MAX_WAITING", 3)
    submit_and_wait_for_start(one_at_a_time, address="0", name="0")
    waiting = [submit(one_at_a_time, address=str(number), name=str(number)) for number in range(1, 4)]

    with pytest.raises(DerivationBusy):
        submit(one_at_a_time, address="4", name="4")

    gate.open()
    assert all(future.result(PATIENCE) for future in waiting)


# --- Who gives way when many ask ------------------------------------------------------------------


@pytest.fixture
def crowded(
    one_at_a_time: DerivationQueue, monkeypatch: pytest.MonkeyPatch
) -> tuple[DerivationQueue, list[Future[bytes]]]:
    """A queue that is full of guessers at unknown names: the first has failed once, the second twice..."""
    monkeypatch.setattr(derivation, "MAX_WAITING", 4)
    submit_and_wait_for_start(one_at_a_time, address="0", name="0")
    guessers = [
        submit(one_at_a_time, address=f"guesser {n}", name=f"unknown {n}", failures=n) for n in range(1, 5)
    ]
    return one_at_a_time, guessers


def is_dropped(future: Future[bytes]) -> bool:
    return future.done() and isinstance(future.exception(0), DerivationBusy)


def test_whoever_failed_most_gives_way_to_one_who_did_not(
    gate: Gate,
    crowded: tuple[DerivationQueue, list[Future[bytes]]],
) -> None:
    queue, guessers = crowded

    owner = submit(queue, address="owner", name="owner")

    assert [is_dropped(guesser) for guesser in guessers] == [False, False, False, True]
    assert list_names_by_end(gate, owner=owner, first=guessers[0], second=guessers[1]) == [
        "owner",
        "first",
        "second",
    ]


def test_one_who_failed_as_often_as_all_that_wait_is_refused(
    crowded: tuple[DerivationQueue, list[Future[bytes]]],
) -> None:
    queue, guessers = crowded

    with pytest.raises(DerivationBusy):
        submit(queue, address="another guesser", name="unknown", failures=4)

    assert not any(is_dropped(guesser) for guesser in guessers)


def test_guessers_without_a_failure_leave_the_places_of_recognised_browsers(
    gate: Gate, one_at_a_time: DerivationQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network of fresh addresses, each of which asks once, and a household that unlocks meanwhile."""
    monkeypatch.setattr(derivation, "MAX_WAITING", 4)
    submit_and_wait_for_start(one_at_a_time, address="0", name="0")
    guessers = [submit(one_at_a_time, address=f"fresh {n}", name=f"unknown {n}") for n in range(4)]
    with pytest.raises(DerivationBusy):
        submit(one_at_a_time, address="fresh 5", name="unknown 5")

    household = [
        submit(one_at_a_time, address=f"browser {n}", name=f"person {n}", is_recognised=True)
        for n in range(derivation.RECOGNISED)
    ]

    assert not any(is_dropped(future) for future in (*guessers, *household))
    first, guesser = household[0], guessers[0]
    assert list_names_by_end(gate, guesser=guesser, unlock=first) == ["unlock", "guesser"]


def test_recognised_browsers_take_no_place_from_others_until_theirs_are_gone(
    one_at_a_time: DerivationQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(derivation, "MAX_WAITING", 4)
    submit_and_wait_for_start(one_at_a_time, address="0", name="0")
    for n in range(derivation.RECOGNISED):
        submit(one_at_a_time, address=f"browser {n}", name=f"person {n}", is_recognised=True)

    strangers = [submit(one_at_a_time, address=f"fresh {n}", name=f"unknown {n}") for n in range(4)]

    assert not any(is_dropped(stranger) for stranger in strangers)


def test_guessers_at_a_name_give_way_to_its_owner(gate: Gate, one_at_a_time: DerivationQueue) -> None:
    submit_and_wait_for_start(one_at_a_time, address="0", name="0")
    guessers = [submit(one_at_a_time, address=f"guesser {n}", name="owner", failures=n + 1) for n in range(2)]

    owner = submit(one_at_a_time, address="fresh", name="owner")

    assert [is_dropped(guesser) for guesser in guessers] == [False, True]
    gate.open()
    assert owner.result(PATIENCE)


def test_one_worker_is_left_for_those_who_have_not_failed(gate: Gate, two_at_a_time: DerivationQueue) -> None:
    submit_and_wait_for_start(two_at_a_time, address="0", name="0")
    guessers = [
        submit(two_at_a_time, address=f"guesser {n}", name=f"unknown {n}", failures=1, cost=HELD)
        for n in range(3)
    ]
    wait_until(lambda: sum(guesser.running() for guesser in guessers) == 1)

    owner = submit(two_at_a_time, address="owner", name="owner")

    gate.open("0")
    assert owner.result(PATIENCE)
    assert sum(guesser.running() for guesser in guessers) == 1


def test_one_that_is_dropped_waits_no_longer(
    crowded: tuple[DerivationQueue, list[Future[bytes]]],
) -> None:
    """Whoever waits for it in `derive` is answered at once, and the queue holds nothing of it."""
    queue, guessers = crowded

    submit(queue, address="owner", name="owner")

    with pytest.raises(DerivationBusy):
        guessers[3].result(0)
    assert guessers[3] not in queue._requesters
    assert guessers[3] not in queue._executor.remove_waiting()


def test_a_bad_cost_is_refused_before_it_waits(one_at_a_time: DerivationQueue) -> None:
    with pytest.raises(BadCost):
        submit(one_at_a_time, address="1", name="1", cost=Cost(memory_kib=64 * 1024 * 1024, time=3, lanes=4))


def test_a_failed_derivation_tells_its_asker_and_the_next_one_still_runs(
    one_at_a_time: DerivationQueue,
) -> None:
    with pytest.raises(ValueError, match="salt"):
        one_at_a_time.derive(secret="horse", salt=b"", cost=CHEAP, address="1", name="1")

    assert submit(one_at_a_time, address="1", name="1").result(PATIENCE)


def test_one_that_was_given_up_is_never_derived(gate: Gate, one_at_a_time: DerivationQueue) -> None:
    submit_and_wait_for_start(one_at_a_time, address="0", name="zero")
    given_up = submit(one_at_a_time, address="1", name="one")

    assert given_up.cancel()
    gate.open("zero")
    assert submit(one_at_a_time, address="1", name="one").result(PATIENCE), (
        "the place it held is free at once"
    )
    assert given_up.cancelled()


def test_closing_refuses_those_waiting_and_all_that_come_later(gate: Gate) -> None:
    queue = DerivationQueue(workers=1)
    running = submit_and_wait_for_start(queue, address="0", name="zero")
    waiting = submit(queue, address="1", name="one")

    waiting.add_done_callback(lambda _: gate.open())
    queue.close(timeout=20)

    with pytest.raises(DerivationBusy):
        waiting.result(0)
    with pytest.raises(DerivationBusy):
        submit(queue, address="2", name="two")
    assert running.result(0)
    assert not any(thread.is_alive() for thread in queue._executor._threads)


def test_closing_waits_no_longer_than_it_is_told(gate: Gate) -> None:
    queue = DerivationQueue(workers=1)
    running = submit_and_wait_for_start(queue, address="0", name="zero")

    queue.close(timeout=0.02)

    assert not running.done()
    gate.open()
    assert running.result(PATIENCE)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a niceness per thread")
def test_derivations_are_less_urgent_than_pages(one_at_a_time: DerivationQueue) -> None:
    ours = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    submit(one_at_a_time, address="0", name="zero").result(PATIENCE)

    worker = one_at_a_time._executor._threads[0].native_id
    assert worker is not None
    assert os.getpriority(os.PRIO_PROCESS, worker) == max(ours, 10)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == ours


def test_an_idle_worker_holds_nothing_of_the_job_before(one_at_a_time: DerivationQueue) -> None:
    submit(one_at_a_time, address="0", name="the secret").result(PATIENCE)
    wait_until(lambda: not one_at_a_time._executor._running)

    held: list[object] = []
    frame: FrameType | None = sys._current_frames()[one_at_a_time._executor._threads[0].ident or 0]
    while frame is not None:
        held += frame.f_locals.values()
        frame = frame.f_back

    assert not any(isinstance(thing, PoolCall) for thing in held)
    assert "the secret" not in held


def test_the_queue_holds_no_key_of_a_derivation_that_ended(one_at_a_time: DerivationQueue) -> None:
    future = submit(one_at_a_time, address="0", name="zero")
    future.result(PATIENCE)

    wait_until(lambda: not one_at_a_time._requesters)
    assert not one_at_a_time._executor.remove_waiting()
