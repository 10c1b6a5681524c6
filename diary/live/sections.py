"""What a tab is told of the model's work on its day: the section, and the place in the page it stands in.

Replies stand under their entries and openings at the head of their day; recaps are told to nobody.
"""

from datetime import date
from typing import NamedTuple
from uuid import UUID

from diary.models import Opening
from diary.openings import presenters as openings
from diary.openings.tasks import OpeningTask
from diary.replies import presenters as replies
from diary.replies.tasks import ReplyTask
from llamora.inference.job import Job
from llamora.inference.registry import registry


class LiveSection(NamedTuple):
    """A section and the id of the place it stands in; without words the place is empty."""

    element_id: str
    html: str


def get_page_day(job: Job) -> date | None:
    """Return the day whose page shows what a job writes; None for what no page shows."""
    return job.task.day if isinstance(job.task, ReplyTask | OpeningTask) else None


def render_job_section(job: Job, *, html: str, tail: str) -> LiveSection:
    """Return a job as its page shows it, its words rendered already."""
    if isinstance(job.task, OpeningTask):
        opening = openings.build_job_view(job, html=html, tail=tail)
        return LiveSection(openings.SECTION_ID, openings.render_section(opening, owner_id=job.owner_id))
    view = replies.build_job_view(job, html=html, tail=tail)
    return LiveSection(f"replies-{view.entry_id}", replies.render_section(view, owner_id=job.owner_id))


def find_section(section_id: UUID, *, owner_id: UUID) -> LiveSection | None:
    """Return what a person's section says now, from memory or from its row; None for any other."""
    job = registry.get(section_id)
    if job is not None and job.owner_id == owner_id and isinstance(job.task, OpeningTask):
        return LiveSection(
            openings.SECTION_ID, openings.render_section(openings.build_current_view(job), owner_id=owner_id)
        )
    if reply := replies.find_reply_view(section_id, owner_id=owner_id):
        return LiveSection(f"replies-{reply.entry_id}", replies.render_section(reply, owner_id=owner_id))
    row = Opening.objects.filter(owner_id=owner_id, id=section_id).first()
    if row is None:
        return None
    return LiveSection(
        openings.SECTION_ID, openings.render_section(openings.build_row_view(row), owner_id=owner_id)
    )
