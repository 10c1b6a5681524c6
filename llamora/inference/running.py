"""Carries out one job: queue, prompt, stream, and an outcome that is kept.

Two tasks: the *work* (everything that waits for the model), which may be cancelled at any moment, and the
life around it, which never is: whatever ends the work, what came is sealed and the outcome written.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

from django.conf import settings

from llamora.inference.circles import without_circles
from llamora.inference.desk import Desk
from llamora.inference.job import Job, Outcome, Prompt, State
from llamora.inference.keeping import Keeper, Verdict, log, verdict_on
from llamora.inference.queue import FairQueue
from llamora.llm.deltas import Delta
from llamora.llm.errors import ModelError, Repetition, TooLong

if TYPE_CHECKING:
    from llamora.llm.client import ModelServer

FindServer = Callable[[], Awaitable["ModelServer"]]
# A server may count otherwise than it said; then less is sent. Of its window, so much:
SHARES = (1.0, 0.7, 0.4)
# A read that brings more than so many tokens comes from a model far faster than anybody reads. The next read
# waits as long as the next frame does, after the first words too: those of others, and pages, go before it.
GUSH, PAUSE = 24, 0.05


class NothingSaid(ModelError):  # noqa: N818 - named as the others of its tree
    """The model ended without a word."""

    code = "empty"


class Run:
    """One job on its way, used on the event loop; any thread may wait until it is `rooted` or `ended`."""

    def __init__(
        self, job: Job, *, queue: FairQueue, desk: Desk, find_server: FindServer, is_patient: bool = False
    ) -> None:
        self.job = job
        self._is_patient = is_patient
        self.rooted, self.ended = threading.Event(), threading.Event()
        self._queue, self._find_server = queue, find_server
        self._keeper = Keeper(job, desk=desk, on_trouble=self.end)
        self._verdict: Verdict | None = None
        self._work: asyncio.Task[str] | None = None

    def end(self, state: State, reason: str = "", *, hurry: bool = False) -> None:
        """Ask for the end; who asks first names it. With `hurry`, no failed write is repeated."""
        if hurry:
            self._keeper.hurry()
        if self._verdict is None and not self.job.is_over:
            self._verdict = (state, reason)
            if self._work is not None:
                self._work.cancel()

    async def live(self) -> None:
        """Carry the job out, to its last write."""
        work = self._work = asyncio.create_task(self._write())
        if self._verdict is not None:
            work.cancel()
        # The model does not wait for the disk: the row is written meanwhile.
        root = asyncio.create_task(self._root())
        partials = asyncio.create_task(self._keeper.partials())
        try:
            state, reason = await self._outcome(work)
            self._keeper.over()
            # Never cancelled: a write that is under way in its thread must not land after the last one.
            await partials
            await root
            await self._keeper.last(Outcome(text=self.job.text, state=state, reason=reason))
        finally:
            if not self.job.is_over:
                self.job.finish(Outcome(text="", state=State.FAILED, reason="internal"), is_kept=False)
            self.job.keyring.close()
            self.rooted.set()
            self.ended.set()

    async def _root(self) -> None:
        await self._keeper.root()
        self.rooted.set()

    async def _outcome(self, work: "asyncio.Task[str]") -> Verdict:
        try:
            return State.DONE, await work
        except asyncio.CancelledError:
            return self._verdict or (State.INTERRUPTED, "closing")
        except ModelError as error:
            if isinstance(error, Repetition):
                self.job.cut(without_circles(self.job.text))
            return State.FAILED, error.code
        except Exception as error:
            log(self.job, error, what="not answered")
            return verdict_on(error)

    async def _write(self) -> str:
        """Have it written; answer the reason a reply that was finished still wants to tell."""
        job = self.job
        await self._find_server()
        give_way = partial(self.end, State.INTERRUPTED, "gave_way") if self._is_patient else None
        async with self._queue.turn(job.owner_id, job.move_to, give_way=give_way):
            server = (await self._find_server()).asking(job.model)
            job.begin()
            reason = await self._stream_fitting(server)
        if not job.text.strip():
            raise NothingSaid
        return "length" if reason == "length" else ""

    async def _stream_fitting(self, server: "ModelServer") -> str:
        for share in SHARES:
            try:
                return await self._stream(await self.job.errand.compose(server, share=share), server)
            except TooLong:
                if share == SHARES[-1]:
                    raise
        raise TooLong

    async def _stream(self, prompt: Prompt, server: "ModelServer") -> str:
        stream = server.stream(
            prompt.turns,
            max_tokens=prompt.max_tokens,
            schema=prompt.schema,
            silence=settings.MODEL_SILENCE_SECONDS,
            limit=settings.MODEL_REPLY_SECONDS,
        )
        length = 0
        async with aclosing(stream):
            async for part in stream:
                if not isinstance(part, Delta):
                    return part.reason
                self.job.take(part)
                is_first, length = length == 0 < len(part.text), length + len(part.text)
                # Not every server heeds `max_tokens`.
                if length > settings.MAX_TEXT:
                    return "length"
                if is_first or part.pieces > GUSH:
                    await asyncio.sleep(PAUSE)
        return ""
