"""A day as its page shows it: read in a handful of queries, opened, rendered."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from accounts.models import Person
from diary import beside, days, rendering
from diary.beside import Part
from diary.models import Draft, Entry, Version
from diary.replies.menu import own_ways
from diary.replies.presenting import ReplyView, reply_views
from llamora.crypto import EnvelopeError
from llamora.fields import new_id
from llamora.inference import endpoint

DAMAGED = (
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
    parts: Sequence[Part] = field(default=())
    # Its person's own ways of answering, for the menu.
    own_ways: SafeString = SafeString()  # noqa: RUF009 - as unchanging as any str

    @property
    def anchor(self) -> str:
        """Return the name of its place in the page."""
        return f"entry-{self.id}"


@dataclass(frozen=True, kw_only=True)
class Composer:
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


def entry_view(
    entry: Entry,
    *,
    zone: str,
    replies: Sequence[ReplyView] = (),
    unfinished: bool = False,
    parts: Sequence[Part] = (),
    ways: SafeString = SafeString(),  # noqa: B008 - as unchanging as any str
) -> EntryView:
    """Open and render one entry."""
    seen = days.seen(entry.created_at, offset=entry.utc_offset, zone_name=zone)
    return EntryView(
        id=entry.id,
        day=entry.day,
        time=seen.strftime("%H:%M"),
        html=text_html(entry),
        revision=entry.revision,
        edited=entry.edited_at is not None,
        written_on=None if seen.date() in (entry.day, entry.first_day) else seen.date(),
        moved_from=entry.first_day,
        replies=replies,
        unfinished=unfinished,
        parts=parts,
        own_ways=ways,
    )


def entry_views(entries: Sequence[Entry], *, zone: str, drafts: Collection[Draft]) -> list[EntryView]:
    """Open and render entries with their replies and what is beside them, read at once for all."""
    replies, unfinished = reply_views(entries), {draft.entry_id for draft in drafts}
    parts = beside.parts_of(entries)
    ways = own_ways(entries[0].owner_id) if entries else SafeString()
    return [
        entry_view(
            entry,
            zone=zone,
            replies=replies.get(entry.id, ()),
            unfinished=entry.id in unfinished,
            parts=parts.get(entry.id, ()),
            ways=ways,
        )
        for entry in entries
    ]


def text_html(row: Entry | Version) -> SafeString:
    """Return what a row says as HTML; a sentence where it cannot be opened."""
    try:
        return mark_safe(rendering.render(row.text))  # noqa: S308 - sanitised there
    except EnvelopeError:
        # One damaged entry must not take its whole day with it.
        return mark_safe(f'<p class="note">{DAMAGED}</p>')  # noqa: S308 - words of our own


def empty_composer(person: Person, day: date) -> Composer:
    """Return a composer with nothing in it yet."""
    return Composer(day=day, key=new_id(), is_elsewhere=is_elsewhere(person, day))


def composer_of(person: Person, day: date, drafts: Collection[Draft]) -> Composer:
    """Return the composer of a day with the draft that is being written there."""
    draft = next((draft for draft in drafts if draft.entry_id is None), None)
    if draft is None:
        return empty_composer(person, day)
    return Composer(
        day=day,
        key=new_id(),
        revision=draft.revision,
        text=draft_text(draft) or "",
        error=None if draft_text(draft) is not None else DAMAGED_DRAFT,
        saved_at=days.clock(draft.updated_at, person.time_zone),
        is_elsewhere=is_elsewhere(person, day),
    )


def is_elsewhere(person: Person, day: date) -> bool:
    """Return whether a day is another than the one it is for a person."""
    return day != days.today(person.time_zone, now=timezone.now())


def draft_text(draft: Draft) -> str | None:
    """Return what was being written; None where it cannot be opened."""
    try:
        return str(draft.text)
    except EnvelopeError:
        return None


def model_note() -> str | None:
    """Return a sentence where the model is away, or elsewhere than on this machine; else None."""
    status = endpoint.status()
    return status.sentence if status.state in ("away", "loading") or status.remote else None
