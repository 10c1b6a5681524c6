"""Tests of the thread pool: fair between keys, with a limit of active calls."""

import gc
import math
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from functools import partial
from itertools import islice
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamora.threads import FairExecutor, fair_executor, let_others_run, yield_turn
from llamora.threads.fair_executor import PoolCall
from tests.fakes.waiting import PATIENCE
from tests.turn_counter import TurnCounter


@pytest.fixture
def pool() -> Iterator[FairExecutor]:
    """A pool with one thread."""
    pool = FairExecutor(threads=1, name="pool", max_waiting=5)
    yield pool
    pool.shutdown(cancel_futures=True)


@pytest.fixture
def pool_with_one_active_call() -> Iterator[FairExecutor]:
    """A pool with many threads and one active call at a time."""
    pool = FairExecutor(threads=20, name="pool", max_active=1)
    yield pool
    pool.shutdown(cancel_futures=True)


class Gate:
    """A call that occupies a thread until the gate is opened."""

    def __init__(self, pool: FairExecutor) -> None:
        self.opened, self.entered = threading.Event(), threading.Event()
        pool.submit_for_key("gate", self._wait)
        assert self.entered.wait(PATIENCE)

    def _wait(self) -> None:
        self.entered.set()
        self.opened.wait(PATIENCE)


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.001)


# --- Which call goes next ------------------------------------------------------------------------


def test_a_lower_rank_goes_first_and_equals_in_their_order(pool: FairExecutor) -> None:
    order: list[str] = []
    gate = Gate(pool)
    calls = [
        pool.submit_for_key(name, partial(order.append, name), rank=rank)
        for name, rank in (("failed twice", 2), ("failed", 1), ("fresh", 0), ("also fresh", 0))
    ]

    gate.opened.set()
    for call in calls:
        call.result(PATIENCE)

    assert order == ["fresh", "also fresh", "failed", "failed twice"]


def test_reserved_threads_run_no_call_of_a_higher_rank() -> None:
    pool = FairExecutor(threads=3, name="pool", reserved_threads=1)
    opened = threading.Event()
    failed = [pool.submit_for_key(f"failed {n}", partial(opened.wait, 10), rank=1) for n in range(4)]
    wait_until(lambda: sum(call.running() for call in failed) == 2)

    assert pool.submit_for_key("fresh", lambda: "done").result(PATIENCE) == "done"
    assert sum(call.running() for call in failed) == 2
    opened.set()
    assert all(call.result(PATIENCE) for call in failed)
    pool.shutdown()


def test_a_waiting_call_can_be_taken_out_and_a_running_one_cannot(pool: FairExecutor) -> None:
    gate, order = Gate(pool), list[str]()
    taken, other = (pool.submit_for_key(name, partial(order.append, name)) for name in ("taken", "other"))

    assert pool.remove_call(taken)
    assert not pool.remove_call(taken)
    gate.opened.set()
    other.result(PATIENCE)

    assert order == ["other"]
    assert not taken.done()
    assert not pool.remove_call(other)


def test_one_key_waits_for_itself_and_not_in_front_of_others(pool: FairExecutor) -> None:
    order: list[str] = []
    gate = Gate(pool)
    crowd = [pool.submit_for_key("crowd", lambda: order.append("crowd")) for _ in range(5)]

    late = pool.submit_for_key("owner", lambda: order.append("owner"))
    gate.opened.set()
    late.result(PATIENCE)
    for one in crowd:
        one.result(PATIENCE)

    assert order.index("owner") <= 1


@given(first=st.lists(st.integers(0, 3), max_size=20), later=st.lists(st.integers(0, 3), max_size=20))
@settings(max_examples=30, deadline=None)
def test_every_key_that_waits_has_a_call_between_two_of_another(first: list[int], later: list[int]) -> None:
    pool, counter, calls = FairExecutor(threads=1, name="pool"), TurnCounter(), list[Future[Any]]()
    gate, arrivals = Gate(pool), iter(later)

    def submit(key: int) -> None:
        calls.append(pool.submit_for_key(str(key), partial(run, key)))

    def run(key: int) -> None:
        counter.count(str(key), waiting=list(pool._waiting))
        for arriving in islice(arrivals, 2):
            submit(arriving)

    for key in first:
        submit(key)
    gate.opened.set()
    for call in calls:
        call.result(PATIENCE)
    pool.shutdown()

    assert pool._waiting == {}
    assert len(calls) == len(first) + (min(len(later), 2 * len(calls)) if first else 0)


def test_within_one_key_the_first_goes_first(pool: FairExecutor) -> None:
    order: list[int] = []
    gate = Gate(pool)
    crowd = pool.for_key("crowd")
    calls = [crowd.submit(order.append, number) for number in range(4)]

    gate.opened.set()
    for call in calls:
        call.result(PATIENCE)

    assert order == [0, 1, 2, 3]


def test_a_key_with_a_call_that_waits_goes_after_one_that_has_none(
    pool_with_one_active_call: FairExecutor,
) -> None:
    order: list[str] = []
    released, gone_aside = threading.Event(), threading.Event()

    def waits() -> None:
        with yield_turn():
            gone_aside.set()
            released.wait(PATIENCE)

    flooder = pool_with_one_active_call.submit_for_key("flooder", waits)
    assert gone_aside.wait(PATIENCE)
    gate = Gate(pool_with_one_active_call)
    calls = [pool_with_one_active_call.for_key(key).submit(order.append, key) for key in ("flooder", "late")]
    gate.opened.set()
    for call in calls:
        call.result(PATIENCE)
    released.set()
    flooder.result(PATIENCE)

    assert order == ["late", "flooder"]


def test_a_key_is_full_at_its_limit_and_others_are_not(pool: FairExecutor) -> None:
    gate = Gate(pool)

    for _ in range(5):
        pool.submit_for_key("crowd", lambda: None)

    assert pool.is_full("crowd")
    assert not pool.is_full("owner")
    gate.opened.set()


# --- What becomes of a call ----------------------------------------------------------------------


def test_an_error_reaches_its_caller_and_the_next_call_still_runs(pool: FairExecutor) -> None:
    def breaks() -> None:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - it has no words
        pool.for_key("owner").submit(breaks).result(PATIENCE)
    assert pool.for_key("owner").submit(lambda: 7).result(PATIENCE) == 7


def test_a_cancelled_call_is_never_run(pool: FairExecutor) -> None:
    gate, ran = Gate(pool), []
    call = pool.submit_for_key("owner", lambda: ran.append(1))

    call.cancel()
    gate.opened.set()
    pool.for_key("owner").submit(lambda: None).result(PATIENCE)

    assert ran == []


def test_closing_drops_what_waits() -> None:
    pool = FairExecutor(threads=1, name="pool")
    gate = Gate(pool)
    call = pool.submit_for_key("owner", lambda: None)

    pool.shutdown(wait=False, cancel_futures=True)
    gate.opened.set()
    pool.shutdown()

    assert call.cancelled()
    with pytest.raises(RuntimeError):
        pool.submit(lambda: None)


def test_closing_without_dropping_runs_what_waits_and_ends_every_thread() -> None:
    pool = FairExecutor(threads=4, name="pool", max_active=1)
    results = [pool.submit(_pause) for _ in range(12)]

    pool.shutdown()

    assert all(result.done() and not result.cancelled() for result in results)
    assert not any(thread.is_alive() for thread in pool._threads)


def test_whoever_takes_what_waits_settles_it(pool: FairExecutor) -> None:
    gate = Gate(pool)
    call = pool.submit(lambda: None)

    (taken,) = pool.remove_waiting()
    taken.cancel()
    gate.opened.set()

    assert taken is call
    with pytest.raises(CancelledError):
        call.result(PATIENCE)


class Secret:
    """An object that must be freed after its call."""


def test_an_idle_thread_holds_nothing_of_the_call_before(pool: FairExecutor) -> None:
    secret = Secret()
    pool.submit(id, secret).result(PATIENCE)
    wait_until(lambda: not pool._running)
    held: list[object] = []
    frame: FrameType | None = sys._current_frames()[pool._threads[0].ident or 0]
    while frame is not None:
        held += frame.f_locals.values()
        frame = frame.f_back

    assert not any(isinstance(thing, PoolCall) for thing in held)


@pytest.mark.parametrize("fails", [False, True])
def test_what_a_call_was_given_goes_with_its_result(pool: FairExecutor, fails: bool) -> None:
    """Arguments are freed at once, without the cycle collector."""
    secret = Secret()
    seen = weakref.ref(secret)

    def act(_: Secret) -> None:
        if fails:
            raise ValueError

    gc.disable()
    try:
        future = pool.submit(act, secret)
        future.exception(PATIENCE)
        wait_until(lambda: not pool._running)
        del secret, future
        wait_until(lambda: seen() is None)
    finally:
        gc.enable()


# --- One active, and others while it waits -------------------------------------------------------


def _pause() -> None:
    with yield_turn():
        time.sleep(0.005)


CALLS = 20


class Crowd:
    """Calls that count how many of them are active at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active = self.most = 0

    def count(self, change: int) -> None:
        with self._lock:
            self._active += change
            self.most = max(self.most, self._active)

    def waits_for(self, all_of_them: threading.Barrier) -> None:
        self.count(+1)
        self.count(-1)
        with yield_turn():
            all_of_them.wait(PATIENCE)
        self.count(+1)
        self.count(-1)

    def works(self) -> None:
        self.count(+1)
        time.sleep(0.005)
        self.count(-1)


def run_all(pool: FairExecutor, call: Callable[[], None], *, times: int = CALLS) -> None:
    calls: list[Future[Any]] = [pool.submit_for_key(str(number % 3), call) for number in range(times)]
    for one in calls:
        one.result(PATIENCE)


@pytest.mark.parametrize("most", [1, 2])
def test_no_more_than_the_limit_are_active(most: int) -> None:
    pool, crowd = FairExecutor(threads=20, name="pool", max_active=most), Crowd()

    run_all(pool, crowd.works)
    pool.shutdown()

    assert crowd.most == most


def test_those_who_wait_keep_nobody_waiting(pool_with_one_active_call: FairExecutor) -> None:
    crowd = Crowd()
    all_of_them = threading.Barrier(CALLS)

    run_all(pool_with_one_active_call, lambda: crowd.waits_for(all_of_them))

    assert crowd.most == 1


def test_who_comes_back_goes_before_what_has_not_begun(pool_with_one_active_call: FairExecutor) -> None:
    order: list[str] = []
    gone_aside, released = threading.Event(), threading.Event()

    def comes_back() -> None:
        with yield_turn():
            gone_aside.set()
            released.wait(PATIENCE)
        order.append("came back")

    back = pool_with_one_active_call.submit(comes_back)
    assert gone_aside.wait(PATIENCE)
    gate = Gate(pool_with_one_active_call)
    late = pool_with_one_active_call.submit(lambda: order.append("late"))
    released.set()
    wait_until(lambda: pool_with_one_active_call._returning == 1)
    gate.opened.set()
    back.result(PATIENCE)
    late.result(PATIENCE)

    assert order == ["came back", "late"]


def test_yielding_twice_gives_up_one_turn(pool_with_one_active_call: FairExecutor) -> None:
    crowd = Crowd()

    def nested() -> None:
        with yield_turn(), yield_turn():
            time.sleep(0.01)
        crowd.works()

    run_all(pool_with_one_active_call, nested)

    assert crowd.most == 1


def test_a_turn_is_taken_back_after_a_failure(pool_with_one_active_call: FairExecutor) -> None:
    crowd = Crowd()

    def fails() -> None:
        with yield_turn():
            raise ValueError

    for _ in range(3):
        assert isinstance(pool_with_one_active_call.submit(fails).exception(PATIENCE), ValueError)
    run_all(pool_with_one_active_call, crowd.works)

    assert crowd.most == 1


def test_yielding_in_a_thread_of_no_pool_changes_nothing() -> None:
    with yield_turn(), yield_turn():
        pass


def test_threads_are_started_when_they_are_needed_and_no_more(
    pool_with_one_active_call: FairExecutor,
) -> None:
    for _ in range(10):
        pool_with_one_active_call.submit(lambda: None).result(PATIENCE)
        wait_until(lambda: pool_with_one_active_call._idle == 1)

    assert len(pool_with_one_active_call._threads) == 1


@pytest.mark.parametrize("most", [1, 2, 5])
def test_calls_of_every_kind_all_end(most: int) -> None:
    """A lost wake-up would leave a call waiting for ever."""
    pool = FairExecutor(threads=5, name="pool", max_active=most)
    crowd = Crowd()

    def act() -> None:
        crowd.count(+1)
        crowd.count(-1)
        with yield_turn():
            pass
        crowd.count(+1)
        crowd.count(-1)

    calls = [pool.submit_for_key(str(number % 7), act) for number in range(3000)]
    for call in calls:
        call.result(PATIENCE)
    pool.shutdown()

    assert crowd.most <= most
    assert not pool._running
    assert (pool._active, pool._returning) == (0, 0)


# --- Letting others run between two parts of a long call -------------------------------------------


def _begin_long_call(pool: FairExecutor, order: list[str], parts: int = 3) -> "tuple[Future[Any], Gate]":
    """Start a call of several parts, which waits for the gate in its first one."""
    gate = object.__new__(Gate)
    gate.opened, gate.entered = threading.Event(), threading.Event()

    def act() -> None:
        gate.entered.set()
        gate.opened.wait(PATIENCE)
        for part in range(parts):
            order.append(f"part {part}")
            let_others_run()

    call = pool.submit_for_key("long", act)
    assert gate.entered.wait(PATIENCE)
    return call, gate


def test_between_two_parts_one_call_that_waits_runs_whole(pool_with_one_active_call: FairExecutor) -> None:
    order: list[str] = []
    long, gate = _begin_long_call(pool_with_one_active_call, order)
    others = [pool_with_one_active_call.for_key(key).submit(order.append, key) for key in ("one", "two")]

    gate.opened.set()
    for call in (long, *others):
        call.result(PATIENCE)

    assert order == ["part 0", "one", "part 1", "two", "part 2"]


def test_two_long_calls_take_turns_and_both_end(pool_with_one_active_call: FairExecutor) -> None:
    order: list[str] = []
    first, gate = _begin_long_call(pool_with_one_active_call, order)
    second = pool_with_one_active_call.submit_for_key(
        "other", lambda: [(order.append(f"other {part}"), let_others_run()) for part in range(3)]
    )

    gate.opened.set()
    first.result(PATIENCE)
    second.result(PATIENCE)

    assert sorted(order) == sorted([*(f"part {n}" for n in range(3)), *(f"other {n}" for n in range(3))])


def test_long_calls_of_one_key_keep_no_call_of_another_out(pool_with_one_active_call: FairExecutor) -> None:
    pool = pool_with_one_active_call
    order: list[str] = []
    both_wait = threading.Event()
    calls = []

    def run_long(name: str) -> None:
        assert both_wait.wait(PATIENCE)
        for part in range(20):
            let_others_run()
            if name == "first" and part == 5:
                calls.append(pool.submit_for_key("other", lambda: order.append("other")))
        order.append(name)

    calls += [pool.submit_for_key("many", lambda name=name: run_long(name)) for name in ("first", "second")]  # type: ignore[misc]
    both_wait.set()
    for call in calls:
        call.result(PATIENCE)

    assert order[0] == "other"


def test_a_call_that_waited_goes_on_before_a_long_one_ends(pool_with_one_active_call: FairExecutor) -> None:
    order: list[str] = []
    gone_aside, released = threading.Event(), threading.Event()

    def waits() -> None:
        with yield_turn():
            gone_aside.set()
            released.wait(PATIENCE)
        order.append("came back")

    back = pool_with_one_active_call.submit_for_key("back", waits)
    assert gone_aside.wait(PATIENCE)
    long, gate = _begin_long_call(pool_with_one_active_call, order)
    released.set()
    wait_until(lambda: pool_with_one_active_call._returning == 1)
    gate.opened.set()
    for call in (long, back):
        call.result(PATIENCE)

    assert order == ["part 0", "came back", "part 1", "part 2"]


def test_without_a_free_thread_a_long_call_goes_on(pool: FairExecutor) -> None:
    order: list[str] = []
    long, gate = _begin_long_call(pool, order)
    late = pool.submit_for_key("late", lambda: order.append("late"))

    gate.opened.set()
    long.result(PATIENCE)
    late.result(PATIENCE)

    assert order == ["part 0", "part 1", "part 2", "late"]


def test_no_more_than_one_is_active_while_long_calls_let_others_run(
    pool_with_one_active_call: FairExecutor,
) -> None:
    crowd = Crowd()

    def long() -> None:
        for _ in range(3):
            crowd.works()
            let_others_run()

    run_all(pool_with_one_active_call, long)

    assert crowd.most == 1


def test_a_long_call_goes_on_when_what_waited_is_dropped(pool_with_one_active_call: FairExecutor) -> None:
    order: list[str] = []
    long, gate = _begin_long_call(pool_with_one_active_call, order)
    call = pool_with_one_active_call.submit(lambda: None)

    pool_with_one_active_call.shutdown(wait=False, cancel_futures=True)
    gate.opened.set()
    long.result(PATIENCE)

    assert call.cancelled()
    assert len(order) == 3


def test_letting_others_run_in_a_thread_of_no_pool_changes_nothing() -> None:
    let_others_run()


def test_a_long_call_lets_those_of_a_lower_rank_in_and_no_others(
    pool_with_one_active_call: FairExecutor,
) -> None:
    pool = pool_with_one_active_call
    order: list[str] = []
    has_begun, all_wait = threading.Event(), threading.Event()

    def run_long() -> None:
        has_begun.set()
        assert all_wait.wait(PATIENCE)
        for part in range(3):
            order.append(f"part {part}")
            let_others_run(before=1)

    long = pool.submit_for_key("program", run_long, rank=1)
    assert has_begun.wait(PATIENCE)
    other = pool.submit_for_key("another program", lambda: order.append("another program"), rank=1)
    pages = [pool.submit_for_key("", lambda: order.append("page")) for _ in range(2)]
    all_wait.set()
    for call in (long, other, *pages):
        call.result(PATIENCE)

    assert order == ["part 0", "page", "page", "part 1", "part 2", "another program"]


@pytest.mark.parametrize("has_slice", [True, False], ids=["within its slice", "after it"])
def test_programs_exchange_their_turns_after_a_slice(
    pool_with_one_active_call: FairExecutor, monkeypatch: pytest.MonkeyPatch, has_slice: bool
) -> None:
    monkeypatch.setattr(fair_executor, "SLICE_SECONDS", math.inf if has_slice else 0.0)
    pool = pool_with_one_active_call
    order: list[str] = []
    has_begun, all_wait = threading.Event(), threading.Event()

    def run_long() -> None:
        has_begun.set()
        assert all_wait.wait(PATIENCE)
        for part in range(2):
            order.append(f"part {part}")
            let_others_run()

    long = pool.submit_for_key("program", run_long, rank=1)
    assert has_begun.wait(PATIENCE)
    other = pool.submit_for_key("another program", lambda: order.append("another program"), rank=1)
    all_wait.set()
    for call in (long, other):
        call.result(PATIENCE)

    expected = ["part 0", "part 1"]
    expected.insert(2 if has_slice else 1, "another program")
    assert order == expected


def test_a_page_begins_and_resumes_before_a_program_that_wants_its_turn_back(
    pool_with_one_active_call: FairExecutor,
) -> None:
    pool = pool_with_one_active_call
    order: list[str] = []
    released, has_begun, all_wait = threading.Event(), threading.Event(), threading.Event()

    def go_aside(name: str, aside: threading.Event) -> None:
        with yield_turn():
            aside.set()
            assert released.wait(PATIENCE)
        order.append(name)

    asides = {name: threading.Event() for name in ("program", "page")}
    calls = []
    for rank, name in ((1, "program"), (0, "page")):
        calls.append(
            pool.submit_for_key(name, lambda name=name: go_aside(name, asides[name]), rank=rank)  # type: ignore[misc]
        )
        assert asides[name].wait(PATIENCE)

    def run_long() -> None:
        has_begun.set()
        assert all_wait.wait(PATIENCE)

    calls.append(pool.submit_for_key("long", run_long, rank=1))
    assert has_begun.wait(PATIENCE)
    released.set()
    wait_until(lambda: pool._returning == 2)
    calls.append(pool.submit_for_key("", lambda: order.append("next page")))
    all_wait.set()
    for call in calls:
        call.result(PATIENCE)

    assert order == ["page", "next page", "program"]


def test_a_page_lets_no_call_of_a_program_in(pool_with_one_active_call: FairExecutor) -> None:
    pool = pool_with_one_active_call
    order: list[str] = []
    long, gate = _begin_long_call(pool, order)
    program = pool.submit_for_key("program", lambda: order.append("program"), rank=1)

    gate.opened.set()
    for call in (long, program):
        call.result(PATIENCE)

    assert order == ["part 0", "part 1", "part 2", "program"]


# --- While somebody has a hold ---------------------------------------------------------------------


def test_while_a_page_is_on_its_way_no_program_begins(pool_with_one_active_call: FairExecutor) -> None:
    pool = pool_with_one_active_call
    order: list[str] = []
    first, second = pool.hold_others(), pool.hold_others()

    program = pool.submit_for_key("program", lambda: order.append("program"), rank=1)
    for name in ("page", "next page"):
        pool.submit_for_key("", partial(order.append, name)).result(PATIENCE)
        # Each ends once, however often it is told to.
        first.release()
    second.release()
    program.result(PATIENCE)

    assert order == ["page", "next page", "program"]


def test_a_program_pauses_between_two_parts_for_a_page_on_its_way(
    pool_with_one_active_call: FairExecutor,
) -> None:
    pool = pool_with_one_active_call
    order: list[str] = []
    has_begun, is_held = threading.Event(), threading.Event()

    def run_long() -> None:
        has_begun.set()
        assert is_held.wait(PATIENCE)
        for part in range(2):
            order.append(f"part {part}")
            let_others_run(before=1)

    long = pool.submit_for_key("program", run_long, rank=1)
    assert has_begun.wait(PATIENCE)
    hold = pool.hold_others()
    is_held.set()
    wait_until(lambda: pool._returning == 1)
    pool.submit_for_key("", lambda: order.append("page")).result(PATIENCE)
    hold.release()
    long.result(PATIENCE)

    assert order == ["part 0", "page", "part 1"]


def test_a_page_that_waits_for_a_program_lets_it_go_on(pool_with_one_active_call: FairExecutor) -> None:
    pool = pool_with_one_active_call
    is_done, hold = threading.Event(), pool.hold_others()

    def wait_for_program() -> bool:
        with yield_turn():
            return is_done.wait(PATIENCE)

    page = pool.submit_for_key("", wait_for_program)
    pool.submit_for_key("program", is_done.set, rank=1)

    assert page.result(PATIENCE)
    hold.release()


def test_a_page_that_waits_for_no_call_lets_no_program_begin(
    pool_with_one_active_call: FairExecutor,
) -> None:
    pool = pool_with_one_active_call
    order: list[str] = []
    hold = pool.hold_others()

    def write_page() -> Future[Any]:
        with yield_turn(waits_for_call=False):
            program = pool.submit_for_key("program", partial(order.append, "program"), rank=1)
            for name in ("next page", "last page"):
                pool.submit_for_key(name, partial(order.append, name)).result(PATIENCE)
        order.append("page")
        return program

    program = pool.submit_for_key("", write_page).result(PATIENCE)
    hold.release()
    program.result(PATIENCE)

    assert order == ["next page", "last page", "page", "program"]


def test_a_pool_that_closes_runs_what_was_held(pool_with_one_active_call: FairExecutor) -> None:
    pool = pool_with_one_active_call
    pool.hold_others()
    program = pool.submit_for_key("program", lambda: "done", rank=1)

    pool.shutdown()

    assert program.result(0) == "done"
