"""Export of a whole diary, decrypted, for its owner or for a program of theirs.

Tables and columns are found by introspection, like those of a rotation, so that a new one is exported without
a change here. Left out are the tables of `accounts` (keys), and the tables of `search` with derived data or
searched words.

The keyring of a program has no key for signatures, so an import treats such an export like one of another
diary. Rows that a program may not read are left out and counted (`diary.transfer.programs.rules`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby, islice
from types import MappingProxyType
from typing import Any, Self
from uuid import UUID

from django.db import models

from accounts.models import Person
from diary import hooks
from diary.drafts.late_drafts import merge_late_drafts
from diary.entries.queries import get_digest_key
from diary.inbox.boxes import open_boxes
from diary.models import Draft, Entry
from diary.notes.workspace.files import FOLDER as WORKSPACE_FOLDER
from diary.notes.workspace.files import iter_workspace
from diary.origins.provenance import Provenance
from diary.transfer import export_format
from diary.transfer.export_format import ExportedText
from diary.transfer.export_targets import ExportTarget
from diary.transfer.programs.rules import ExportRules
from diary.transfer.signatures import DRAFT_LABEL, ENTRY_LABEL, SIGNATURE_KEY, sign_row
from llamora.crypto import EnvelopeError, Keyring, Realm, RealmKeyring, in_force
from llamora.database import NotWritten, read_snapshot
from llamora.fields import MacField, SealedField, SealedModel
from llamora.fields.fence import sealed_models
from llamora.fields.models import sealed_fields

BATCH_SIZE = 500
LEFT_OUT_APPS = {"accounts"}
# Settings are not imported, and those of facts hold a key.
LEFT_OUT_MODELS = {"search.vector", "search.recentsearch", "traces.factsettings"}
# The keys of an export are those it has always had; these choices once had tables that were not exported.
_UNEXPORTED_PREFERENCES = {
    "makes_openings",
    "reads_related_entries",
    "proposes_traces",
    "saves_recent_searches",
}
_PERSON_COLUMNS_LEFT_OUT = {"name_key", "is_staff", "is_active", *_UNEXPORTED_PREFERENCES}
Row = dict[str, Any]


@dataclass
class ExportReport:
    """Counts of exported rows, and for each damaged value its column, the id of its row, and the reason."""

    entries: int = 0
    days: int = 0
    rows: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    damaged: list[tuple[str, UUID, str]] = field(default_factory=list)
    workspace_files: int = 0
    # Of rows that a program may not read, by kind.
    left_out: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def build_counts(self) -> Row:
        """Return the counts with which an export ends."""
        return {"entries": self.entries, "damaged": len(self.damaged), "left_out": dict(self.left_out)}


@dataclass(frozen=True, kw_only=True)
class ExportSource:
    """A diary to export: its owner, the signing key or None, and rules if some rows may not be exported."""

    owner_id: UUID
    signing_key: bytes | None = field(default=None, repr=False)
    rules: ExportRules | None = None

    @classmethod
    def load(cls, keyring: RealmKeyring, *, reads_others: bool = True) -> Self:
        """Return the diary of a keyring's owner as an ExportSource; call inside `in_force(keyring)`."""
        return cls(
            owner_id=keyring.owner,
            signing_key=get_digest_key(keyring.owner) if isinstance(keyring, Keyring) else None,
            rules=None if reads_others else ExportRules(keyring.owner),
        )

    def allows(self, row: SealedModel, entry: Entry | None = None) -> bool:
        """Return whether a row may be exported."""
        return self.rules is None or self.rules.allows(row, entry)

    def sign(self, row: Row, *, label: bytes = ENTRY_LABEL) -> Row:
        """Return a row with its signature, if there is a signing key."""
        if self.signing_key is None:
            return row
        return row | {SIGNATURE_KEY: sign_row(row, self.signing_key, label=label)}


@dataclass
class ExportedEntry:
    """An entry as a row of the export's JSON, and as a text in the Markdown file of its day."""

    row: Row
    day: date
    text: ExportedText
    is_deleted: bool


def export_diary(
    *,
    person: Person,
    keyring: RealmKeyring,
    target: ExportTarget,
    now: datetime,
    progress: Callable[[int], None],
    reads_others: bool = True,
    report: ExportReport | None = None,
) -> ExportReport:
    """Write a whole diary to a target; `progress` is called with the number of entries written.

    Without `reads_others`, texts that are not their owner's own, or were generated from such texts, are left
    out. Unless the keyring is that of a program, late drafts are merged first and boxes of the Inbox opened,
    as at an unlock. If the database cannot be written, this is skipped, since a full disk must not prevent an
    export.

    Entries are read and decrypted twice, for the JSON and for the Markdown files: a zip is streamed one file
    after the other, and a diary does not fit into memory.
    """
    report = report or ExportReport()
    with in_force(keyring):
        if isinstance(keyring, Keyring):
            with suppress(NotWritten):
                open_boxes(keyring)
                merge_late_drafts(keyring)
        with read_snapshot():
            source = ExportSource.load(keyring, reads_others=reads_others)
            chunks = iter_json(person, source, report, now=now, progress=progress)
            target.write_file(export_format.JSON_NAME, chunks)
            # With a report of its own: the damage is met a second time, and was counted the first time.
            second = ExportReport()
            for day, markdown in iter_day_files(person, source, second):
                target.write_file(export_format.day_file_name(day), iter([markdown]))
            report.days = second.days
            if keyring.has_realm(Realm.NOTES):
                files = iter_workspace(keyring, signing_key=source.signing_key, reads_others=reads_others)
                for path, content in files:
                    target.write_bytes(f"{WORKSPACE_FOLDER}/{path}", content)
                    report.workspace_files += 1
    return report


def iter_json(
    person: Person,
    source: ExportSource,
    report: ExportReport,
    *,
    now: datetime,
    progress: Callable[[int], None],
) -> Iterator[str]:
    """Yield the JSON of an export in parts, of which the last contains the counts of the report."""
    yield export_format.render_json_head(_build_person_row(person), at=now)
    for number, entry in enumerate(iter_entries(source, report)):
        yield (",\n" if number else "\n") + export_format.encode_json(entry.row)
        report.entries += 1
        progress(report.entries)
    others = {_get_kind(model): _list_rows(model, source, report) for model in _list_other_models()}
    yield export_format.render_json_tail(others, counts=report.build_counts())


def iter_day_files(person: Person, source: ExportSource, report: ExportReport) -> Iterator[tuple[date, str]]:
    """Yield each day with entries and its Markdown; the report counts the days and the entries."""
    entries = (one for one in iter_entries(source, report) if not one.is_deleted)
    for day, entries_of_day in groupby(entries, key=lambda entry: entry.day):
        texts = [entry.text for entry in entries_of_day]
        report.entries += len(texts)
        report.days += 1
        yield day, export_format.render_day_markdown(day, texts, zone=person.time_zone)


def _build_person_row(person: Person) -> Row:
    columns = [c.attname for c in person._meta.concrete_fields if c.attname not in _PERSON_COLUMNS_LEFT_OUT]
    return {name: export_format.to_plain(getattr(person, name)) for name in columns}


# --- Tables --------------------------------------------------------------------------------------------


def _list_exported_models() -> list[type[SealedModel]]:
    return [
        model
        for model in sealed_models()
        if issubclass(model, SealedModel)
        and model._meta.app_label not in LEFT_OUT_APPS
        and model._meta.label_lower not in LEFT_OUT_MODELS
        and model is not Entry
        # A table of codes alone has no text; its app exports what it says (`diary.hooks`).
        and any(not isinstance(column, MacField) for column in sealed_fields(model))
    ]


def _belongs_to_entries(model: type[SealedModel]) -> bool:
    return any(
        column.name == "entry" and column.related_model is Entry and not column.null
        for column in model._meta.concrete_fields
    )


def _list_models_of_entries() -> list[type[SealedModel]]:
    return [model for model in _list_exported_models() if _belongs_to_entries(model)]


def _list_other_models() -> list[type[SealedModel]]:
    return [model for model in _list_exported_models() if not _belongs_to_entries(model)]


def _get_kind(model: type[SealedModel]) -> str:
    return str(model._meta.verbose_name_plural).replace(" ", "_")


# --- Rows ----------------------------------------------------------------------------------------------


def _filter_by_owner(model: type[SealedModel], owner_id: UUID) -> "models.QuerySet[Any]":
    manager: models.Manager[Any] = model._base_manager
    return manager.filter(owner_id=owner_id)


def iter_entries(
    source: ExportSource, report: ExportReport, *, day: date | None = None
) -> Iterator[ExportedEntry]:
    """Yield the entries of a diary, or of one day, with the rows and values exported with each."""
    found = _filter_by_owner(Entry, source.owner_id)
    if day is not None:
        found = found.filter(day=day)
    rows = found.order_by("day", "created_at", "id").iterator(chunk_size=BATCH_SIZE)
    while read := list(islice(rows, BATCH_SIZE)):
        batch = _select(source, read, report)
        if not batch:
            continue
        rows_by_kind = {
            _get_kind(model): _load_rows(model, batch, source, report) for model in _list_models_of_entries()
        }
        values_by_kind = hooks.export_values(batch)
        for entry in batch:
            row = _build_row(entry, report)
            for kind, rows_by_entry in rows_by_kind.items():
                row[kind] = [_build_row(each, report) for each in rows_by_entry[entry.id]]
                report.rows[kind] += len(row[kind])
            row |= {kind: values.get(entry.id, []) for kind, values in values_by_kind.items()}
            row = source.sign(row)
            yield ExportedEntry(
                row=row, day=entry.day, text=_build_text(entry, row), is_deleted=entry.deleted_at is not None
            )


def _load_rows(
    model: type[SealedModel], entries: list[Entry], source: ExportSource, report: ExportReport
) -> dict[UUID, list[Any]]:
    by_id = {entry.id: entry for entry in entries}
    rows = _filter_by_owner(model, source.owner_id).filter(entry_id__in=list(by_id)).order_by("id")
    rows_by_entry: dict[UUID, list[Any]] = defaultdict(list)
    for row in _select(source, rows, report, by_id=by_id):
        rows_by_entry[row.entry_id].append(row)
    return rows_by_entry


def _select(
    source: ExportSource,
    rows: Iterable[Any],
    report: ExportReport,
    *,
    by_id: Mapping[UUID, Entry] = MappingProxyType({}),
) -> list[Any]:
    """Return the rows that may be exported, and count the others."""
    selected = []
    for row in rows:
        if source.allows(row, by_id.get(row.entry_id) if by_id else None):
            selected.append(row)
        else:
            report.left_out[_get_kind(type(row))] += 1
    return selected


def _list_rows(model: type[SealedModel], source: ExportSource, report: ExportReport) -> list[Row]:
    instances = _filter_by_owner(model, source.owner_id).order_by("id").iterator(chunk_size=BATCH_SIZE)
    rows = [_build_row(instance, report) for instance in _select(source, instances, report)]
    label = DRAFT_LABEL if model is Draft else hooks.get_signature_label(model._meta.label_lower)
    if label is not None:
        rows = [source.sign(row, label=label) for row in rows]
    report.rows[_get_kind(model)] += len(rows)
    return rows


def _build_row(instance: SealedModel, report: ExportReport) -> Row:
    """Return the columns of a row by name; a damaged value is null and listed under `damaged`."""
    row: Row = {}
    damaged: dict[str, str] = {}
    for column in instance._meta.concrete_fields:
        if column.attname == "owner_id" or isinstance(column, MacField):
            continue
        try:
            row[column.attname] = export_format.to_plain(getattr(instance, column.attname))
        except EnvelopeError as error:
            row[column.attname], damaged[column.attname] = None, error.code
            label = column.label if isinstance(column, SealedField) else column.name
            report.damaged.append((label, instance.id, error.code))
    return {**row, "damaged": damaged} if damaged else row


def _build_text(entry: Entry, row: Row) -> ExportedText:
    replies = [
        ExportedText(id=UUID(reply["id"]), at=datetime.fromisoformat(reply["created_at"]), text=reply["text"])
        for reply in row.get("replies", [])
        if reply["text"] != ""
    ]
    return ExportedText(
        id=entry.id,
        at=entry.created_at,
        text=row["text"],
        replies=replies,
        utc_offset=entry.utc_offset,
        traces=row.get("traces", ()),
        # Its text is bound to it; where that does not open, somebody may have changed the column.
        origin=row["origin"] if row["text"] is not None else "",
        source=Provenance.from_json(row["provenance"]).source,
    )
