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

# Long enough to arrange what waits behind it, on any machine.
LONG = Cost(memory_kib=64 * 1024, time=12, lanes=1)


@pytest.fixture
def one_at_a_time() -> Iterator[DerivationQueue]:
    queue = DerivationQueue(workers=1)
    yield queue
    queue.close(timeout=10)


@pytest.fixture
def two_at_a_time() -> Iterator[DerivationQueue]:
    queue = DerivationQueue(workers=2)
    yield queue
    queue.close(timeout=10)


def submit(queue: DerivationQueue, *, address: str, name: str, cost: Cost = CHEAP) -> Future[bytes]:
    return queue.submit(secret=name, salt=SALT, cost=cost, address=address, name=name)


def submit_and_wait_for_start(queue: DerivationQueue, *, address: str, name: str) -> Future[bytes]:
    future = submit(queue, address=address, name=name, cost=LONG)
    wait_until(future.running)
    return future


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.001)


def _note(ended: list[str], name: str, _: Future[bytes]) -> None:
    ended.append(name)


def list_names_by_end(**futures: Future[bytes]) -> list[str]:
    """Return the names in the order in which their derivations end."""
    ended: list[str] = []
    for name, future in futures.items():
        future.add_done_callback(partial(_note, ended, name))
    for future in futures.values():
        future.result(timeout=20)
    wait_until(lambda: len(ended) == len(futures))
    return ended


def test_a_queued_derivation_gives_the_derived_key(two_at_a_time: DerivationQueue) -> None:
    queued = two_at_a_time.derive(secret="horse", salt=SALT, cost=CHEAP, address="10.0.0.1", name="anna")

    assert queued == derive(secret="horse", salt=SALT, cost=CHEAP)


def test_many_people_at_once_all_get_their_own_key(two_at_a_time: DerivationQueue) -> None:
    names = [f"person {number}" for number in range(20)]

    futures = [submit(two_at_a_time, address=name, name=name) for name in names]

    assert [future.result(20) for future in futures] == [
        derive(secret=name, salt=SALT, cost=CHEAP) for name in names
    ]


def test_a_second_one_waiting_for_an_address_is_refused_at_once(one_at_a_time: DerivationQueue) -> None:
    running = submit_and_wait_for_start(one_at_a_time, address="10.0.0.1", name="anna")
    waiting = submit(one_at_a_time, address="10.0.0.1", name="ben")

    with pytest.raises(DerivationBusy) as refused:
        submit(one_at_a_time, address="10.0.0.1", name="cleo")

    assert running.running()
    assert refused.value.code == "busy"
    assert waiting.result(20)


def test_a_third_one_waiting_for_a_name_is_refused_at_once(one_at_a_time: DerivationQueue) -> None:
    submit_and_wait_for_start(one_at_a_time, address="10.0.0.1", name="anna")
    guessing = submit(one_at_a_time, address="10.0.0.2", name="ben")
    owner = submit(one_at_a_time, address="10.0.0.3", name="ben")

    with pytest.raises(DerivationBusy):
        submit(one_at_a_time, address="10.0.0.4", name="ben")

    assert guessing.result(20)
    assert owner.result(20)


def test_one_that_waited_makes_room_for_the_next(one_at_a_time: DerivationQueue) -> None:
    for _ in range(3):
        assert submit(one_at_a_time, address="10.0.0.1", name="anna").result(20)


def test_an_address_that_keeps_a_worker_busy_waits_behind_one_that_does_not(
    two_at_a_time: DerivationQueue,
) -> None:
    """The flooding address came first, but a derivation of it is already running."""
    submit_and_wait_for_start(two_at_a_time, address="flooder", name="one")
    shorter = submit(
        two_at_a_time, address="other", name="two", cost=Cost(memory_kib=64 * 1024, time=3, lanes=1)
    )
    wait_until(shorter.running)

    flooders_next = submit(two_at_a_time, address="flooder", name="three")
    late = submit(two_at_a_time, address="late", name="four")

    assert list_names_by_end(flooder=flooders_next, late=late) == ["late", "flooder"]


def test_among_equals_the_one_that_came_first_goes_first(one_at_a_time: DerivationQueue) -> None:
    submit_and_wait_for_start(one_at_a_time, address="0", name="zero")

    waiting = {name: submit(one_at_a_time, address=name, name=name) for name in ("first", "second", "third")}

    assert list_names_by_end(**waiting) == ["first", "second", "third"]


def test_no_more_than_the_workers_run_at_a_time(two_at_a_time: DerivationQueue) -> None:
    running = [submit(two_at_a_time, address=str(number), name=str(number), cost=LONG) for number in range(2)]
    wait_until(lambda: all(future.running() for future in running))

    third = submit(two_at_a_time, address="3", name="3")

    assert not third.running()
    assert third.result(20)
    assert any(future.done() for future in running)


def test_the_queue_is_never_longer_than_its_limit(
    one_at_a_time: DerivationQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(derivation, "MAX_WAITING", 3)
    submit_and_wait_for_start(one_at_a_time, address="0", name="0")
    waiting = [submit(one_at_a_time, address=str(number), name=str(number)) for number in range(1, 4)]

    with pytest.raises(DerivationBusy):
        submit(one_at_a_time, address="4", name="4")

    assert all(future.result(20) for future in waiting)


def test_a_bad_cost_is_refused_before_it_waits(one_at_a_time: DerivationQueue) -> None:
    with pytest.raises(BadCost):
        submit(one_at_a_time, address="1", name="1", cost=Cost(memory_kib=64 * 1024 * 1024, time=3, lanes=4))


def test_a_failed_derivation_tells_its_asker_and_the_next_one_still_runs(
    one_at_a_time: DerivationQueue,
) -> None:
    with pytest.raises(ValueError, match="salt"):
        one_at_a_time.derive(secret="horse", salt=b"", cost=CHEAP, address="1", name="1")

    assert submit(one_at_a_time, address="1", name="1").result(20)


def test_one_that_was_given_up_is_never_derived(one_at_a_time: DerivationQueue) -> None:
    submit_and_wait_for_start(one_at_a_time, address="0", name="zero")
    given_up = submit(one_at_a_time, address="1", name="one")

    assert given_up.cancel()
    assert submit(one_at_a_time, address="1", name="one").result(20), "the place it held is free at once"
    assert given_up.cancelled()


def test_closing_refuses_those_waiting_and_all_that_come_later() -> None:
    queue = DerivationQueue(workers=1)
    running = submit_and_wait_for_start(queue, address="0", name="zero")
    waiting = submit(queue, address="1", name="one")

    queue.close(timeout=20)

    with pytest.raises(DerivationBusy):
        waiting.result(0)
    with pytest.raises(DerivationBusy):
        submit(queue, address="2", name="two")
    assert running.result(0)
    assert not any(thread.is_alive() for thread in queue._executor._threads)


def test_closing_waits_no_longer_than_it_is_told() -> None:
    queue = DerivationQueue(workers=1)
    running = submit_and_wait_for_start(queue, address="0", name="zero")

    queue.close(timeout=0.02)

    assert not running.done()
    assert running.result(20)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a niceness per thread")
def test_derivations_are_less_urgent_than_pages(one_at_a_time: DerivationQueue) -> None:
    ours = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    submit(one_at_a_time, address="0", name="zero").result(20)

    worker = one_at_a_time._executor._threads[0].native_id
    assert worker is not None
    assert os.getpriority(os.PRIO_PROCESS, worker) == max(ours, 10)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == ours


def test_an_idle_worker_holds_nothing_of_the_job_before(one_at_a_time: DerivationQueue) -> None:
    submit(one_at_a_time, address="0", name="the secret").result(20)
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
    future.result(20)

    wait_until(lambda: not one_at_a_time._requesters)
    assert not one_at_a_time._executor.remove_waiting()
