"""llamora.threads.fair_lock."""

import threading
from collections import deque


class FairLock:
    """A lock that is handed over in the order it was asked for; re-entrant for its holder."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[tuple[threading.Lock, int]] = deque()
        self._holder: int | None = None
        self._depth = 0

    def acquire(self) -> None:
        """Wait for our turn."""
        me = threading.get_ident()
        with self._mutex:
            if self._holder in (None, me):
                self._holder, self._depth = me, self._depth + 1
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append((turn, me))
        turn.acquire()

    def release(self) -> None:
        """Give the turn to whoever has waited longest."""
        with self._mutex:
            self._depth -= 1
            if self._depth:
                return
            self._holder = None
            if self._waiting:
                turn, self._holder = self._waiting.popleft()
                self._depth = 1
                turn.release()
