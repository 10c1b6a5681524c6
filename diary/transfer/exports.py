"""A diary written out in the clear, for its owner: everything, whatever table it is in.

Tables are found by introspection, as a rotation finds them, so that none is forgotten. Left out are those of
`accounts` (keys) and `search` (made from the texts, and made again from them).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby, islice
from typing import Any
from uuid import UUID

from django.db import models

from accounts.models import Person
from diary import hooks
from diary.drafts.late_drafts import merge_late_drafts
from diary.models import Entry
from diary.transfer import export_format
from diary.transfer.export_format import ExportedText
from diary.transfer.export_targets import ExportTarget
from llamora.crypto import EnvelopeError, Keyring, in_force
from llamora.database import NotWritten, read_snapshot
from llamora.fields import SealedField, SealedModel
from llamora.fields.fence import sealed_models

BATCH_SIZE = 500
LEFT_OUT_APPS = {"accounts", "search"}
_PERSON_COLUMNS_LEFT_OUT = {"name_key", "is_staff", "is_active"}
Row = dict[str, Any]


@dataclass
class ExportReport:
    """What came out, in counts, and what did not open: column, row and reason."""

    entries: int = 0
    days: int = 0
    rows: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    damaged: list[tuple[str, UUID, str]] = field(default_factory=list)


@dataclass
class _ExportedEntry:
    """One entry as it goes into the JSON, and as it stands on its day."""

    row: Row
    day: date
    text: ExportedText
    is_deleted: bool


def export_diary(
    *, person: Person, keyring: Keyring, sink: ExportTarget, now: datetime, progress: Callable[[int], None]
) -> ExportReport:
    """Write everything of one person into a sink; `progress` is told how many entries have been read.

    Drafts that came while they were locked are folded in first, as at an unlock; where nothing can be
    written they come out sealed, since a full disk must not keep a diary from leaving.
    """
    exported = ExportReport()
    with in_force(keyring):
        with suppress(NotWritten):
            merge_late_drafts(keyring)
        with read_snapshot():
            sink.write_file(export_format.JSON_NAME, _iter_json(person, exported, now=now, progress=progress))
            zone = person.time_zone
            # The second time round the same damage is met again; it has been counted.
            again = _iter_entries(person.id, ExportReport())
            for day, found in groupby((e for e in again if not e.is_deleted), key=lambda entry: entry.day):
                said = [entry.text for entry in found]
                sink.write_file(
                    export_format.day_file_name(day),
                    iter([export_format.render_day_markdown(day, said, zone=zone)]),
                )
                exported.days += 1
    return exported


def _iter_json(
    person: Person, exported: ExportReport, *, now: datetime, progress: Callable[[int], None]
) -> Iterator[str]:
    yield export_format.render_json_head(_build_person_row(person), at=now)
    for number, entry in enumerate(_iter_entries(person.id, exported)):
        yield (",\n" if number else "\n") + export_format.encode_json(entry.row)
        exported.entries += 1
        progress(exported.entries)
    yield export_format.render_json_tail(
        {_kind_name(model): _list_rows(model, person.id, exported) for model in _other_models()}
    )


def _build_person_row(person: Person) -> Row:
    fields = (f for f in person._meta.concrete_fields if f.attname not in _PERSON_COLUMNS_LEFT_OUT)
    return {f.attname: export_format.to_plain(getattr(person, f.attname)) for f in fields}


# --- Which tables ----------------------------------------------------------------------------------


def _exported_models() -> list[type[SealedModel]]:
    return [
        model
        for model in sealed_models()
        if issubclass(model, SealedModel)
        and model._meta.app_label not in LEFT_OUT_APPS
        and model is not Entry
    ]


def _belongs_to_entries(model: type[SealedModel]) -> bool:
    return any(
        f.name == "entry" and f.related_model is Entry and not f.null for f in model._meta.concrete_fields
    )


def _models_under_entries() -> list[type[SealedModel]]:
    return [model for model in _exported_models() if _belongs_to_entries(model)]


def _other_models() -> list[type[SealedModel]]:
    return [model for model in _exported_models() if not _belongs_to_entries(model)]


def _kind_name(model: type[SealedModel]) -> str:
    return str(model._meta.verbose_name_plural).replace(" ", "_")


# --- Rows ----------------------------------------------------------------------------------------------


def _owned_rows(model: type[SealedModel], owner: UUID) -> "models.QuerySet[Any]":
    manager: models.Manager[Any] = model._base_manager
    return manager.filter(owner_id=owner)


def _iter_entries(owner: UUID, exported: ExportReport) -> Iterator[_ExportedEntry]:
    """Yield a person's entries with what belongs to them, some hundred at a time."""
    rows = _owned_rows(Entry, owner).order_by("day", "created_at", "id").iterator(chunk_size=BATCH_SIZE)
    while batch := list(islice(rows, BATCH_SIZE)):
        below = {_kind_name(model): _rows_under_entries(model, batch) for model in _models_under_entries()}
        borne = hooks.export_values(batch)
        for entry in batch:
            row = _build_row(entry, exported)
            for kind, found in below.items():
                row[kind] = [_build_row(each, exported) for each in found[entry.id]]
                exported.rows[kind] += len(row[kind])
            row |= {kind: found.get(entry.id, []) for kind, found in borne.items()}
            yield _ExportedEntry(
                row=row, day=entry.day, text=_build_text(entry, row), is_deleted=entry.deleted_at is not None
            )


def _rows_under_entries(model: type[SealedModel], entries: list[Entry]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = defaultdict(list)
    for each in (
        _owned_rows(model, entries[0].owner_id).filter(entry_id__in=[e.id for e in entries]).order_by("id")
    ):
        found[each.entry_id].append(each)
    return found


def _list_rows(model: type[SealedModel], owner: UUID, exported: ExportReport) -> list[Row]:
    rows = [
        _build_row(each, exported)
        for each in _owned_rows(model, owner).order_by("id").iterator(chunk_size=BATCH_SIZE)
    ]
    exported.rows[_kind_name(model)] += len(rows)
    return rows


def _build_row(instance: SealedModel, exported: ExportReport) -> Row:
    """Return a row's columns by their names; a value that does not open is null, and named."""
    row: Row = {}
    damaged: dict[str, str] = {}
    for column in instance._meta.concrete_fields:
        if column.attname == "owner_id":
            continue
        try:
            row[column.attname] = export_format.to_plain(getattr(instance, column.attname))
        except EnvelopeError as error:
            row[column.attname], damaged[column.attname] = None, error.code
            label = column.label if isinstance(column, SealedField) else column.name
            exported.damaged.append((label, instance.id, error.code))
    return {**row, "damaged": damaged} if damaged else row


def _build_text(entry: Entry, row: Row) -> ExportedText:
    replies = [
        ExportedText(id=UUID(reply["id"]), at=datetime.fromisoformat(reply["created_at"]), text=reply["text"])
        for reply in row.get("replies", [])
        if reply["text"] != ""
    ]
    offset = getattr(entry, "utc_offset", None)
    return ExportedText(
        id=entry.id,
        at=entry.created_at,
        text=row["text"],
        replies=replies,
        utc_offset=offset,
        traces=row.get("traces", ()),
    )
