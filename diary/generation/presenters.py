"""Template data of the sources of a reply or an opening. Deleted entries are left out."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from accounts.models import Person
from accounts.preferences.languages import format_time, get_date_words
from diary import days, hooks, messages
from diary.generation.prompt_record import EntryRef, PromptRecord
from diary.models import Entry, Opening, Reply
from diary.notes.recall import list_read_notes
from llamora.crypto import EnvelopeError, current_realm_keyring
from llamora.inference.messages import describe_author


@dataclass(frozen=True, kw_only=True)
class PromptRecordEntry:
    """A diary entry in the list of sources of a generated text: its id, and its date and time in words."""

    id: UUID
    label: str


def build_prompt_record_context(person: Person, row: Reply | Opening, *, day: date) -> dict[str, Any]:
    """Return the template context for the sources of a reply or an opening on `day`."""
    saved = _load_record(row)
    record = saved or PromptRecord()
    # Filled in when the prompt is sent: a generation that failed before has no sources.
    was_sent = bool(record.entries or record.recaps)
    existing = Entry.objects.for_owner(person.id).in_bulk(
        [id_ for id_, _ in record.entries + record.left_out]
    )
    return {
        "day": day,
        "written_by": describe_author(record.author),
        "is_known": saved is not None,
        "was_sent": was_sent,
        "entries": _name_entries(record.entries, existing, person=person, day=day),
        "left_out": _name_entries(record.left_out, existing, person=person, day=day),
        "recaps": record.recaps,
        "recaps_left_out": record.recaps_left_out,
        "replies": record.replies,
        "replies_left_out": record.replies_left_out,
        "is_cut": record.is_cut,
        "is_untrusted": record.is_untrusted,
        "not_read": messages.get_not_read_message(record.not_read),
        "near": [id_ for id_ in record.near if id_ in existing],
        "facts": hooks.list_source_facts(person.id, record.facts) if was_sent else [],
        "notes": list_read_notes(current_realm_keyring(), record.notes) if was_sent else [],
        "notes_left_out": messages.get_notes_left_out_message(record.notes_left_out),
        "has_persona": record.has_persona and was_sent,
        "is_persona_left_out": record.is_persona_left_out,
        "skill_revision": _load_skill_revision(row),
        "recalled_by": hooks.get_links(person.id, record.traces) if was_sent else [],
    }


def _load_record(row: Reply | Opening) -> PromptRecord | None:
    try:
        return PromptRecord.from_json(row.read)
    except EnvelopeError:
        return None


def _load_skill_revision(row: Reply | Opening) -> int | None:
    """Return the revision of the skill in whose style a reply was written, if it was one."""
    read = row.open_or("read", None)
    revision = read.get("skill_revision") if isinstance(read, dict) else None
    return revision if isinstance(revision, int) else None


def _name_entries(
    refs: list[EntryRef], existing: dict[UUID, Entry], *, person: Person, day: date
) -> list[PromptRecordEntry]:
    entries = [existing[id_] for id_, _ in refs if id_ in existing]
    return [
        PromptRecordEntry(id=entry.id, label=_get_label(entry, person=person, day=day)) for entry in entries
    ]


def _get_label(entry: Entry, *, person: Person, day: date) -> str:
    written_at = days.to_original_time(entry.created_at, offset=entry.utc_offset, zone_name=person.time_zone)
    words, time = (
        get_date_words(person.language),
        format_time(written_at.strftime("%H:%M"), hours=person.clock),
    )
    return f"this day at {time}" if entry.day == day else f"{words.day(entry.day)} at {time}"
