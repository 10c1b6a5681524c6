"""Waiting for what another process or task will do."""

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], bool], *, seconds: float = 15.0) -> None:
    """Wait for something to become true; what it is about sets no event of ours."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
