"""The entries of traces, newest first, a leaf at a time, each with its replies and its other traces."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.urls import reverse

from diary.access import entry_of
from diary.models import Entry
from diary.replies.presenting import reply_views
from diary.shown import EntryView, entry_view
from traces.models import KeptTrace
from traces.tallies import entries_with

ON_A_LEAF: Final = 8


@dataclass(frozen=True, slots=True)
class Other:
    """Another trace of an entry, and where it is."""

    name: str = field(repr=False)
    address: str


@dataclass(frozen=True, kw_only=True)
class Past:
    """One entry of the history."""

    entry: EntryView
    others: Sequence[Other]


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A leaf of the history, and the entry that the next one begins after; None at the end."""

    past: Sequence[Past]
    after: UUID | None


def leaf(
    owner_id: UUID,
    trace_ids: Collection[UUID],
    *,
    called: Mapping[UUID, str],
    zone: str,
    after: UUID | None = None,
) -> Leaf:
    """Return a leaf of the entries with all of these traces; raise NotThere for `after` an unknown entry."""
    entries = entries_with(owner_id, trace_ids).order_by("-day", "-created_at", "-id")
    if after is not None:
        entries = entries.filter(_before(entry_of(owner_id, after)))
    found = list(entries[: ON_A_LEAF + 1])
    shown = found[:ON_A_LEAF]
    others = _others(shown, called={id_: name for id_, name in called.items() if id_ not in trace_ids})
    replies = reply_views(shown)
    past = [
        Past(
            entry=entry_view(entry, zone=zone, replies=replies.get(entry.id, ())),
            others=others.get(entry.id, ()),
        )
        for entry in shown
    ]
    return Leaf(past=past, after=shown[-1].id if len(found) > ON_A_LEAF else None)


def _others(entries: Sequence[Entry], *, called: Mapping[UUID, str]) -> dict[UUID, list[Other]]:
    """Return by entry its traces among those called so, in the order they were kept."""
    known: dict[UUID, Other] = {}
    found: dict[UUID, list[Other]] = {}
    kept = KeptTrace.objects.filter(entry__in=[entry.id for entry in entries])
    for entry_id, trace_id in kept.values_list("entry_id", "trace_id"):
        if trace_id not in called:
            continue
        if trace_id not in known:
            known[trace_id] = Other(called[trace_id], reverse("trace", args=[trace_id]))
        found.setdefault(entry_id, []).append(known[trace_id])
    return found


def _before(entry: Entry) -> Q:
    """Return what is true of the entries that come after one, newest first."""
    same_day = Q(day=entry.day)
    same_moment = same_day & Q(created_at=entry.created_at, id__lt=entry.id)
    return Q(day__lt=entry.day) | same_day & Q(created_at__lt=entry.created_at) | same_moment
