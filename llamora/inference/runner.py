"""The run of a job: wait in the queue, build the prompt, read the stream, save the outcome.

A job has two asyncio tasks. The *work* waits for the model and may be cancelled at any moment. The *run*
awaits the work and is never cancelled, so that the text so far is always saved.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings

from llamora.inference.db_executor import DbExecutor
from llamora.inference.job import Author, Cut, Job, JobOutcome, JobState, OutputCheck, Prompt
from llamora.inference.persistence import JobPersister, StateAndReason, classify_error, log_error
from llamora.inference.queue import FairQueue
from llamora.inference.remote_gate import ModelMoved, load_host_key
from llamora.llm.deltas import Delta
from llamora.llm.errors import ModelError, PromptTooLong, RepetitionDetected, ThoughtUntilLimit
from llamora.llm.repetition import strip_repetition
from llamora.llm.requests.sampling import Sampling, select_thinking

if TYPE_CHECKING:
    from llamora.llm.client import ModelServer

FindServer = Callable[[], Awaitable["ModelServer"]]
# Shares of the context window that are tried in turn, since a server may count more tokens than it announced.
SHARES = (1.0, 0.7, 0.4)
# A read with more tokens than this comes from a model far faster than anybody reads. The next read then waits
# as long as the next frame does, also after the first tokens, so that other jobs and pages go first.
BURST_TOKENS, BURST_PAUSE = 24, 0.05
# A model that has room for its thinking, and does not use it, writes no longer a reply for that.
CHARACTERS_PER_TOKEN = 6


class EmptyReply(ModelError):  # noqa: N818 - states what happened
    """Raised when the model wrote no text."""

    code = "empty"


class OutputRefused(ModelError):  # noqa: N818 - states what happened
    """Raised when the output check rejects the text; `code` is the reason."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__()


class JobRun:
    """The run of a job on the event loop.

    Other threads may wait for its `threading.Event` objects `row_settled` and `ended`.
    """

    def __init__(
        self,
        job: Job,
        *,
        queue: FairQueue,
        db: DbExecutor,
        find_server: FindServer,
        is_background: bool = False,
    ) -> None:
        self.job = job
        self._is_background = is_background
        self.row_settled, self.ended = threading.Event(), threading.Event()
        self._queue, self._find_server, self._db = queue, find_server, db
        self._persister = JobPersister(job, db=db, on_failure=self.end)
        self._requested_end: StateAndReason | None = None
        self._work: asyncio.Task[str] | None = None

    def end(self, state: JobState, reason: str = "", *, skip_retries: bool = False) -> None:
        """End the job; only the first call sets state and reason. With `skip_retries`, save only once."""
        if skip_retries:
            self._persister.skip_retries()
        if self._requested_end is None and not self.job.is_over:
            self._requested_end = (state, reason)
            if self._work is not None:
                self._work.cancel()

    async def run(self) -> None:
        """Run the job until its outcome is saved."""
        work = self._work = asyncio.create_task(self._generate())
        if self._requested_end is not None:
            work.cancel()
        # The row is created while the model works.
        row = asyncio.create_task(self._create_row())
        partials = asyncio.create_task(self._persister.save_partials())
        try:
            state, reason = await self._wait_for_outcome(work)
            self._persister.stop_partials()
            # Never cancelled: a write that a thread has begun must not arrive after the last one.
            await partials
            await row
            job = self.job
            outcome = JobOutcome(text=job.text, state=state, reason=reason, author=job.author)
            await self._persister.save_outcome(outcome)
        finally:
            if not self.job.is_over:
                self.job.finish(JobOutcome(text="", state=JobState.FAILED, reason="internal"), is_saved=False)
            self.job.keyring.close()
            self.row_settled.set()
            self.ended.set()

    async def _create_row(self) -> None:
        await self._persister.create_row()
        self.row_settled.set()

    async def _wait_for_outcome(self, work: "asyncio.Task[str]") -> StateAndReason:
        try:
            return JobState.DONE, await work
        except asyncio.CancelledError:
            return self._requested_end or (JobState.INTERRUPTED, "closing")
        except ModelError as error:
            if isinstance(error, RepetitionDetected):
                self.job.truncate(strip_repetition(self.job.text))
            return JobState.FAILED, error.code
        except Exception as error:
            log_error(self.job, error, what="not answered")
            return classify_error(error)

    async def _generate(self) -> str:
        """Generate the text; return "length" if it was cut off at its limit, "" if it is complete."""
        job = self.job
        await self._find_server()
        preempt = partial(self.end, JobState.INTERRUPTED, "preempted") if self._is_background else None
        async with self._queue.slot(job.owner_id, job.set_position, preempt=preempt):
            server = (await self._find_server()).with_model(job.model)
            # Another model may be chosen meanwhile: this one stays until the reply is written.
            with server.uses.count_reply():
                if server.remote_host:
                    server = await self._pass_gate(server)
                job.start()
                reason = await self._stream_with_room(server)
        if not job.text.strip():
            raise EmptyReply
        return "length" if reason == "length" else ""

    async def _pass_gate(self, server: "ModelServer") -> "ModelServer":
        """Return the client of a server on another machine with the owner's key, if they have one.

        Raise a ModelError if their texts may not be sent there.
        """
        job, host = self.job, server.remote_host
        if job.allowed_host != host:
            raise ModelMoved
        # Before the consent is read, so that its withdrawal after that finds this job.
        job.host = host
        load_key = partial(load_host_key, job.owner_id, host, server.origin)
        key = await self._db.run(load_key, keyring=job.keyring)
        return server.with_key(key) if key else server

    async def _stream_with_room(self, server: "ModelServer") -> str:
        room = server.thinking_tokens
        try:
            return await self._stream_within_window(server)
        except ThoughtUntilLimit:
            # The server now knows that this model needs more room, if the window has more.
            if server.thinking_tokens <= room:
                raise
        return await self._stream_within_window(server)

    async def _stream_within_window(self, server: "ModelServer") -> str:
        for share in SHARES:
            try:
                prompt = await self.job.task.build_prompt(server, share=share)
                self.job.set_entries_read(prompt.entries)
                return await self._stream(prompt, server)
            except PromptTooLong:
                if share == SHARES[-1]:
                    raise
                if self.job.text:
                    # Some servers notice only while they write that the window is full.
                    self.job.truncate("")
        raise PromptTooLong

    async def _stream(self, prompt: Prompt, server: "ModelServer") -> str:
        self.job.author = Author(model=server.model_name, host=server.remote_host, prompt=prompt.label)
        stream = server.stream(
            prompt.messages,
            max_tokens=prompt.max_tokens + prompt.thinking_tokens,
            sampling=_select_sampling(prompt, self.job.sampling),
            schema=prompt.schema,
            silence=settings.MODEL_SILENCE_SECONDS,
            limit=settings.MODEL_REPLY_SECONDS,
        )
        length, limit = 0, settings.MAX_TEXT
        if prompt.thinking_tokens:
            limit = min(limit, prompt.max_tokens * CHARACTERS_PER_TOKEN)
        async with aclosing(stream):
            async for part in stream:
                if not isinstance(part, Delta):
                    if prompt.check:
                        self._apply(prompt.check.finish())
                    return part.reason
                self.job.append_delta(part)
                if prompt.check and self._apply(_check_delta(prompt.check, part)):
                    return ""
                is_first, length = length == 0 < len(part.text), length + len(part.text)
                # Not every server respects `max_tokens`.
                if length > limit:
                    return "length"
                if is_first or part.pieces > BURST_TOKENS:
                    await asyncio.sleep(BURST_PAUSE)
        return ""

    def _apply(self, cut: Cut | None) -> bool:
        """Shorten the text to what may stay; return whether it is complete; raise OutputRefused."""
        if cut is None:
            return False
        self.job.truncate(self.job.text[: cut.length].rstrip())
        if cut.reason:
            raise OutputRefused(cut.reason)
        return True


def _select_sampling(prompt: Prompt, chosen: Sampling) -> dict[str, Any]:
    """Return the prompt's own sampling parameters, overridden by the owner's that apply to it."""
    own = {} if prompt.temperature is None else {"temperature": prompt.temperature}
    return {**own, **(chosen if prompt.uses_sampling else select_thinking(chosen))}


def _check_delta(check: OutputCheck, delta: Delta) -> Cut | None:
    if delta.withdraw:
        check.restart()
    return check.feed(delta.text) if delta.text else None
