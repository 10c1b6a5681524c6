"""The entries of traces, newest first, a leaf at a time, each with its replies and its other traces."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Q

from diary.access import entry_of
from diary.models import Entry
from diary.replies.presenting import reply_views
from diary.shown import EntryView, entry_view
from traces.presenting import Chip, chips_of
from traces.tallies import entries_with

ON_A_LEAF: Final = 8


@dataclass(frozen=True, kw_only=True)
class Past:
    """One entry of the history."""

    entry: EntryView
    others: Sequence[Chip]


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A leaf of the history, and the entry that the next one begins after; None at the end."""

    past: Sequence[Past]
    after: UUID | None


def leaf(owner_id: UUID, trace_ids: Collection[UUID], *, zone: str, after: UUID | None = None) -> Leaf:
    """Return a leaf of the entries with all of these traces; raise NotThere for `after` an unknown entry."""
    entries = entries_with(owner_id, trace_ids).order_by("-day", "-created_at", "-id")
    if after is not None:
        entries = entries.filter(_before(entry_of(owner_id, after)))
    found = list(entries[: ON_A_LEAF + 1])
    shown = found[:ON_A_LEAF]
    chips, replies = chips_of(shown), reply_views(shown)
    past = [
        Past(
            entry=entry_view(entry, zone=zone, replies=replies.get(entry.id, ())),
            others=[chip for chip in chips[entry.id] if chip.id not in trace_ids],
        )
        for entry in shown
    ]
    return Leaf(past=past, after=shown[-1].id if len(found) > ON_A_LEAF else None)


def _before(entry: Entry) -> Q:
    """Return what is true of the entries that come after one, newest first."""
    same_day = Q(day=entry.day)
    same_moment = same_day & Q(created_at=entry.created_at, id__lt=entry.id)
    return Q(day__lt=entry.day) | same_day & Q(created_at__lt=entry.created_at) | same_moment
