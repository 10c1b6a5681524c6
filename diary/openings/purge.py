"""Deletion of openings that may quote an entry that is deleted for good. This needs no unlocked diary.

The sources of an opening are encrypted with it. If the key is in memory, the openings that have a deleted
entry as a source are deleted. Otherwise all openings that could have one are deleted: those up to the third
day with entries after the day of the deleted entry.
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

# Days with entries in their order, and when the first entry of each was written.
DaysWithEntries = Sequence[tuple[date, datetime]]


def delete_openings_derived_from(entries: Collection[Entry], *, owner_id: UUID) -> None:
    """Delete the openings derived from these entries; today's is generated again when its page is opened."""
    if not entries:
        return
    ids = {entry.id for entry in entries}
    # The day of each, and the one it was moved from.
    days = {entry.day for entry in entries} | {entry.first_day or entry.day for entry in entries}
    later = Opening.objects.filter(owner_id=owner_id, day__gt=min(days), is_dismissed=False)
    records = {opening: _load_record(opening) for opening in later.defer("text")}
    written_days = _list_days_with_entries(min(days), owner_id) if None in records.values() else ()
    derived_ids = [
        opening.id
        for opening, record in records.items()
        if (
            _may_be_derived_from(opening, days=days, written_days=written_days)
            if record is None
            # Older records have only the day of a recap, and not the entries that it was derived from.
            else ids & record.source_ids or days.intersection(record.recaps)
        )
    ]
    Opening.objects.filter(id__in=derived_ids).delete()


def _load_record(opening: Opening) -> PromptRecord | None:
    try:
        return PromptRecord.from_json(opening.read)
    except (EnvelopeError, VaultLocked):
        return None


def _list_days_with_entries(day: date, owner_id: UUID) -> DaysWithEntries:
    rows = Entry.objects.for_owner(owner_id).filter(day__gt=day).order_by("day")
    return list(rows.values("day").annotate(first=Min("created_at")).values_list("day", "first"))


def _may_be_derived_from(opening: Opening, *, days: Collection[date], written_days: DaysWithEntries) -> bool:
    indexes_before = reversed(range(bisect_left(written_days, opening.day, key=itemgetter(0))))
    # Only the days that had an entry when the opening was made count as its latest days.
    days_before = (
        written_days[index][0] for index in indexes_before if written_days[index][1] < opening.created_at
    )
    latest = list(islice(days_before, DAYS_READ))
    earliest = latest[-1] if len(latest) == DAYS_READ else date.min
    return any(earliest <= day < opening.day for day in days)
