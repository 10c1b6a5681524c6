"""Events for all open tabs of a person; they contain ids and states, never text.

The channel layers of Django Channels are not suitable: the one in memory works only on one event loop, and
the others use a network. This module passes small dicts to listeners on any event loop.
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
    """The event queues of all listeners, by person; `publish` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[UUID, set[tuple[asyncio.AbstractEventLoop, asyncio.Queue[UserEvent]]]] = (
            defaultdict(set)
        )

    def publish(self, person_id: UUID, event: UserEvent) -> int:
        """Pass an event to every listener of a person; return the number of listeners."""
        with self._lock:
            listeners = list(self._listeners.get(person_id, ()))
        for loop, queue in listeners:
            if not loop.is_closed():
                loop.call_soon_threadsafe(queue.put_nowait, event)
        return len(listeners)

    @asynccontextmanager
    async def listen(self, person_id: UUID) -> AsyncIterator["asyncio.Queue[UserEvent]"]:
        """Yield a queue that receives a person's events until the end of the `with` block."""
        listener = (asyncio.get_running_loop(), asyncio.Queue[UserEvent]())
        with self._lock:
            self._listeners[person_id].add(listener)
        try:
            yield listener[1]
        finally:
            with self._lock:
                self._listeners[person_id].discard(listener)
                if not self._listeners[person_id]:
                    del self._listeners[person_id]


user_events = UserEvents()
