"""Fair queue for the slots of the model server: round-robin between people.

The jobs of one person run in order. A free slot goes to the person who was served longest ago, so a person
waits for at most one job of each other person.

A background job, whose result nobody waits for, can be preempted. It gets a slot only if no ordinary job
waits, and releases it when an ordinary job has to wait. Background jobs take turns in the same way among
themselves.
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


class TurnOrder:
    """Waiting jobs of several people, in the order of service."""

    def __init__(self) -> None:
        # The first owner is served next: a dict keeps the order of insertion.
        self._queues: dict[UUID, deque[QueueWaiter]] = {}

    def __len__(self) -> int:
        # A list first: another thread than the loop's may ask.
        return sum(map(len, list(self._queues.values())))

    def append(self, owner: UUID, waiter: QueueWaiter) -> None:
        """Add a job after the others of its owner."""
        self._queues.setdefault(owner, deque()).append(waiter)

    def remove(self, owner: UUID, waiter: QueueWaiter) -> None:
        """Remove a job if it is waiting."""
        own_queue = self._queues.get(owner, deque())
        if waiter in own_queue:
            own_queue.remove(waiter)
            if not own_queue:
                del self._queues[owner]

    def pop_next(self) -> QueueWaiter | None:
        """Remove and return the next job, or None; its owner's other jobs go to the end."""
        while self._queues:
            owner = next(iter(self._queues))
            own_queue = self._queues.pop(owner)
            # A cancelled job stays until its task has run. It takes no slot, and not its owner's turn either.
            waiter = next((waiter for waiter in own_queue if not waiter.granted.done()), None)
            if waiter is not None:
                own_queue.remove(waiter)
                if own_queue:
                    self._queues[owner] = own_queue
                return waiter
        return None

    def list_waiters(self) -> list[QueueWaiter]:
        """Return the jobs in the order in which they will be served."""
        queues = [
            [waiter for waiter in queue if not waiter.granted.done()] for queue in self._queues.values()
        ]
        return [waiter for one_round in zip_longest(*queues) for waiter in one_round if waiter is not None]


class FairQueue:
    """Queue of jobs, of which up to `capacity()` run at a time. Belongs to one event loop."""

    def __init__(self, capacity: Callable[[], int]) -> None:
        self._capacity = capacity
        self._taken = 0
        self._waiting, self._background = TurnOrder(), TurnOrder()
        self._preemptible: list[QueueWaiter] = []

    def count(self) -> tuple[int, int]:
        """Return the numbers of jobs with a slot, and of jobs (except background jobs) that wait for one.

        May be called from any thread.
        """
        return self._taken, len(self._waiting)

    @asynccontextmanager
    async def slot(
        self, owner: UUID, on_position: Callable[[int], None], *, preempt: Preempt | None = None
    ) -> AsyncIterator[None]:
        """Wait for a slot and occupy it during the `with` block.

        A job with `preempt` is a background job; `preempt` is called when it must release the slot.
        """
        waiter = QueueWaiter(on_position, preempt=preempt)
        (self._waiting if preempt is None else self._background).append(owner, waiter)
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
        self._waiting.remove(owner, waiter)
        self._background.remove(owner, waiter)
        self._grant_free_slots()

    def _release(self) -> None:
        self._taken -= 1
        self._grant_free_slots()

    def _grant_free_slots(self) -> None:
        while self._has_slot() and (waiter := self._waiting.pop_next()):
            self._grant(waiter)
        while self._has_slot() and (waiter := self._background.pop_next()):
            self._grant(waiter)
            self._preemptible.append(waiter)
        waiting = self._waiting.list_waiters()
        for position, waiter in enumerate(waiting, start=1):
            waiter.set_position(position)
        for waiter in self._preemptible[: len(waiting)]:
            if waiter.preempt is not None:
                waiter.preempt()

    def _has_slot(self) -> bool:
        return self._taken < max(1, self._capacity())

    def _grant(self, waiter: QueueWaiter) -> None:
        waiter.granted.set_result(None)
        self._taken += 1
