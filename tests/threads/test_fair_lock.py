"""Tests of the fair lock: acquired in order of arrival, re-entrant for its holder."""

import threading
import time
from collections.abc import Callable

from llamora.threads import FairLock
from tests.fakes.waiting import PATIENCE
from tests.threads.running import run_in_threads


def test_the_lock_is_handed_over_in_the_order_it_was_asked_for() -> None:
    lock, order = FairLock(), []

    def takes(n: int) -> Callable[[], None]:
        def act() -> None:
            lock.acquire()
            order.append(n)
            lock.release()

        return act

    lock.acquire()
    threads = [threading.Thread(target=takes(n)) for n in range(8)]
    for thread in threads:
        thread.start()
        time.sleep(0.02)
    lock.release()
    for thread in threads:
        thread.join(PATIENCE)

    assert order == list(range(8))


def test_whoever_just_had_it_waits_behind_the_others() -> None:
    lock, order = FairLock(), []
    held, asked_for = threading.Event(), threading.Event()

    def greedy() -> None:
        for _ in range(3):
            lock.acquire()
            order.append("greedy")
            held.set()
            asked_for.wait(PATIENCE)
            time.sleep(0.05)
            lock.release()

    def patient() -> None:
        held.wait(PATIENCE)
        asked_for.set()
        lock.acquire()
        order.append("patient")
        lock.release()

    run_in_threads(greedy, patient)

    assert order.index("patient") == 1


def test_it_is_acquired_at_once_or_not_at_all() -> None:
    lock, found = FairLock(), list[bool]()

    def try_once() -> None:
        found.append(lock.acquire_at_once())
        if found[-1]:
            lock.release()

    lock.acquire()
    run_in_threads(try_once)
    lock.release()
    run_in_threads(try_once)

    assert found == [False, True]


def test_its_holder_may_take_it_again() -> None:
    lock = FairLock()

    lock.acquire()
    lock.acquire()
    lock.release()
    lock.release()

    def takes() -> None:
        lock.acquire()
        lock.release()

    run_in_threads(takes)
