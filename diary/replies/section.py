"""The section of a reply under its entry: its view, and its HTML as pages and tabs show it."""

import re
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID, uuid4

from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString

from diary.generation.job_status import describe_job
from diary.generation.page_tasks import PageSection, RenderedText
from llamora.inference.job import LIVE_STATES, Job

# Placeholders in the template of a section, which is rendered once for all replies of one form.
_ID_MARK, _ENTRY_MARK, _OWNER_MARK = uuid4(), uuid4(), uuid4()
_NOTE_MARK, _LABEL_MARK, _HTML_MARK, _TAIL_MARK, _THOUGHTS_MARK, _TOKEN_MARK = (uuid4().hex for _ in range(6))
_TEXT_MARKS = re.compile("|".join((_HTML_MARK, _TAIL_MARK, _THOUGHTS_MARK)))


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


def build_job_view(job: Job, text: RenderedText, *, entry_id: UUID, kind_label: str) -> ReplyView:
    """Return a job as its reply is shown."""
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
    )


def render_section(view: ReplyView, *, owner_id: UUID) -> PageSection:
    """Return the section of a reply for a tab, whose script sends its own CSRF token."""
    return PageSection(f"replies-{view.entry_id}", render_reply(view, owner_id=owner_id))


def render_reply(view: ReplyView, *, owner_id: UUID, token: str = "") -> str:
    """Return the HTML of a reply; with a CSRF token for a page, whose forms work without script."""
    filled = _render_template(
        view.state,
        has_label=bool(view.kind_label),
        has_note=bool(view.note),
        has_thoughts=bool(view.thoughts),
        has_token=bool(token),
        can_stop=view.can_stop,
        can_retry=view.can_retry,
    )
    for mark, value in (
        (_ID_MARK, view.id),
        (_ENTRY_MARK, view.entry_id),
        (_OWNER_MARK, owner_id),
        (_TOKEN_MARK, token),
    ):
        filled = filled.replace(str(mark), str(value))
    filled = filled.replace(_NOTE_MARK, escape(view.note)).replace(_LABEL_MARK, escape(view.kind_label))
    # The text of the model goes in last and all at once: nothing in it is taken for a placeholder.
    texts = {_HTML_MARK: view.html, _TAIL_MARK: view.tail, _THOUGHTS_MARK: escape(view.thoughts)}
    return _TEXT_MARKS.sub(lambda mark: texts[mark[0]], filled)


@lru_cache(maxsize=64)
def _render_template(
    state: str,
    *,
    has_label: bool,
    has_note: bool,
    has_thoughts: bool,
    has_token: bool,
    can_stop: bool,
    can_retry: bool,
) -> str:
    """Render a reply with placeholders, once for each form: a template for every reply would be slow."""
    view = ReplyView(
        id=_ID_MARK,
        entry_id=_ENTRY_MARK,
        state=state,
        html=SafeString(_HTML_MARK),
        tail=SafeString(_TAIL_MARK),
        note=_NOTE_MARK if has_note else "",
        can_stop=can_stop,
        can_retry=can_retry,
        kind_label=_LABEL_MARK if has_label else "",
        thoughts=_THOUGHTS_MARK if has_thoughts else "",
    )
    token = {"csrf_token": _TOKEN_MARK} if has_token else {}
    return render_to_string("diary/fragments/reply.html", {"reply": view, "owner_id": _OWNER_MARK, **token})
