"""Tests of jobs: their results, their ends, and that they outlive the request."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from llamora.crypto import KeyId, Keyring, VaultLocked, current_keyring
from llamora.database import FenceRefused, NotWritten
from llamora.inference import registry as inference_registry
from llamora.inference.job import Author, Job, JobOutcome, JobState, Prompt, RowDeleted, TokenCounter
from llamora.inference.registry import JobRegistry, NoEventLoop
from llamora.llm.client import ModelServer
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_unending, make_words
from tests.fakes.waiting import PATIENCE, until
from tests.inference.recording_task import OWNER, RecordingTask, keyring, of_a_request

pytestmark = pytest.mark.django_db(transaction=True)

FAKE_MODEL = Author(model="fake-model")
SLOW = make_unending()


@pytest.fixture
def model() -> Any:
    with FakeModelServer() as server:
        yield server


@pytest.fixture
async def registry(model: FakeModelServer) -> AsyncIterator[JobRegistry]:
    server = ModelServer(model.url)
    await server.probe()

    async def find() -> ModelServer:
        return server

    registry = JobRegistry(find_server=find)
    registry.bind_loop()
    yield registry
    await registry.close(timeout=2)
    await server.close()


async def wait_for_end(job: Job) -> None:
    await until(lambda: job.is_over)
    await asyncio.sleep(0)


async def call_from_thread(call: Callable[[], Job]) -> Job:
    """Call a function from another thread with its own context, as a page does."""

    def page() -> Job:
        of_a_request.set("a request")
        return call()

    return await asyncio.to_thread(page)


async def test_a_job_is_kept_whole_and_its_keyring_closed(
    registry: JobRegistry, model: FakeModelServer
) -> None:
    model.add_scripts(Script(tokens=["Good ", "day."]))
    note, keys = RecordingTask(), keyring()

    job = await call_from_thread(lambda: registry.start(note, keyring=keys))
    await wait_for_end(job)

    assert note.kept[-1] == JobOutcome(text="Good day.", state=JobState.DONE, author=FAKE_MODEL)
    assert job.text == "Good day."
    await until(lambda: keys.is_closed)


async def test_a_job_has_nothing_of_the_request_that_asked(
    registry: JobRegistry, model: FakeModelServer
) -> None:
    note = RecordingTask()

    job = await call_from_thread(lambda: registry.start(note, keyring=keyring()))
    await wait_for_end(job)

    assert note.contexts == {"none"}
    assert all(name.startswith("jobs") for name in note.threads)
    assert note.sealed
    with pytest.raises(VaultLocked):
        current_keyring()


async def test_partial_texts_are_kept_only_when_something_came(
    registry: JobRegistry, model: FakeModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llamora.inference.persistence.PARTIAL_SECONDS", 0.1)
    model.add_scripts(Script(tokens=["One ", "two "], silent_after=2))
    note = RecordingTask()

    registry.start(note, keyring=keyring())
    await until(lambda: bool(note.kept) and note.kept[-1].text == "One two ")
    await asyncio.sleep(0.3)

    assert [outcome.text for outcome in note.kept] in (["One two "], ["One ", "One two "])
    assert {outcome.state for outcome in note.kept} == {JobState.WRITING}


async def test_closing_keeps_what_came_within_a_second(registry: JobRegistry, model: FakeModelServer) -> None:
    model.add_scripts(*[SLOW] * 4)
    notes = [RecordingTask(owner_id=OWNER) for _ in range(4)]
    started = [registry.start(note, keyring=keyring()) for note in notes]
    await until(lambda: all(job.text for job in started))

    began = time.monotonic()
    await registry.close(timeout=1)

    # The model would go on for much longer.
    assert time.monotonic() - began < 10
    for note, job in zip(notes, started, strict=True):
        interrupted = JobOutcome(
            text=job.text, state=JobState.INTERRUPTED, reason="closing", author=FAKE_MODEL
        )
        assert note.kept[-1] == interrupted
        assert job.keyring.is_closed
    with pytest.raises(NoEventLoop):
        registry.start(RecordingTask(), keyring=keyring())


async def test_without_a_loop_nothing_starts_and_no_key_stays_open() -> None:
    keys = keyring()

    with pytest.raises(NoEventLoop):
        JobRegistry().start(RecordingTask(), keyring=keys)

    assert keys.is_closed


async def test_a_person_who_locks_interrupts_their_own_jobs_only(
    registry: JobRegistry, model: FakeModelServer
) -> None:
    model.add_scripts(SLOW, SLOW)
    other = UUID(int=8)
    mine = registry.start(RecordingTask(), keyring=keyring())
    theirs = registry.start(
        RecordingTask(owner_id=other), keyring=Keyring(owner=other, epoch=1, keys={1: bytes(32)})
    )
    await until(lambda: bool(mine.text and theirs.text))

    registry.interrupt(keyring().key_id, reason="locked")
    await wait_for_end(mine)

    assert (mine.state, mine.reason) == (JobState.INTERRUPTED, "locked")
    assert theirs.state is JobState.WRITING
    await until(lambda: not registry.has_job(mine.id))


@pytest.mark.parametrize(("error", "reason"), [(VaultLocked(), "locked"), (FenceRefused(), "new_key")])
async def test_a_key_that_does_not_serve_any_more_interrupts_and_marks(
    registry: JobRegistry, model: FakeModelServer, error: Exception, reason: str
) -> None:
    model.add_scripts(Script(tokens=["Good ", "day."]))
    note = RecordingTask(refusals=[error])

    job = registry.start(note, keyring=keyring())
    await wait_for_end(job)

    assert (job.state, job.reason) == (JobState.INTERRUPTED, reason)
    assert [(outcome.state, outcome.reason) for outcome in note.marked] == [(JobState.INTERRUPTED, reason)]
    assert not note.kept


async def test_a_keyring_closed_in_the_middle_interrupts(
    registry: JobRegistry, model: FakeModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llamora.inference.persistence.PARTIAL_SECONDS", 0.1)
    model.add_scripts(SLOW)
    keys = keyring()
    job = registry.start(RecordingTask(), keyring=keys)
    await until(lambda: job.text != "")

    keys.close()
    await wait_for_end(job)

    assert (job.state, job.reason) == (JobState.INTERRUPTED, "locked")
    assert model.wait_for_hang_up()


async def test_a_row_that_is_gone_stops_the_job(
    registry: JobRegistry, model: FakeModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llamora.inference.persistence.PARTIAL_SECONDS", 0.1)
    model.add_scripts(SLOW)

    job = registry.start(RecordingTask(refusals=[RowDeleted(), RowDeleted()]), keyring=keyring())
    await wait_for_end(job)

    assert job.state is JobState.STOPPED
    assert await asyncio.to_thread(model.wait_for_hang_up)


async def test_the_last_write_is_repeated_until_the_disk_takes_it(
    registry: JobRegistry, model: FakeModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llamora.inference.persistence.ATTEMPTS", (0.0, 0.1, 0.1))
    model.add_scripts(Script(tokens=["Good ", "day."]))
    note = RecordingTask(refusals=[NotWritten("disk_full"), NotWritten("disk_full")])

    job = registry.start(note, keyring=keyring())
    await until(lambda: job.is_over)
    assert not job.is_saved
    await until(lambda: job.is_saved)

    assert note.kept == [JobOutcome(text="Good day.", state=JobState.DONE, author=FAKE_MODEL)]


@pytest.mark.parametrize("error", [NotWritten("read_only"), VaultLocked(), RuntimeError("secret words")])
async def test_a_job_whose_row_cannot_be_written_ends(
    registry: JobRegistry, model: FakeModelServer, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    model.add_scripts(SLOW)
    note = RecordingTask(root_refusal=error)

    job = registry.start(note, keyring=keyring())
    await wait_for_end(job)

    assert job.state in (JobState.FAILED, JobState.INTERRUPTED)
    assert not note.kept
    assert "secret" not in caplog.text


async def test_a_row_that_the_caller_created_gets_the_end_of_a_job_that_cannot_start(
    registry: JobRegistry, model: FakeModelServer
) -> None:
    class CalledTask(RecordingTask):
        has_existing_row = True

    model.add_scripts(SLOW)
    note = CalledTask(root_refusal=VaultLocked(), refusals=[VaultLocked()])

    job = registry.start(note, keyring=keyring())
    await wait_for_end(job)

    assert [(one.state, one.reason) for one in note.marked] == [(JobState.INTERRUPTED, "locked")]
    assert not note.kept


async def test_a_fault_of_ours_is_a_state_and_its_words_are_not_logged(
    registry: JobRegistry, model: FakeModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(RecordingTask):
        async def build_prompt(self, server: TokenCounter, *, share: float) -> Prompt:
            raise RuntimeError("secret words")

    job = registry.start(Broken(), keyring=keyring())
    await wait_for_end(job)

    assert (job.state, job.reason) == (JobState.FAILED, "internal")
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


async def test_a_server_that_never_stops_is_stopped(
    registry: JobRegistry, model: FakeModelServer, settings: Any
) -> None:
    settings.MAX_TEXT = 3000
    model.add_scripts(Script(tokens=make_words(900), endless=True, rate=20000))

    job = registry.start(RecordingTask(), keyring=keyring())
    await wait_for_end(job)

    assert (job.state, job.reason) == (JobState.DONE, "length")
    assert await asyncio.to_thread(model.wait_for_hang_up)


async def test_writes_that_come_together_share_a_commit_and_fail_alone(registry: JobRegistry) -> None:
    commits: list[list[str]] = []
    batch: list[str] = []

    def write(name: str) -> None:
        if not batch:
            transaction.on_commit(lambda: (commits.append(list(batch)), batch.clear()))
        batch.append(name)

    def bad() -> None:
        batch.clear()
        raise RuntimeError

    async def commit_together(*calls: Callable[[], None]) -> list[object]:
        """Start all calls while a write is in progress."""
        begun, may_end = threading.Event(), threading.Event()
        busy = asyncio.create_task(registry.db.commit(lambda: (begun.set(), may_end.wait(PATIENCE))))
        await until(begun.is_set)
        tasks = [asyncio.create_task(registry.db.commit(call)) for call in calls]
        await asyncio.sleep(0.01)
        may_end.set()
        await busy
        return await asyncio.gather(*tasks, return_exceptions=True)

    await commit_together(*(partial(write, name) for name in "abc"))
    results = await commit_together(partial(write, "d"), bad, partial(write, "e"))

    assert commits == [["a", "b", "c"], ["d"], ["e"]]
    assert [type(result) for result in results] == [type(None), RuntimeError, type(None)]


async def test_a_finished_job_is_let_go_after_a_while(
    registry: JobRegistry, model: FakeModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference_registry, "DISCARD_SECONDS", 0.1)

    job = registry.start(RecordingTask(), keyring=keyring())
    await wait_for_end(job)

    assert registry.get(job.id, keyring().key_id) is job
    await until(lambda: not registry.has_job(job.id))


async def test_whoever_watches_a_person_hears_of_each_job_of_theirs(
    registry: JobRegistry, model: FakeModelServer
) -> None:
    heard: list[Job] = []
    leave = registry.watch(keyring().key_id, heard.append)
    registry.watch(KeyId(UUID(int=8), keyring().key_id.fingerprint), heard.append)

    job = await call_from_thread(lambda: registry.start(RecordingTask(), keyring=keyring()))
    await wait_for_end(job)
    leave()
    await wait_for_end(registry.start(RecordingTask(), keyring=keyring()))

    assert heard == [job]


async def test_a_job_is_shown_only_with_the_key_it_runs_under(
    registry: JobRegistry, model: FakeModelServer
) -> None:
    heard: list[Job] = []
    planted = Keyring(owner=OWNER, epoch=1, keys={1: b"k" * 32}).key_id
    registry.watch(planted, heard.append)

    job = registry.start(RecordingTask(), keyring=keyring())
    await wait_for_end(job)
    registry.interrupt(planted, reason="locked")

    assert (registry.get(job.id, planted), registry.list_jobs(planted), heard) == (None, [], [])
    assert registry.list_jobs(keyring().key_id) == [job]


async def test_what_a_dead_process_left_is_seen_to_when_the_loop_is_bound() -> None:
    registry, done = JobRegistry(), threading.Event()
    registry.on_startup(done.set)

    registry.bind_loop()
    registry.bind_loop()

    assert await asyncio.to_thread(done.wait, 5)
    with suppress(NoEventLoop):
        await registry.close()
