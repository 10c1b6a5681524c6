"""A fair queue for the model's slots: people take turns, whoever asked more often than others waits longer.

Each person's jobs stay in the order they were asked for. A free slot goes to the person who was served
longest ago; so somebody with one wish waits behind at most one job of each other person.

A *patient* job, one that nobody looks at, says how it gives way: it gets a slot when nobody else waits, and
is told to let go of it as soon as somebody does.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import zip_longest
from uuid import UUID

Preempt = Callable[[], None]


class QueueWaiter:
    """One job's wait; `on_place` hears its place whenever that changes."""

    def __init__(self, on_place: Callable[[int], None], *, give_way: Preempt | None = None) -> None:
        self.granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.position = 0
        self.give_way = give_way
        self._on_place = on_place

    def set_position(self, place: int) -> None:
        """Take another place."""
        if place != self.position:
            self.position = place
            self._on_place(place)


class FairQueue:
    """Hands out as many slots as `capacity` says at that moment. Lives on one event loop."""

    def __init__(self, capacity: Callable[[], int]) -> None:
        self._capacity = capacity
        self._taken = 0
        # The first owner is the next to be served: dicts keep the order of arrival.
        self._waiting: dict[UUID, deque[QueueWaiter]] = {}
        self._background: deque[QueueWaiter] = deque()
        self._preemptible: list[QueueWaiter] = []

    @asynccontextmanager
    async def slot(
        self, owner: UUID, on_place: Callable[[int], None], *, give_way: Preempt | None = None
    ) -> AsyncIterator[None]:
        """Wait for a slot and hold it for the block. Places count from 1: the next to be served."""
        ticket = QueueWaiter(on_place, give_way=give_way)
        line = self._waiting.setdefault(owner, deque()) if give_way is None else self._background
        line.append(ticket)
        self._advance()
        try:
            await ticket.granted
        except asyncio.CancelledError:
            self._leave(owner, ticket)
            raise
        try:
            yield
        finally:
            if ticket in self._preemptible:
                self._preemptible.remove(ticket)
            self._release()

    def _leave(self, owner: UUID, ticket: QueueWaiter) -> None:
        """Leave the queue, or give the slot back that came at the same moment."""
        if not ticket.granted.cancelled():
            if ticket in self._preemptible:
                self._preemptible.remove(ticket)
            self._release()
            return
        if ticket in self._background:
            self._background.remove(ticket)
        line = self._waiting.get(owner, deque())
        if ticket in line:
            line.remove(ticket)
            if not line:
                del self._waiting[owner]
        self._advance()

    def _release(self) -> None:
        self._taken -= 1
        self._advance()

    def _advance(self) -> None:
        while self._waiting and self._has_slot():
            owner = next(iter(self._waiting))
            line = self._waiting.pop(owner)
            ticket = line.popleft()
            if line:
                self._waiting[owner] = line
            self._grant(ticket)
        while self._background and self._has_slot():
            ticket = self._background.popleft()
            if self._grant(ticket):
                self._preemptible.append(ticket)
        waiting = self._serving_order()
        for place, ticket in enumerate(waiting, start=1):
            ticket.set_position(place)
        for ticket in self._preemptible[: len(waiting)]:
            if ticket.give_way is not None:
                ticket.give_way()

    def _has_slot(self) -> bool:
        return self._taken < max(1, self._capacity())

    def _grant(self, ticket: QueueWaiter) -> bool:
        # A cancelled ticket is still in line until its task has run; it takes no slot.
        if ticket.granted.done():
            return False
        ticket.granted.set_result(None)
        self._taken += 1
        return True

    def _serving_order(self) -> list[QueueWaiter]:
        """Everybody who waits, in the order they will be served."""
        rounds = zip_longest(*self._waiting.values())
        return [ticket for one_round in rounds for ticket in one_round if ticket is not None]
