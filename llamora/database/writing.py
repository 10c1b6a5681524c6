"""One fair turn to write, then one transaction.

SQLite lets one connection write at a time and makes the others poll; whoever polls at the lucky
moment goes first. Beside a long import that gave saves a p95 of 54 ms. A queue in front of
`BEGIN IMMEDIATE` gives each writer of this process its turn in order; other processes still meet
SQLite's own lock, with its time-out.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error, transaction

from llamora.database.errors import reason_of
from llamora.database.working import waiting


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


_turn = FairLock()


@contextmanager
def writing() -> Iterator[None]:
    """Run the block as one transaction in our turn; raise NotWritten when the database took nothing."""
    if transaction.get_connection().in_atomic_block:
        with transaction.atomic():
            yield
        return
    with waiting(), _in_turn():
        try:
            with transaction.atomic():
                yield
        except Error as error:
            reason = reason_of(error)
            if reason is None:
                raise
            # `from None`: the driver's error can quote the statement's values.
            raise reason from None


@contextmanager
def _in_turn() -> Iterator[None]:
    _turn.acquire()
    try:
        yield
    finally:
        _turn.release()
