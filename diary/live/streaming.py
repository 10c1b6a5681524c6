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

from diary.generation.job_status import describe_job
from diary.generation.page_tasks import PageTask, mark_rendered
from diary.rendering.markdown import split_settled
from llamora.inference.job import Job

TICK_SECONDS = 0.05
# Seconds of rest for each second of rendering, and for each stream that is watched.
REST_RATIO = 3.0

OnChange = Callable[[], None]
Frame = dict[str, object]
_watched = 0


class LiveRendering:
    """The rendering of one job. Lives on the job's event loop."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.settled: list[str] = []
        self.tail = ""
        self.version = -1
        self.restarts = job.restarts
        self._pieces = 0
        self._open = ""
        self._listeners: list[OnChange] = []
        self._changed, self._urgent = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    def for_job(cls, job: Job) -> "LiveRendering":
        """The one rendering of a job, however many tabs show it."""
        return job.get_attachment(cls)

    def add_listener(self, wake: OnChange) -> None:
        """Call `wake` after each tick that brought something."""
        self.advance()
        self._listeners.append(wake)
        if self._task is None and not self.job.is_over:
            self._task = asyncio.create_task(self._tick())

    def remove_listener(self, wake: OnChange) -> None:
        """Tell it nothing more; with nobody to tell, nothing is rendered."""
        if wake in self._listeners:
            self._listeners.remove(wake)
        if not self._listeners and self._task is not None:
            self._task.cancel()
            self._task = None

    def advance(self) -> None:
        """Render what came since the last time."""
        job = self.job
        if job.restarts != self.restarts:
            self.restarts = job.restarts
            self.settled, self.tail, self._open, self._pieces = [], "", "", 0
        new, self._pieces = job.text_since(self._pieces)
        self.version = job.seq
        if new:
            self._open += new
            split = split_settled(self._open)
            self._open = self._open[split.settled_len :]
            self.settled += split.settled
            self.tail = split.tail

    def _on_job_change(self) -> None:
        self._changed.set()
        # The first words and the end do not wait for a tick.
        if not self._pieces or self.job.is_over:
            self._urgent.set()

    async def _tick(self) -> None:
        global _watched  # noqa: PLW0603 - a count that all of them share
        leave = self.job.subscribe(self._on_job_change)
        _watched += 1
        try:
            while not self.job.is_over:
                await self._changed.wait()
                self._changed.clear()
                self._urgent.clear()
                began = time.perf_counter()
                self._notify()
                took = time.perf_counter() - began
                await self._wait(max(TICK_SECONDS, took * REST_RATIO * _watched))
            self._notify()
        finally:
            _watched -= 1
            leave()

    def _notify(self) -> None:
        if self.version != self.job.seq:
            self.advance()
        for wake in self._listeners:
            wake()

    async def _wait(self, seconds: float) -> None:
        """Let pieces gather, unless something urgent comes."""
        try:
            async with asyncio.timeout(seconds):
                await self._urgent.wait()
        except TimeoutError:
            return


class Subscription:
    """What one tab has been told of one job. Frames are numbered from its snapshot on."""

    def __init__(self, job: Job, task: PageTask, on_change: OnChange) -> None:
        self.rendering = LiveRendering.for_job(job)
        self._task = task
        self.is_over = False
        self._on_change = on_change
        self._seq = 0
        self._version = -1
        self._blocks = 0
        self._thoughts = 0
        self._restarts = -1
        self.rendering.add_listener(on_change)

    @property
    def job_id(self) -> UUID:
        return self.rendering.job.id

    def close(self) -> None:
        """Leave the job to others."""
        self.rendering.remove_listener(self._on_change)

    def restart(self) -> None:
        """Have the next frame be a snapshot."""
        self._restarts = self._version = -1
        self.is_over = False
        self._on_change()

    def next_frame(self) -> Frame | None:
        """What this tab does not know yet, in one frame; None when it knows everything."""
        growing = self.rendering
        job = growing.job
        if job.is_over and growing.version != job.seq:
            growing.advance()
        if self.is_over or growing.version == self._version:
            return None
        is_first = self._restarts != growing.restarts
        self._version, self._restarts = growing.version, growing.restarts
        self._seq += 1
        settled, self._blocks = growing.settled[0 if is_first else self._blocks :], len(growing.settled)
        if job.is_over:
            self.is_over = True
            return self._build_full_frame("end")
        return self._build_full_frame("snapshot") if is_first else self._build_delta("".join(settled))

    def _build_delta(self, settled: str) -> Frame:
        job = self.rendering.job
        thoughts, self._thoughts = job.thoughts_since(self._thoughts)
        frame: Frame = {
            "type": "delta",
            "reply": str(job.id),
            "seq": self._seq,
            "settled": settled,
            "tail": self.rendering.tail,
            "state": job.state.value,
            "note": describe_job(job),
        }
        return {**frame, "thoughts": thoughts} if thoughts else frame

    def _build_full_frame(self, kind: str) -> Frame:
        job, rendering = self.rendering.job, self.rendering
        text = mark_rendered("".join(rendering.settled), rendering.tail)
        section = self._task.render_section(job, text)
        self._thoughts = job.thoughts_since(0)[1]
        return {
            "type": kind,
            "reply": str(job.id),
            "place": section.element_id,
            "seq": self._seq,
            "html": section.html,
        }
