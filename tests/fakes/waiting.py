"""Waiting for a condition that another process, thread or task makes true."""

import asyncio
import time
from collections.abc import Callable

# Seconds. What is waited for comes at once, unless the machine is shared with many others.
PATIENCE = 60.0


async def until(condition: Callable[[], bool], *, seconds: float = PATIENCE) -> None:
    """Wait until a condition is true, by polling."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def wait_for(condition: Callable[[], bool], *, seconds: float = PATIENCE) -> None:
    """Wait until a condition is true, in a thread."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)
