"""The opening of a day as its page and its tabs show it."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from accounts.models import Person
from diary.generation.job_status import describe_job
from diary.models import Entry, Opening
from diary.openings import services
from diary.openings.tasks import OpeningTask
from diary.rendering.markdown import render_markdown, split_settled
from llamora.crypto import EnvelopeError
from llamora.database import CachedQuery
from llamora.inference import model_server
from llamora.inference.job import LIVE_STATES, Job, JobState

SECTION_ID = "opening"
NOT_REPLACED = "No other opening was made. {}."


@dataclass(frozen=True, kw_only=True)
class OpeningView:
    """An opening, ready for its template; `is_wanted` alone where one is still to be asked for."""

    day: date
    id: UUID | None = None
    state: str = ""
    html: SafeString | str = ""
    tail: SafeString | str = ""
    note: str = ""
    is_live: bool = False
    is_wanted: bool = False


_opening_query: CachedQuery[Opening] = CachedQuery(
    lambda owner_id, day: Opening.objects.filter(owner_id=owner_id, day=day)
)


def get_opening_view(person: Person, day: date, *, is_today: bool) -> OpeningView | None:
    """Return the opening of a day; today, where there is none yet, the wish for one."""
    job = services.find_job(person.id, day)
    if job is not None and not job.is_over:
        return build_current_view(job)
    for row in _opening_query(owner_id=person.id, day=day):
        return build_row_view(row)
    is_wanted = is_today and job is None and _can_be_made(person, day)
    return OpeningView(day=day, is_wanted=True) if is_wanted else None


def _can_be_made(person: Person, day: date) -> bool:
    """Return whether there is a day to draw from, and openings are wanted; a first page has a welcome."""
    # By itself nothing is sent to a model on another machine: nobody asked for that.
    if not person.makes_openings or model_server.get_state() == "off" or model_server.get_status().remote:
        return False
    return Entry.objects.for_owner(person.id).filter(day__lt=day).order_by().exists()


def build_row_view(row: Opening) -> OpeningView | None:
    """Return an opening that is kept; None for one that was dismissed, or that does not open."""
    try:
        html = "" if row.is_dismissed else render_markdown(row.text)
    except EnvelopeError:
        return None
    return (
        OpeningView(id=row.id, day=row.day, state=JobState.DONE.value, html=_mark_safe(html))
        if html
        else None
    )


def build_current_view(job: Job) -> OpeningView | None:
    """Return an opening as far as it has come."""
    split = split_settled(job.text)
    return build_job_view(job, html="".join(split.settled), tail=split.tail)


def build_job_view(job: Job, *, html: str, tail: str) -> OpeningView | None:
    """Return a job's opening; of one that came to nothing, what stood there before, or None."""
    assert isinstance(job.task, OpeningTask)
    if job.is_over and job.state != JobState.DONE:
        return _build_unreplaced_view(job, job.task)
    return OpeningView(
        id=job.id,
        day=job.task.day,
        state=job.state.value,
        html=_mark_safe(html),
        tail=_mark_safe(tail),
        note=describe_job(job) if job.state in LIVE_STATES else "",
        is_live=job.state in LIVE_STATES,
    )


def _build_unreplaced_view(job: Job, errand: OpeningTask) -> OpeningView | None:
    """Return the opening that another did not take the place of, and why not."""
    # Only a dismissal stops one.
    if not errand.replaced_text or job.state == JobState.STOPPED:
        return None
    # The first sentence says what happened; those after it are about a reply, of which something was kept.
    reason = describe_job(job).partition(". ")[0].rstrip(".")
    return OpeningView(
        # The id that the page waits for, so that an answer which comes later puts nothing in its place.
        id=job.id,
        day=errand.day,
        state=JobState.DONE.value,
        html=_mark_safe(render_markdown(errand.replaced_text)),
        note=NOT_REPLACED.format(reason),
    )


def render_section(view: OpeningView | None, *, owner_id: UUID) -> str:
    """Return the section of an opening, outside any request: script sends its own token."""
    if view is None:
        return ""
    return render_to_string("diary/fragments/opening.html", {"opening": view, "owner_id": owner_id})


def _mark_safe(html: str) -> SafeString:
    return mark_safe(html)  # noqa: S308 - all of it comes out of diary.rendering
