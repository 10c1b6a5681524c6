"""What was read for a reply or an opening, as it is looked at: entries by name, none that is gone."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from accounts.languages import on_clock, words_of
from accounts.models import Person
from diary import beside, days
from diary.made import Opening
from diary.models import Entry, Reply
from diary.reading import Place, Reading
from llamora.crypto import EnvelopeError


@dataclass(frozen=True, kw_only=True)
class EntryRead:
    """An entry by its id, and what it is called in a sentence."""

    id: UUID
    label: str


def context_of(person: Person, row: Reply | Opening, *, day: date) -> dict[str, Any]:
    """Return what the template needs, for something that stands on `day`."""
    known = _reading_of(row)
    reading = known or Reading()
    # It is noted when it is sent: what failed before that has read nothing.
    was_sent = bool(reading.entries or reading.recaps)
    there = Entry.objects.of(person.id).in_bulk([id_ for id_, _ in reading.entries + reading.left_out])
    return {
        "day": day,
        "is_known": known is not None,
        "was_sent": was_sent,
        "entries": _named(reading.entries, there, person=person, day=day),
        "left_out": _named(reading.left_out, there, person=person, day=day),
        "recaps": reading.recaps,
        "recaps_left_out": reading.recaps_left_out,
        "replies": reading.replies,
        "replies_left_out": reading.replies_left_out,
        "is_cut": reading.is_cut,
        "near": [id_ for id_ in reading.near if id_ in there],
        "recalled_by": beside.names_of(person.id, reading.traces) if was_sent else [],
    }


def _reading_of(row: Reply | Opening) -> Reading | None:
    try:
        return Reading.from_json(row.read)
    except EnvelopeError:
        return None


def _named(places: list[Place], there: dict[UUID, Entry], *, person: Person, day: date) -> list[EntryRead]:
    found = [there[id_] for id_, _ in places if id_ in there]
    return [EntryRead(id=entry.id, label=_label(entry, person=person, day=day)) for entry in found]


def _label(entry: Entry, *, person: Person, day: date) -> str:
    seen = days.seen(entry.created_at, offset=entry.utc_offset, zone_name=person.time_zone)
    words, time = words_of(person.language), on_clock(seen.strftime("%H:%M"), hours=person.clock)
    return f"this day at {time}" if entry.day == day else f"{words.day(entry.day)} at {time}"
