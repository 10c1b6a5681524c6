"""Tells every open tab of a person that something happened; carries ids and states, never text.

A channel layer would do, but its in-memory form binds to the loop that sends and its other forms
carry what they are given over a wire. This one hands small dicts to the loops that listen.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

UserEvent = dict[str, Any]


class UserEvents:
    """Queues of listeners by person; `ring` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[UUID, set[tuple[asyncio.AbstractEventLoop, asyncio.Queue[UserEvent]]]] = (
            defaultdict(set)
        )

    def publish(self, person_id: UUID, ring: UserEvent) -> int:
        """Hand `ring` to every listener of that person; return how many there were."""
        with self._lock:
            listeners = list(self._listeners.get(person_id, ()))
        for loop, queue in listeners:
            if not loop.is_closed():
                loop.call_soon_threadsafe(queue.put_nowait, ring)
        return len(listeners)

    @asynccontextmanager
    async def listen(self, person_id: UUID) -> AsyncIterator["asyncio.Queue[UserEvent]"]:
        """Yield a queue of that person's rings for as long as the block runs."""
        entry = (asyncio.get_running_loop(), asyncio.Queue[UserEvent]())
        with self._lock:
            self._listeners[person_id].add(entry)
        try:
            yield entry[1]
        finally:
            with self._lock:
                self._listeners[person_id].discard(entry)
                if not self._listeners[person_id]:
                    del self._listeners[person_id]


user_events = UserEvents()
