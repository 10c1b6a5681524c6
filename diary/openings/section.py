"""The section of an opening at the top of its day page: its template data, and its HTML for tabs."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from diary import messages
from diary.generation.job_status import describe_job
from diary.generation.page_tasks import PageSection, RenderedText, mark_html_safe
from diary.rendering.markdown import RenderBudget, render_markdown
from llamora.inference.job import Job, JobState

ELEMENT_ID = "opening"


@dataclass(frozen=True, kw_only=True)
class OpeningView:
    """Template data of an opening. If there is none yet and `is_wanted` is true, the page requests one."""

    day: date
    id: UUID | None = None
    state: str = ""
    html: SafeString = SafeString()  # noqa: RUF009 - as unchanging as any str
    tail: SafeString = SafeString()  # noqa: RUF009 - as unchanging as any str
    note: str = ""
    is_live: bool = False
    is_wanted: bool = False


def build_job_view(
    job: Job, text: RenderedText, *, day: date, replaced_text: str, not_read: int
) -> OpeningView | None:
    """Return the view of the opening that a job writes.

    For a failed job, return the view of the opening that it was to replace, or None.
    """
    if job.is_over and job.state != JobState.DONE:
        return _build_unreplaced_view(job, day=day, replaced_text=replaced_text)
    is_live = not job.is_over
    return OpeningView(
        id=job.id,
        day=day,
        state=job.state.value,
        html=text.settled,
        tail=text.tail,
        note=describe_job(job) if is_live else messages.get_not_read_message(not_read),
        is_live=is_live,
    )


def render_section(view: OpeningView | None, *, owner_id: UUID) -> PageSection:
    """Return the section of an opening for a tab, without a CSRF token: the tab's script sends its own."""
    if view is None:
        return PageSection(ELEMENT_ID, "")
    context = {"opening": view, "owner_id": owner_id}
    return PageSection(ELEMENT_ID, render_to_string("diary/fragments/opening.html", context))


def _build_unreplaced_view(job: Job, *, day: date, replaced_text: str) -> OpeningView | None:
    """Return the opening that a failed job was to replace, with the reason of the failure, or None."""
    # Only a dismissal stops one.
    if not replaced_text or job.state == JobState.STOPPED:
        return None
    # The first sentence says what happened; those after it speak of a reply, of which a part was saved.
    reason = describe_job(job).partition(". ")[0].rstrip(".")
    return OpeningView(
        # The id that the page waits for: a section that arrives late then finds nothing to replace.
        id=job.id,
        day=day,
        state=JobState.DONE.value,
        html=mark_html_safe(render_markdown(replaced_text, budget=RenderBudget(has_links=False))).settled,
        note=messages.OPENING_NOT_REPLACED.format(reason),
    )
