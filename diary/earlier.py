"""What was replaced or deleted and is still kept, as its pages show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.utils.safestring import SafeString

from diary import days
from diary.models import Entry, Version
from diary.services.entries import IN_BIN
from diary.services.versions import KEPT
from diary.shown import text_html


@dataclass(frozen=True, kw_only=True)
class VersionView:
    """An earlier version, ready for its template: when it was written and until when it is kept."""

    id: UUID
    written: datetime
    until: date
    html: SafeString


@dataclass(frozen=True, kw_only=True)
class DeletedView:
    """A deleted entry, ready for its template: when it was deleted and until when it is kept."""

    id: UUID
    day: date
    time: str
    deleted: datetime
    until: date
    html: SafeString


def _shown(moment: datetime, zone: str) -> datetime:
    """Return a moment as the person's clock shows it, naive: templates would put it into another zone."""
    return days.local(moment, zone).replace(tzinfo=None)


def version_views(entry: Entry, *, zone: str, now: datetime) -> list[VersionView]:
    """Return what an entry said before, the latest first."""
    kept = Version.objects.filter(entry_id=entry.id, replaced_at__gte=now - KEPT)
    return [
        VersionView(
            id=version.id,
            written=_shown(version.written_at, zone),
            until=days.local(version.replaced_at + KEPT, zone).date(),
            html=text_html(version),
        )
        for version in kept.order_by("-revision")
    ]


def deleted_views(entries: Sequence[Entry], *, zone: str) -> list[DeletedView]:
    """Open and render entries of the bin."""
    return [
        DeletedView(
            id=entry.id,
            day=entry.day,
            time=days.seen(entry.created_at, offset=entry.utc_offset, zone_name=zone).strftime("%H:%M"),
            deleted=_shown(entry.deleted_at, zone),
            until=days.local(entry.deleted_at + IN_BIN, zone).date(),
            html=text_html(entry),
        )
        for entry in entries
        if entry.deleted_at
    ]
