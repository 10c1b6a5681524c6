"""Takes a diary back from the JSON that an export wrote, in batches, each one transaction.

Entries come first, each with what belongs to it; then what belongs to none. A file can be imported again,
also after it was broken off: what is there already adds nothing, and stays as it has become since.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from accounts.models import Person
from diary import hooks
from diary.drafts.services import MAX_DRAFT_LENGTH
from diary.entries import queries as entries_queries
from diary.entries.text_validation import InvalidText, clean_entry_text, has_visible_characters
from diary.models import CustomReplyKind, Draft, Entry, Opening
from diary.replies.reply_kinds import MAX_CUSTOM_KINDS, MAX_NAME_LENGTH, MAX_WISH_LENGTH, list_custom_kinds
from diary.transfer.line_imports import ImportReport
from diary.transfer.line_reader import RejectedLine
from diary.transfer.restore_entries import EntryImporter, NewEntry, replace_ids
from diary.transfer.restore_files import ExportOverview
from diary.transfer.restore_rows import (
    DRAFT_COLUMNS,
    OPENING_COLUMNS,
    REPLY_KIND_COLUMNS,
    ExportRow,
    InvalidValue,
    ParsedEntry,
    parse_begun_day,
    parse_columns,
    parse_text,
    parse_uuid,
)
from llamora.crypto import Keyring, in_force
from llamora.database import write_transaction
from llamora.fields import new_id

# MERGED diary.services.own_others: What comes back from an export beside its entries: openings, ways of
# answering, and what was being written.
#
# Each comes in where there is nothing in its place. Needs the owner's keyring in force.

ROW_BATCH_SIZE: Final = 200
_MAX_OPENING_LENGTH: Final = 10 * settings.MAX_TEXT
_MAX_FIRST_REVISION: Final = 2**30
ROW_KINDS: Final = ("openings", "ways_of_answering", "drafts")


class RowImporter:
    """Where the rows of one file that belong to no entry come in; what cannot be taken goes to `faults`."""

    def __init__(self, owner_id: UUID, *, desk: EntryImporter, now: datetime, faults: list[str]) -> None:
        self._owner_id, self._entry_importer, self._now, self._faults = owner_id, desk, now, faults
        bringing: tuple[Callable[[int, ExportRow], bool], ...] = (
            self._insert_opening,
            self._insert_reply_kind,
            self._insert_draft,
        )
        self._inserters = dict(zip(ROW_KINDS, bringing, strict=True))

    def insert_new(self, kind: str, rows: Sequence[ExportRow]) -> int:
        """Write the rows of a kind that have a place here, and return how many."""
        bring, added, numbered = self._inserters[kind], 0, iter(enumerate(rows, start=1))
        while batch := list(islice(numbered, ROW_BATCH_SIZE)):
            faults = len(self._faults)
            try:
                with write_transaction():
                    added += sum([bring(number, row) for number, row in batch])
            except BaseException:
                del self._faults[faults:]
                raise
        return added

    def _refuse(self, what: str) -> bool:
        self._faults.append(f"{what}.")
        return False

    def _parse_columns(self, what: str, row: ExportRow, columns: Any) -> ExportRow:
        faults: list[str] = []
        found = parse_columns(row, columns, faults)
        self._faults += [f"{what}: {fault}." for fault in faults]
        return found

    def _insert_opening(self, number: int, row: ExportRow) -> bool:
        what = f"Opening {number}"
        try:
            day = parse_begun_day(row.get("day"), now=self._now)
            text = parse_text(row.get("text"), limit=_MAX_OPENING_LENGTH)
        except InvalidValue:
            return self._refuse(f"{what} has no day, or no text, that can be taken")
        if Opening.objects.filter(owner_id=self._owner_id, day=day).exists():
            return False
        columns = self._parse_columns(what, row, OPENING_COLUMNS)
        columns["created_at"] = columns["created_at"] or self._now
        if columns["read"]:
            columns["read"] = replace_ids(
                columns["read"], self._entry_importer.map_record_ids([columns["read"]])
            )
        Opening.objects.create(owner_id=self._owner_id, day=day, text=text, **columns)
        return True

    def _insert_reply_kind(self, number: int, row: ExportRow) -> bool:
        what = f"Way of answering {number}"
        said = row.get("words")
        try:
            name, wish = (
                _parse_single_line(said, "name", MAX_NAME_LENGTH),
                _parse_single_line(said, "wish", MAX_WISH_LENGTH),
            )
        except InvalidValue:
            return self._refuse(f"{what} has no name, or no wish, that can be taken")
        id_, is_known = self._resolve_reply_kind_id(row)
        there = list_custom_kinds(self._owner_id)
        if is_known or any((way.name, way.wish) == (name, wish) for way in there):
            return False
        if len(there) >= MAX_CUSTOM_KINDS:
            return self._refuse(f"{what} is left out: there are {MAX_CUSTOM_KINDS} already")
        columns = self._parse_columns(what, row, REPLY_KIND_COLUMNS)
        columns["created_at"] = columns["created_at"] or self._now
        words_of = {"name": name, "wish": wish}
        CustomReplyKind.objects.create(id=id_, owner_id=self._owner_id, words=words_of, **columns)
        return True

    def _resolve_reply_kind_id(self, row: ExportRow) -> tuple[UUID, bool]:
        """Return the id a way has here, its own where it is free, and whether it is there already."""
        try:
            id_ = parse_uuid(row.get("id"))
        except InvalidValue:
            return new_id(), False
        owner = CustomReplyKind.objects.filter(id=id_).values_list("owner_id", flat=True).first()
        return (id_ if owner in (None, self._owner_id) else new_id()), owner == self._owner_id

    def _insert_draft(self, number: int, row: ExportRow) -> bool:
        what = f"Draft {number}"
        columns = self._parse_columns(what, row, DRAFT_COLUMNS)
        columns["updated_at"] = columns["updated_at"] or self._now
        try:
            text = parse_text(row.get("text"), limit=MAX_DRAFT_LENGTH)
            day, entry = self._get_draft_target(row, columns.pop("entry_id"))
        except InvalidValue:
            return self._refuse(f"{what} has no text, or belongs to no day or entry that is here")
        there = entries_queries.find_draft(self._owner_id, day=day, entry_id=entry.id if entry else None)
        if there is not None:
            left_out = f"{what} is left out: something else is being written in its place"
            return False if there.open_or("text", None) == text else self._refuse(left_out)
        if not text or self._is_superseded(day, entry, since=columns["updated_at"]):
            return False
        # Drawn anew: a page that still shows an earlier draft of this place must not match it by its number.
        revision = secrets.randbelow(_MAX_FIRST_REVISION) + 1
        Draft.objects.create(
            owner_id=self._owner_id, day=day, entry=entry, text=text, revision=revision, **columns
        )
        return True

    def _get_draft_target(self, row: ExportRow, own: UUID | None) -> tuple[date, Entry | None]:
        """Return the day a draft is on, and the entry it changes if it changes one; raise Unfit."""
        if own is None:
            if row.get("entry_id") is not None:
                raise InvalidValue
            return parse_begun_day(row.get("day"), now=self._now), None
        id_, _ = self._entry_importer.resolve_ids([own])[own]
        entry = Entry.objects.filter(owner_id=self._owner_id, id=id_).first()
        if entry is None:
            raise InvalidValue
        return entry.day, entry

    def _is_superseded(self, day: date, entry: Entry | None, *, since: datetime) -> bool:
        """Return whether something was kept in a draft's place after it: it is not being written any more."""
        if entry is not None:
            return bool(entry.edited_at and entry.edited_at > since)
        return Entry.objects.filter(owner_id=self._owner_id, day=day, created_at__gt=since).exists()


def _parse_single_line(said: object, key: str, limit: int) -> str:
    value = said.get(key) if isinstance(said, dict) else None
    if not isinstance(value, str):
        raise InvalidValue
    try:
        line = " ".join(clean_entry_text(value, limit=limit).split())
    except InvalidText:
        raise InvalidValue from None
    if not has_visible_characters(line):
        raise InvalidValue
    return line


# Fewer than of bare lines: an entry brings others along, and who saves beside an import waits for one batch.
ENTRY_BATCH_SIZE = 100
CHANGED_LATER = "it was changed after what is here, and what is here stays"
Progress = Callable[[int], None]


@dataclass(kw_only=True)
class DiaryRestoreReport(ImportReport):
    """The same, with what was left out by itself, in sentences, and how many other rows came in, by kind."""

    faults: list[str] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    is_broken: bool = False

    def set_overview(self, overview: ExportOverview) -> None:
        """Say what is known of the file beforehand."""
        self.is_broken, self.skipped = overview.is_broken, overview.skipped

    def add_faults(self, given: ParsedEntry, faults: Sequence[str]) -> None:
        """Name what of an entry cannot be taken."""
        self.faults += [f"Entry {given.number}: {fault}." for fault in faults]


def importable_row_kinds() -> set[str]:
    """Return the kinds of rows of no entry that an import looks at."""
    return {*ROW_KINDS, *hooks.importable_kinds()}


def preview_restore(
    overview: ExportOverview, entries: Iterable[ParsedEntry | RejectedLine]
) -> DiaryRestoreReport:
    """Return what an import would find; writes nothing and needs no key."""
    report = DiaryRestoreReport()
    report.set_overview(overview)
    for one in report.iter_accepted(entries):
        report.add_faults(one, one.faults)
    return report


def restore_export(
    *,
    person: Person,
    keyring: Keyring,
    overview: ExportOverview,
    entries: Iterable[ParsedEntry | RejectedLine],
    now: datetime,
    progress: Progress = lambda _: None,
) -> DiaryRestoreReport:
    """Import what is not there yet; `progress` is told after each batch how many entries were seen."""
    report = DiaryRestoreReport()
    report.set_overview(overview)
    with in_force(keyring):
        takes = hooks.build_importers(person.id, overview.rows)
        desk = EntryImporter(person, takes=takes, now=now)
        good = report.iter_accepted(entries)
        while batch := list(islice(good, ENTRY_BATCH_SIZE)):
            for one in desk.find_changed_since(batch):
                report.add_faults(one, [CHANGED_LATER])
            fresh = desk.insert_new(batch)
            report.known += len(batch) - len(fresh)
            for brought in fresh:
                _count_entry(brought, report)
            progress(report.accepted + len(report.rejected))
        others = RowImporter(person.id, desk=desk, now=now, faults=report.faults)
        for kind in ROW_KINDS:
            report.rows[kind] += others.insert_new(kind, overview.rows.get(kind, ()))
    return report


def _count_entry(one: NewEntry, report: DiaryRestoreReport) -> None:
    report.added += 1
    report.rows["replies"] += len(one.replies)
    report.rows["versions"] += len(one.versions)
    report.add_faults(one.parsed, one.faults)
