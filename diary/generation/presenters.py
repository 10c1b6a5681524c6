"""What was read for a reply or an opening, as it is looked at: entries by name, none that is gone."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from accounts.models import Person
from accounts.preferences.languages import format_time, get_date_words
from diary import days, hooks
from diary.generation.prompt_record import EntryRef, PromptRecord
from diary.models import Entry, Opening, Reply
from llamora.crypto import EnvelopeError


@dataclass(frozen=True, kw_only=True)
class PromptRecordEntry:
    """An entry by its id, and what it is called in a sentence."""

    id: UUID
    label: str


def build_prompt_record_context(person: Person, row: Reply | Opening, *, day: date) -> dict[str, Any]:
    """Return what the template needs, for something that stands on `day`."""
    known = _load_record(row)
    reading = known or PromptRecord()
    # It is noted when it is sent: what failed before that has read nothing.
    was_sent = bool(reading.entries or reading.recaps)
    there = Entry.objects.for_owner(person.id).in_bulk([id_ for id_, _ in reading.entries + reading.left_out])
    return {
        "day": day,
        "is_known": known is not None,
        "was_sent": was_sent,
        "entries": _name_entries(reading.entries, there, person=person, day=day),
        "left_out": _name_entries(reading.left_out, there, person=person, day=day),
        "recaps": reading.recaps,
        "recaps_left_out": reading.recaps_left_out,
        "replies": reading.replies,
        "replies_left_out": reading.replies_left_out,
        "is_cut": reading.is_cut,
        "near": [id_ for id_ in reading.near if id_ in there],
        "recalled_by": hooks.get_links(person.id, reading.traces) if was_sent else [],
    }


def _load_record(row: Reply | Opening) -> PromptRecord | None:
    try:
        return PromptRecord.from_json(row.read)
    except EnvelopeError:
        return None


def _name_entries(
    places: list[EntryRef], there: dict[UUID, Entry], *, person: Person, day: date
) -> list[PromptRecordEntry]:
    found = [there[id_] for id_, _ in places if id_ in there]
    return [
        PromptRecordEntry(id=entry.id, label=_entry_label(entry, person=person, day=day)) for entry in found
    ]


def _entry_label(entry: Entry, *, person: Person, day: date) -> str:
    seen = days.to_original_time(entry.created_at, offset=entry.utc_offset, zone_name=person.time_zone)
    words, time = get_date_words(person.language), format_time(seen.strftime("%H:%M"), hours=person.clock)
    return f"this day at {time}" if entry.day == day else f"{words.day(entry.day)} at {time}"
