"""A job's growing text as HTML, and what each tab has still to be told of it.

    Growing       one per job, shared by its tabs: settled blocks and the tail, rendered once per tick
    Subscription  one per tab and job: what that tab has seen; gives the next frame, however much is new

A tick is 50 ms at most often, the first fragment at once. Only what is not settled is rendered, and where
that grows large the ticks grow with it, so that all streams together take a bounded share of the processor.
A tab that reads slowly misses ticks, not text: its next frame holds everything since its last.
"""

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

from diary.rendering import split_settled
from diary.replies.presenting import note_of_job
from diary.told import section_of_job
from llamora.inference.jobs import Job

TICK = 0.05
# Seconds of rest for each second of rendering, and for each stream that is watched.
REST = 3.0

Wake = Callable[[], None]
Frame = dict[str, object]
_watched = 0


class Growing:
    """The rendering of one job. Lives on the job's event loop."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.settled: list[str] = []
        self.tail = ""
        self.version = -1
        self.beginnings = job.beginnings
        self._pieces = 0
        self._open = ""
        self._wakes: list[Wake] = []
        self._changed, self._urgent = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    def of(cls, job: Job) -> "Growing":
        """The one rendering of a job, however many tabs show it."""
        growing = job.shared.get("growing")
        if not isinstance(growing, cls):
            growing = job.shared["growing"] = cls(job)
        return growing

    def join(self, wake: Wake) -> None:
        """Call `wake` after each tick that brought something."""
        self.advance()
        self._wakes.append(wake)
        if self._task is None and not self.job.is_over:
            self._task = asyncio.create_task(self._tick())

    def leave(self, wake: Wake) -> None:
        """Tell it nothing more; with nobody to tell, nothing is rendered."""
        if wake in self._wakes:
            self._wakes.remove(wake)
        if not self._wakes and self._task is not None:
            self._task.cancel()
            self._task = None

    def advance(self) -> None:
        """Render what came since the last time."""
        job = self.job
        if job.beginnings != self.beginnings:
            self.beginnings = job.beginnings
            self.settled, self.tail, self._open, self._pieces = [], "", "", 0
        new, self._pieces = job.since(self._pieces)
        self.version = job.seq
        if new:
            self._open += new
            split = split_settled(self._open)
            self._open = self._open[split.settled_len :]
            self.settled += split.settled
            self.tail = split.tail

    def _heard(self) -> None:
        self._changed.set()
        # The first words and the end do not wait for a tick.
        if not self._pieces or self.job.is_over:
            self._urgent.set()

    async def _tick(self) -> None:
        global _watched  # noqa: PLW0603 - a count that all of them share
        leave = self.job.listen(self._heard)
        _watched += 1
        try:
            while not self.job.is_over:
                await self._changed.wait()
                self._changed.clear()
                self._urgent.clear()
                began = time.perf_counter()
                self._tell()
                took = time.perf_counter() - began
                await self._rest(max(TICK, took * REST * _watched))
            self._tell()
        finally:
            _watched -= 1
            leave()

    def _tell(self) -> None:
        if self.version != self.job.seq:
            self.advance()
        for wake in self._wakes:
            wake()

    async def _rest(self, seconds: float) -> None:
        """Let pieces gather, unless something urgent comes."""
        try:
            async with asyncio.timeout(seconds):
                await self._urgent.wait()
        except TimeoutError:
            return


class Subscription:
    """What one tab has been told of one job. Frames are numbered from its snapshot on."""

    def __init__(self, job: Job, wake: Wake) -> None:
        self.growing = Growing.of(job)
        self.is_over = False
        self._wake = wake
        self._seq = 0
        self._version = -1
        self._blocks = 0
        self._thoughts = 0
        self._beginnings = -1
        self.growing.join(wake)

    @property
    def reply_id(self) -> UUID:
        return self.growing.job.id

    def close(self) -> None:
        """Leave the job to others."""
        self.growing.leave(self._wake)

    def again(self) -> None:
        """Have the next frame be a snapshot."""
        self._beginnings = self._version = -1
        self.is_over = False
        self._wake()

    def next_frame(self) -> Frame | None:
        """What this tab does not know yet, in one frame; None when it knows everything."""
        growing = self.growing
        job = growing.job
        if job.is_over and growing.version != job.seq:
            growing.advance()
        if self.is_over or growing.version == self._version:
            return None
        is_first = self._beginnings != growing.beginnings
        self._version, self._beginnings = growing.version, growing.beginnings
        self._seq += 1
        settled, self._blocks = growing.settled[0 if is_first else self._blocks :], len(growing.settled)
        if job.is_over:
            self.is_over = True
            return self._whole("end")
        return self._whole("snapshot") if is_first else self._delta("".join(settled))

    def _delta(self, settled: str) -> Frame:
        job = self.growing.job
        thoughts, self._thoughts = job.thoughts_since(self._thoughts)
        frame: Frame = {
            "type": "delta",
            "reply": str(job.id),
            "seq": self._seq,
            "settled": settled,
            "tail": self.growing.tail,
            "state": job.state.value,
            "note": note_of_job(job),
        }
        return {**frame, "thoughts": thoughts} if thoughts else frame

    def _whole(self, kind: str) -> Frame:
        growing = self.growing
        section = section_of_job(growing.job, html="".join(growing.settled), tail=growing.tail)
        self._thoughts = growing.job.thoughts_since(0)[1]
        return {
            "type": kind,
            "reply": str(growing.job.id),
            "place": section.place,
            "seq": self._seq,
            "html": section.html,
        }
