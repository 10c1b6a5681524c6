"""Tasks whose text a day page shows while it is written (replies and openings), and that text as HTML."""

from datetime import date
from typing import NamedTuple, Protocol, runtime_checkable

from django.utils.safestring import SafeString, mark_safe

from diary.rendering.markdown import render_markdown, split_settled
from llamora.inference.job import GenerationTask, Job


class RenderedText(NamedTuple):
    """A text of the model as HTML: the part that nothing appended can change, and the rest."""

    settled: SafeString
    tail: SafeString = SafeString()


class PageSection(NamedTuple):
    """The HTML of a section, and the id of the element that holds it; no HTML empties the element."""

    element_id: str
    html: str


@runtime_checkable
class PageTask(GenerationTask, Protocol):
    """A task with a section on the page of a day."""

    @property
    def day(self) -> date:
        """The day whose page shows the section."""

    def render_section(self, job: Job, text: RenderedText) -> PageSection:
        """Return the section of the task's job; `text` is what the job has so far."""


def get_page_task(job: Job) -> PageTask | None:
    """Return the task of a job that a day page shows, or None for a job that no page shows."""
    return job.task if isinstance(job.task, PageTask) else None


def mark_rendered(settled: str, tail: str = "") -> RenderedText:
    """Mark HTML that `diary.rendering` made as safe for templates."""
    return RenderedText(mark_safe(settled), mark_safe(tail))  # noqa: S308 - sanitised there


def render_job_text(job: Job) -> RenderedText:
    """Render the text of a job from its beginning."""
    if job.is_over:
        return mark_rendered(render_markdown(job.text))
    split = split_settled(job.text)
    return mark_rendered("".join(split.settled), split.tail)
