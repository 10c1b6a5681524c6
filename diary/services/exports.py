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
from diary import beside, exporting
from diary.exporting import Said
from diary.models import Entry
from diary.services.late_drafts import fold_late_drafts
from diary.sinks import Sink
from llamora.crypto import EnvelopeError, Keyring, in_force
from llamora.database import NotWritten
from llamora.database.reading import reading
from llamora.fields import SealedField, SealedModel
from llamora.fields.fence import sealed_models

BATCH = 500
LEFT_OUT_APPS = {"accounts", "search"}
_NOT_CHOSEN = {"name_key", "is_staff", "is_active"}
Row = dict[str, Any]


@dataclass
class Exported:
    """What came out, in counts, and what did not open: column, row and reason."""

    entries: int = 0
    days: int = 0
    rows: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    damaged: list[tuple[str, UUID, str]] = field(default_factory=list)


@dataclass
class _Shelf:
    """One entry as it goes into the JSON, and as it stands on its day."""

    row: Row
    day: date
    said: Said
    is_deleted: bool


def export_diary(
    *, person: Person, keyring: Keyring, sink: Sink, now: datetime, progress: Callable[[int], None]
) -> Exported:
    """Write everything of one person into a sink; `progress` is told how many entries have been read.

    Drafts that came while they were locked are folded in first, as at an unlock; where nothing can be
    written they come out sealed, since a full disk must not keep a diary from leaving.
    """
    exported = Exported()
    with in_force(keyring):
        with suppress(NotWritten):
            fold_late_drafts(keyring)
        with reading():
            sink.file(exporting.JSON_NAME, _json(person, exported, now=now, progress=progress))
            zone = person.time_zone
            # The second time round the same damage is met again; it has been counted.
            again = _entries(person.id, Exported())
            for day, found in groupby((e for e in again if not e.is_deleted), key=lambda entry: entry.day):
                said = [entry.said for entry in found]
                sink.file(exporting.file_of(day), iter([exporting.markdown(day, said, zone=zone)]))
                exported.days += 1
    return exported


def _json(
    person: Person, exported: Exported, *, now: datetime, progress: Callable[[int], None]
) -> Iterator[str]:
    yield exporting.head(_person(person), at=now)
    for number, entry in enumerate(_entries(person.id, exported)):
        yield (",\n" if number else "\n") + exporting.as_json(entry.row)
        exported.entries += 1
        progress(exported.entries)
    yield exporting.tail({_kind(model): _rows(model, person.id, exported) for model in _loose()})


def _person(person: Person) -> Row:
    fields = (f for f in person._meta.concrete_fields if f.attname not in _NOT_CHOSEN)
    return {f.attname: exporting.plain(getattr(person, f.attname)) for f in fields}


# --- Which tables ----------------------------------------------------------------------------------


def _ours() -> list[type[SealedModel]]:
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


def _below() -> list[type[SealedModel]]:
    return [model for model in _ours() if _belongs_to_entries(model)]


def _loose() -> list[type[SealedModel]]:
    return [model for model in _ours() if not _belongs_to_entries(model)]


def _kind(model: type[SealedModel]) -> str:
    return str(model._meta.verbose_name_plural).replace(" ", "_")


# --- Rows ----------------------------------------------------------------------------------------------


def _of(model: type[SealedModel], owner: UUID) -> "models.QuerySet[Any]":
    manager: models.Manager[Any] = model._base_manager
    return manager.filter(owner_id=owner)


def _entries(owner: UUID, exported: Exported) -> Iterator[_Shelf]:
    """Yield a person's entries with what belongs to them, some hundred at a time."""
    rows = _of(Entry, owner).order_by("day", "created_at", "id").iterator(chunk_size=BATCH)
    while batch := list(islice(rows, BATCH)):
        below = {_kind(model): _below_of(model, batch) for model in _below()}
        borne = beside.exported_with(batch)
        for entry in batch:
            row = _row(entry, exported)
            for kind, found in below.items():
                row[kind] = [_row(each, exported) for each in found[entry.id]]
                exported.rows[kind] += len(row[kind])
            row |= {kind: found.get(entry.id, []) for kind, found in borne.items()}
            yield _Shelf(
                row=row, day=entry.day, said=_said(entry, row), is_deleted=entry.deleted_at is not None
            )


def _below_of(model: type[SealedModel], entries: list[Entry]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = defaultdict(list)
    for each in _of(model, entries[0].owner_id).filter(entry_id__in=[e.id for e in entries]).order_by("id"):
        found[each.entry_id].append(each)
    return found


def _rows(model: type[SealedModel], owner: UUID, exported: Exported) -> list[Row]:
    rows = [_row(each, exported) for each in _of(model, owner).order_by("id").iterator(chunk_size=BATCH)]
    exported.rows[_kind(model)] += len(rows)
    return rows


def _row(instance: SealedModel, exported: Exported) -> Row:
    """Return a row's columns by their names; a value that does not open is null, and named."""
    row: Row = {}
    damaged: dict[str, str] = {}
    for column in instance._meta.concrete_fields:
        if column.attname == "owner_id":
            continue
        try:
            row[column.attname] = exporting.plain(getattr(instance, column.attname))
        except EnvelopeError as error:
            row[column.attname], damaged[column.attname] = None, error.code
            label = column.label if isinstance(column, SealedField) else column.name
            exported.damaged.append((label, instance.id, error.code))
    return {**row, "damaged": damaged} if damaged else row


def _said(entry: Entry, row: Row) -> Said:
    replies = [
        Said(id=UUID(reply["id"]), at=datetime.fromisoformat(reply["created_at"]), text=reply["text"])
        for reply in row.get("replies", [])
        if reply["text"] != ""
    ]
    offset = getattr(entry, "utc_offset", None)
    return Said(
        id=entry.id,
        at=entry.created_at,
        text=row["text"],
        replies=replies,
        utc_offset=offset,
        traces=row.get("traces", ()),
    )
