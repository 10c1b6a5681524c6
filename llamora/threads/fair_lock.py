"""A lock that is acquired in first-come, first-served order.

`threading.Lock` has no order, so a busy thread could starve the others.
"""

import threading
from collections import deque


class FairLock:
    """A first-come, first-served lock; reentrant."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[tuple[threading.Lock, int]] = deque()
        self._holder: int | None = None
        self._depth = 0

    def acquire(self) -> None:
        """Wait until all earlier callers have released the lock, then hold it."""
        thread = threading.get_ident()
        with self._mutex:
            if self._take(thread):
                return
            handover = threading.Lock()
            handover.acquire()
            self._waiting.append((handover, thread))
        handover.acquire()

    def acquire_at_once(self) -> bool:
        """Hold the lock if no other thread does; return False without waiting if one does."""
        with self._mutex:
            return self._take(threading.get_ident())

    def _take(self, thread: int) -> bool:
        if self._holder not in (None, thread):
            return False
        self._holder, self._depth = thread, self._depth + 1
        return True

    def release(self) -> None:
        """Release the lock; the caller that has waited longest acquires it."""
        with self._mutex:
            self._depth -= 1
            if self._depth:
                return
            self._holder = None
            if self._waiting:
                handover, self._holder = self._waiting.popleft()
                self._depth = 1
                handover.release()
