"""Tasks whose text a day page shows while it is generated (replies and openings), and that text as HTML."""

from datetime import date
from typing import NamedTuple, Protocol, runtime_checkable

from django.utils.safestring import SafeString, mark_safe

from diary.rendering.markdown import MAX_TAIL_UNITS, RenderBudget, split_settled
from diary.rendering.page_texts import render_page_text
from llamora.inference.job import GenerationTask, Job


class RenderedText(NamedTuple):
    """Generated text as HTML: the settled part, which no further text can change, and the rest."""

    settled: SafeString
    tail: SafeString = SafeString()


class PageSection(NamedTuple):
    """The HTML of a section, and the id of its element; empty HTML empties the element."""

    element_id: str
    html: str


@runtime_checkable
class PageTask(GenerationTask, Protocol):
    """A task with a section on the page of a day."""

    @property
    def day(self) -> date:
        """The day whose page shows the section."""

    def render_section(self, job: Job, text: RenderedText) -> PageSection:
        """Return the section of the task's job; `text` is the text generated so far."""


def get_page_task(job: Job) -> PageTask | None:
    """Return the task of a job, or None if no day page shows it."""
    return job.task if isinstance(job.task, PageTask) else None


def mark_html_safe(settled: str, tail: str = "") -> RenderedText:
    """Mark HTML from `diary.rendering` as safe for templates."""
    return RenderedText(mark_safe(settled), mark_safe(tail))  # noqa: S308 - sanitised there


def render_job_text(job: Job) -> RenderedText:
    """Render all text of a job."""
    if job.is_over:
        return RenderedText(render_page_text(job.text, has_links=False))
    split = split_settled(job.text, budget=RenderBudget(has_links=False), max_tail_units=MAX_TAIL_UNITS)
    return mark_html_safe("".join(split.settled), split.tail)
