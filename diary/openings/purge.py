"""Openings that may repeat the words of entries which are being destroyed; also while their owner is locked.

What an opening was drawn from is sealed with it. Without the key, every opening that *can* have been drawn
from an entry goes: those up to the third written day after it. With it, those that were.
"""

from bisect import bisect_left
from collections.abc import Collection, Sequence
from datetime import date, datetime
from itertools import islice
from operator import itemgetter
from uuid import UUID

from django.db.models import Min

from diary.generation.prompt_record import PromptRecord
from diary.models import Entry, Opening
from diary.openings.services import DAYS_READ
from llamora.crypto import EnvelopeError, VaultLocked

# Written days in their order, and when the first entry of each was written.
WrittenDays = Sequence[tuple[date, datetime]]


def delete_openings_drawn_from(gone: Collection[Entry], *, owner_id: UUID) -> None:
    """Delete the openings drawn from entries; today's is made again when it is next asked for."""
    if not gone:
        return
    ids = {entry.id for entry in gone}
    # Where each stands, and where it stood before it was moved.
    days = {entry.day for entry in gone} | {entry.first_day or entry.day for entry in gone}
    after = Opening.objects.filter(owner_id=owner_id, day__gt=min(days), is_dismissed=False)
    readings = {opening: _load_record(opening) for opening in after.defer("text")}
    written = _list_written_days(min(days), owner_id) if None in readings.values() else ()
    drawn = [
        opening.id
        for opening, reading in readings.items()
        if (
            _may_draw_from(opening, days=days, written=written)
            if reading is None
            # Those that were kept before the entries of a recap were noted know its day alone.
            else ids & reading.source_ids or days.intersection(reading.recaps)
        )
    ]
    Opening.objects.filter(id__in=drawn).delete()


def _load_record(opening: Opening) -> PromptRecord | None:
    try:
        return PromptRecord.from_json(opening.read)
    except (EnvelopeError, VaultLocked):
        return None


def _list_written_days(day: date, owner_id: UUID) -> WrittenDays:
    rows = Entry.objects.for_owner(owner_id).filter(day__gt=day).order_by("day")
    return list(rows.values("day").annotate(first=Min("created_at")).values_list("day", "first"))


def _may_draw_from(opening: Opening, *, days: Collection[date], written: WrittenDays) -> bool:
    before = reversed(range(bisect_left(written, opening.day, key=itemgetter(0))))
    # Only what was there already when it was made stood nearer.
    there = (written[at][0] for at in before if written[at][1] < opening.created_at)
    latest = list(islice(there, DAYS_READ))
    reach = latest[-1] if len(latest) == DAYS_READ else date.min
    return any(reach <= day < opening.day for day in days)
