"""What the model made of entries, and whether these still say what they said then.

An opening and a recap hold words drawn from entries. Once one of these was edited, put in the bin, moved or
destroyed, what was drawn from it is found no more: nobody finds by a way round what they took away.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from diary.generation.prompt_record import EntryRef, PromptRecord
from diary.models import Entry, Opening, Recap
from llamora.crypto import Keyring, WrongEpoch
from search.opened import opened

_BATCH: Final = 500
_SOON: Final = 32


def on(owner: UUID, days: Iterable[date]) -> list[UUID]:
    """Return the recaps of these days and the openings soon after them: what was drawn on their entries.

    An opening reads the latest written days before it. One further off is left out when it is next found.
    """
    ids: list[UUID] = []
    for day in days:
        after = Opening.objects.filter(owner_id=owner, is_dismissed=False, day__gt=day).order_by("day")
        ids += after.values_list("id", flat=True)[:_SOON]
        ids += Recap.objects.filter(owner_id=owner, day=day).values_list("id", flat=True)
    return ids


def true_recaps(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """Return those recaps whose day is as it was: one that was destroyed or moved took its recap along."""
    since = OuterRef("created_at")
    changed = Q(created_at__gt=since) | Q(edited_at__gt=since) | Q(deleted_at__gt=since)
    of_the_day = Entry.objects.filter(owner_id=OuterRef("owner_id"), day=OuterRef("day"))
    return rows.filter(~Exists(of_the_day.filter(changed)))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """An opening, when it was made, and what was read for it; None where that is not known."""

    id: UUID
    made_at: datetime
    reading: PromptRecord | None


def untrue_openings(owner: UUID, *, keyring: Keyring, among: Iterable[UUID] | None = None) -> set[UUID]:
    """Return the openings (of `among` these) whose entries are not what they were."""
    drawn = list(_drawn(owner, keyring, among))
    now = _entries_now(owner, {place for one in drawn if one.reading for place in one.reading.entries})
    recaps = _recaps_now(owner, {day for one in drawn if one.reading for day in one.reading.recaps})
    return {one.id for one in drawn if not _is_true(one, now, recaps)}


def _drawn(owner: UUID, keyring: Keyring, among: Iterable[UUID] | None) -> Iterator[_Drawn]:
    rows = Opening.objects.filter(owner_id=owner, is_dismissed=False)
    if among is not None:
        rows = rows.filter(id__in=list(among))
    column = Opening._meta.get_field("read")
    for id_, day, made_at, sealed in rows.values_list("id", "day", "created_at", "read"):
        row = {"id": id_, "owner_id": owner, "day": day}
        try:
            yield _Drawn(id_, made_at, PromptRecord.from_json(opened(column, row, sealed, keyring)))
        except WrongEpoch:
            continue  # a rotation is under way; nothing is known against it


def _entries_now(owner: UUID, places: set[EntryRef]) -> dict[EntryRef, datetime | None]:
    """Return which of these entries stand on that day, and when each was last edited."""
    ids = sorted({id_ for id_, _ in places})
    found: dict[EntryRef, datetime | None] = {}
    for first in range(0, len(ids), _BATCH):
        rows = Entry.objects.for_owner(owner).filter(id__in=ids[first : first + _BATCH]).order_by()
        found |= {(id_, day): edited for id_, day, edited in rows.values_list("id", "day", "edited_at")}
    return found


def _recaps_now(owner: UUID, days: set[date]) -> dict[date, datetime]:
    """Return which of these days have a recap that is true, and when it was made."""
    if not days:
        return {}
    rows = true_recaps(Recap.objects.filter(owner_id=owner, day__in=sorted(days)))
    return dict(rows.values_list("day", "created_at"))


def _is_true(drawn: _Drawn, entries: dict[EntryRef, datetime | None], recaps: dict[date, datetime]) -> bool:
    if drawn.reading is None:
        return False
    return all(
        place in entries and (entries[place] or drawn.made_at) <= drawn.made_at
        for place in drawn.reading.entries
    ) and all(day in recaps and recaps[day] <= drawn.made_at for day in drawn.reading.recaps)
