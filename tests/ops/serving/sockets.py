from typing import Any

from django.urls import path


async def held(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Accept, echo, and never end by itself."""
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": event["text"]})


async def failing(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Fail with words that nobody may read in a log."""
    await receive()
    raise ValueError("marrowbone, which somebody wrote")


patterns: list[Any] = [
    path("failing/", failing),  # type: ignore[arg-type]
    path("held/", held),  # type: ignore[arg-type]
]
