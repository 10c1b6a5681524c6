"""The text of a job as HTML while it grows, and the frames that each tab has yet to receive.

    JobRendering  one per job, shared by its tabs: settled blocks and the tail, rendered once per tick
    Subscription  one per tab and job: the state that the tab has received; builds its next frame

A tick takes at least 50 ms, except that the first text is sent at once. Only the unsettled part is rendered,
and ticks get longer as that part grows, so that all streams together use a bounded share of the processor. A
slow tab misses ticks but no text: its next frame contains everything since its last one.
"""

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

from diary.generation.job_status import describe_job
from diary.generation.page_tasks import PageTask, create_filter, mark_html_safe
from diary.rendering.markdown import MAX_TAIL_UNITS, MAX_UNITS, RenderBudget, split_settled
from llamora.inference.job import Job

TICK_SECONDS = 0.05
# Seconds of pause for each second of rendering, times the number of streams that are watched.
REST_RATIO = 3.0

OnChange = Callable[[], None]
Frame = dict[str, object]
_active_streams = 0


class JobRendering:
    """The incremental HTML rendering of one job's text, for all tabs that show it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.settled: list[str] = []
        self.tail = ""
        self.version = -1
        self.restarts = job.restarts
        self._pieces = 0
        self._open = ""
        self._filter = create_filter(job)
        self._budget = RenderBudget(has_links=False)
        self._listeners: list[OnChange] = []
        self._changed, self._urgent = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    def for_job(cls, job: Job) -> "JobRendering":
        """Return the rendering of a job, the same for all browser tabs that show the job."""
        return job.get_attachment(cls)

    def add_listener(self, listener: OnChange) -> None:
        """Call `listener` from now on whenever new text was rendered."""
        self.advance()
        self._listeners.append(listener)
        if self._task is None and not self.job.is_over:
            self._task = asyncio.create_task(self._tick())

    def remove_listener(self, listener: OnChange) -> None:
        """Remove a listener; without listeners nothing is rendered."""
        if listener in self._listeners:
            self._listeners.remove(listener)
        if not self._listeners and self._task is not None:
            self._task.cancel()
            self._task = None

    def advance(self) -> None:
        """Render the text since the last call."""
        job = self.job
        if job.restarts != self.restarts:
            self.restarts = job.restarts
            self.settled, self.tail, self._open, self._pieces = [], "", "", 0
            self._filter = create_filter(job)
            self._budget = RenderBudget(has_links=False)
        new, self._pieces = job.text_since(self._pieces)
        self.version = job.seq
        if new or job.is_over:
            self._open += self._filter.feed(new) + (self._filter.finish() if job.is_over else "")
            max_tail_units = MAX_UNITS if job.is_over else MAX_TAIL_UNITS
            split = split_settled(self._open, budget=self._budget, max_tail_units=max_tail_units)
            self._open = self._open[split.settled_len :]
            self.settled += split.settled
            self.tail = split.tail

    def _on_job_change(self) -> None:
        self._changed.set()
        # The first text and the end do not wait for a tick.
        if not self._pieces or self.job.is_over:
            self._urgent.set()

    async def _tick(self) -> None:
        global _active_streams  # noqa: PLW0603 - one count for all renderings
        unsubscribe = self.job.subscribe(self._on_job_change)
        _active_streams += 1
        try:
            while not self.job.is_over:
                await self._changed.wait()
                self._changed.clear()
                self._urgent.clear()
                started_at = time.perf_counter()
                self._notify()
                duration = time.perf_counter() - started_at
                await self._wait(max(TICK_SECONDS, duration * REST_RATIO * _active_streams))
            self._notify()
        finally:
            _active_streams -= 1
            unsubscribe()

    def _notify(self) -> None:
        if self.version != self.job.seq:
            self.advance()
        for listener in self._listeners:
            listener()

    async def _wait(self, seconds: float) -> None:
        """Wait for more text, but stop waiting when something is urgent."""
        try:
            async with asyncio.timeout(seconds):
                await self._urgent.wait()
        except TimeoutError:
            return


class Subscription:
    """A tab that follows a job: what the tab has received, and the next frame for it.

    Frames are numbered from 1; a restart does not begin a new numbering.
    """

    def __init__(self, job: Job, task: PageTask, on_change: OnChange) -> None:
        self.rendering = JobRendering.for_job(job)
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
        """End the subscription; the job continues."""
        self.rendering.remove_listener(self._on_change)

    def restart(self) -> None:
        """Let the next frame contain the whole section again, instead of only what is new."""
        self._restarts = self._version = -1
        self.is_over = False
        self._on_change()

    def next_frame(self) -> Frame | None:
        """Return everything new for this tab in one frame, or None."""
        rendering = self.rendering
        job = rendering.job
        if job.is_over and rendering.version != job.seq:
            rendering.advance()
        if self.is_over or rendering.version == self._version:
            return None
        is_first = self._restarts != rendering.restarts
        self._version, self._restarts = rendering.version, rendering.restarts
        self._seq += 1
        settled, self._blocks = rendering.settled[0 if is_first else self._blocks :], len(rendering.settled)
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
        text = mark_html_safe("".join(rendering.settled), rendering.tail)
        section = self._task.render_section(job, text)
        self._thoughts = job.thoughts_since(0)[1]
        return {
            "type": kind,
            "reply": str(job.id),
            "place": section.element_id,
            "seq": self._seq,
            "html": section.html,
        }
