"""Tasks that generate a text for a page, such as replies, and the HTML of the text while it grows."""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable
from uuid import UUID

from django.utils.safestring import SafeString, mark_safe

from diary.rendering.markdown import MAX_TAIL_UNITS, RenderBudget, split_settled
from diary.rendering.page_texts import render_page_text
from llamora.inference.job import GenerationTask, Job

BuiltT = TypeVar("BuiltT")


class RenderedText(NamedTuple):
    """Generated text as HTML: the settled part, which no further text can change, and the rest."""

    settled: SafeString
    tail: SafeString = SafeString()


class PageSection(NamedTuple):
    """The HTML of a section, and the id of its element; empty HTML clears the element."""

    element_id: str
    html: str


@runtime_checkable
class PageTask(GenerationTask, Protocol):
    """A task with a section on the page of a day or of a conversation."""

    @property
    def page_subject(self) -> date | UUID:
        """The day, or the id of the conversation, that identifies the page on which the section is shown."""

    def render_section(self, job: Job, text: RenderedText) -> PageSection:
        """Return the section of the task's job; `text` is the text generated so far."""


def get_page_task(job: Job) -> PageTask | None:
    """Return the task of a job if a page shows its text, else None."""
    return job.task if isinstance(job.task, PageTask) else None


class TextFilter(Protocol):
    """A filter of a text during generation; it may hold back the end of the text."""

    def feed(self, text: str) -> str:
        """Add the next piece of the text, and return what can be shown now."""

    def finish(self) -> str:
        """Return the end of the text, which `feed` has held back. Call this when the text is complete."""


@runtime_checkable
class FilteredTask(Protocol):
    """A task whose text is filtered before a page shows it."""

    def create_filter(self) -> TextFilter:
        """Return a new filter that decides how much of the task's text a page shows."""


class SectionFinder(Protocol):
    """A function that returns the page section of a person's row, found by the row's id, or None."""

    def __call__(self, section_id: UUID, /, *, owner_id: UUID) -> PageSection | None: ...


_section_finders: list[SectionFinder] = []


def register_sections(find: SectionFinder) -> None:
    """Register a function that finds sections by row ids; a second registration has no effect."""
    if find not in _section_finders:
        _section_finders.append(find)


def find_page_section(section_id: UUID, *, owner_id: UUID) -> PageSection | None:
    """Return the page section that shows the row with this id and owner, or None if no such row exists."""
    found = (find(section_id, owner_id=owner_id) for find in _section_finders)
    return next((section for section in found if section is not None), None)


def mark_html_safe(settled: str, tail: str = "") -> RenderedText:
    """Mark HTML from `diary.rendering` as safe for templates."""
    return RenderedText(mark_safe(settled), mark_safe(tail))  # noqa: S308 - sanitised there


def render_job_text(job: Job) -> RenderedText:
    """Render all text of a job."""
    if job.is_over:
        return RenderedText(render_page_text(get_shown_text(job), has_links=False))
    budget = RenderBudget(has_links=False)
    split = split_settled(get_shown_text(job), budget=budget, max_tail_units=MAX_TAIL_UNITS)
    return mark_html_safe("".join(split.settled), split.tail)


def build_from_job(job: Job, build: Callable[[Job, RenderedText], BuiltT]) -> BuiltT:
    """Return `build(job, text)`, where `text` is what the job has written so far.

    A job may end in another thread while its text is rendered. Its state would then say that a part of the
    text is all of it, so it is built again.
    """
    was_over = job.is_over
    built = build(job, render_job_text(job))
    return built if job.is_over == was_over else build(job, render_job_text(job))


class _NoFilter:
    """A filter that passes the text unchanged."""

    def feed(self, text: str) -> str:
        return text

    def finish(self) -> str:
        return ""


def create_filter(job: Job) -> TextFilter:
    """Return a new filter that decides how much of a job's text a page shows."""
    return job.task.create_filter() if isinstance(job.task, FilteredTask) else _NoFilter()


def get_shown_text(job: Job) -> str:
    """Return the text of a job as a page shows it."""
    text_filter = create_filter(job)
    return text_filter.feed(job.text) + (text_filter.finish() if job.is_over else "")
