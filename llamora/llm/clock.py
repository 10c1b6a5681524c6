"""Two limits on a stream: how long nothing may come, and how long all of it may take.

Anything that comes counts as life, a server's pings too: a slow machine that reads a long prompt is not
silent, and what goes on for ever meets the second limit.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from llamora.llm.errors import Silent, TimeLimit


class Clock:
    """Starts with the work it times; both limits are in seconds."""

    def __init__(self, *, silence: float, limit: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._silence = silence
        self._deadline = self._loop.time() + limit

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """Around one wait for the server."""
        now = self._loop.time()
        try:
            async with asyncio.timeout_at(min(now + self._silence, self._deadline)):
                yield
        except TimeoutError:
            raise (TimeLimit if self._loop.time() >= self._deadline else Silent) from None

    async def chunk(self, chunks: AsyncIterator[bytes]) -> bytes | None:
        """The next chunk, or None at the end."""
        async with self.waiting():
            chunk = await anext(chunks, None)
        if self._loop.time() >= self._deadline:
            raise TimeLimit
        return chunk
