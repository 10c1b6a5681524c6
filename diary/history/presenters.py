"""Template data of earlier versions of entries, and of deleted entries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.utils.safestring import SafeString

from diary import days
from diary.entries.presenters import render_text
from diary.entries.services import BIN_LIFETIME
from diary.history.services import VERSION_LIFETIME
from diary.models import Entry, Version
from llamora.clock.services import compute_end, get_cutoff
from llamora.database import FIRST_MOMENT


@dataclass(frozen=True, kw_only=True)
class VersionView:
    """Template data of an earlier version: when it was written, and the day it will be purged."""

    id: UUID
    written: datetime
    until: date
    html: SafeString


@dataclass(frozen=True, kw_only=True)
class DeletedEntryView:
    """Template data of a deleted entry: when it was deleted, and the day it will be purged."""

    id: UUID
    day: date
    time: str
    deleted: datetime
    until: date
    html: SafeString


def _to_naive_local(moment: datetime, zone: str) -> datetime:
    """Return a moment in a time zone without tzinfo, since templates would convert an aware one."""
    return days.to_local_time(moment, zone).replace(tzinfo=None)


def build_version_views(entry: Entry, *, zone: str) -> list[VersionView]:
    """Return the earlier versions of an entry that are not due for purging, the latest first."""
    before = get_cutoff(VERSION_LIFETIME) or FIRST_MOMENT
    versions = Version.objects.filter(entry_id=entry.id, replaced_at__gte=before)
    return [
        VersionView(
            id=version.id,
            written=_to_naive_local(version.written_at, zone),
            until=days.to_local_time(compute_end(version.replaced_at, VERSION_LIFETIME), zone).date(),
            html=render_text(version, origin=entry.origin),
        )
        for version in versions.order_by("-revision")
    ]


def build_deleted_entry_views(entries: Sequence[Entry], *, zone: str) -> list[DeletedEntryView]:
    """Decrypt and render entries in the bin."""
    return [
        DeletedEntryView(
            id=entry.id,
            day=entry.day,
            time=days.to_original_time(entry.created_at, offset=entry.utc_offset, zone_name=zone).strftime(
                "%H:%M"
            ),
            deleted=_to_naive_local(entry.deleted_at, zone),
            until=days.to_local_time(compute_end(entry.deleted_at, BIN_LIFETIME), zone).date(),
            html=render_text(entry, origin=entry.origin),
        )
        for entry in entries
        if entry.deleted_at
    ]
