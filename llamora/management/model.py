"""The model, as `up` knows it: looked for once pages are served, told in a sentence, closed in time."""

import asyncio
from collections.abc import AsyncIterator

from llamora.inference import endpoint
from llamora.inference.jobs import registry

_EVERY = 0.1


def open_desk() -> None:
    """Make the running loop the one that jobs live on, and mark what a dead process left."""
    registry.bind_loop()


async def look_for(*, no_model: bool) -> AsyncIterator[str]:
    """Look for a model, and yield what to tell of it, until that is settled."""
    await endpoint.start(no_model=no_model)
    told = ""
    while True:
        status = endpoint.status()
        if status.sentence != told:
            yield (told := status.sentence)
        if status.state not in ("looking", "loading"):
            return
        await asyncio.sleep(_EVERY)


async def let_go() -> None:
    """Write what running jobs have, mark them interrupted, then end the model's own process."""
    try:
        await registry.close(timeout=1)
    finally:
        await endpoint.stop()
