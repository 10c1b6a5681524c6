"""A day as its page shows it: read in a handful of queries, opened, rendered."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from accounts.models import Person
from diary import days, hooks
from diary.hooks import EntryPanel
from diary.models import Draft, Entry, Version
from diary.rendering import markdown
from diary.replies.presenters import ReplyView, list_reply_views, render_custom_kind_buttons
from llamora.fields import new_id
from llamora.inference import model_server

DAMAGED_ENTRY = (
    "This entry cannot be opened: its sealed bytes were changed on the disk. "
    "A backup made before that still holds it; if it was edited, what it said before can be put back."
)
DAMAGED_DRAFT = (
    "What was being written here cannot be opened: its sealed bytes were changed on the disk. "
    "A backup made before that still holds it. What you write now takes its place."
)


@dataclass(frozen=True, kw_only=True)
class EntryView:
    """One entry, ready for its template."""

    id: UUID
    day: date
    time: str
    html: SafeString
    revision: int
    edited: bool
    # Marked where they are not the day it stands on: when it was written, and where it was first.
    written_on: date | None
    moved_from: date | None
    # Whether a change of it was begun and neither saved nor let go.
    unfinished: bool = False
    replies: Sequence[ReplyView] = field(default=())
    # What the apps above show under it.
    parts: Sequence[EntryPanel] = field(default=())
    # Its person's own ways of answering, for the menu.
    own_ways: SafeString = SafeString()  # noqa: RUF009 - as unchanging as any str

    @property
    def anchor(self) -> str:
        """Return the name of its place in the page."""
        return f"entry-{self.id}"


@dataclass(frozen=True, kw_only=True)
class ComposerView:
    """The place to write on a day, with what was being written there."""

    day: date
    key: UUID
    revision: int = 0
    text: str = ""
    error: str | None = None
    saved_at: str | None = None
    limit: int = settings.MAX_TEXT
    # Whether it is another day by now where the person is; the page says so beside the box.
    is_elsewhere: bool = False


def build_entry_view(
    entry: Entry,
    *,
    zone: str,
    replies: Sequence[ReplyView] = (),
    unfinished: bool = False,
    parts: Sequence[EntryPanel] = (),
    ways: SafeString = SafeString(),  # noqa: B008 - as unchanging as any str
) -> EntryView:
    """Open and render one entry."""
    seen = days.to_original_time(entry.created_at, offset=entry.utc_offset, zone_name=zone)
    return EntryView(
        id=entry.id,
        day=entry.day,
        time=seen.strftime("%H:%M"),
        html=render_text(entry),
        revision=entry.revision,
        edited=entry.edited_at is not None,
        written_on=None if seen.date() in (entry.day, entry.first_day) else seen.date(),
        moved_from=entry.first_day,
        replies=replies,
        unfinished=unfinished,
        parts=parts,
        own_ways=ways,
    )


def build_entry_views(entries: Sequence[Entry], *, zone: str, drafts: Collection[Draft]) -> list[EntryView]:
    """Open and render entries with their replies and what is beside them, read at once for all."""
    replies, unfinished = list_reply_views(entries), {draft.entry_id for draft in drafts}
    parts = hooks.get_panels(entries)
    ways = render_custom_kind_buttons(entries[0].owner_id) if entries else SafeString()
    return [
        build_entry_view(
            entry,
            zone=zone,
            replies=replies.get(entry.id, ()),
            unfinished=entry.id in unfinished,
            parts=parts.get(entry.id, ()),
            ways=ways,
        )
        for entry in entries
    ]


def render_text(row: Entry | Version) -> SafeString:
    """Return what a row says as HTML; a sentence where it cannot be opened."""
    text = row.open_or("text", None)
    if text is None:
        return mark_safe(f'<p class="notice">{DAMAGED_ENTRY}</p>')  # noqa: S308 - words of our own
    return mark_safe(markdown.render_markdown(text))  # noqa: S308 - sanitised there


def build_empty_composer(person: Person, day: date) -> ComposerView:
    """Return a composer with nothing in it yet."""
    return ComposerView(day=day, key=new_id(), is_elsewhere=is_another_day(person, day))


def build_composer(person: Person, day: date, drafts: Collection[Draft]) -> ComposerView:
    """Return the composer of a day with the draft that is being written there."""
    draft = next((draft for draft in drafts if draft.entry_id is None), None)
    if draft is None:
        return build_empty_composer(person, day)
    return ComposerView(
        day=day,
        key=new_id(),
        revision=draft.revision,
        text=load_draft_text(draft) or "",
        error=None if load_draft_text(draft) is not None else DAMAGED_DRAFT,
        saved_at=days.format_time(draft.updated_at, person.time_zone),
        is_elsewhere=is_another_day(person, day),
    )


def is_another_day(person: Person, day: date) -> bool:
    """Return whether a day is another than the one it is for a person."""
    return day != days.today(person.time_zone, now=timezone.now())


def load_draft_text(draft: Draft) -> str | None:
    """Return what was being written; None where it cannot be opened."""
    return draft.open_or("text", None)


def get_model_notice() -> str | None:
    """Return a sentence where the model is away, or elsewhere than on this machine; else None."""
    status = model_server.get_status()
    return status.message if status.state in ("away", "loading") or status.remote else None
