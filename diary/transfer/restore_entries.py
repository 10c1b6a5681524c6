"""Entries that come back from an export, each once, with their versions, their replies and what they bear.

An entry is known by its id. It keeps it, so that whatever names it stays true and a diary can be carried to
and fro; where somebody else of the household has an entry of that id, having taken in the same file, it gets
one that is derived from it, the same each time. An entry that is there, edited or in the bin, stays as it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError

from accounts.models import Person
from diary import days
from diary.entries.queries import get_digest_key
from diary.entries.services import BIN_LIFETIME
from diary.generation.prompt_record import PromptRecord
from diary.history.services import VERSION_LIFETIME
from diary.hooks import Importer
from diary.models import Entry, Reply, ReplyState, Version
from diary.transfer.line_imports import compute_source, seal_row
from diary.transfer.restore_rows import (
    LIVE_REPLY_STATES,
    REPLY_COLUMNS,
    VERSION_COLUMNS,
    ExportRow,
    InvalidValue,
    ParsedEntry,
    get_rows,
    parse_columns,
    parse_entry_text,
    parse_text,
)
from llamora.crypto import keyed_digest
from llamora.database import write_transaction
from llamora.fields import new_id

MAX_REPLY_LENGTH = 10 * settings.MAX_TEXT
_ID_LABEL = b"diary.entry.id"
# SQLite takes so many in one statement wherever it comes from; a file may name any number.
_IDS_PER_QUERY = 500


@dataclass(kw_only=True)
class NewEntry:
    """An entry that was not there, with what comes with it, sealed and ready to be written."""

    parsed: ParsedEntry
    entry: Entry
    faults: list[str]
    versions: list[Version] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)


class EntryImporter:
    """Where the entries of one file come in, for one person; needs their keyring in force."""

    def __init__(self, person: Person, *, takes: Mapping[str, Importer], now: datetime) -> None:
        self._owner_id: UUID = person.id
        self._zone = person.time_zone
        self._importers = takes
        self._now = now
        self._digest_key = get_digest_key(person.id)

    def find_changed_since(self, batch: Sequence[ParsedEntry]) -> list[ParsedEntry]:
        """Return those of some entries that are there, and say something later in the file than here."""
        given = {self._get_file_id(one): one for one in batch if one.columns["edited_at"]}
        places = {
            id_: given[own] for own, (id_, is_known) in self.resolve_ids(list(given)).items() if is_known
        }
        there = Entry.objects.filter(id__in=places).order_by().values_list("id", "edited_at")
        return [places[id_] for id_, at in there if at is None or at < places[id_].columns["edited_at"]]

    def insert_new(self, batch: Sequence[ParsedEntry]) -> list[NewEntry]:
        """Write what is not there yet of some entries, in one transaction, and return it."""
        fresh = self._build_new_entries(batch)
        try:
            self._insert(fresh)
        except IntegrityError:
            # Somebody took one of the ids since they were looked for: the same file, imported twice at once.
            fresh = self._build_new_entries(batch)
            self._insert(fresh)
        return fresh

    # --- Ids -------------------------------------------------------------------------------------------

    def resolve_ids(self, ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, bool]]:
        """Return the id that each entry of a file has here, and whether it is there already."""
        derived = {id_: self._derive_id(id_.bytes) for id_ in ids}
        owners: dict[UUID, UUID] = {}
        asked = [*derived, *derived.values()]
        for start in range(0, len(asked), _IDS_PER_QUERY):
            there = Entry.objects.filter(id__in=asked[start : start + _IDS_PER_QUERY]).order_by()
            owners.update(there.values_list("id", "owner_id"))
        return {id_: self._resolve_id(id_, derived[id_], owners) for id_ in derived}

    def _resolve_id(self, own: UUID, derived: UUID, owners: Mapping[UUID, UUID]) -> tuple[UUID, bool]:
        for id_ in (own, derived):
            if owners.get(id_) == self._owner_id:
                return id_, True
        free = (id_ for id_ in (own, derived) if id_ not in owners)
        return next(free, None) or new_id(), False

    def _derive_id(self, *parts: bytes) -> UUID:
        digest = keyed_digest(self._digest_key, [_ID_LABEL, *parts])
        return UUID(bytes=digest[:16], version=5)

    def _get_file_id(self, given: ParsedEntry) -> UUID:
        """Return the id a file gives an entry, or one from its day and words where it gives none."""
        return given.id or self._derive_id(given.day.isoformat().encode(), given.columns["text"].encode())

    # --- Rows ------------------------------------------------------------------------------------------

    def _build_new_entries(self, batch: Sequence[ParsedEntry]) -> list[NewEntry]:
        by_id: dict[UUID, ParsedEntry] = {}
        for given in batch:
            by_id.setdefault(self._get_file_id(given), given)
        places = self.resolve_ids(list(by_id))
        found = [
            self._build_entry(given, id_)
            for own, given in by_id.items()
            for id_, is_known in [places[own]]
            if not is_known
        ]
        self._rename_read_ids(found, {own: id_ for own, (id_, _) in places.items()})
        for one in found:
            for row in (one.entry, *one.versions, *one.replies):
                seal_row(row)
        return found

    def _build_entry(self, given: ParsedEntry, id_: UUID) -> NewEntry:
        columns = dict(given.columns)
        if columns["created_at"] is None:
            columns["created_at"] = at = days.noon(given.day, self._zone)
            columns["utc_offset"] = days.utc_offset(at, self._zone)
        if columns["deleted_at"]:
            columns["deleted_at"] = self._clamp_start(columns["deleted_at"], BIN_LIFETIME)
        entry = Entry(id=id_, owner_id=self._owner_id, **columns)
        fresh = NewEntry(parsed=given, entry=entry, faults=list(given.faults))
        fresh.versions = list(self._build_versions(entry, given.row, fresh.faults))
        fresh.replies = list(self._build_replies(entry, given.row, fresh.faults))
        self._set_source(fresh)
        return fresh

    def _set_source(self, fresh: NewEntry) -> None:
        """Have an entry that was once a line known by it under this key too, where what it said is known."""
        entry = fresh.entry
        texts = {version.revision: version.text for version in fresh.versions} | {entry.revision: entry.text}
        if entry.source is not None and 1 in texts:
            entry.source = compute_source(self._digest_key, entry.first_day or entry.day, texts[1])

    def _clamp_start(self, at: datetime, lasts: timedelta) -> datetime:
        """Return since when something is here that stays for a time alone; it begins anew where that is over.

        Else what was in the bin of an old export would be gone at the next unlock, before anybody saw it. A
        moment that is yet to come would hold it for ever.
        """
        return at if self._now - lasts < at <= self._now else self._now

    def _build_versions(self, entry: Entry, row: ExportRow, faults: list[str]) -> Iterator[Version]:
        seen: set[int] = set()
        for version in get_rows(row, "versions", faults):
            columns = parse_columns(version, VERSION_COLUMNS, faults, of="an earlier version's ")
            revision = columns["revision"]
            # The next edit would put another version where one stands.
            if revision is None or revision >= entry.revision or revision in seen:
                faults.append("an earlier version has no place among the others")
                continue
            try:
                columns["text"] = parse_entry_text(version.get("text"), limit=settings.MAX_TEXT)
            except InvalidValue:
                faults.append("an earlier version's text cannot be taken")
                continue
            seen.add(revision)
            columns["written_at"] = columns["written_at"] or entry.created_at
            columns["replaced_at"] = self._clamp_start(columns["replaced_at"] or self._now, VERSION_LIFETIME)
            yield Version(owner_id=self._owner_id, entry_id=entry.id, **columns)

    def _build_replies(self, entry: Entry, row: ExportRow, faults: list[str]) -> Iterator[Reply]:
        for reply in get_rows(row, "replies", faults):
            columns = parse_columns(reply, REPLY_COLUMNS, faults, of="a reply's ")
            try:
                columns["text"] = parse_text(reply.get("text"), limit=MAX_REPLY_LENGTH)
            except InvalidValue:
                faults.append("a reply's text cannot be taken")
                continue
            if columns["state"] in LIVE_REPLY_STATES:
                # It was being written when the diary was exported, and nobody goes on with it.
                columns |= {"state": ReplyState.INTERRUPTED.value, "reason": "crashed"}
            columns["created_at"] = columns["created_at"] or entry.created_at
            yield Reply(owner_id=self._owner_id, entry_id=entry.id, **columns)

    def _rename_read_ids(self, found: Sequence[NewEntry], places: Mapping[UUID, UUID]) -> None:
        """Have what was read for replies name the entries as they are called here."""
        replies = [reply for one in found for reply in one.replies if reply.read]
        named = self.map_record_ids([reply.read for reply in replies])
        named |= {str(own): str(id_) for own, id_ in places.items() if own != id_}
        for reply in replies if named else ():
            reply.read = replace_ids(reply.read, named)

    def map_record_ids(self, read: Sequence[ExportRow]) -> dict[str, str]:
        """Return what the entries that were read for something are called here, where that is another id."""
        readings = [reading for row in read if (reading := PromptRecord.from_json(row))]
        ids = {id_ for reading in readings for id_, _ in reading.left_out}
        ids = ids.union(*(reading.source_ids for reading in readings))
        places = self.resolve_ids(list(ids)) if ids else {}
        return {str(own): str(id_) for own, (id_, _) in places.items() if own != id_}

    # --- Writing ---------------------------------------------------------------------------------------

    def _insert(self, fresh: Sequence[NewEntry]) -> None:
        if not fresh:
            return
        with write_transaction():
            Entry.objects.bulk_create([one.entry for one in fresh])
            Version.objects.bulk_create([version for one in fresh for version in one.versions])
            Reply.objects.bulk_create([reply for one in fresh for reply in one.replies])
            for kind, takes in self._importers.items():
                borne = [(one.entry, one.parsed.row[kind]) for one in fresh if one.parsed.row.get(kind)]
                found = takes(borne) if borne else {}
                for one in fresh:
                    one.faults += found.get(one.entry.id, ())


def replace_ids(value: Any, names: Mapping[str, str]) -> Any:
    """Return a plain value in which some words, wherever they stand alone, are others."""
    match value:
        case str():
            return names.get(value, value)
        case list():
            return [replace_ids(one, names) for one in value]
        case dict():
            return {names.get(key, key): replace_ids(one, names) for key, one in value.items()}
    return value
