"""A thread pool that is fair between keys (such as client addresses), and limits how many calls are active.

    pages             a key for each address, one active    llamora.asgi
    calls of programs a key for each address, after pages   llamora.asgi
    slow requests     a key for each address, one active    llamora.asgi
    key derivations   a key for each address, all active    llamora.crypto.derivation

The next call is from the key whose first call has the lowest rank; among equals, from the key with the fewest
running calls; then from the key that was served longest ago. Calls of one key run in order. So many requests
from one address delay only each other. Calls from addresses with failures have a higher rank and delay no
others, because `reserved_threads` never run a call of a rank above `reserved_rank`.

Python runs one thread at a time. If two threads render pages, they exchange the interpreter lock at every
query, and the event loop waits for both. So the number of active calls is limited, and a pool may have more
threads than active calls. While a call waits for something other than the processor (the disk, a lock, a key
derivation, a delay), it is inside `yield_turn` and not active. Then another call may begin. A call that waits
without `yield_turn` blocks its whole pool. A long computation runs `let_others_run` between its parts. A call
that wants its turn back resumes before new calls of its rank begin. But while a key has a waiting call and no
running one, calls resume and begin by turns.

While a `Hold` exists, calls of a rank above `reserved_rank` neither begin nor resume, and pause at their next
`let_others_run`, because an urgent call is about to arrive or to finish. They continue while an urgent call
waits inside `yield_turn` for something that one of them may have, such as a lock.
"""

import math
import threading
import time
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

# An exchange of two threads takes as long as some parts of a call of a program; with fifty of them waiting,
# each part would be followed by one.
SLICE_SECONDS = 0.02
_thread_state = threading.local()


class PoolCall:
    """A waiting or running call of a pool, and its future."""

    __slots__ = ("future", "key", "rank", "run")

    def __init__(self, key: str, run: Callable[[], Any], *, rank: int = 0) -> None:
        self.key, self.run, self.rank = key, run, rank
        self.future: Future[Any] = Future()

    def execute(self) -> None:
        """Run the call unless its future was cancelled."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self.run()
        except BaseException as error:
            self.future.set_exception(error)
            # The error's traceback keeps this frame: without the call in it, the two are no cycle.
            del self
        else:
            self.future.set_result(result)


class Hold:
    """A period in which a thread pool runs only urgent calls; the first `release` ends the period."""

    __slots__ = ("_is_released", "_pool")

    def __init__(self, pool: "FairExecutor") -> None:
        self._pool, self._is_released = pool, False

    def release(self) -> None:
        """End this Hold, a period of only urgent calls. If this Hold was ended before, do nothing."""
        self._pool.end_hold(self._mark_released)

    def _mark_released(self) -> bool:
        was_released, self._is_released = self._is_released, True
        return not was_released


class FairExecutor(Executor):
    """Thread pool that is fair between the keys of its calls, such as client addresses.

    The module docstring describes the scheduling.
    """

    def __init__(
        self,
        *,
        threads: int,
        name: str,
        max_active: int | None = None,
        max_waiting: int | None = None,
        reserved_threads: int = 0,
        reserved_rank: int = 0,
        initializer: Callable[[], None] | None = None,
    ) -> None:
        self._max_threads, self._name = threads, name
        self._max_above, self._reserved_rank = threads - reserved_threads, reserved_rank
        self._max_active = max_active or threads
        self._max_waiting = max_waiting
        self._initializer = initializer
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        # Conditions of one lock: no idle thread is woken for a call that wants its turn back.
        self._has_work = threading.Condition(self._lock)
        # By rank, so that a page resumes before a call of a program that has waited longer.
        self._may_return: defaultdict[int, threading.Condition] = defaultdict(
            lambda: threading.Condition(self._lock)
        )
        self._turn_taken = threading.Condition(self._lock)
        # Keys are in the order in which they were last served, so equals take turns.
        self._waiting: OrderedDict[str, deque[PoolCall]] = OrderedDict()
        self._running: Counter[str] = Counter()
        # Running calls of a rank above the reserved one.
        self._running_above = 0
        # Calls that want their turn back, and those that pass it on until another one has taken it, by rank.
        self._returning_ranks: Counter[int] = Counter()
        self._passing_ranks: Counter[int] = Counter()
        self._active = self._idle = self._turns = self._holds = self._urgent_aside = 0
        # Whether the last turn went to a call that had begun before.
        self._has_resumed = False
        self._is_closed = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Queue a call that belongs to no key; raise RuntimeError if the pool is closed."""
        return self.submit_for_key("", lambda: fn(*args, **kwargs))

    def submit_for_key(self, key: str, run: Callable[[], Any], *, rank: int = 0) -> "Future[Any]":
        """Queue a call after the waiting calls of the same key; raise RuntimeError if the pool is closed."""
        call = PoolCall(key, run, rank=rank)
        with self._lock:
            if self._is_closed:
                raise RuntimeError("This pool is closed and takes no more calls.")
            if key not in self._waiting:
                self._waiting[key] = deque()
            self._waiting[key].append(call)
            self._wake_next()
        return call.future

    def for_key(self, key: str, *, rank: int = 0) -> "KeyedExecutor":
        """Return an executor that submits calls to this pool under one key and rank."""
        return KeyedExecutor(self, key, rank=rank)

    def is_full(self, key: str) -> bool:
        """Return whether as many calls of this key are waiting as `max_waiting` allows."""
        with self._lock:
            return self._max_waiting is not None and len(self._waiting.get(key, ())) >= self._max_waiting

    def has_slices(self, rank: int) -> bool:
        """Return whether a call of this rank runs for SLICE_SECONDS before it lets others of its rank run."""
        return rank > self._reserved_rank

    def hold_others(self) -> Hold:
        """Begin and return a Hold, a period in which only urgent calls begin or resume.

        A call is urgent if its rank is at most `reserved_rank`.
        """
        with self._lock:
            self._holds += 1
        return Hold(self)

    def end_hold(self, mark_released: Callable[[], bool]) -> None:
        """End a Hold. If `mark_released` returns False, do nothing: the Hold was ended before."""
        with self._lock:
            if mark_released():
                self._holds -= 1
                self._wake_next()

    def remove_call(self, future: "Future[Any]") -> bool:
        """Remove a waiting call, whose future the caller must resolve; return False if it has begun."""
        with self._lock:
            for key, calls in self._waiting.items():
                for call in calls:
                    if call.future is future:
                        calls.remove(call)
                        if not calls:
                            del self._waiting[key]
                        return True
        return False

    def remove_waiting(self) -> "list[Future[Any]]":
        """Remove all waiting calls and return their futures, which the caller must resolve."""
        with self._lock:
            taken = [call.future for calls in self._waiting.values() for call in calls]
            self._waiting.clear()
            self._turn_taken.notify_all()
            if self._is_closed:
                self._wake_all()
        return taken

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Refuse new calls; with `cancel_futures`, cancel waiting ones; with `wait`, wait for the threads."""
        with self._lock:
            self._is_closed = True
            # What was held may begin.
            self._wake_next()
            self._wake_all()
        if cancel_futures:
            for future in self.remove_waiting():
                future.cancel()
        if wait:
            self.join()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the threads of a closed pool to end, at most `timeout` seconds in all."""
        deadline = None if timeout is None else time.monotonic() + timeout
        # A call that resumes after the closing may start one more thread for what still waits.
        while threads := self._list_alive():
            for thread in threads:
                thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
            if deadline is not None and time.monotonic() >= deadline:
                return

    def _list_alive(self) -> list[threading.Thread]:
        with self._lock:
            return [thread for thread in self._threads if thread.is_alive()]

    @contextmanager
    def release_turn(self, *, ends_holds: bool = True) -> Iterator[None]:
        """Let another call of this pool run while the present call waits in the `with` block.

        At the end of the block, wait until the present call may be active again. If the present call is
        urgent, no `Hold` is in force meanwhile, except without `ends_holds`.
        """
        rank = _thread_state.rank
        is_aside = ends_holds and rank <= self._reserved_rank
        with self._lock:
            self._active -= 1
            self._urgent_aside += is_aside
            self._wake_next()
        try:
            yield
        finally:
            with self._lock:
                self._urgent_aside -= is_aside
                self._returning_ranks[rank] += 1
                self._resume(rank)

    def pass_turn(self, *, rank: int, most_rank: int) -> bool:
        """Pause this call while another runs. Return False if no waiting call has a rank up to `most_rank`.

        The other call begins or resumes. A lower rank is more urgent. `rank` is the rank of this call. If a
        `Hold` stops this call, only wait for the end of the `Hold`.
        """
        with self._lock:
            if self._is_held(rank):
                self._active -= 1
                self._returning_ranks[rank] += 1
                self._wake_next()
                self._resume(rank)
                return True
            least_rank = self._find_least_returning()
            if self._has_thread() and self._has_eligible():
                least_rank = min(least_rank, self._find_least_rank())
            if least_rank > most_rank:
                return False
            turns = self._turns
            self._passing_ranks[rank] += 1
            self._active -= 1
            self._wake_next()
            while self._turns == turns and (self._has_eligible() or self._returning):
                self._turn_taken.wait()
            if self._turns == turns:
                # What waited was dropped.
                self._passing_ranks[rank] -= 1
                self._returning_ranks[rank] += 1
            self._resume(rank)
        return True

    @property
    def _returning(self) -> int:
        """The number of calls that want their turn back."""
        return self._returning_ranks.total()

    def _find_least_returning(self) -> float:
        return min((rank for rank, count in self._returning_ranks.items() if count), default=math.inf)

    def _is_held(self, rank: float) -> bool:
        is_in_force = self._holds > 0 and not self._urgent_aside and not self._is_closed
        return is_in_force and rank > self._reserved_rank

    def _has_thread(self) -> bool:
        return self._idle > 0 or len(self._threads) < self._max_threads

    def _resume(self, rank: int) -> None:
        """Wait until this thread's call may be active again.

        The caller holds the lock, and has counted the call in `_returning_ranks`.
        """
        while self._active >= self._max_active or self._is_held(rank):
            self._may_return[rank].wait()
        self._returning_ranks[rank] -= 1
        self._has_resumed = True
        self._take_turn()
        self._wake_next()

    def _take_turn(self) -> None:
        self._active += 1
        # Counted here and not by the threads when they wake: this call may have ended by then.
        self._returning_ranks += self._passing_ranks
        self._passing_ranks.clear()
        self._turns += 1
        self._turn_taken.notify_all()

    def _run_thread(self) -> None:
        _thread_state.pool = self
        if self._initializer is not None:
            self._initializer()
        ended: tuple[str, int] | None = None
        while (ended := self._run_next(ended)) is not None:
            pass

    def _run_next(self, ended: tuple[str, int] | None) -> tuple[str, int] | None:
        # A frame of its own, so that an idle thread holds nothing of the call before.
        call = self._wait_for_call(ended)
        if call is None:
            return None
        key, rank = call.key, call.rank
        _thread_state.rank, _thread_state.turn_began = rank, time.monotonic()
        call.execute()
        # The traceback of an error keeps this frame as well.
        del call
        return key, rank

    def _wait_for_call(self, ended: tuple[str, int] | None) -> PoolCall | None:
        """Wait for the next call and return it, or None at the end; `ended` is key and rank of the last call.

        The thread of the last call takes the next one if it can, because waking another thread often takes
        longer than rendering a page.
        """
        with self._lock:
            if ended is not None:
                key, rank = ended
                self._active -= 1
                self._running_above -= rank > self._reserved_rank
                self._running[key] -= 1
                if not self._running[key]:
                    del self._running[key]
            while not self._can_start():
                if self._is_closed and not self._waiting:
                    self._wake_next()
                    return None
                self._wake_next()
                self._idle += 1
                self._has_work.wait()
            self._has_resumed = False
            self._take_turn()
            return self._pop_next_call()

    def _pop_next_call(self) -> PoolCall:
        key = min(self._waiting, key=lambda key: (self._waiting[key][0].rank, self._running[key]))
        calls = self._waiting[key]
        call = calls.popleft()
        if calls:
            self._waiting.move_to_end(key)
        else:
            del self._waiting[key]
        self._running[key] += 1
        self._running_above += call.rank > self._reserved_rank
        if self._is_closed and not self._waiting:
            self._wake_all()
        self._wake_next()
        return call

    def _can_start(self) -> bool:
        return (
            self._active < self._max_active
            and self._has_eligible()
            and self._goes_first()
            and not self._is_held(self._find_least_rank())
        )

    def _goes_first(self) -> bool:
        """Return whether the next call begins before those that want their turn back.

        It does if its rank is lower. It also does if its rank is the same, no call of its key is running, and
        the last turn went to a call that resumed. Otherwise calls that let others run between their parts
        could pass the turn only to each other.
        """
        rank, least_returning = self._find_least_rank(), self._find_least_returning()
        if rank != least_returning or not self._has_resumed:
            return rank < least_returning
        return any(calls[0].rank == rank and not self._running[key] for key, calls in self._waiting.items())

    def _has_eligible(self) -> bool:
        """Return whether a waiting call may take a thread: some threads run only calls of a low rank."""
        if self._running_above < self._max_above:
            return bool(self._waiting)
        return any(calls[0].rank <= self._reserved_rank for calls in self._waiting.values())

    def _find_least_rank(self) -> int:
        return min(calls[0].rank for calls in self._waiting.values())

    def _wake_next(self) -> None:
        """Wake or start one thread for a call that may begin or resume; the caller holds the lock."""
        if self._active >= self._max_active:
            return
        may_begin = self._has_thread() and self._has_eligible()
        if self._returning and not (may_begin and self._goes_first()):
            rank = self._find_least_returning()
            if not self._is_held(rank):
                self._may_return[int(rank)].notify()
        elif not may_begin or self._is_held(self._find_least_rank()):
            return
        elif self._idle:
            # Counted here and not by the thread when it wakes: the next call needs another one.
            self._idle -= 1
            self._has_work.notify()
        elif len(self._threads) < self._max_threads:
            self._start_thread()

    def _start_thread(self) -> None:
        # Daemons: a derivation cannot be interrupted, and the end of the process waits in `join` alone.
        thread = threading.Thread(
            target=self._run_thread, name=f"{self._name}_{len(self._threads)}", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def _wake_all(self) -> None:
        self._idle = 0
        self._has_work.notify_all()


class KeyedExecutor(Executor):
    """Executor that submits its calls to a fair pool under one key, such as a client address."""

    def __init__(self, pool: FairExecutor, key: str, *, rank: int = 0) -> None:
        self._pool, self._key, self._rank = pool, key, rank

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Queue a call after the waiting calls of this key."""
        return self._pool.submit_for_key(self._key, lambda: fn(*args, **kwargs), rank=self._rank)


@contextmanager
def yield_turn(*, waits_for_call: bool = True) -> Iterator[None]:
    """Let another call of the same pool run while the present call waits in the `with` block.

    At the end of the block, wait until the present call may be active again. If the block may wait for
    another call, what a `Hold` holds continues meanwhile; pass `waits_for_call=False` if the block waits only
    for the disk, for example. Outside a pool, or inside another such block, do nothing.
    """
    pool: FairExecutor | None = getattr(_thread_state, "pool", None)
    if pool is None or getattr(_thread_state, "is_waiting", False):
        yield
        return
    _thread_state.is_waiting = True
    try:
        with pool.release_turn(ends_holds=waits_for_call):
            yield
    finally:
        _thread_state.is_waiting = False


def let_others_run(*, before: int = 0) -> None:
    """Pause the present call, so that a waiting call of the same pool can run first.

    Only a call of the same or a lower (more urgent) rank goes first; with `before`, only one whose rank is
    lower by at least that number. A call whose rank has no reserved threads runs for SLICE_SECONDS before it
    lets one of the same rank run. Outside a pool, inside `yield_turn`, or if no call waits, do nothing.
    """
    pool: FairExecutor | None = getattr(_thread_state, "pool", None)
    if pool is None or getattr(_thread_state, "is_waiting", False):
        return
    rank = _thread_state.rank
    if pool.has_slices(rank) and time.monotonic() - _thread_state.turn_began < SLICE_SECONDS:
        before = max(before, 1)
    if pool.pass_turn(rank=rank, most_rank=rank - before):
        _thread_state.turn_began = time.monotonic()
