"""The part of a page that shows a reply under its entry: template data, and HTML."""

from dataclasses import dataclass
from uuid import UUID

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from diary.generation.job_status import describe_job
from diary.generation.page_tasks import PageSection, RenderedText
from llamora.inference.job import LIVE_STATES, Job


@dataclass(frozen=True, kw_only=True)
class ReplyView:
    """Template data of a reply; `html` is the part that is final, `tail` the part that may still change."""

    id: UUID
    entry_id: UUID
    state: str
    html: SafeString
    tail: SafeString
    note: str
    can_stop: bool
    can_retry: bool
    kind_label: str = ""
    # What the model thinks before it writes, while it does; plain text.
    thoughts: str = ""
    # A sentence, where its entry is not its owner's own writing.
    read_imported: str = ""


def build_job_view(
    job: Job, text: RenderedText, *, entry_id: UUID, kind_label: str, read_imported: str
) -> ReplyView:
    """Return the template data of a reply from its job."""
    is_live = job.state in LIVE_STATES
    return ReplyView(
        id=job.id,
        entry_id=entry_id,
        state=job.state.value,
        html=text.settled,
        tail=text.tail,
        note=describe_job(job),
        can_stop=is_live,
        can_retry=not is_live,
        kind_label=kind_label,
        thoughts=job.thoughts_since(0)[0],
        read_imported=read_imported,
    )


def render_section(view: ReplyView, *, owner_id: UUID) -> PageSection:
    """Return the section of a reply for a tab, without a CSRF token: the tab's script sends its own."""
    return PageSection(f"replies-{view.entry_id}", render_reply(view, owner_id=owner_id))


def render_reply(view: ReplyView, *, owner_id: UUID) -> str:
    """Return the HTML of a reply for a tab."""
    return render_to_string("diary/fragments/reply.html", {"reply": view, "owner_id": owner_id})
