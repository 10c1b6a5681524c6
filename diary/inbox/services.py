"""Adding items to the Inbox, accepting them as entries, and deleting them.

The content of an item never changes. A deleted item stays for thirty days, so that its owner can restore it.
The entry made from an item has the id, the day and the origin of the item: accepting a text does not claim it
as its owner's own.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from diary import days
from diary.entries.queries import get_digest_key
from diary.errors import DayNotBegun, InboxChanged, InboxFull, ObjectNotFound, get_first_or_404
from diary.inbox.inbox_text import InboxText
from diary.models import TRUSTED_ORIGINS, Entry, InboxItem, Origin
from diary.origins.provenance import Provenance
from llamora.clock.services import delete_expired, get_latest_time
from llamora.crypto import keyed_digest
from llamora.database import split_into_parts, write_transaction
from llamora.fields import new_id

# For each sender, and for all texts without a sender together.
MAX_ITEMS: Final = 200
MAX_CHARACTERS: Final = 2_000_000
ITEM_LIFETIME: Final = timedelta(days=30)
_REVIEW_LABEL: Final = b"diary.inbox.review"


# --- Adding ----------------------------------------------------------------------------------------------


def add_item(*, owner_id: UUID, day: date, origin: Origin, text: InboxText) -> InboxItem:
    """Add a text to the Inbox of a person whose diary is unlocked; raise DayNotBegun or InboxFull."""
    if origin in TRUSTED_ORIGINS:
        raise ValueError("The Inbox is for texts that are not their owner's own.")
    check_day(day)
    with write_transaction():
        if not has_room(owner_id, text):
            raise InboxFull
        return InboxItem.objects.create(owner_id=owner_id, day=day, origin=origin, body=text.to_json())


def check_day(day: date) -> None:
    """Raise DayNotBegun for a day that has not begun anywhere on earth."""
    if not days.has_begun(day, now=timezone.now()):
        raise DayNotBegun(is_clock_behind=days.has_begun(day, now=get_latest_time()))


def has_room(owner_id: UUID, text: InboxText) -> bool:
    """Return whether the Inbox has room for one more text of the text's sender; call inside `in_force`."""
    return fits_beside(text, load_sizes(owner_id).get(text.sender_id, []))


def load_sizes(owner_id: UUID) -> dict[UUID | None, list[int]]:
    """Return the lengths of each sender's waiting texts in characters, as a dict by sender id.

    Call inside `in_force`.
    """
    sizes = defaultdict[UUID | None, list[int]](list)
    for item in InboxItem.objects.filter(owner_id=owner_id, deleted_at=None):
        if text := InboxText.from_json(item.open_or("body", None)):
            sizes[text.sender_id].append(len(text.text))
    return sizes


def fits_beside(text: InboxText, sizes: Sequence[int]) -> bool:
    """Return whether a text fits beside its sender's other texts in the Inbox, whose lengths are `sizes`."""
    return len(sizes) < MAX_ITEMS and sum(sizes) + len(text.text) <= MAX_CHARACTERS


# --- Accepting -------------------------------------------------------------------------------------------


def accept_item(*, owner_id: UUID, item_id: UUID, zone: str) -> Entry:
    """Save an item as an entry of its day and return the entry; a repeated call returns the same entry.

    Raise ObjectNotFound, also if the item is damaged.
    """
    with write_transaction():
        item = _find_waiting(owner_id, item_id)
        if item is None:
            return get_first_or_404(Entry.objects.for_owner(owner_id).filter(id=item_id))
        return _accept(item, zone=zone)


def accept_items(*, owner_id: UUID, item_ids: Sequence[UUID], review: str, zone: str) -> list[Entry]:
    """Save items of the Inbox as entries, in batches. A page must have shown these items as they are now.

    `review` is the digest that `compute_review` returned when they were shown. Raise InboxChanged if they are
    not the same now, or ObjectNotFound if one is damaged; then nothing is saved. Items that another page
    accepts or deletes after this check are skipped.
    """
    items = [item for item_id in item_ids if (item := _find_waiting(owner_id, item_id))]
    if not items or len(items) < len(item_ids) or compute_review(owner_id, items) != review:
        raise InboxChanged
    if not all(_open_text(item) for item in items):
        raise ObjectNotFound
    entries: list[Entry] = []
    for part in split_into_parts(items):
        with write_transaction():
            # As they were reviewed, whatever stands in their rows now.
            entries += [_accept(item, zone=zone) for item in part if _find_waiting(owner_id, item.id)]
    return entries


def compute_review(owner_id: UUID, items: Iterable[InboxItem]) -> str:
    """Return a BLAKE2 digest of the Inbox items that a person reviews on a page, in the order of `items`.

    If the digest is the same at a later request, the person has reviewed these items.
    """
    parts = [_REVIEW_LABEL]
    for item in items:
        content = InboxText.from_json(item.open_or("body", None))
        parts += [item.id.bytes, item.day.isoformat().encode(), content.text.encode() if content else b""]
    return keyed_digest(get_digest_key(owner_id), parts).hex()


def _find_waiting(owner_id: UUID, item_id: UUID) -> InboxItem | None:
    return InboxItem.objects.filter(owner_id=owner_id, id=item_id, deleted_at=None).first()


def _open_text(item: InboxItem) -> InboxText | None:
    return InboxText.from_json(item.open_or("body", None))


def _accept(item: InboxItem, *, zone: str) -> Entry:
    content = _open_text(item)
    if content is None:
        raise ObjectNotFound
    moment = content.written_at or item.created_at
    if days.to_local_time(moment, zone).date() != item.day:
        # In the order in which they are accepted.
        others = Entry.objects.filter(owner_id=item.owner_id, day=item.day).count()
        moment = days.get_noon(item.day, zone, delay=timedelta(microseconds=others))
    provenance = Provenance(source=content.source, import_id=content.import_id)
    entry: Entry = Entry.objects.create(
        # Its id is taken if the file was imported again from a diary in which the item was an entry by then.
        id=new_id() if Entry.objects.filter(id=item.id).exists() else item.id,
        owner_id=item.owner_id,
        day=item.day,
        text=content.text,
        origin=item.origin,
        provenance=provenance.to_json(),
        created_at=moment,
        utc_offset=days.utc_offset(moment, zone),
    )
    item.delete()
    return entry


# --- Deleting --------------------------------------------------------------------------------------------


def delete_item(*, owner_id: UUID, item_id: UUID) -> InboxItem:
    """Delete an item; this can be undone for thirty days. Raise ObjectNotFound."""
    return _set_deleted(owner_id, item_id, is_deleted=True)


def restore_item(*, owner_id: UUID, item_id: UUID) -> InboxItem:
    """Undo the deletion of an item; raise ObjectNotFound."""
    return _set_deleted(owner_id, item_id, is_deleted=False)


def _set_deleted(owner_id: UUID, item_id: UUID, *, is_deleted: bool) -> InboxItem:
    with write_transaction():
        item = get_first_or_404(InboxItem.objects.filter(owner_id=owner_id, id=item_id))
        if (item.deleted_at is not None) != is_deleted:
            item.deleted_at = timezone.now() if is_deleted else None
            item.save(update_fields=["deleted_at"])
    return item


def purge_inbox(*, owner_id: UUID) -> int:
    """Remove the items that were deleted at least thirty days ago; return their number."""
    rows = InboxItem.objects.filter(owner_id=owner_id)
    return delete_expired(rows, moment="deleted_at", age=ITEM_LIFETIME)
