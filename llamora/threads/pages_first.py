"""Delay of work on the event loop while people's pages are being answered.

A page takes some milliseconds of CPU time. Each request of a program that the event loop reads meanwhile
holds the interpreter lock, and delays the page by one more millisecond.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

# After so long, work begins although pages are on their way: a person who opens many holds up no program.
MOST_HELD_SECONDS: Final = 0.25


class UnansweredPages:
    """Counter of pages being answered, and queue of work that waits for them. Used by the event loop only.

    Waiting work begins in order, one item per round of the loop, so that a page that arrives meanwhile comes
    before the rest.
    """

    def __init__(self) -> None:
        self._pages = 0
        self._waiting: deque[tuple[float, Callable[[], None]]] = deque()
        self._is_scheduled = False

    @property
    def exist(self) -> bool:
        """Whether a page has been requested and not answered yet."""
        return self._pages > 0

    def begin(self) -> None:
        """Start counting a request for a page when the request arrives. The caller must also call `end`."""
        self._pages += 1

    def end(self) -> None:
        """Stop counting a request for a page, because the page was sent or the client has disconnected."""
        self._pages -= 1
        self._schedule()

    def run_after(self, work: Callable[[], None]) -> None:
        """Run `work` when all requests for pages are answered, at the latest after MOST_HELD_SECONDS."""
        self._waiting.append((time.monotonic() + MOST_HELD_SECONDS, work))
        asyncio.get_running_loop().call_later(MOST_HELD_SECONDS, self._schedule)
        self._schedule()

    def _schedule(self) -> None:
        if not self._is_scheduled and self._may_begin():
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._run_next)

    def _may_begin(self) -> bool:
        return bool(self._waiting) and (not self._pages or self._waiting[0][0] <= time.monotonic())

    def _run_next(self) -> None:
        self._is_scheduled = False
        if not self._may_begin():
            return
        _, work = self._waiting.popleft()
        try:
            work()
        finally:
            self._schedule()


unanswered_pages: Final = UnansweredPages()
