"""Tests of background jobs: they run when no other job waits, and stop for any other job."""

import asyncio
from uuid import UUID

from llamora.inference.queue import FairQueue

ANN, BEN = UUID(int=1), UUID(int=2)


class SharedModel:
    """A model with one slot, which records the order of jobs."""

    def __init__(self) -> None:
        self.queue = FairQueue(lambda: 1)
        self.served: list[str] = []
        self.preempted: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def request_slot(self, owner: UUID, name: str, *, patient: bool = False) -> None:
        self.tasks[name] = asyncio.create_task(self._hold(owner, name, patient=patient))
        await self.wait_until_idle()

    async def _hold(self, owner: UUID, name: str, *, patient: bool) -> None:
        preempt = (lambda: self._record_preemption(name)) if patient else None
        async with self.queue.slot(owner, lambda _: None, preempt=preempt):
            self.served.append(name)
            await asyncio.sleep(3600)

    def _record_preemption(self, name: str) -> None:
        self.preempted.append(name)
        self.tasks[name].cancel()

    async def end(self, name: str) -> None:
        self.tasks[name].cancel()
        await self.wait_until_idle()

    async def wait_until_idle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


async def test_a_patient_job_is_served_after_everybody_else() -> None:
    house = SharedModel()
    await house.request_slot(ANN, "reply")
    await house.request_slot(ANN, "recap", patient=True)
    await house.request_slot(BEN, "another")

    await house.end("reply")
    await house.end("another")

    assert house.served == ["reply", "another", "recap"]
    await house.end("recap")


async def test_patient_jobs_take_turns_too() -> None:
    house = SharedModel()
    await house.request_slot(ANN, "reply")
    for owner, name in ((ANN, "a1"), (ANN, "a2"), (BEN, "b1")):
        await house.request_slot(owner, name, patient=True)

    for name in ("reply", "a1", "b1", "a2"):
        await house.end(name)

    assert house.served == ["reply", "a1", "b1", "a2"]


async def test_a_patient_job_lets_go_of_its_slot_when_somebody_comes() -> None:
    house = SharedModel()
    await house.request_slot(ANN, "recap", patient=True)

    await house.request_slot(BEN, "reply")

    assert house.preempted == ["recap"]
    assert house.served == ["recap", "reply"]
    await house.end("reply")


async def test_a_patient_job_that_gives_up_leaves_no_place_behind() -> None:
    house = SharedModel()
    await house.request_slot(ANN, "reply")
    await house.request_slot(ANN, "recap", patient=True)

    await house.end("recap")
    await house.end("reply")
    await house.request_slot(BEN, "later", patient=True)

    assert house.served == ["reply", "later"]
    await house.end("later")
