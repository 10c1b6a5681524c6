"""Restoration of a day's entries from a backup into the diary in use, in two steps.

First, `read_backed_up_entries` reads the day while the database and the key of the backup are in force. Then
`restore_entries` writes it while those of the diary in use are in force. A missing entry is added with its
versions, replies and traces. An entry in the bin is restored. An entry with another text gets the text and
the origin of the backup, and its present text becomes a version. Entries that are not in the backup stay as
they are.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from uuid import UUID

from django.conf import settings

from accounts.models import Person
from diary import hooks
from diary.entries.queries import get_entry_or_deleted
from diary.entries.services import restore_entry
from diary.history.services import replace_with_text
from diary.models import Entry, Origin
from diary.transfer import export_format
from diary.transfer.entry_imports import EntryImporter
from diary.transfer.exports import ExportReport, ExportSource, iter_entries
from diary.transfer.line_reader import RejectedLine
from diary.transfer.row_parser import ParsedEntry, parse_entry
from llamora.crypto import EnvelopeError, Keyring, in_force
from llamora.database import read_snapshot, write_transaction


class EntryState(Enum):
    """The state of an entry in the diary in use, compared with the same entry in a backup."""

    SAME = "is the same now"
    CHANGED = "has another text now"
    DAMAGED = "is damaged now"
    IN_BIN = "is in the bin now"
    MISSING = "is missing now"


@dataclass(frozen=True)
class ComparedEntry:
    """An entry of a backup and its state in the diary in use."""

    parsed: ParsedEntry
    state: EntryState


@dataclass(frozen=True, kw_only=True)
class BackedUpDay:
    """The entries of a day in a backup, and how many of them can't be read."""

    entries: Sequence[ParsedEntry]
    unreadable: int


def read_backed_up_entries(*, keyring: Keyring, day: date, now: datetime) -> BackedUpDay:
    """Return the entries of a day in a backup, except those in the bin, in the order they were written."""
    entries: list[ParsedEntry] = []
    unreadable = 0
    with in_force(keyring), read_snapshot():
        for exported in iter_entries(ExportSource.load(keyring), ExportReport(), day=day):
            if exported.is_deleted:
                continue
            # In the form of an export, which the import checks value by value.
            row = json.loads(export_format.encode_json(exported.row))
            parsed = parse_entry(len(entries) + 1, row, now=now, limit=settings.MAX_TEXT)
            if isinstance(parsed, RejectedLine):
                unreadable += 1
                continue
            if not row.get("origin"):
                row["origin"] = Origin.IMPORTED if row.get("source") else Origin.OWN
            entries.append(parsed)
    return BackedUpDay(entries=entries, unreadable=unreadable)


def compare_entries(
    *, person: Person, keyring: Keyring, entries: Sequence[ParsedEntry], now: datetime
) -> list[ComparedEntry]:
    """Return each entry of a backup with its state (EntryState) in the diary in use."""
    with in_force(keyring), read_snapshot():
        importer = EntryImporter(person, importers={}, now=now, run=None)
        resolved = importer.resolve_ids([parsed.id for parsed in entries if parsed.id])
        return [ComparedEntry(parsed, _get_state(person.id, parsed, resolved)) for parsed in entries]


def _get_state(owner_id: UUID, parsed: ParsedEntry, resolved: dict[UUID, tuple[UUID, bool]]) -> EntryState:
    id_, is_known = resolved[parsed.id] if parsed.id else (None, False)
    if not is_known or id_ is None:
        return EntryState.MISSING
    entry = get_entry_or_deleted(owner_id, id_)
    try:
        is_same = entry.text == parsed.columns["text"]
    except EnvelopeError:
        return EntryState.DAMAGED
    if entry.deleted_at is not None:
        return EntryState.IN_BIN
    return EntryState.SAME if is_same else EntryState.CHANGED


def restore_entries(
    *, person: Person, keyring: Keyring, entries: Sequence[ParsedEntry], now: datetime
) -> list[ComparedEntry]:
    """Restore entries of a backup, in one commit; return them with their former states.

    Raise NotWritten, and then nothing is changed.
    """
    with in_force(keyring), write_transaction():
        compared = compare_entries(person=person, keyring=keyring, entries=entries, now=now)
        importer = EntryImporter(person, importers=hooks.build_importers(person.id, {}), now=now, run=None)
        importer.insert_new([one.parsed for one in compared if one.state is EntryState.MISSING])
        resolved = importer.resolve_ids([parsed.id for parsed in entries if parsed.id])
        for one in compared:
            if one.state in (EntryState.MISSING, EntryState.SAME) or one.parsed.id is None:
                continue
            _restore_text(person.id, resolved[one.parsed.id][0], one.parsed)
    return compared


def _restore_text(owner_id: UUID, entry_id: UUID, parsed: ParsedEntry) -> None:
    entry: Entry = restore_entry(owner_id=owner_id, entry_id=entry_id)
    replace_with_text(entry, parsed.columns["text"], origin=parsed.row["origin"])
