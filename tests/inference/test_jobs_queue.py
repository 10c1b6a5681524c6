"""Tests of the fair queue for the slots of the model server."""

import asyncio
from contextlib import suppress
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from llamora.inference.queue import FairQueue

ANN, BEN, CLEO = (UUID(int=number) for number in (1, 2, 3))


class WaitingJobs:
    """Jobs that wait for a slot, use it until the test releases them, and record their messages."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.queue = FairQueue(lambda: self.slots)
        self.served: list[str] = []
        self.places: dict[str, list[int]] = {}
        self._free: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def join(self, owner: UUID, name: str) -> None:
        self.places[name], self._free[name] = [], asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._run(owner, name))
        await asyncio.sleep(0)

    async def _run(self, owner: UUID, name: str) -> None:
        async with self.queue.slot(owner, self.places[name].append):
            self.served.append(name)
            await self._free[name].wait()

    async def free(self, name: str) -> None:
        self._free[name].set()
        for _ in range(5):
            await asyncio.sleep(0)

    async def cancel(self, name: str) -> None:
        self._tasks[name].cancel()
        with suppress(asyncio.CancelledError):
            await self._tasks[name]
        for _ in range(5):
            await asyncio.sleep(0)

    async def free_and_cancel(self, name: str, cancelled: str) -> None:
        """End a job, and cancel another before the event loop has noticed the end."""
        self._free[name].set()
        await self.cancel(cancelled)

    async def run_all(self) -> list[str]:
        """End each job as soon as it has the slot; return the order."""
        done = 0
        while done < len(self.served):
            await self.free(self.served[done])
            done += 1
        return self.served


async def test_people_take_turns() -> None:
    waiting = WaitingJobs(slots=1)
    for owner, name in ((ANN, "a1"), (ANN, "a2"), (ANN, "a3"), (BEN, "b1"), (BEN, "b2"), (CLEO, "c1")):
        await waiting.join(owner, name)

    order = await waiting.run_all()

    assert order == ["a1", "a2", "b1", "c1", "a3", "b2"]


async def test_places_are_told_and_move_up() -> None:
    waiting = WaitingJobs(slots=1)
    for owner, name in ((ANN, "a1"), (ANN, "a2"), (ANN, "a3"), (BEN, "b1")):
        await waiting.join(owner, name)

    assert waiting.places == {"a1": [], "a2": [1], "a3": [2, 3], "b1": [2]}
    await waiting.free("a1")

    assert waiting.places["b1"] == [2, 1]
    assert waiting.places["a3"] == [2, 3, 2]
    await waiting.run_all()


async def test_as_many_are_served_as_there_are_slots_at_that_moment() -> None:
    waiting = WaitingJobs(slots=2)
    for name in ("a1", "a2", "a3", "a4"):
        await waiting.join(ANN, name)
    assert waiting.served == ["a1", "a2"]

    waiting.slots = 3
    await waiting.free("a1")

    assert waiting.served == ["a1", "a2", "a3", "a4"]
    await waiting.run_all()


async def test_one_that_gives_up_frees_its_place_or_its_slot() -> None:
    waiting = WaitingJobs(slots=1)
    for owner, name in ((ANN, "a1"), (ANN, "a2"), (BEN, "b1")):
        await waiting.join(owner, name)

    await waiting.cancel("a2")
    await waiting.cancel("a1")

    assert waiting.served == ["a1", "b1"]
    await waiting.run_all()


async def test_one_that_gives_up_as_it_is_served_passes_the_slot_on() -> None:
    waiting = WaitingJobs(slots=1)
    for owner, name in ((ANN, "a1"), (BEN, "b1"), (CLEO, "c1")):
        await waiting.join(owner, name)

    waiting._free["a1"].set()
    while waiting.queue._taken and waiting.queue._waiting.list_waiters() != []:
        await asyncio.sleep(0)
        if len(waiting.queue._waiting.list_waiters()) == 1:
            break
    await waiting.cancel("b1")

    assert waiting.served[-1] == "c1"
    await waiting.run_all()
    assert waiting.queue._taken == 0


async def test_a_job_cancelled_at_the_last_moment_does_not_take_its_owners_turn() -> None:
    waiting = WaitingJobs(slots=1)
    for owner, name in ((CLEO, "c1"), (ANN, "a1"), (ANN, "a2"), (BEN, "b1")):
        await waiting.join(owner, name)

    await waiting.free_and_cancel("c1", "a1")

    assert waiting.served == ["c1", "a2"]
    await waiting.run_all()
    assert waiting.queue._taken == 0


@given(
    wishes=st.lists(st.integers(0, 4), max_size=25),
    slots=st.integers(1, 4),
    dropped=st.sets(st.integers(0, 24)),
)
async def test_everybody_is_served_once_and_every_slot_comes_back(
    wishes: list[int], slots: int, dropped: set[int]
) -> None:
    waiting = WaitingJobs(slots=slots)
    for number, owner in enumerate(wishes):
        await waiting.join(UUID(int=owner), str(number))
    for number in dropped:
        if number < len(wishes):
            await waiting.cancel(str(number))

    await waiting.run_all()

    stayed = {str(number) for number in range(len(wishes))} - {str(number) for number in dropped}
    assert stayed <= set(waiting.served)
    assert len(waiting.served) == len(set(waiting.served))
    assert waiting.queue._taken == 0
    assert waiting.queue._waiting.list_waiters() == []
