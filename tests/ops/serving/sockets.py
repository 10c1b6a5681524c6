"""The test socket."""

import asyncio
from typing import Any

from django.urls import path


async def echo_forever(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Accept a socket and echo its frames without end."""
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": event["text"]})


async def ignore_frames(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Accept, and look at nothing that comes."""
    await receive()
    await send({"type": "websocket.accept"})
    await asyncio.sleep(60)


async def fail(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Raise an error with words that must not be logged."""
    await receive()
    raise ValueError("marrowbone, which somebody wrote")


patterns: list[Any] = [
    path("deaf/", ignore_frames),  # type: ignore[arg-type]
    path("failing/", fail),  # type: ignore[arg-type]
    path("held/", echo_forever),  # type: ignore[arg-type]
]
