"""Openings that may repeat the words of an entry which is being destroyed; also while its owner is locked.

What an opening was drawn from is sealed with it. Without the key, every opening that *can* have been drawn
from the entry goes: those up to the third written day after it. With it, those that were.
"""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from diary.made import Opening
from diary.models import Entry
from diary.openings.services import LATEST
from diary.reading import Reading
from llamora.crypto import EnvelopeError, VaultLocked


def forget(entry: Entry) -> None:
    """Delete the openings drawn from an entry; today's is made again when it is next asked for."""
    # Where it stands, and where it stood before it was moved.
    days = {entry.day, entry.first_day or entry.day}
    after = Opening.objects.filter(owner_id=entry.owner_id, day__gt=min(days), is_dismissed=False)
    drawn = [opening.id for opening in after if _is_drawn(opening, entry_id=entry.id, days=days)]
    Opening.objects.filter(id__in=drawn).delete()


def _is_drawn(opening: Opening, *, entry_id: UUID, days: Collection[date]) -> bool:
    try:
        reading = Reading.from_json(opening.read)
    except (EnvelopeError, VaultLocked):
        reading = None
    if reading is None:
        return any(_can_be_drawn(opening, day=day) for day in days)
    return any(day in days for day in reading.recaps) or any(entry_id == id_ for id_, _ in reading.entries)


def _can_be_drawn(opening: Opening, *, day: date) -> bool:
    between = Entry.objects.of(opening.owner_id).filter(day__gt=day, day__lt=opening.day)
    # Only what was there already when it was made stood between them.
    before = between.filter(created_at__lt=opening.created_at).order_by()
    return before.values("day").distinct()[:LATEST].count() < LATEST
