"""Tests of streaming a text as frames: equal to a reload, and complete in slow tabs."""

import asyncio
import time
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diary.generation import page_tasks
from diary.generation.page_tasks import RenderedText
from diary.generation.prompt_context import PromptContext, PromptEntry
from diary.generation.unique_jobs import get_task
from diary.live import streaming
from diary.live.streaming import TICK_SECONDS, JobRendering, Subscription
from diary.rendering.markdown import RenderBudget, render_markdown
from diary.replies import presenters as replies_presenters
from diary.replies.tasks import ReplyTask
from llamora.crypto import Keyring
from llamora.inference.job import Job, JobOutcome, JobState
from llamora.llm.deltas import Delta
from tests.diary.tabs import split_reply_html

OWNER = UUID(int=7)
MARKDOWN = st.lists(
    st.sampled_from(
        [
            "# ",
            "word ",
            "*soft* ",
            "**",
            "`",
            "```\n",
            "\n",
            "\n\n",
            "- ",
            "1. ",
            "> ",
            "|a|b|\n|-|-|\n",
            "<b>",
            "&",
            "[x](http://a.b)",
            "    ",
            "---\n",
            "é語 ",
            "\\",
            "~~",
        ]
    ),
    max_size=40,
)


def start_job() -> Job:
    piece = PromptEntry(time="12:00", text="Tea.")
    errand = ReplyTask(
        id=uuid4(),
        owner_id=OWNER,
        entry_id=uuid4(),
        context=PromptContext(day=date(2026, 11, 20), entry=piece),
    )
    return Job(task=errand, keyring=Keyring(owner=OWNER, epoch=1, keys={1: bytes(32)}))


class StreamedPage:
    """A page built from frames as the tab's script builds it."""

    def __init__(self, job: Job) -> None:
        self.woken = asyncio.Event()
        self.subscription = Subscription(job, get_task(job, ReplyTask), self.woken.set)
        self.settled = self.tail = ""
        self.frames: list[dict[str, object]] = []

    def read(self) -> None:
        frame = self.subscription.next_frame()
        if frame is None:
            return
        self.frames.append(frame)
        if frame["type"] == "delta":
            self.settled += str(frame["settled"])
            self.tail = str(frame["tail"])
        else:
            self.settled, self.tail = split_reply_html(str(frame["html"]))

    @property
    def html(self) -> str:
        return self.settled + self.tail


def render_model_text(text: str) -> str:
    return render_markdown(text, budget=RenderBudget(has_links=False))


def end_job(job: Job) -> None:
    job.finish(JobOutcome(text=job.text, state=JobState.DONE), is_saved=True)


@given(pieces=MARKDOWN, reads=st.lists(st.booleans(), min_size=40, max_size=40))
@settings(max_examples=150)
async def test_frames_add_up_to_the_page_a_reload_shows(pieces: list[str], reads: list[bool]) -> None:
    job = start_job()
    eager, late = StreamedPage(job), StreamedPage(job)
    job.start()

    for piece, read in zip(pieces, reads, strict=False):
        job.append_delta(Delta(text=piece, pieces=1))
        eager.subscription.rendering.advance()
        eager.read()
        if read:
            late.read()
        assert eager.html == render_model_text(job.text)
    streamed = eager.html
    end_job(job)
    for page in (eager, late, StreamedPage(job)):
        page.read()

        assert page.html == streamed == render_model_text("".join(pieces))
        assert page.frames[-1]["type"] == "end"
    eager.subscription.close()
    late.subscription.close()


async def test_the_first_words_do_not_wait_for_a_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "TICK_SECONDS", 60.0)
    job = start_job()
    page = StreamedPage(job)
    job.start()
    await asyncio.sleep(0.01)
    page.woken.clear()
    page.read()

    job.append_delta(Delta(text="First", pieces=1))
    await asyncio.wait_for(page.woken.wait(), 5)
    page.read()

    assert "First" in page.html
    page.subscription.close()


async def test_frames_come_at_most_twenty_times_a_second() -> None:
    job = start_job()
    page = StreamedPage(job)
    job.start()
    began = time.perf_counter()

    while (lasted := time.perf_counter() - began) < 0.6 or len(page.frames) < 3:
        job.append_delta(Delta(text="word ", pieces=1))
        await asyncio.sleep(0.002)
        if page.woken.is_set():
            page.woken.clear()
            page.read()

    assert len(page.frames) <= lasted / TICK_SECONDS + 3
    page.subscription.close()


async def test_a_text_is_rendered_once_however_many_tabs_show_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = []
    advance = JobRendering.advance
    monkeypatch.setattr(JobRendering, "advance", lambda self: (rendered.append(1), advance(self))[1])
    job = start_job()
    pages = [StreamedPage(job) for _ in range(8)]
    job.start()
    await asyncio.sleep(0.01)
    rendered.clear()

    job.append_delta(Delta(text="word ", pieces=1))
    await asyncio.sleep(TICK_SECONDS / 2)
    for page in pages:
        page.read()

    assert len(rendered) == 1
    assert all("word" in page.html for page in pages)
    for page in pages:
        page.subscription.close()


async def test_the_cost_of_a_frame_does_not_grow_with_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[int] = []
    split_settled = streaming.split_settled

    def count(text: str, **options: Any) -> Any:
        rendered.append(len(text))
        return split_settled(text, **options)

    monkeypatch.setattr(streaming, "split_settled", count)
    job = start_job()
    page = StreamedPage(job)
    job.start()
    growing = page.subscription.rendering
    paragraph = "Some words of *this* and that, and a little more of it. " * 4 + "\n\n"

    def cost() -> int:
        """Return how many characters were rendered for and sent in some frames."""
        rendered.clear()
        seen = len(page.frames)
        for _ in range(30):
            job.append_delta(Delta(text=paragraph, pieces=1))
            growing.advance()
            page.read()
        return sum(rendered) + sum(len(str(frame)) for frame in page.frames[seen:])

    early = cost()
    for _ in range(1500):
        job.append_delta(Delta(text=paragraph, pieces=1))
        growing.advance()
    page.read()

    # The numbers of frames have more digits later.
    assert cost() < 1.1 * early + 1000
    page.subscription.close()


async def test_a_tab_that_reads_late_gets_everything_in_one_frame() -> None:
    job = start_job()
    page = StreamedPage(job)
    page.read()
    job.start()
    for number in range(500):
        job.append_delta(Delta(text=f"Paragraph {number}.\n\n", pieces=1))
        page.subscription.rendering.advance()

    page.read()

    assert len(page.frames) == 2
    assert page.html == render_model_text(job.text)
    assert page.subscription.next_frame() is None
    page.subscription.close()


async def test_nothing_is_rendered_when_nobody_watches() -> None:
    job = start_job()
    page = StreamedPage(job)
    growing = page.subscription.rendering
    page.subscription.close()

    job.append_delta(Delta(text="word ", pieces=1))
    await asyncio.sleep(TICK_SECONDS)

    assert growing.tail == ""


async def test_text_taken_back_begins_with_another_snapshot() -> None:
    job = start_job()
    page = StreamedPage(job)
    job.start()
    job.append_delta(Delta(text="Hmm.\n\nThey want tea.", pieces=1))
    page.subscription.rendering.advance()
    page.read()

    job.append_delta(Delta(text="Enjoy it.", pieces=1, withdraw=True))
    page.subscription.rendering.advance()
    page.read()

    assert [frame["type"] for frame in page.frames] == ["snapshot", "snapshot"]
    assert page.html == render_model_text("Enjoy it.")
    page.subscription.close()


def test_a_job_that_ends_while_a_page_is_built_is_shown_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    job = start_job()
    job.start()
    job.append_delta(Delta(text="Tea", pieces=1))
    render = page_tasks.render_job_text

    def render_before_the_end(rendered: Job) -> RenderedText:
        text = render(rendered)
        if not job.is_over:
            job.append_delta(Delta(text=" and rain.", pieces=1))
            end_job(job)
        return text

    monkeypatch.setattr(page_tasks, "render_job_text", render_before_the_end)
    view = replies_presenters.build_current_view(job)

    assert (view.state, view.html) == ("done", '<p dir="auto">Tea and rain.</p>\n')
