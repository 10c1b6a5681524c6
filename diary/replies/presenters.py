"""Replies as pages and sockets show them, with the words for where each stands.

A live job is shown from memory, so a page that is reloaded in mid-sentence has everything written so far.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID, uuid4

from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from diary.generation.job_status import describe_job, describe_state
from diary.models import Entry, Reply
from diary.rendering.markdown import render_markdown, split_settled
from diary.replies.reply_kinds import get_reply_label, list_custom_kinds
from diary.replies.tasks import ReplyTask, get_task
from llamora.crypto import EnvelopeError
from llamora.inference.job import LIVE_STATES, Job, JobState
from llamora.inference.registry import registry

# MERGED diary.replies.menu: A person's own ways of answering as buttons of the menu under each entry, made
# once for a page.


def render_custom_kind_buttons(owner_id: UUID) -> SafeString:
    """Return the buttons, without what belongs to one entry; needs the owner's keyring in force."""
    ways = list_custom_kinds(owner_id)
    if not ways:
        return SafeString()
    html = render_to_string("diary/fragments/custom_kind_buttons.html", {"ways": ways})
    return mark_safe(html)  # noqa: S308 - out of a template


DAMAGED_REPLY = "This reply cannot be opened: its sealed bytes were changed on the disk."


@dataclass(frozen=True, kw_only=True)
class ReplyView:
    """One reply, ready for its template. `html` is settled, `tail` may still change."""

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


def build_job_view(job: Job, *, html: str, tail: str) -> ReplyView:
    """Return a job as its reply is shown."""
    errand = get_task(job)
    return ReplyView(
        id=job.id,
        entry_id=errand.entry_id,
        state=job.state.value,
        html=_mark_safe(html),
        tail=_mark_safe(tail),
        note=describe_job(job),
        can_stop=job.state in LIVE_STATES,
        can_retry=job.state not in LIVE_STATES,
        kind_label=errand.choice.label,
        thoughts=job.thoughts_since(0)[0],
    )


def build_row_view(reply: Reply) -> ReplyView:
    """Return a reply as it is shown; needs its owner's keyring in force."""
    job = registry.get(reply.id)
    if job is not None and job.owner_id == reply.owner_id:
        return build_current_view(job)
    # A row that no job of this process writes: what wrote it is gone.
    is_orphan = reply.state in LIVE_STATES
    state, reason = (JobState.INTERRUPTED, "crashed") if is_orphan else (reply.state, reply.reason)
    html = _render_text(reply)
    return ReplyView(
        id=reply.id,
        entry_id=reply.entry_id,
        state=str(state),
        html=html,
        tail=_mark_safe(""),
        note=describe_state(state=state, reason=reason, is_empty=not html),
        can_stop=False,
        can_retry=True,
        kind_label=get_reply_label(reply),
    )


def find_reply_view(reply_id: UUID, *, owner_id: UUID) -> ReplyView | None:
    """Return a person's own reply as it is shown, from memory or from its row; None for any other."""
    job = registry.get(reply_id)
    if job is not None:
        return build_current_view(job) if job.owner_id == owner_id else None
    mine = Reply.objects.filter(owner_id=owner_id, entry__deleted_at=None)
    reply = mine.filter(id=reply_id).first()
    return build_row_view(reply) if reply else None


def build_current_view(job: Job) -> ReplyView:
    """Return a job as far as it has come, rendered afresh."""
    if job.is_over:
        return build_job_view(job, html=render_markdown(job.text), tail="")
    split = split_settled(job.text)
    return build_job_view(job, html="".join(split.settled), tail=split.tail)


def _render_text(reply: Reply) -> SafeString:
    try:
        return _mark_safe(render_markdown(reply.text))
    except EnvelopeError:
        # One damaged reply must not take its whole day with it.
        return _mark_safe(f'<p class="notice">{DAMAGED_REPLY}</p>')


def list_reply_views(entries: Sequence[Entry]) -> dict[UUID, list[ReplyView]]:
    """Return the replies of entries of one person, by entry, in one query."""
    views: dict[UUID, list[ReplyView]] = defaultdict(list)
    if not entries:
        return views
    shown = set()
    for reply in Reply.objects.filter(entry_id__in=[entry.id for entry in entries]):
        views[reply.entry_id].append(build_row_view(reply))
        shown.add(reply.id)
    for job in registry.for_owner(entries[0].owner_id):
        # Asked for a moment ago: its row is still on its way to the disk.
        if job.id not in shown and isinstance(job.task, ReplyTask):
            views[job.task.entry_id].append(build_current_view(job))
    return views


def render_section(view: ReplyView, *, owner_id: UUID, token: str = "") -> str:
    """Return the whole section of a reply; without a token outside any request: script sends its own."""
    said = (view.kind_label, view.note, view.thoughts)
    can = {"can_stop": view.can_stop, "can_retry": view.can_retry}
    filled = _render_section_template(view.state, *map(bool, said), has_token=bool(token), **can)
    for mark, value in (
        (_ID_MARK, view.id),
        (_ENTRY_MARK, view.entry_id),
        (_OWNER_MARK, owner_id),
        (_TOKEN_MARK, token),
    ):
        filled = filled.replace(str(mark), str(value))
    filled = filled.replace(_NOTE_MARK, escape(view.note)).replace(_LABEL_MARK, escape(view.kind_label))
    # The words go in last, all at once: what they say is replaced by nothing.
    words = {_HTML_MARK: view.html, _TAIL_MARK: view.tail, _THOUGHTS_MARK: escape(view.thoughts)}
    return _TEXT_MARKS.sub(lambda mark: words[mark[0]], filled)


_ID_MARK, _ENTRY_MARK, _OWNER_MARK = uuid4(), uuid4(), uuid4()
_NOTE_MARK, _LABEL_MARK, _HTML_MARK, _TAIL_MARK, _THOUGHTS_MARK, _TOKEN_MARK = (uuid4().hex for _ in range(6))
_TEXT_MARKS = re.compile("|".join((_HTML_MARK, _TAIL_MARK, _THOUGHTS_MARK)))


@lru_cache(maxsize=64)
def _render_section_template(
    state: str,
    has_label: bool,
    has_note: bool,
    has_thoughts: bool,
    *,
    has_token: bool,
    can_stop: bool,
    can_retry: bool,
) -> str:
    """Return a section with marks in place of what differs: sixteen first words wait for sixteen of them."""
    view = ReplyView(
        id=_ID_MARK,
        entry_id=_ENTRY_MARK,
        state=state,
        html=_mark_safe(_HTML_MARK),
        tail=_mark_safe(_TAIL_MARK),
        note=_NOTE_MARK if has_note else "",
        can_stop=can_stop,
        can_retry=can_retry,
        kind_label=_LABEL_MARK if has_label else "",
        thoughts=_THOUGHTS_MARK if has_thoughts else "",
    )
    token = {"csrf_token": _TOKEN_MARK} if has_token else {}
    return render_to_string("diary/fragments/reply.html", {"reply": view, "owner_id": _OWNER_MARK, **token})


def _mark_safe(html: str) -> SafeString:
    return mark_safe(html)  # noqa: S308 - all of it comes out of diary.rendering
