"""Patient jobs: served when nobody else waits, and gone as soon as somebody comes."""

import asyncio
from uuid import UUID

from llamora.inference.queue import FairQueue

ANN, BEN = UUID(int=1), UUID(int=2)


class SharedModel:
    """One slot, and who had it in which order."""

    def __init__(self) -> None:
        self.queue = FairQueue(lambda: 1)
        self.served: list[str] = []
        self.preempted: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, owner: UUID, name: str, *, patient: bool = False) -> None:
        self.tasks[name] = asyncio.create_task(self._hold(owner, name, patient=patient))
        await self.settle()

    async def _hold(self, owner: UUID, name: str, *, patient: bool) -> None:
        preempt = (lambda: self._give_way(name)) if patient else None
        async with self.queue.slot(owner, lambda _: None, preempt=preempt):
            self.served.append(name)
            await asyncio.sleep(3600)

    def _give_way(self, name: str) -> None:
        self.preempted.append(name)
        self.tasks[name].cancel()

    async def end(self, name: str) -> None:
        self.tasks[name].cancel()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


async def test_a_patient_job_is_served_after_everybody_else() -> None:
    house = SharedModel()
    await house.come(ANN, "reply")
    await house.come(ANN, "recap", patient=True)
    await house.come(BEN, "another")

    await house.end("reply")
    await house.end("another")

    assert house.served == ["reply", "another", "recap"]
    await house.end("recap")


async def test_a_patient_job_lets_go_of_its_slot_when_somebody_comes() -> None:
    house = SharedModel()
    await house.come(ANN, "recap", patient=True)

    await house.come(BEN, "reply")

    assert house.preempted == ["recap"]
    assert house.served == ["recap", "reply"]
    await house.end("reply")


async def test_a_patient_job_that_gives_up_leaves_no_place_behind() -> None:
    house = SharedModel()
    await house.come(ANN, "reply")
    await house.come(ANN, "recap", patient=True)

    await house.end("recap")
    await house.end("reply")
    await house.come(BEN, "later", patient=True)

    assert house.served == ["reply", "later"]
    await house.end("later")
