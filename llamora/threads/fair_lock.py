"""A lock that is handed over in the order it was asked for.

`threading.Lock` goes to whoever asks at the lucky moment, so one busy writer can keep the others waiting.
"""

import threading
from collections import deque


class FairLock:
    """A first-come, first-served lock; re-entrant for its holder."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[tuple[threading.Lock, int]] = deque()
        self._holder: int | None = None
        self._depth = 0

    def acquire(self) -> None:
        """Wait until every earlier caller has had the lock."""
        thread = threading.get_ident()
        with self._mutex:
            if self._holder in (None, thread):
                self._holder, self._depth = thread, self._depth + 1
                return
            handover = threading.Lock()
            handover.acquire()
            self._waiting.append((handover, thread))
        handover.acquire()

    def release(self) -> None:
        """Hand the lock to whoever has waited longest."""
        with self._mutex:
            self._depth -= 1
            if self._depth:
                return
            self._holder = None
            if self._waiting:
                handover, self._holder = self._waiting.popleft()
                self._depth = 1
                handover.release()
