"""Replies for pages and tabs: from the job while they are generated, from their rows afterwards.

A page that is reloaded during a generation shows the text generated so far.
"""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from diary import messages
from diary.generation.job_status import describe_state
from diary.generation.page_tasks import PageSection, build_from_job
from diary.generation.unique_jobs import get_task, list_jobs
from diary.models import Entry, Reply
from diary.rendering.page_texts import render_page_text
from diary.replies.reply_kinds import get_reply_label
from diary.replies.section import ReplyView, render_section
from diary.replies.tasks import ReplyTask
from llamora.crypto import EnvelopeError, current_keyring
from llamora.database import CachedQuery
from llamora.inference.job import LIVE_STATES, Job, JobState
from llamora.inference.registry import registry

# By day instead of by a list of ids, so that the SQL is the same for every page and is compiled once.
_day_replies_query: CachedQuery[Reply] = CachedQuery(
    lambda owner_id, day: Reply.objects.filter(owner_id=owner_id, entry__owner_id=owner_id, entry__day=day)
)


def list_reply_views(entries: Sequence[Entry]) -> dict[UUID, list[ReplyView]]:
    """Return a dict from entry id to the replies to that entry, for entries of one day, in one query."""
    views: dict[UUID, list[ReplyView]] = defaultdict(list)
    if not entries:
        return views
    with_row = set()
    wanted = {entry.id: entry for entry in entries}
    for reply in _day_replies_query(owner_id=entries[0].owner_id, day=entries[0].day):
        if reply.entry_id in wanted:
            views[reply.entry_id].append(build_row_view(reply, wanted[reply.entry_id]))
        with_row.add(reply.id)
    for job in list_jobs(ReplyTask):
        # Asked for a moment ago: its row is still on its way to the disk.
        if job.id not in with_row:
            views[get_task(job, ReplyTask).entry_id].append(build_current_view(job))
    return views


def find_reply_view(reply_id: UUID, *, owner_id: UUID) -> ReplyView | None:
    """Return a person's reply by its id, from its job or its row, or None if they have no such reply."""
    job = registry.get(reply_id, current_keyring().key_id)
    if job is not None:
        return build_current_view(job)
    own = Reply.objects.filter(owner_id=owner_id, entry__deleted_at=None)
    reply = own.filter(id=reply_id).select_related("entry").first()
    return build_row_view(reply, reply.entry) if reply else None


def find_section(reply_id: UUID, *, owner_id: UUID) -> PageSection | None:
    """Return the page section that shows a person's reply, or None if there is none with this id."""
    view = find_reply_view(reply_id, owner_id=owner_id)
    return render_section(view, owner_id=owner_id) if view else None


def build_current_view(job: Job) -> ReplyView:
    """Return a reply with the text that its job has generated so far."""
    return build_from_job(job, get_task(job, ReplyTask).build_view)


def build_row_view(reply: Reply, entry: Entry) -> ReplyView:
    """Return a reply to an entry, from its running job or its row; call inside `in_force`."""
    job = registry.get(reply.id, current_keyring().key_id)
    if job is not None:
        return build_current_view(job)
    # A row that no job of this process writes: the process that wrote it is gone.
    is_orphan = reply.state in LIVE_STATES
    state, reason = (JobState.INTERRUPTED, "crashed") if is_orphan else (reply.state, reply.reason)
    html = _render_text(reply)
    return ReplyView(
        id=reply.id,
        entry_id=reply.entry_id,
        state=str(state),
        html=html,
        tail=SafeString(),
        note=describe_state(state=state, reason=reason, is_empty=not html),
        can_stop=False,
        can_retry=True,
        kind_label=get_reply_label(reply),
        read_imported="" if entry.is_trusted else messages.READ_IMPORTED,
    )


def _render_text(reply: Reply) -> SafeString:
    try:
        return render_page_text(reply.text, has_links=False)
    except EnvelopeError:
        # One damaged reply must not take its whole day with it.
        return SafeString(render_to_string("fragments/notice.html", {"sentence": messages.DAMAGED_REPLY}))
