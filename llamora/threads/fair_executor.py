"""A few threads for slow work, with a lane for each address: a crowd from one place waits for itself.

The next call is one from the lane that has the fewest under way, and among these the one that came first.
A lane that is full takes no more (`is_full`): two hundred sign-ins at once from one address are refused
without costing anybody a thread.
"""

import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

MAX_WAITING = 32


@dataclass(slots=True)
class _QueuedCall:
    run: Callable[[], Any]
    result: "Future[Any]" = field(default_factory=Future)

    def __call__(self) -> None:
        if not self.result.set_running_or_notify_cancel():
            return
        try:
            answer = self.run()
        except BaseException as error:
            self.result.set_exception(error)
        else:
            self.result.set_result(answer)


class FairExecutor:
    """Lanes into one pool of threads."""

    def __init__(self, *, threads: int, name: str, longest: int = MAX_WAITING) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, deque[_QueuedCall]] = OrderedDict()
        self._running: Counter[str] = Counter()
        self._max_waiting = longest

    def is_full(self, address: str) -> bool:
        """Return whether as many wait from this address as may."""
        with self._lock:
            return len(self._waiting.get(address, ())) >= self._max_waiting

    def for_key(self, address: str) -> "KeyedExecutor":
        """Return the lane of an address."""
        return KeyedExecutor(self, address)

    def submit_for_key(self, address: str, run: Callable[[], Any]) -> "Future[Any]":
        """Put a call at the end of a lane."""
        call = _QueuedCall(run)
        with self._lock:
            self._waiting.setdefault(address, deque()).append(call)
        self._pool.submit(self._run_next)
        return call.result

    def shutdown(self, *, wait: bool, cancel_futures: bool = False) -> None:
        """Take no more; with `cancel_futures`, drop what has not begun."""
        if cancel_futures:
            with self._lock:
                dropped = [call for lane in self._waiting.values() for call in lane]
                self._waiting.clear()
            for call in dropped:
                call.result.cancel()
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def _run_next(self) -> None:
        with self._lock:
            if not self._waiting:
                return
            # Lanes stand in the order in which they were last served, so equals take turns.
            address = min(self._waiting, key=lambda waiting: self._running[waiting])
            lane = self._waiting[address]
            call = lane.popleft()
            if lane:
                self._waiting.move_to_end(address)
            else:
                del self._waiting[address]
            self._running[address] += 1
        try:
            call()
        finally:
            with self._lock:
                self._running -= Counter([address])


class KeyedExecutor(Executor):
    """One address's way into the threads, as an executor."""

    def __init__(self, lanes: FairExecutor, address: str) -> None:
        self._executor, self._key = lanes, address

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Put a call at the end of this lane."""
        return self._executor.submit_for_key(self._key, lambda: fn(*args, **kwargs))
