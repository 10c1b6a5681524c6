"""Entries and the composer, decrypted and rendered for their templates."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.models import Person
from diary import days, hooks, messages
from diary.entries.forms import SubmittedText
from diary.hooks import EntryPanel
from diary.models import Draft, Entry, Origin, Version
from diary.origins.labels import OriginLabel, get_entry_label
from diary.rendering.page_texts import render_page_text
from diary.replies.presenters import list_reply_views
from diary.replies.section import ReplyView
from llamora.fields import new_id


@dataclass(frozen=True, kw_only=True)
class EntryView:
    """Template data of an entry: its row, and values computed from the row or loaded with it.

    A template shows a plain column as `entry.row.<column>`, so that a new column needs no line here.
    """

    row: Entry
    time: str
    html: SafeString
    # The day it was written, where that is another than the one it belongs to.
    written_on: date | None
    # Whether an edit was begun and neither saved nor discarded.
    has_edit_draft: bool = False
    replies: Sequence[ReplyView] = field(default=())
    # The panels of other apps below the entry (see `diary.hooks`).
    panels: Sequence[EntryPanel] = field(default=())
    # Where it is from, unless it was written here.
    origin: OriginLabel | None = None

    @property
    def id(self) -> UUID:
        """The id of the row."""
        row_id: UUID = self.row.id
        return row_id

    @property
    def day(self) -> date:
        """The day the entry belongs to."""
        day: date = self.row.day
        return day


@dataclass(frozen=True, kw_only=True)
class ComposerView:
    """Template data of the form in which an entry of a day is written, and of its draft."""

    day: date
    key: UUID
    revision: int = 0
    text: str = ""
    error: str | None = None
    saved_at: str | None = None
    limit: int = settings.MAX_TEXT
    # The form that was refused, so that none of its fields is lost with the refusal.
    submitted: SubmittedText | None = None
    # Whether the day is not the person's today; the page says so beside the box.
    is_elsewhere: bool = False


def build_entry_view(
    entry: Entry,
    *,
    zone: str,
    replies: Sequence[ReplyView] = (),
    has_edit_draft: bool = False,
    panels: Sequence[EntryPanel] = (),
) -> EntryView:
    """Decrypt and render one entry."""
    written_at = days.to_original_time(entry.created_at, offset=entry.utc_offset, zone_name=zone)
    return EntryView(
        row=entry,
        time=written_at.strftime("%H:%M"),
        html=render_text(entry, origin=entry.origin),
        written_on=None if written_at.date() in (entry.day, entry.first_day) else written_at.date(),
        has_edit_draft=has_edit_draft,
        replies=replies,
        panels=panels,
        origin=get_entry_label(entry),
    )


def build_entry_views(
    entries: Sequence[Entry], *, zone: str, drafts: Collection[Draft], are_new: bool = False
) -> list[EntryView]:
    """Decrypt and render entries with their replies and panels; the number of queries is constant.

    For entries that `are_new` nothing is looked up: they have no replies, drafts or panels yet.
    """
    replies = {} if are_new else list_reply_views(entries)
    edited_ids = {draft.entry_id for draft in drafts}
    panels = hooks.get_panels(entries, are_new=are_new)
    return [
        build_entry_view(
            entry,
            zone=zone,
            replies=replies.get(entry.id, ()),
            has_edit_draft=entry.id in edited_ids,
            panels=panels.get(entry.id, ()),
        )
        for entry in entries
    ]


def render_text(row: Entry | Version, *, origin: str) -> SafeString:
    """Return the text of a row as HTML, or a sentence if the text is damaged.

    `origin` is that of the entry. What the model wrote has no links, as its replies have none.
    """
    text = row.open_or("text", None)
    if text is None:
        return SafeString(render_to_string("fragments/notice.html", {"sentence": messages.DAMAGED_ENTRY}))
    return render_page_text(text, has_links=origin != Origin.MODEL)


def build_empty_composer(person: Person, day: date) -> ComposerView:
    """Return the composer, the form for a new entry of a day, without a draft."""
    return ComposerView(day=day, key=new_id(), is_elsewhere=is_not_today(person, day))


def build_composer(person: Person, day: date, drafts: Collection[Draft]) -> ComposerView:
    """Return the composer, the form for a new entry of a day, with the draft if there is one."""
    draft = next((draft for draft in drafts if draft.entry_id is None), None)
    if draft is None:
        return build_empty_composer(person, day)
    text = load_draft_text(draft)
    return ComposerView(
        day=day,
        key=new_id(),
        revision=draft.revision,
        text=text or "",
        error=messages.DAMAGED_DRAFT if text is None else None,
        saved_at=days.format_time(draft.updated_at, person.time_zone),
        is_elsewhere=is_not_today(person, day),
    )


def build_refused_composer(
    person: Person, day: date, *, submitted: SubmittedText, sentence: str
) -> ComposerView:
    """Return the composer with the submitted values, and with a sentence on why they were refused."""
    return ComposerView(
        day=day,
        key=submitted.key,
        revision=submitted.revision,
        text=submitted.displayable_text,
        error=sentence,
        submitted=submitted,
        is_elsewhere=is_not_today(person, day),
    )


def is_not_today(person: Person, day: date) -> bool:
    """Return whether a day is not the person's today."""
    return day != days.today(person.time_zone, now=timezone.now())


def load_draft_text(draft: Draft) -> str | None:
    """Return the text of a draft, or None if it is damaged."""
    return draft.open_or("text", None)
