"""Threads of which one works at a time, and the next one while the first waits for the disk.

Python runs one thread at a time. Two that work out pages side by side hand that right to and fro at every
query, and the serving loop stands in line behind both. So one thread works on, page after page; only while it
waits to write, or for its commit, another goes on with what has come meanwhile.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

_thread_state = threading.local()


class _PoolCall:
    """Something to be done, and what becomes of it."""

    def __init__(self, run: Callable[[], Any]) -> None:
        self.result: Future[Any] = Future()
        self._run = run

    def execute(self) -> None:
        """Do it, unless nobody waits for it any more."""
        if not self.result.set_running_or_notify_cancel():
            return
        try:
            self.result.set_result(self._run())
        except BaseException as error:
            self.result.set_exception(error)


class SingleActiveThreadPool(Executor):
    """Lasting threads that share one turn; calls are begun in the order they came."""

    def __init__(self, threads: int, *, name: str) -> None:
        self._changed = threading.Condition()
        self._calls: deque[_PoolCall] = deque()
        self._is_busy = self._is_closed = False
        self._returning = 0
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}_{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Do it in a thread of ours; raise RuntimeError once closed."""
        call = _PoolCall(lambda: fn(*args, **kwargs))
        with self._changed:
            if self._is_closed:
                raise RuntimeError("No more is taken: the threads are closing.")
            self._calls.append(call)
            if self._can_start():
                self._changed.notify_all()
        return call.result

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more; with `cancel_futures`, drop what has not begun; with `wait`, see the rest end."""
        with self._changed:
            self._is_closed = True
            dropped = list(self._calls) if cancel_futures else []
            if cancel_futures:
                self._calls.clear()
            self._changed.notify_all()
        for call in dropped:
            call.result.cancel()
        if wait:
            for thread in self._threads:
                thread.join()

    @contextmanager
    def release_turn(self) -> Iterator[None]:
        """Give the turn up for the block; who comes back goes before what has not begun."""
        with self._changed:
            self._is_busy = False
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._returning += 1
                self._changed.wait_for(lambda: not self._is_busy)
                self._returning -= 1
                self._is_busy = True

    def _work(self) -> None:
        _thread_state.pool = self
        while self._wait_for_turn():
            # The same thread goes on: handing over takes longer than many a page.
            while call := self._next_call():
                call.execute()
                del call

    def _wait_for_turn(self) -> bool:
        """Wait for the turn, and something to do with it; answer False at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._can_start() or (self._is_closed and not self._calls))
            if not self._calls:
                return False
            self._is_busy = True
            return True

    def _can_start(self) -> bool:
        return bool(self._calls) and not self._is_busy and not self._returning

    def _next_call(self) -> _PoolCall | None:
        """Return what has waited longest, or give up the turn."""
        with self._changed:
            if self._calls and not self._returning:
                return self._calls.popleft()
            self._is_busy = False
            self._changed.notify_all()
            return None


@contextmanager
def yield_turn() -> Iterator[None]:
    """Let others of this thread's pool go on during the block; in threads of no such pool it does nothing."""
    pool: SingleActiveThreadPool | None = getattr(_thread_state, "pool", None)
    if pool is None or getattr(_thread_state, "waits", False):
        yield
        return
    _thread_state.waits = True
    try:
        with pool.release_turn():
            yield
    finally:
        _thread_state.waits = False
