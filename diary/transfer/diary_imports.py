"""Import of an export into a diary, in batches, each in one transaction.

Entries come first, each with its versions, replies and other values; then the rows that belong to no entry:
openings, reply styles, drafts and the Inbox. A row is imported only if the diary has none in its place. A
file can be imported again, also after an interrupted import: existing rows are neither added again nor
changed.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import Final
from uuid import UUID

from django.conf import settings

from accounts.models import Person
from diary import hooks, messages
from diary.drafts.services import MAX_DRAFT_LENGTH
from diary.entries.queries import find_draft
from diary.entries.text_validation import InvalidText, clean_entry_text, has_visible_characters
from diary.generation.prompt_record import withdraw_clean
from diary.inbox.inbox_text import InboxText
from diary.models import CustomReplyKind, Draft, Entry, InboxItem, Opening, Origin
from diary.origins.provenance import Provenance
from diary.replies.reply_kinds import (
    MAX_CUSTOM_KINDS,
    MAX_INSTRUCTION_LENGTH,
    MAX_NAME_LENGTH,
    list_custom_kinds,
)
from diary.transfer.entry_imports import EntryImporter, NewEntry, replace_ids
from diary.transfer.export_reader import ExportOverview
from diary.transfer.line_imports import ImportReport
from diary.transfer.line_reader import RejectedLine
from diary.transfer.row_parser import (
    DRAFT_COLUMNS,
    OPENING_COLUMNS,
    REPLY_KIND_COLUMNS,
    ColumnParsers,
    ExportRow,
    InvalidValue,
    ParsedEntry,
    parse_begun_day,
    parse_columns,
    parse_text,
    parse_uuid,
)
from llamora.crypto import Keyring, in_force
from llamora.database import split_into_parts, write_transaction
from llamora.fields import new_id
from llamora.source_names import clean_source_name

_MAX_OPENING_LENGTH: Final = 10 * settings.MAX_TEXT
_MAX_FIRST_REVISION: Final = 2**30
ROW_KINDS: Final = ("openings", "ways_of_answering", "drafts", "inbox_items")
# Fewer than of JSON lines: an entry brings other rows along, and a save waits for the current batch.
ENTRY_BATCH_SIZE: Final = 100
Progress = Callable[[int], None]


@dataclass(kw_only=True)
class DiaryImportReport(ImportReport):
    """Report of an import: counts of entries and of other rows, and a sentence for each skipped value."""

    faults: list[str] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    is_broken: bool = False

    def set_overview(self, overview: ExportOverview) -> None:
        """Set the values known from the first reading of the file."""
        self.is_broken, self.skipped = overview.is_broken, overview.skipped

    def add_faults(self, entry: ParsedEntry, faults: Sequence[str]) -> None:
        """Add a sentence for each value of an entry that cannot be imported."""
        self.faults += [f"Entry {entry.number}: {fault}." for fault in faults]


def importable_row_kinds() -> set[str]:
    """Return the kinds of rows, besides entries, that an import reads."""
    return {*ROW_KINDS, *hooks.list_importable_kinds()}


def preview_import(
    overview: ExportOverview, entries: Iterable[ParsedEntry | RejectedLine]
) -> DiaryImportReport:
    """Return the report that an import would have, without importing anything.

    This needs no key.
    """
    report = DiaryImportReport()
    report.set_overview(overview)
    for entry in report.iter_accepted(entries):
        report.add_faults(entry, entry.faults)
    return report


def import_diary(
    *,
    person: Person,
    keyring: Keyring,
    overview: ExportOverview,
    entries: Iterable[ParsedEntry | RejectedLine],
    now: datetime,
    source: str = "",
    progress: Progress = lambda _: None,
) -> DiaryImportReport:
    """Import the new entries and rows; `progress` is called after each batch with the number of entries read.

    `source` is the name of the file or app that they are from.
    """
    report = DiaryImportReport()
    report.set_overview(overview)
    with in_force(keyring):
        importers = hooks.build_importers(person.id, overview.rows)
        run = Provenance.create_import(source=source, at=now)
        entry_importer = EntryImporter(person, importers=importers, now=now, run=run)
        accepted = report.iter_accepted(entries)
        while batch := list(islice(accepted, ENTRY_BATCH_SIZE)):
            for parsed in entry_importer.find_changed_since(batch):
                report.add_faults(parsed, [messages.FAULT_LATER_VERSION])
            new_entries = entry_importer.insert_new(batch)
            report.known += len(batch) - len(new_entries)
            for new_entry in new_entries:
                _count_entry(new_entry, report)
            progress(report.accepted + report.rejected_count)
        row_importer = RowImporter(
            person.id,
            entry_importer=entry_importer,
            now=now,
            faults=report.faults,
            rows=overview.rows,
        )
        for kind in row_importer.kinds:
            report.rows[kind] += row_importer.insert_new(kind, overview.rows.get(kind, ()))
    return report


def _count_entry(new_entry: NewEntry, report: DiaryImportReport) -> None:
    report.added += 1
    report.rows["replies"] += len(new_entry.replies)
    report.rows["versions"] += len(new_entry.versions)
    report.add_faults(new_entry.parsed, new_entry.faults)


# --- Rows of no entry ----------------------------------------------------------------------------------


class RowImporter:
    """Importer of the rows of a file that belong to no entry, such as openings and drafts.

    Values that cannot be imported are reported in `faults`. Needs the owner's keyring in force.
    """

    def __init__(
        self,
        owner_id: UUID,
        *,
        entry_importer: EntryImporter,
        now: datetime,
        faults: list[str],
        rows: Mapping[str, Sequence[ExportRow]] = MappingProxyType({}),
    ) -> None:
        self._owner_id, self._entry_importer, self._now, self._faults = owner_id, entry_importer, now, faults
        self._rows = rows
        self._groups: dict[tuple[str, str], dict[str, list[ExportRow]]] = {}
        inserters: tuple[Callable[[int, ExportRow], bool], ...] = (
            self._insert_opening,
            self._insert_reply_kind,
            self._insert_draft,
            self._insert_inbox_item,
        )
        self._inserters = dict(zip(ROW_KINDS, inserters, strict=True))
        self._inserters |= {kind: partial(insert, self) for kind, insert in hooks.get_row_inserters().items()}

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of rows, in the order in which they are imported."""
        return tuple(self._inserters)

    @property
    def owner_id(self) -> UUID:
        return self._owner_id

    @property
    def now(self) -> datetime:
        return self._now

    def insert_new(self, kind: str, rows: Sequence[ExportRow]) -> int:
        """Insert the rows of a kind that the diary does not have yet; return the number inserted."""
        insert, added = self._inserters[kind], 0
        for part in split_into_parts(enumerate(rows, start=1)):
            fault_count = len(self._faults)
            try:
                with write_transaction():
                    added += sum([insert(number, row) for number, row in part])
            except BaseException:
                del self._faults[fault_count:]
                raise
        return added

    def refuse(self, sentence: str) -> bool:
        """Report why a row cannot be imported, and return False."""
        self._faults.append(f"{sentence}.")
        return False

    def parse_columns(self, label: str, row: ExportRow, parsers: ColumnParsers) -> ExportRow:
        """Return the columns of a row, and report the values that cannot be imported."""
        faults: list[str] = []
        columns = parse_columns(row, parsers, faults)
        self._faults += [f"{label}: {fault}." for fault in faults]
        return columns

    def is_signed(self, row: ExportRow, label: bytes) -> bool:
        """Return whether this diary signed the row under this label, and the row is unchanged."""
        return self._entry_importer.is_signed(row, label)

    def group_rows(self, kind: str, *, by: str) -> dict[str, list[ExportRow]]:
        """Return the rows of `kind` in the imported file, grouped by the id in their column `by`.

        It is the id of the object to which they belong. The result is a dict from this id to a list of rows.
        """
        if (kind, by) not in self._groups:
            grouped = self._groups[kind, by] = {}
            for row in self._rows.get(kind, ()):
                if isinstance(row.get(by), str):
                    grouped.setdefault(row[by], []).append(row)
        return self._groups[kind, by]

    def resolve_entries(self, ids: Sequence[UUID]) -> dict[UUID, UUID]:
        """Return a dict from entry ids in the imported file to the ids of the same entries in this diary."""
        return {file_id: id_ for file_id, (id_, _) in self._entry_importer.resolve_ids(ids).items()}

    def derive_id(self, *parts: bytes) -> UUID:
        """Return an id derived from `parts` with a key of this diary, the same at every import."""
        return self._entry_importer.derive_id(*parts)

    def adopt_record(self, record: ExportRow | None) -> ExportRow | None:
        """Return a prompt record in which each entry's id in the file is replaced by its id in this diary.

        The record no longer says that its text was generated from trusted texts alone.
        """
        if not record:
            return record
        new_ids = self._entry_importer.map_record_ids([record])
        return dict(withdraw_clean(replace_ids(record, new_ids)))

    def _insert_opening(self, number: int, row: ExportRow) -> bool:
        label = messages.OPENING_LABEL.format(number=number)
        try:
            day = parse_begun_day(row.get("day"), now=self._now)
            text = parse_text(row.get("text"), limit=_MAX_OPENING_LENGTH)
        except InvalidValue:
            return self.refuse(messages.OPENING_INCOMPLETE.format(label=label))
        if Opening.objects.filter(owner_id=self._owner_id, day=day).exists():
            return False
        columns = self.parse_columns(label, row, OPENING_COLUMNS)
        columns["created_at"] = columns["created_at"] or self._now
        columns["read"] = self.adopt_record(columns["read"])
        Opening.objects.create(owner_id=self._owner_id, day=day, text=text, **columns)
        return True

    def _insert_reply_kind(self, number: int, row: ExportRow) -> bool:
        label = messages.STYLE_LABEL.format(number=number)
        words = row.get("words")
        try:
            name = clean_source_name(_parse_single_line(words, "name", limit=MAX_NAME_LENGTH))
            instruction = _parse_single_line(words, "wish", limit=MAX_INSTRUCTION_LENGTH)
        except InvalidValue:
            return self.refuse(messages.STYLE_INCOMPLETE.format(label=label))
        id_, is_known = self._resolve_reply_kind_id(row)
        existing = list_custom_kinds(self._owner_id)
        if not name:
            return self.refuse(messages.STYLE_INCOMPLETE.format(label=label))
        if is_known or any((kind.name, kind.instruction) == (name, instruction) for kind in existing):
            return False
        if len(existing) >= MAX_CUSTOM_KINDS:
            return self.refuse(messages.STYLE_TOO_MANY.format(label=label, limit=MAX_CUSTOM_KINDS))
        columns = self.parse_columns(label, row, REPLY_KIND_COLUMNS)
        words = {"name": name, "wish": instruction, "origin": Origin.IMPORTED.value}
        columns["created_at"] = columns["created_at"] or self._now
        CustomReplyKind.objects.create(id=id_, owner_id=self._owner_id, words=words, **columns)
        return True

    def _resolve_reply_kind_id(self, row: ExportRow) -> tuple[UUID, bool]:
        """Return the id for an imported reply style, and whether the person has a style with that id.

        It is the id in the file, or a new id if that one is invalid or belongs to another person.
        """
        try:
            id_ = parse_uuid(row.get("id"))
        except InvalidValue:
            return new_id(), False
        owner = CustomReplyKind.objects.filter(id=id_).values_list("owner_id", flat=True).first()
        return (id_ if owner in (None, self._owner_id) else new_id()), owner == self._owner_id

    def _insert_draft(self, number: int, row: ExportRow) -> bool:
        label = messages.DRAFT_LABEL.format(number=number)
        columns = self.parse_columns(label, row, DRAFT_COLUMNS)
        columns["updated_at"] = columns["updated_at"] or self._now
        try:
            text = parse_text(row.get("text"), limit=MAX_DRAFT_LENGTH)
            day, entry = self._get_draft_target(row, columns.pop("entry_id"))
        except InvalidValue:
            return self.refuse(messages.DRAFT_INCOMPLETE.format(label=label))
        existing = find_draft(self._owner_id, day=day, entry_id=entry.id if entry else None)
        if existing is not None:
            if existing.open_or("text", None) == text:
                return False
            return self.refuse(messages.DRAFT_IN_PLACE.format(label=label))
        if not text or self._is_superseded(day, entry, since=columns["updated_at"]):
            return False
        if not self._entry_importer.is_own_draft(row) and (entry is None or entry.is_trusted):
            return self._insert_foreign_draft(label, day, text)
        # Random: a page that still shows an earlier draft of this day must not match it by its revision.
        revision = secrets.randbelow(_MAX_FIRST_REVISION) + 1
        Draft.objects.create(
            owner_id=self._owner_id, day=day, entry=entry, text=text, revision=revision, **columns
        )
        return True

    def _insert_foreign_draft(self, label: str, day: date, text: str) -> bool:
        """Put a draft that this diary did not sign into the Inbox; a saved draft would count as own text."""
        try:
            sent = self._entry_importer.mark_imported(InboxText.create(text))
        except InvalidText:
            return self.refuse(messages.DRAFT_INCOMPLETE.format(label=label))
        id_ = self._entry_importer.derive_id(b"draft", day.isoformat().encode(), text.encode())
        if any(model.objects.filter(id=id_).exists() for model in (Entry, InboxItem)):
            return False
        InboxItem.objects.create(
            id=id_, owner_id=self._owner_id, day=day, origin=Origin.IMPORTED, body=sent.to_json()
        )
        return self.refuse(messages.DRAFT_IN_INBOX.format(label=label))

    def _insert_inbox_item(self, number: int, row: ExportRow) -> bool:
        """Insert an item of the Inbox, unless it was deleted or is in the diary already."""
        if row.get("deleted_at") is not None:
            return False
        sent = InboxText.from_json(row.get("body"))
        try:
            day, file_id = parse_begun_day(row.get("day"), now=self._now), parse_uuid(row.get("id"))
        except InvalidValue:
            sent = None
        if sent is None:
            return self.refuse(messages.INBOX_ITEM_INCOMPLETE.format(number=number))
        ids = (file_id, self._entry_importer.derive_id(file_id.bytes))
        # An item that was accepted is the entry of its id.
        owners = {
            id_: owner
            for model in (Entry, InboxItem)
            for id_, owner in model.objects.filter(id__in=ids).order_by().values_list("id", "owner_id")
        }
        if self._owner_id in owners.values():
            return False
        text = self._entry_importer.mark_imported(sent)
        InboxItem.objects.create(
            id=next((id_ for id_ in ids if id_ not in owners), None) or new_id(),
            owner_id=self._owner_id,
            day=day,
            origin=Origin.IMPORTED,
            body=text.to_json(),
        )
        return True

    def _get_draft_target(self, row: ExportRow, file_id: UUID | None) -> tuple[date, Entry | None]:
        """Return the day of a draft, and the entry if it is a draft of an edit; raise InvalidValue."""
        if file_id is None:
            if row.get("entry_id") is not None:
                raise InvalidValue
            return parse_begun_day(row.get("day"), now=self._now), None
        id_, _ = self._entry_importer.resolve_ids([file_id])[file_id]
        entry = Entry.objects.filter(owner_id=self._owner_id, id=id_).first()
        if entry is None:
            raise InvalidValue
        return entry.day, entry

    def _is_superseded(self, day: date, entry: Entry | None, *, since: datetime) -> bool:
        """Return whether the entry was edited, or without one, any entry of the day saved, after `since`."""
        if entry is not None:
            return bool(entry.edited_at and entry.edited_at > since)
        return Entry.objects.filter(owner_id=self._owner_id, day=day, created_at__gt=since).exists()


def _parse_single_line(words: object, key: str, *, limit: int) -> str:
    value = words.get(key) if isinstance(words, dict) else None
    if not isinstance(value, str):
        raise InvalidValue
    try:
        line = " ".join(clean_entry_text(value, limit=limit).split())
    except InvalidText:
        raise InvalidValue from None
    if not has_visible_characters(line):
        raise InvalidValue
    return line
