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

from diary.models import Entry, Reply, ReplyState
from diary.rendering import render, split_settled
from diary.replies.errand import ReplyErrand, errand_of
from diary.replies.kinds import label_of
from llamora.crypto import EnvelopeError
from llamora.inference.jobs import LIVE, Job, State, registry
from llamora.inference.sentences import sentence

STOPPED = "Stopped."
KEPT = "What had come is kept."
NOTHING = "Nothing had come yet."
LENGTH = "This reached the longest a reply may be; the model may have had more to say."
NOT_KEPT = "This could not be written to the disk yet; that is tried again. Copy it if it matters to you."
DAMAGED = "This reply cannot be opened: its sealed bytes were changed on the disk."
THINKING = "Thinking."
WAITING = "Waiting for the model."

_INTERRUPTED = {
    "locked": "The diary was locked while this was being written.",
    "new_key": "Your diary got a new key while this was being written.",
    "closing": "Llamora was closed while this was being written.",
    "crashed": "Llamora ended while this was being written.",
}
_FAILED = {
    "not_written": "Nothing can be written to the disk just now, so no reply was begun. Try again later.",
    "empty": "The model had nothing to say this time. Try again.",
    "internal": "Something went wrong in Llamora itself, and its log names it. What came is kept; try again.",
}


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


def note_of(
    *, state: str, reason: str, place: int = 0, is_thinking: bool = False, is_empty: bool = False
) -> str:
    """Return the sentence about where a reply stands; "" when its words speak for themselves."""
    match state:
        case State.WAITING:
            return WAITING if place < 1 else _in_line(place)
        case State.WRITING:
            return THINKING if is_thinking else ""
        case State.STOPPED:
            return _broken_off(STOPPED, is_empty=is_empty)
        case State.INTERRUPTED:
            return _broken_off(_INTERRUPTED.get(reason, _INTERRUPTED["crashed"]), is_empty=is_empty)
        case State.FAILED:
            said = _FAILED.get(reason) or sentence(reason)
            return said.replace("What came is kept", "Nothing had come yet") if is_empty else said
    return LENGTH if reason == "length" else ""


def _broken_off(why: str, *, is_empty: bool) -> str:
    return f"{why} {NOTHING if is_empty else KEPT}"


def _in_line(place: int) -> str:
    if place == 1:
        return "Waiting for the model. You are next."
    others = "one other" if place == 2 else f"{place - 1} others"
    return f"Waiting for the model, after {others}."


def note_of_job(job: Job) -> str:
    """Return the sentence about where a job stands."""
    if not job.is_kept:
        return NOT_KEPT
    return note_of(
        state=job.state,
        reason=job.reason,
        place=job.place,
        is_thinking=job.is_thinking,
        is_empty=job.state not in LIVE and not job.text,
    )


def view_of_job(job: Job, *, html: str, tail: str) -> ReplyView:
    """Return a job as its reply is shown."""
    errand = errand_of(job)
    return ReplyView(
        id=job.id,
        entry_id=errand.entry_id,
        state=job.state.value,
        html=_safe(html),
        tail=_safe(tail),
        note=note_of_job(job),
        can_stop=job.state in LIVE,
        can_retry=job.state not in LIVE,
        kind_label=errand.asked.label,
        thoughts=job.thoughts_since(0)[0],
    )


def view_of_row(reply: Reply) -> ReplyView:
    """Return a reply as it is shown; needs its owner's keyring in force."""
    job = registry.get(reply.id)
    if job is not None and job.owner_id == reply.owner_id:
        return view_now(job)
    # A row that no job of this process writes: what wrote it is gone.
    is_orphan = reply.state in LIVE
    state, reason = (ReplyState.INTERRUPTED, "crashed") if is_orphan else (reply.state, reply.reason)
    html = _html(reply)
    return ReplyView(
        id=reply.id,
        entry_id=reply.entry_id,
        state=str(state),
        html=html,
        tail=_safe(""),
        note=note_of(state=state, reason=reason, is_empty=not html),
        can_stop=False,
        can_retry=True,
        kind_label=label_of(reply),
    )


def view_of(reply_id: UUID, *, owner_id: UUID) -> ReplyView | None:
    """Return a person's own reply as it is shown, from memory or from its row; None for any other."""
    job = registry.get(reply_id)
    if job is not None:
        return view_now(job) if job.owner_id == owner_id else None
    mine = Reply.objects.filter(owner_id=owner_id, entry__deleted_at=None)
    reply = mine.filter(id=reply_id).first()
    return view_of_row(reply) if reply else None


def view_now(job: Job) -> ReplyView:
    """Return a job as far as it has come, rendered afresh."""
    if job.is_over:
        return view_of_job(job, html=render(job.text), tail="")
    split = split_settled(job.text)
    return view_of_job(job, html="".join(split.settled), tail=split.tail)


def _html(reply: Reply) -> SafeString:
    try:
        return _safe(render(reply.text))
    except EnvelopeError:
        # One damaged reply must not take its whole day with it.
        return _safe(f'<p class="note">{DAMAGED}</p>')


def reply_views(entries: Sequence[Entry]) -> dict[UUID, list[ReplyView]]:
    """Return the replies of entries of one person, by entry, in one query."""
    views: dict[UUID, list[ReplyView]] = defaultdict(list)
    if not entries:
        return views
    shown = set()
    for reply in Reply.objects.filter(entry_id__in=[entry.id for entry in entries]):
        views[reply.entry_id].append(view_of_row(reply))
        shown.add(reply.id)
    for job in registry.of(entries[0].owner_id):
        # Asked for a moment ago: its row is still on its way to the disk.
        if job.id not in shown and isinstance(job.errand, ReplyErrand):
            views[job.errand.entry_id].append(view_now(job))
    return views


def section(view: ReplyView, *, owner_id: UUID, token: str = "") -> str:
    """Return the whole section of a reply; without a token outside any request: script sends its own."""
    said = (view.kind_label, view.note, view.thoughts)
    can = {"can_stop": view.can_stop, "can_retry": view.can_retry}
    filled = _section_of(view.state, *map(bool, said), has_token=bool(token), **can)
    for mark, value in ((_ID, view.id), (_ENTRY, view.entry_id), (_OWNER, owner_id), (_TOKEN, token)):
        filled = filled.replace(str(mark), str(value))
    filled = filled.replace(_NOTE, escape(view.note)).replace(_LABEL, escape(view.kind_label))
    # The words go in last, all at once: what they say is replaced by nothing.
    words = {_HTML: view.html, _TAIL: view.tail, _THOUGHTS: escape(view.thoughts)}
    return _WORDS.sub(lambda mark: words[mark[0]], filled)


_ID, _ENTRY, _OWNER = uuid4(), uuid4(), uuid4()
_NOTE, _LABEL, _HTML, _TAIL, _THOUGHTS, _TOKEN = (uuid4().hex for _ in range(6))
_WORDS = re.compile("|".join((_HTML, _TAIL, _THOUGHTS)))


@lru_cache(maxsize=64)
def _section_of(
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
        id=_ID,
        entry_id=_ENTRY,
        state=state,
        html=_safe(_HTML),
        tail=_safe(_TAIL),
        note=_NOTE if has_note else "",
        can_stop=can_stop,
        can_retry=can_retry,
        kind_label=_LABEL if has_label else "",
        thoughts=_THOUGHTS if has_thoughts else "",
    )
    token = {"csrf_token": _TOKEN} if has_token else {}
    return render_to_string("diary/fragments/reply.html", {"reply": view, "owner_id": _OWNER, **token})


def _safe(html: str) -> SafeString:
    return mark_safe(html)  # noqa: S308 - all of it comes out of diary.rendering
