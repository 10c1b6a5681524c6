"""Tests that people share the slots of the model server in turns: by a model of the queue, and in crowds."""

import asyncio
import gc
import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamora.crypto import Keyring
from llamora.inference import registry as registry_module
from llamora.inference.job import Job, JobState
from llamora.inference.queue import FairQueue, QueueWaiter
from llamora.inference.registry import JobRegistry
from llamora.inference.runner import JobRun
from llamora.llm.client import ModelServer
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script
from tests.fakes.waiting import until
from tests.inference.recording_task import RecordingTask
from tests.turn_counter import TurnCounter

# --- The queue, for any order of arrivals, ends and cancellations ----------------------------------------

KINDS = ("join", "join", "join patiently", "end", "end", "end and cancel", "cancel")
# Long enough that people wait: shorter ones come from shrinking.
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 5)), min_size=15, max_size=50)


@dataclass(eq=False)
class Turn:
    """A queued job: its person, its last reported position, and the asyncio task that waits for its end."""

    person: int
    is_patient: bool
    place: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None

    def set_place(self, place: int) -> None:
        self.place = place

    def cancel(self) -> None:
        assert self.task is not None
        self.task.cancel()


class Household:
    """People with jobs in a queue; each turn is checked when it begins."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.queue = FairQueue(lambda: slots)
        self.waiting: list[Turn] = []
        self.running: list[Turn] = []
        self.begun: list[Turn] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._counters = {False: TurnCounter(), True: TurnCounter()}

    async def act(self, kind: str, number: int) -> None:
        if kind.startswith("join"):
            turn = Turn(number % 3, is_patient=kind == "join patiently")
            self.waiting.append(turn)
            turn.task = asyncio.create_task(self._run(turn))
            self._tasks.append(turn.task)
        if kind.startswith("end") and self.running:
            self.running[number % len(self.running)].ended.set()
        if kind.endswith("cancel") and self.waiting:
            # Before the event loop has noticed the end.
            self.waiting.pop(number % len(self.waiting)).cancel()
        for _ in range(9):
            await asyncio.sleep(0)
        for task in self._tasks:
            # What was wrong with a turn.
            assert not task.done() or task.exception() is None

    async def _run(self, turn: Turn) -> None:
        preempt = turn.ended.set if turn.is_patient else None
        with suppress(asyncio.CancelledError):
            async with self.queue.slot(UUID(int=turn.person), turn.set_place, preempt=preempt):
                self._begin(turn)
                await turn.ended.wait()
                self.running.remove(turn)

    def _begin(self, turn: Turn) -> None:
        self.waiting.remove(turn)
        self.running.append(turn)
        self.begun.append(turn)
        assert not (turn.is_patient and self.list_requested())
        alike = {one.person for one in self.waiting if one.is_patient is turn.is_patient}
        self._counters[turn.is_patient].count(turn.person, waiting=alike)

    def list_requested(self) -> list[Turn]:
        """Return the jobs that wait and are not patient, in the order of their places."""
        return sorted((turn for turn in self.waiting if not turn.is_patient), key=lambda turn: turn.place)

    def check_places(self) -> None:
        requested = self.list_requested()
        assert [turn.place for turn in requested] == list(range(1, len(requested) + 1))
        assert len(self.running) == min(self.slots, len(self.running) + len(self.waiting))
        assert not requested or not any(turn.is_patient for turn in self.running)


def assert_empty(queue: FairQueue) -> None:
    assert queue._taken == 0
    assert queue._preemptible == []
    for order in (queue._waiting, queue._background):
        assert order._queues == {}


@given(steps=STEPS, slots=st.integers(1, 2))
@settings(max_examples=100, deadline=None)
async def test_everybody_has_a_turn_between_two_of_another(steps: list[tuple[str, int]], slots: int) -> None:
    house = Household(slots)

    for kind, number in steps:
        await house.act(kind, number)
        house.check_places()

    expected, before = house.list_requested(), len(house.begun)
    while house.running:
        await house.act("end", 0)
        house.check_places()
    assert house.begun[before:][: len(expected)] == expected
    assert not house.waiting
    assert_empty(house.queue)


# --- Sixteen people on two slots -------------------------------------------------------------------------

PEOPLE, SLOTS, FLOOD, OTHERS_EACH = 16, 2, 8, 3
TEXT = "It rained."


class Crowd:
    """People who request replies; each turn is checked when it begins."""

    def __init__(self, registry: JobRegistry) -> None:
        self._registry = registry
        self._counter = TurnCounter()
        self.tasks: list[RecordingTask] = []
        self.jobs: list[Job] = []
        self.left: Counter[int] = Counter()
        self.seen: list[weakref.ref[Job | JobRun]] = []
        self.faults: list[str] = []
        self._watch_turns()

    def _watch_turns(self) -> None:
        """Count each turn at the moment at which it is given: a little later others may have come."""
        order = self._registry.queue._waiting
        pop_next = order.pop_next

        def pop_and_count() -> QueueWaiter | None:
            owners = {waiter: owner for owner, queue in order._queues.items() for waiter in queue}
            waiter = pop_next()
            if waiter is not None:
                waiting = {owner.int - 1 for owner in order._queues}
                try:
                    self._counter.count(owners[waiter].int - 1, waiting=waiting)
                except AssertionError as fault:
                    self.faults.append(str(fault))
            return waiter

        order.pop_next = pop_and_count  # type: ignore[method-assign]

    def ask(self, person: int) -> None:
        """Ask for a reply, and again after its end as long as some are left."""
        owner = UUID(int=person + 1)
        task = RecordingTask(owner_id=owner)
        job = self._registry.start(task, keyring=Keyring(owner=owner, epoch=1, keys={1: bytes(32)}))
        self.tasks.append(task)
        self.jobs.append(job)
        self.seen += weakref.ref(job), weakref.ref(self._registry._runs[job.id])

        def ask_again() -> None:
            if job.is_over:
                unsubscribe()
                if self.left[person]:
                    self.left[person] -= 1
                    self.ask(person)

        unsubscribe = job.subscribe(ask_again)


@pytest.fixture
def model() -> Iterator[FakeModelServer]:
    with FakeModelServer(slots=SLOTS, default=Script(tokens=[TEXT])) as server:
        yield server


@pytest.mark.django_db(transaction=True)
def test_sixteen_people_on_two_slots_all_finish_and_nobody_waits_for_two_turns_of_another(
    model: FakeModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_module, "DISCARD_SECONDS", 0.0)
    released = Event()
    # The flood holds both slots until everybody has come.
    model.add_scripts(*[Script(tokens=[TEXT], first_when=released)] * SLOTS)

    async def run() -> list[weakref.ref[Job | JobRun]]:
        server = ModelServer(model.url)
        await server.probe()

        async def find() -> ModelServer:
            return server

        registry = JobRegistry(find_server=find)
        registry.bind_loop()
        crowd = Crowd(registry)
        for _ in range(FLOOD):
            crowd.ask(0)
        await until(lambda: sum(job.position > 0 for job in crowd.jobs) == FLOOD - SLOTS)
        for person in range(1, PEOPLE):
            # Some ask for everything at once, the others again and again.
            crowd.left[person] = OTHERS_EACH - 1 if person % 2 else 0
            for _ in range(1 if person % 2 else OTHERS_EACH):
                crowd.ask(person)
        waiting = len(crowd.jobs) - SLOTS
        await until(lambda: sum(job.position > 0 for job in crowd.jobs) == waiting)
        assert sorted(job.position for job in crowd.jobs) == [0] * SLOTS + list(range(1, waiting + 1))
        released.set()
        total = FLOOD + OTHERS_EACH * (PEOPLE - 1)
        await until(lambda: len(crowd.jobs) == total and all(job.is_over for job in crowd.jobs), seconds=60)

        assert crowd.faults == []
        for task in crowd.tasks:
            assert [(one.text, one.state) for one in task.kept[-1:]] == [(TEXT, JobState.DONE)]
        await until(lambda: not registry._runs and not registry._tasks)
        assert_empty(registry.queue)
        assert not registry._watchers
        assert all(job._listeners == [] for job in crowd.jobs)
        await registry.close(timeout=2)
        await server.close()
        return crowd.seen

    seen = asyncio.run(run())

    gc.collect()
    assert len(seen) == 2 * (FLOOD + OTHERS_EACH * (PEOPLE - 1))
    assert [ref() for ref in seen if ref() is not None] == []
