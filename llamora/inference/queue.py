"""A fair queue for the slots of the model server: round-robin between people.

The jobs of one person run in their order. A free slot goes to the person who was served longest ago, so that
a person with a single job waits for at most one job of each other person.

A background job, whose result nobody waits for, can be preempted: it gets a slot only if no other job is in
the queue, and must release it as soon as another job enters the queue.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import zip_longest
from uuid import UUID

Preempt = Callable[[], None]


class QueueWaiter:
    """A job in the queue; `on_position` is called whenever its position changes."""

    def __init__(self, on_position: Callable[[int], None], *, preempt: Preempt | None = None) -> None:
        self.granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.position = 0
        self.preempt = preempt
        self._on_position = on_position

    def set_position(self, position: int) -> None:
        """Set the position in the queue; the first is 1."""
        if position != self.position:
            self.position = position
            self._on_position(position)


class FairQueue:
    """Queue that grants up to `capacity()` slots at a time. Belongs to one event loop."""

    def __init__(self, capacity: Callable[[], int]) -> None:
        self._capacity = capacity
        self._taken = 0
        # The first owner is served next: a dict keeps the order of insertion.
        self._waiting: dict[UUID, deque[QueueWaiter]] = {}
        self._background: deque[QueueWaiter] = deque()
        self._preemptible: list[QueueWaiter] = []

    @asynccontextmanager
    async def slot(
        self, owner: UUID, on_position: Callable[[int], None], *, preempt: Preempt | None = None
    ) -> AsyncIterator[None]:
        """Wait for a slot and occupy it during the block.

        A job with `preempt` is a background job; `preempt` is called when it must release the slot.
        """
        waiter = QueueWaiter(on_position, preempt=preempt)
        queue = self._waiting.setdefault(owner, deque()) if preempt is None else self._background
        queue.append(waiter)
        self._grant_free_slots()
        try:
            await waiter.granted
        except asyncio.CancelledError:
            self._remove_waiter(owner, waiter)
            raise
        try:
            yield
        finally:
            if waiter in self._preemptible:
                self._preemptible.remove(waiter)
            self._release()

    def _remove_waiter(self, owner: UUID, waiter: QueueWaiter) -> None:
        """Remove a cancelled waiter from the queue; release its slot if it was granted at the same moment."""
        if not waiter.granted.cancelled():
            if waiter in self._preemptible:
                self._preemptible.remove(waiter)
            self._release()
            return
        if waiter in self._background:
            self._background.remove(waiter)
        own_queue = self._waiting.get(owner, deque())
        if waiter in own_queue:
            own_queue.remove(waiter)
            if not own_queue:
                del self._waiting[owner]
        self._grant_free_slots()

    def _release(self) -> None:
        self._taken -= 1
        self._grant_free_slots()

    def _grant_free_slots(self) -> None:
        while self._waiting and self._has_slot():
            owner = next(iter(self._waiting))
            own_queue = self._waiting.pop(owner)
            waiter = own_queue.popleft()
            if own_queue:
                self._waiting[owner] = own_queue
            self._grant(waiter)
        while self._background and self._has_slot():
            waiter = self._background.popleft()
            if self._grant(waiter):
                self._preemptible.append(waiter)
        waiting = self._list_in_serving_order()
        for position, waiter in enumerate(waiting, start=1):
            waiter.set_position(position)
        for waiter in self._preemptible[: len(waiting)]:
            if waiter.preempt is not None:
                waiter.preempt()

    def _has_slot(self) -> bool:
        return self._taken < max(1, self._capacity())

    def _grant(self, waiter: QueueWaiter) -> bool:
        # A cancelled waiter stays in the queue until its task has run; it takes no slot.
        if waiter.granted.done():
            return False
        waiter.granted.set_result(None)
        self._taken += 1
        return True

    def _list_in_serving_order(self) -> list[QueueWaiter]:
        """Return the waiters in the order in which they will be served."""
        rounds = zip_longest(*self._waiting.values())
        return [waiter for one_round in rounds for waiter in one_round if waiter is not None]
