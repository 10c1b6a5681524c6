"""What a tab is told of the model's work on its day: the section, and the place in the page it stands in.

Replies stand under their entries and openings at the head of their day; recaps are told to nobody.
"""

from datetime import date
from typing import NamedTuple
from uuid import UUID

from diary.made import Opening
from diary.openings import presenting as openings
from diary.openings.errand import OpeningErrand
from diary.replies import presenting as replies
from diary.replies.errand import ReplyErrand
from llamora.inference.jobs import Job, registry


class Section(NamedTuple):
    """A section and the id of the place it stands in; without words the place is empty."""

    place: str
    html: str


def day_of(job: Job) -> date | None:
    """Return the day whose page shows what a job writes; None for what no page shows."""
    return job.errand.day if isinstance(job.errand, ReplyErrand | OpeningErrand) else None


def section_of_job(job: Job, *, html: str, tail: str) -> Section:
    """Return a job as its page shows it, its words rendered already."""
    if isinstance(job.errand, OpeningErrand):
        opening = openings.view_of_job(job, html=html, tail=tail)
        return Section(openings.PLACE, openings.section(opening, owner_id=job.owner_id))
    view = replies.view_of_job(job, html=html, tail=tail)
    return Section(f"replies-{view.entry_id}", replies.section(view, owner_id=job.owner_id))


def section_of(section_id: UUID, *, owner_id: UUID) -> Section | None:
    """Return what a person's section says now, from memory or from its row; None for any other."""
    job = registry.get(section_id)
    if job is not None and job.owner_id == owner_id and isinstance(job.errand, OpeningErrand):
        return Section(openings.PLACE, openings.section(openings.view_now(job), owner_id=owner_id))
    if reply := replies.view_of(section_id, owner_id=owner_id):
        return Section(f"replies-{reply.entry_id}", replies.section(reply, owner_id=owner_id))
    row = Opening.objects.filter(owner_id=owner_id, id=section_id).first()
    if row is None:
        return None
    return Section(openings.PLACE, openings.section(openings.view_of_row(row), owner_id=owner_id))
