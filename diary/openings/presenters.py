"""Openings for pages and tabs: from the job while they are generated, from their rows afterwards."""

from datetime import date
from uuid import UUID

from django.utils.safestring import SafeString

from accounts.models import Person
from diary import messages
from diary.generation.page_tasks import PageSection, build_from_job
from diary.generation.prompt_record import PromptRecord
from diary.generation.unique_jobs import get_task, may_generate_unrequested
from diary.models import Entry, Opening
from diary.openings import services
from diary.openings.section import OpeningView, render_section
from diary.openings.tasks import OpeningTask
from diary.rendering.page_texts import render_page_text
from llamora.crypto import EnvelopeError
from llamora.database import CachedQuery
from llamora.inference import model_server
from llamora.inference.job import JobState

_opening_query: CachedQuery[Opening] = CachedQuery(
    lambda owner_id, day: Opening.objects.filter(owner_id=owner_id, day=day)
)

_earlier_entry_query: CachedQuery[UUID] = CachedQuery(
    lambda owner_id, day: (
        Entry.objects.for_owner(owner_id)
        .only_trusted()
        .filter(day__lt=day)
        .order_by()
        .values_list("id", flat=True)[:1]
    )
)


def get_opening_view(person: Person, day: date, *, is_today: bool) -> OpeningView | None:
    """Return the view of a day's opening, or None if there is nothing to show.

    If today has no opening yet, the view makes the page request one.
    """
    job = services.get_opening_job(day)
    if job is not None and not job.is_over:
        return build_from_job(job, get_task(job, OpeningTask).build_view)
    for row in _opening_query(owner_id=person.id, day=day):
        return build_row_view(row)
    is_wanted = is_today and job is None and _is_opening_possible(person, day)
    return OpeningView(day=day, is_wanted=True) if is_wanted else None


def find_section(opening_id: UUID, *, owner_id: UUID) -> PageSection | None:
    """Return the page section that shows a person's opening, or None if there is none with this id."""
    row = Opening.objects.filter(owner_id=owner_id, id=opening_id).first()
    return render_section(build_row_view(row), owner_id=owner_id) if row else None


def build_row_view(row: Opening) -> OpeningView | None:
    """Return an opening from its row, or None if it was dismissed or is damaged."""
    try:
        html = SafeString() if row.is_dismissed else render_page_text(row.text, has_links=False)
        record = PromptRecord.from_json(row.read) if html else None
    except EnvelopeError:
        return None
    if not html:
        return None
    return OpeningView(
        id=row.id,
        day=row.day,
        state=JobState.DONE.value,
        html=html,
        note=messages.get_not_read_message(record.not_read) if record else "",
    )


def _is_opening_possible(person: Person, day: date) -> bool:
    """Return whether the person wants openings and wrote an entry on an earlier day."""
    status = model_server.get_status()
    if not person.makes_openings or status.state == "off":
        return False
    if not may_generate_unrequested(status, chosen=person.model):
        return False
    return bool(_earlier_entry_query(owner_id=person.id, day=day))
