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

_mine = threading.local()


class _Call:
    """Something to be done, and what becomes of it."""

    def __init__(self, run: Callable[[], Any]) -> None:
        self.result: Future[Any] = Future()
        self._run = run

    def do(self) -> None:
        """Do it, unless nobody waits for it any more."""
        if not self.result.set_running_or_notify_cancel():
            return
        try:
            self.result.set_result(self._run())
        except BaseException as error:
            self.result.set_exception(error)


class OneAtATime(Executor):
    """Lasting threads that share one turn; calls are begun in the order they came."""

    def __init__(self, threads: int, *, name: str) -> None:
        self._changed = threading.Condition()
        self._calls: deque[_Call] = deque()
        self._is_taken = self._is_closed = False
        self._coming_back = 0
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}_{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Do it in a thread of ours; raise RuntimeError once closed."""
        call = _Call(lambda: fn(*args, **kwargs))
        with self._changed:
            if self._is_closed:
                raise RuntimeError("No more is taken: the threads are closing.")
            self._calls.append(call)
            if self._may_begin():
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
    def others_go_on(self) -> Iterator[None]:
        """Give the turn up for the block; who comes back goes before what has not begun."""
        with self._changed:
            self._is_taken = False
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._coming_back += 1
                self._changed.wait_for(lambda: not self._is_taken)
                self._coming_back -= 1
                self._is_taken = True

    def _work(self) -> None:
        _mine.pool = self
        while self._has_turn():
            # The same thread goes on: handing over takes longer than many a page.
            while call := self._next():
                call.do()
                del call

    def _has_turn(self) -> bool:
        """Wait for the turn, and something to do with it; answer False at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._may_begin() or (self._is_closed and not self._calls))
            if not self._calls:
                return False
            self._is_taken = True
            return True

    def _may_begin(self) -> bool:
        return bool(self._calls) and not self._is_taken and not self._coming_back

    def _next(self) -> _Call | None:
        """Return what has waited longest, or give up the turn."""
        with self._changed:
            if self._calls and not self._coming_back:
                return self._calls.popleft()
            self._is_taken = False
            self._changed.notify_all()
            return None


@contextmanager
def waiting() -> Iterator[None]:
    """Let others of this thread's pool go on during the block; in threads of no such pool it does nothing."""
    pool: OneAtATime | None = getattr(_mine, "pool", None)
    if pool is None or getattr(_mine, "waits", False):
        yield
        return
    _mine.waits = True
    try:
        with pool.others_go_on():
            yield
    finally:
        _mine.waits = False
