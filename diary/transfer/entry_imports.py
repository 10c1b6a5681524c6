"""Import of the entries of an export, with their versions, replies, and values of other apps such as traces.

Entries keep their ids, so that references stay valid and a second import changes nothing. If another person
of the household has an entry with that id, because they imported the same file, the entry gets an id derived
from it, the same at every import. An entry that exists already, edited or in the bin, is not changed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError

from accounts.models import Person
from diary import days, messages
from diary.entries.queries import get_digest_key
from diary.entries.services import BIN_LIFETIME
from diary.generation.prompt_record import PromptRecord, withdraw_clean
from diary.history.services import VERSION_LIFETIME
from diary.hooks import Importer
from diary.inbox.inbox_text import InboxText
from diary.models import Entry, Origin, Reply, Version
from diary.origins.provenance import Provenance
from diary.transfer.line_imports import compute_line_digest, seal_row
from diary.transfer.row_parser import (
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
from diary.transfer.signatures import DRAFT_LABEL, is_signed
from llamora.crypto import keyed_digest
from llamora.database import write_transaction
from llamora.fields import new_id
from llamora.inference.job import LIVE_STATES, JobState

MAX_REPLY_LENGTH = 10 * settings.MAX_TEXT
_ID_LABEL = b"diary.entry.id"
# SQLite limits the parameters of a statement; a file may name any number of ids.
_IDS_PER_QUERY = 500


@dataclass(kw_only=True)
class NewEntry:
    """A new entry with its versions and replies, sealed but not yet written."""

    parsed: ParsedEntry
    entry: Entry
    faults: list[str]
    versions: list[Version] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)


class EntryImporter:
    """Importer of the entries of one file for one person; needs their keyring in force.

    `run` is the provenance of entries that this diary did not sign. It is None for a backup that this
    person's key decrypted. An entry keeps the origin in the file only if it is from a backup, or signed by
    this diary.
    """

    def __init__(
        self,
        person: Person,
        *,
        importers: Mapping[str, Importer],
        now: datetime,
        run: Provenance | None,
    ) -> None:
        self._owner_id: UUID = person.id
        self._zone = person.time_zone
        self._importers = importers
        self._now = now
        self._run = run
        self._digest_key = get_digest_key(person.id)

    def find_changed_since(self, batch: Sequence[ParsedEntry]) -> list[ParsedEntry]:
        """Return the entries of a batch that were edited later in the file than in this diary.

        Entries that do not exist in this diary are left out.
        """
        edited = {self._get_file_id(parsed): parsed for parsed in batch if parsed.columns["edited_at"]}
        existing = {
            id_: edited[file_id]
            for file_id, (id_, is_known) in self.resolve_ids(list(edited)).items()
            if is_known
        }
        rows = Entry.objects.filter(id__in=existing).order_by().values_list("id", "edited_at")
        return [
            existing[id_]
            for id_, edited_at in rows
            if edited_at is None or edited_at < existing[id_].columns["edited_at"]
        ]

    def insert_new(self, batch: Sequence[ParsedEntry]) -> list[NewEntry]:
        """Insert the entries of a batch that do not exist yet, in one transaction, and return them."""
        new_entries = self._build_new_entries(batch)
        try:
            self._insert(new_entries)
        except IntegrityError:
            # One of the ids was used since they were looked up: the same file is being imported twice at
            # once.
            new_entries = self._build_new_entries(batch)
            self._insert(new_entries)
        return new_entries

    def mark_imported(self, sent: InboxText) -> InboxText:
        """Return a text for the Inbox, changed so that this import is its source."""
        run = self._run or Provenance()
        return replace(sent, source=run.source, import_id=run.import_id, sender_id=None)

    def is_own_draft(self, row: ExportRow) -> bool:
        """Return whether a draft in the file was exported by this diary, as its signature shows."""
        return self.is_signed(row, DRAFT_LABEL)

    def is_signed(self, row: ExportRow, label: bytes) -> bool:
        """Return whether this diary signed the row under this label, and the row is unchanged."""
        return is_signed(row, self._digest_key, label=label)

    # --- Ids -------------------------------------------------------------------------------------------

    def resolve_ids(self, ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, bool]]:
        """Return the new id of each entry, and whether an entry with this id exists already.

        The result is a dict by the id in the file.
        """
        derived = {id_: self.derive_id(id_.bytes) for id_ in ids}
        owners: dict[UUID, UUID] = {}
        candidates = [*derived, *derived.values()]
        for start in range(0, len(candidates), _IDS_PER_QUERY):
            rows = Entry.objects.filter(id__in=candidates[start : start + _IDS_PER_QUERY]).order_by()
            owners.update(rows.values_list("id", "owner_id"))
        return {id_: self._resolve_id(id_, derived[id_], owners) for id_ in derived}

    def _resolve_id(self, file_id: UUID, derived: UUID, owners: Mapping[UUID, UUID]) -> tuple[UUID, bool]:
        for id_ in (file_id, derived):
            if owners.get(id_) == self._owner_id:
                return id_, True
        free = (id_ for id_ in (file_id, derived) if id_ not in owners)
        return next(free, None) or new_id(), False

    def derive_id(self, *parts: bytes) -> UUID:
        """Return an id computed from the bytes `parts`. Equal parts give the same id at every import.

        The id is computed with a key of this diary. It is used for rows without an id, or whose id in the
        file belongs to a row of another person.
        """
        digest = keyed_digest(self._digest_key, [_ID_LABEL, *parts])
        return UUID(bytes=digest[:16], version=5)

    def _get_file_id(self, parsed: ParsedEntry) -> UUID:
        """Return the id of an entry in the file, or an id derived from its day and text if it has none."""
        return parsed.id or self.derive_id(parsed.day.isoformat().encode(), parsed.columns["text"].encode())

    # --- Rows ------------------------------------------------------------------------------------------

    def _build_new_entries(self, batch: Sequence[ParsedEntry]) -> list[NewEntry]:
        by_id: dict[UUID, ParsedEntry] = {}
        for parsed in batch:
            by_id.setdefault(self._get_file_id(parsed), parsed)
        resolved = self.resolve_ids(list(by_id))
        new_entries = [
            self._build_entry(parsed, id_)
            for file_id, parsed in by_id.items()
            for id_, is_known in [resolved[file_id]]
            if not is_known
        ]
        self._replace_record_ids(new_entries, {file_id: id_ for file_id, (id_, _) in resolved.items()})
        for new_entry in new_entries:
            for row in (new_entry.entry, *new_entry.versions, *new_entry.replies):
                seal_row(row)
        return new_entries

    def _build_entry(self, parsed: ParsedEntry, id_: UUID) -> NewEntry:
        columns = dict(parsed.columns)
        if columns["created_at"] is None:
            columns["created_at"] = noon = days.get_noon(parsed.day, self._zone)
            columns["utc_offset"] = days.utc_offset(noon, self._zone)
        if columns["deleted_at"]:
            columns["deleted_at"] = self._clamp_start(columns["deleted_at"], BIN_LIFETIME)
        is_believed = self._run is None or is_signed(parsed.row, self._digest_key)
        columns |= _parse_origin(parsed.row) if is_believed else _build_origin(self._run)
        entry = Entry(id=id_, owner_id=self._owner_id, **columns)
        new_entry = NewEntry(parsed=parsed, entry=entry, faults=list(parsed.faults))
        new_entry.versions = list(self._build_versions(entry, parsed.row, new_entry.faults))
        new_entry.replies = list(self._build_replies(entry, parsed.row, new_entry.faults))
        self._set_source(new_entry)
        return new_entry

    def _set_source(self, new_entry: NewEntry) -> None:
        """Compute the digest of an imported line under this person's key, if the line's text is known."""
        entry = new_entry.entry
        texts = {version.revision: version.text for version in new_entry.versions}
        texts[entry.revision] = entry.text
        if entry.source is not None and 1 in texts:
            entry.source = compute_line_digest(self._digest_key, entry.first_day or entry.day, texts[1])

    def _clamp_start(self, start: datetime, lifetime: timedelta) -> datetime:
        """Return the start of a row's lifetime, or now if the lifetime is over or begins in the future.

        Otherwise entries in the bin of an old export would be purged at the next unlock, before anybody saw
        them, and entries deleted at a future date would not be purged for a long time.
        """
        return start if self._now - lifetime < start <= self._now else self._now

    def _build_versions(self, entry: Entry, row: ExportRow, faults: list[str]) -> Iterator[Version]:
        seen: set[int] = set()
        for version in get_rows(row, "versions", faults):
            columns = parse_columns(version, VERSION_COLUMNS, faults, prefix=messages.FAULT_VERSION_PREFIX)
            revision = columns["revision"]
            # A version with the entry's revision or a later one would collide with that of the next edit.
            if revision is None or revision >= entry.revision or revision in seen:
                faults.append(messages.FAULT_VERSION_NUMBER)
                continue
            try:
                columns["text"] = parse_entry_text(version.get("text"), limit=settings.MAX_TEXT)
            except InvalidValue:
                faults.append(messages.FAULT_VERSION_TEXT)
                continue
            seen.add(revision)
            columns["written_at"] = columns["written_at"] or entry.created_at
            columns["replaced_at"] = self._clamp_start(columns["replaced_at"] or self._now, VERSION_LIFETIME)
            yield Version(owner_id=self._owner_id, entry_id=entry.id, **columns)

    def _build_replies(self, entry: Entry, row: ExportRow, faults: list[str]) -> Iterator[Reply]:
        for reply in get_rows(row, "replies", faults):
            columns = parse_columns(reply, REPLY_COLUMNS, faults, prefix=messages.FAULT_REPLY_PREFIX)
            try:
                columns["text"] = parse_text(reply.get("text"), limit=MAX_REPLY_LENGTH)
            except InvalidValue:
                faults.append(messages.FAULT_REPLY_TEXT)
                continue
            if columns["state"] in LIVE_STATES:
                # It was being written when the diary was exported, and no job continues it.
                columns |= {"state": JobState.INTERRUPTED.value, "reason": "crashed"}
            columns["created_at"] = columns["created_at"] or entry.created_at
            if self._run is not None:
                columns["read"] = withdraw_clean(columns["read"])
            yield Reply(owner_id=self._owner_id, entry_id=entry.id, **columns)

    def _replace_record_ids(self, new_entries: Sequence[NewEntry], resolved: Mapping[UUID, UUID]) -> None:
        """Replace ids of the file by ids of this diary in the prompt records of replies."""
        replies = [reply for new_entry in new_entries for reply in new_entry.replies if reply.read]
        new_ids = self.map_record_ids([reply.read for reply in replies])
        new_ids |= {str(file_id): str(id_) for file_id, id_ in resolved.items() if file_id != id_}
        for reply in replies if new_ids else ():
            reply.read = replace_ids(reply.read, new_ids)

    def map_record_ids(self, values: Sequence[ExportRow]) -> dict[str, str]:
        """Return the new ids of the entries to which prompt records of an imported file refer.

        The result is a dict from the id in the file to the id in this diary, without ids that stay the same.
        """
        records = [record for value in values if (record := PromptRecord.from_json(value))]
        file_ids = {id_ for record in records for id_, _ in record.left_out}
        file_ids = file_ids.union(*(record.source_ids for record in records))
        resolved = self.resolve_ids(list(file_ids)) if file_ids else {}
        return {str(file_id): str(id_) for file_id, (id_, _) in resolved.items() if file_id != id_}

    # --- Writing ---------------------------------------------------------------------------------------

    def _insert(self, new_entries: Sequence[NewEntry]) -> None:
        if not new_entries:
            return
        with write_transaction():
            Entry.objects.bulk_create([new.entry for new in new_entries])
            Version.objects.bulk_create([version for new in new_entries for version in new.versions])
            Reply.objects.bulk_create([reply for new in new_entries for reply in new.replies])
            for kind, import_values in self._importers.items():
                values = [
                    (new.entry, new.parsed.row[kind]) for new in new_entries if new.parsed.row.get(kind)
                ]
                faults = import_values(values) if values else {}
                for new in new_entries:
                    new.faults += faults.get(new.entry.id, ())


def _build_origin(run: Provenance | None) -> ExportRow:
    return {"origin": Origin.IMPORTED, "provenance": run.to_json() if run else None}


def _parse_origin(row: ExportRow) -> ExportRow:
    return {"origin": row["origin"], "provenance": Provenance.from_json(row.get("provenance")).to_json()}


def replace_ids(value: Any, new_ids: Mapping[str, str]) -> Any:
    """Return a JSON value in which each string or key that is in `new_ids` is replaced by its new id."""
    match value:
        case str():
            return new_ids.get(value, value)
        case list():
            return [replace_ids(one, new_ids) for one in value]
        case dict():
            return {new_ids.get(key, key): replace_ids(one, new_ids) for key, one in value.items()}
    return value
