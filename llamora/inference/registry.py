"""Registry of the jobs of this process, which outlive the request or WebSocket that started them.

Pages call the registry from their threads; the jobs run on the event loop on which `bind_loop` was called.
"""

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import Callable
from contextvars import Context
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING
from uuid import UUID

from llamora.crypto import KeyId, RealmKeyring
from llamora.inference import model_server
from llamora.inference.db_executor import DbExecutor
from llamora.inference.job import GenerationTask, Job, JobState
from llamora.inference.queue import FairQueue
from llamora.inference.runner import FindServer, JobRun
from llamora.llm.requests.sampling import Sampling
from llamora.threads import yield_turn

if TYPE_CHECKING:
    from llamora.llm.client import ModelServer

logger = logging.getLogger("llamora.jobs")

DISCARD_SECONDS = 120.0
OnJobStart = Callable[[Job], None]


class NoEventLoop(Exception):  # noqa: N818 - states what is the case
    """Raised when no event loop runs jobs: the server is stopping, or this process is not a server."""


class JobRegistry:
    """All jobs of this process, each from its start until some minutes after its end."""

    def __init__(self, *, find_server: FindServer = model_server.get_server) -> None:
        self._find_server = find_server
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._runs: dict[UUID, JobRun] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._watchers: dict[KeyId, set[OnJobStart]] = defaultdict(set)
        self._startup_calls: list[Callable[[], object]] = []
        self._slots = 1
        self.queue = FairQueue(lambda: self._slots)
        self.db = DbExecutor()

    # --- opening and closing -------------------------------------------------------------------

    def on_startup(self, call: Callable[[], object]) -> None:
        """Register a function that cleans up after a crash; `bind_loop` runs it in a database thread."""
        self._startup_calls.append(call)

    def bind_loop(self) -> None:
        """Use the running event loop for all jobs. Repeated calls do nothing."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        self._loop = loop
        self.queue = FairQueue(lambda: self._slots)
        for call in self._startup_calls:
            self._track_task(loop.create_task(self._run_logged(call), context=Context()))

    async def close(self, *, timeout: float = 1.0) -> None:  # noqa: ASYNC109 - ends softly, not by raising
        """End every job and save its text so far, within `timeout` seconds; refuse new jobs."""
        self._loop = None
        for run in list(self._runs.values()):
            run.end(JobState.INTERRUPTED, "closing", skip_retries=True)
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=timeout)
        self._runs.clear()
        await self.db.close()

    async def _run_logged(self, call: Callable[[], object]) -> None:
        try:
            await self.db.run(call)
        except Exception as error:
            # Only the type is logged: a traceback can quote text.
            logger.error("Replies could not be marked as interrupted: %s", type(error).__name__)  # noqa: TRY400

    # --- called from any thread ------------------------------------------------------------------

    def start(
        self,
        task: GenerationTask,
        *,
        keyring: RealmKeyring,
        model: str = "",
        sampling: Sampling = MappingProxyType({}),
        allowed_host: str = "",
        is_background: bool = False,
    ) -> Job:
        """Start a job, which closes its keyring when it ends; raise NoEventLoop.

        `model` is the owner's chosen model, used if the server still offers it. `sampling` are the owner's
        sampling parameters. `allowed_host` is the only remote host to which the job may be sent. A background
        job runs only if no ordinary job waits for the model, and is interrupted ("preempted") when one has to
        wait.
        """
        loop = self._loop
        if loop is None or loop.is_closed():
            keyring.close()
            raise NoEventLoop
        job = Job(task=task, keyring=keyring, model=model, sampling=sampling, allowed_host=allowed_host)
        with self._lock:
            run = JobRun(
                job, queue=self.queue, db=self.db, find_server=self._get_server, is_background=is_background
            )
            self._runs[job.id] = run
        loop.call_soon_threadsafe(self._start_run, run)
        return job

    def has_job(self, job_id: UUID) -> bool:
        """Return whether a job is running or has ended in the last minutes, for any owner."""
        return job_id in self._runs

    def get(self, job_id: UUID, key_id: KeyId) -> Job | None:
        """Return the job with this id if it runs or has recently ended, and has this key id; else None."""
        run = self._runs.get(job_id)
        return run.job if run and run.job.key_id == key_id else None

    def count_queue(self) -> tuple[int, int]:
        """Return how many jobs have a slot, and how many wait for one, as `FairQueue.count` does."""
        return self.queue.count()

    def wait_for_row(self, job_id: UUID, *, patience: float = 5.0) -> None:
        """Wait until a new job has created its row or has failed. Do not call it on the event loop."""
        run = self._runs.get(job_id)
        if run is not None and not run.row_settled.is_set():
            with yield_turn():
                run.row_settled.wait(patience)

    def list_jobs(self, key_id: KeyId) -> list[Job]:
        """Return the running and recently ended jobs with a key id, oldest first."""
        with self._lock:
            return [run.job for run in self._runs.values() if run.job.key_id == key_id]

    def stop(self, job_id: UUID, *, patience: float = 1.0) -> Job | None:
        """Stop a job and wait, at most `patience` seconds, until its text is saved.

        Do not call it on the event loop.
        """
        run = self._runs.get(job_id)
        if run is None:
            return None
        self._request_end(run, JobState.STOPPED, "", skip_retries=False)
        with yield_turn():
            run.ended.wait(patience)
        return run.job

    def wait_until_over(self, job_id: UUID, *, patience: float) -> bool:
        """Wait, at most `patience` seconds, until a job is over and saved; return whether it is.

        Do not call it on the event loop.
        """
        run = self._runs.get(job_id)
        if run is None:
            return True
        with yield_turn():
            return run.ended.wait(patience)

    def interrupt(self, key_id: KeyId, *, reason: str) -> None:
        """Interrupt the running jobs of a data key, because its diary was locked or the key was replaced.

        Discard those that have ended.
        """
        with self._lock:
            runs = [run for run in self._runs.values() if run.job.key_id == key_id]
        for run in runs:
            if run.ended.is_set():
                self.discard(run.job.id)
            self._request_end(run, JobState.INTERRUPTED, reason, skip_retries=True)

    def interrupt_at_host(self, key_id: KeyId, host: str, *, reason: str) -> None:
        """Interrupt the jobs of this key whose model server is on the remote host `host`."""
        with self._lock:
            runs = [run for run in self._runs.values() if run.job.key_id == key_id and run.job.host == host]
        for run in runs:
            self._request_end(run, JobState.INTERRUPTED, reason, skip_retries=False)

    def discard(self, job_id: UUID) -> None:
        """Remove a job that is over, or whose row was deleted."""
        with self._lock:
            self._runs.pop(job_id, None)

    def _request_end(self, run: JobRun, state: JobState, reason: str, *, skip_retries: bool) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(partial(run.end, state, reason, skip_retries=skip_retries))

    # --- on the loop -------------------------------------------------------------------------------

    def watch(self, key_id: KeyId, on_start: OnJobStart) -> Callable[[], None]:
        """Call `on_start` with each new job of a key; return a function that stops this."""
        self._watchers[key_id].add(on_start)

        def unwatch() -> None:
            self._watchers[key_id].discard(on_start)
            if not self._watchers[key_id]:
                del self._watchers[key_id]

        return unwatch

    def _start_run(self, run: JobRun) -> None:
        # An empty context: a task started inside a request would share its database connection.
        task = asyncio.get_running_loop().create_task(self._run_job(run), context=Context())
        self._track_task(task)
        for on_start in list(self._watchers.get(run.job.key_id, ())):
            on_start(run.job)

    def _track_task(self, task: "asyncio.Task[None]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_job(self, run: JobRun) -> None:
        try:
            await run.run()
        finally:
            # The text of a person who locked does not stay in memory for a tab that may return.
            delay = 0 if run.job.reason == "locked" else DISCARD_SECONDS
            asyncio.get_running_loop().call_later(delay, self._discard_ended, run)

    def _discard_ended(self, run: JobRun) -> None:
        if self._runs.get(run.job.id) is run:
            self.discard(run.job.id)

    async def _get_server(self) -> "ModelServer":
        server = await self._find_server()
        self._slots = server.offer.slots if server.offer else 1
        return server


registry = JobRegistry()
