"""The opening of a day as its page and its tabs show it."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Exists
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from accounts.models import Person
from diary.made import Opening, Preferences
from diary.models import Entry
from diary.openings import services
from diary.openings.errand import OpeningErrand
from diary.rendering import render, split_settled
from diary.replies.presenting import note_of_job
from llamora.crypto import EnvelopeError
from llamora.database import Prepared
from llamora.inference import endpoint
from llamora.inference.jobs import LIVE, Job, State

PLACE = "opening"
NO_OTHER = "No other opening was made. {}."


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


_openings_of: Prepared[Opening] = Prepared(
    lambda owner_id, day: Opening.objects.filter(owner_id=owner_id, day=day)
)


def opening_of(person: Person, day: date, *, is_today: bool) -> OpeningView | None:
    """Return the opening of a day; today, where there is none yet, the wish for one."""
    job = services.job_of(person.id, day)
    if job is not None and not job.is_over:
        return view_now(job)
    for row in _openings_of(owner_id=person.id, day=day):
        return view_of_row(row)
    is_wanted = is_today and job is None and _could_be_made(person, day)
    return OpeningView(day=day, is_wanted=True) if is_wanted else None


def _could_be_made(person: Person, day: date) -> bool:
    """Return whether there is a day to draw from, and openings are wanted; a first page has a welcome."""
    # By itself nothing is sent to a model on another machine: nobody asked for that.
    if endpoint.state() == "off" or endpoint.status().remote:
        return False
    unwanted = Preferences.objects.filter(owner_id=person.id, makes_openings=False)
    return Entry.objects.of(person.id).filter(~Exists(unwanted), day__lt=day).order_by().exists()


def view_of_row(row: Opening) -> OpeningView | None:
    """Return an opening that is kept; None for one that was dismissed, or that does not open."""
    try:
        html = "" if row.is_dismissed else render(row.text)
    except EnvelopeError:
        return None
    return OpeningView(id=row.id, day=row.day, state=State.DONE.value, html=_safe(html)) if html else None


def view_now(job: Job) -> OpeningView | None:
    """Return an opening as far as it has come."""
    split = split_settled(job.text)
    return view_of_job(job, html="".join(split.settled), tail=split.tail)


def view_of_job(job: Job, *, html: str, tail: str) -> OpeningView | None:
    """Return a job's opening; of one that came to nothing, what stood there before, or None."""
    assert isinstance(job.errand, OpeningErrand)
    if job.is_over and job.state != State.DONE:
        return _still_standing(job, job.errand)
    return OpeningView(
        id=job.id,
        day=job.errand.day,
        state=job.state.value,
        html=_safe(html),
        tail=_safe(tail),
        note=note_of_job(job) if job.state in LIVE else "",
        is_live=job.state in LIVE,
    )


def _still_standing(job: Job, errand: OpeningErrand) -> OpeningView | None:
    """Return the opening that another did not take the place of, and why not."""
    # Only a dismissal stops one.
    if not errand.standing or job.state == State.STOPPED:
        return None
    # The first sentence says what happened; those after it are about a reply, of which something was kept.
    reason = note_of_job(job).partition(". ")[0].rstrip(".")
    return OpeningView(
        # The id that the page waits for, so that an answer which comes later puts nothing in its place.
        id=job.id,
        day=errand.day,
        state=State.DONE.value,
        html=_safe(render(errand.standing)),
        note=NO_OTHER.format(reason),
    )


def section(view: OpeningView | None, *, owner_id: UUID) -> str:
    """Return the section of an opening, outside any request: script sends its own token."""
    if view is None:
        return ""
    return render_to_string("diary/fragments/opening.html", {"opening": view, "owner_id": owner_id})


def _safe(html: str) -> SafeString:
    return mark_safe(html)  # noqa: S308 - all of it comes out of diary.rendering
