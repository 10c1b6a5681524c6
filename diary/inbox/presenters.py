"""Template data of the Inbox: its items, and boxes (sealed texts) whose senders could not be verified.

The texts are shown as plain text, never as HTML.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from diary import days
from diary.inbox.boxes import UncheckedBox
from diary.inbox.inbox_text import InboxText
from diary.models import InboxItem
from diary.origins.labels import OriginLabel, build_label


@dataclass(frozen=True, kw_only=True)
class InboxItemView:
    """Template data of an Inbox item. If the item can't be decrypted, `text` and `label` are None."""

    id: UUID
    day: date
    arrived: datetime
    label: OriginLabel | None
    text: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class UncheckedBoxView:
    """Template data of a box (a sealed text) whose sender could not be verified.

    If the box can't be decrypted, `text` is None. The last three fields are always false: the template reads
    them, because it also shows drafts that could not be verified.
    """

    id: UUID
    day: date
    sent_at: datetime
    text: str | None = field(repr=False)
    is_of_entry: bool = False
    is_of_note: bool = False
    is_checked: bool = False


def load_text(item: InboxItem) -> InboxText | None:
    """Return the content of an Inbox item, or None if the item is damaged."""
    return InboxText.from_json(item.open_or("body", None))


def build_item_views(items: Sequence[InboxItem], *, zone: str) -> list[InboxItemView]:
    """Return the template data of Inbox items."""
    return [_build_item_view(item, zone=zone) for item in items]


def build_unchecked_views(boxes: Sequence[UncheckedBox], *, zone: str) -> list[UncheckedBoxView]:
    """Return the template data of boxes whose senders could not be verified."""
    return [
        UncheckedBoxView(id=box.id, day=box.day, sent_at=_to_naive_local(box.sent_at, zone), text=box.text)
        for box in boxes
    ]


def _build_item_view(item: InboxItem, *, zone: str) -> InboxItemView:
    content = load_text(item)
    return InboxItemView(
        id=item.id,
        day=item.day,
        arrived=_to_naive_local(item.created_at, zone),
        label=build_label(item.origin, source=content.source) if content else None,
        text=content.text if content else None,
    )


def _to_naive_local(moment: datetime, zone: str) -> datetime:
    """Return a moment in a time zone without tzinfo, since templates would convert an aware one."""
    return days.to_local_time(moment, zone).replace(tzinfo=None)
