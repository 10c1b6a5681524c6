"""Template data of a person's imports, and of the entries of an import."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.utils.safestring import SafeString

from diary import days
from diary.entries.presenters import render_text
from diary.models import Entry
from diary.origins.imports import EARLIER, ImportRun, list_imports
from diary.origins.provenance import find_undo_end


@dataclass(frozen=True, kw_only=True)
class ImportView:
    """Template data of an import; `undo_until` is the last day on which its claim can be undone.

    `is_claimed` is set while its owner's claim is not yet applied to all of its entries.
    """

    id: UUID
    source: str = field(repr=False)
    day: date | None
    entries: int
    own: int
    undo_until: date | None
    is_claimed: bool

    @property
    def is_earlier(self) -> bool:
        """Whether this is the group of all entries that were imported before imports had ids."""
        return self.id == EARLIER


@dataclass(frozen=True, kw_only=True)
class ImportedEntryView:
    """Template data of an entry of an import."""

    id: UUID
    day: date
    is_own: bool
    is_deleted: bool
    html: SafeString


def list_import_views(owner_id: UUID, *, zone: str, claimed: Collection[UUID]) -> list[ImportView]:
    """Return the template data of a person's imports, the latest first.

    `claimed` are the ids of the imports whose claim is in progress.
    """
    return [build_import_view(run, zone=zone, is_claimed=run.id in claimed) for run in list_imports(owner_id)]


def build_import_view(run: ImportRun, *, zone: str, is_claimed: bool) -> ImportView:
    """Return the template data of an import."""
    undo_end = find_undo_end(run.claimed_at)
    return ImportView(
        id=run.id,
        source=run.source,
        day=days.to_local_time(run.imported_at, zone).date() if run.imported_at else None,
        entries=len(run.entry_ids),
        own=run.own,
        undo_until=days.to_local_time(undo_end, zone).date() if undo_end else None,
        is_claimed=is_claimed,
    )


def build_imported_entry_views(ids: Sequence[UUID]) -> list[ImportedEntryView]:
    """Decrypt and render entries of an import."""
    rows = {entry.id: entry for entry in Entry.objects.filter(id__in=ids)}
    return [
        ImportedEntryView(
            id=row.id,
            day=row.day,
            is_own=row.is_trusted,
            is_deleted=row.deleted_at is not None,
            html=render_text(row, origin=row.origin),
        )
        for entry_id in ids
        if (row := rows.get(entry_id))
    ]
