"""The entries of traces, newest first, a leaf at a time, each with its replies and its other traces."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.urls import reverse

from diary.entries.presenters import EntryView, build_entry_view
from diary.entries.queries import get_entry
from diary.models import Entry
from diary.replies.presenters import list_reply_views
from traces.models import EntryTrace
from traces.queries import get_entries_with_traces

ENTRIES_PER_PAGE: Final = 8


@dataclass(frozen=True, slots=True)
class TraceLink:
    """Another trace of an entry, and where it is."""

    name: str = field(repr=False)
    address: str


@dataclass(frozen=True, kw_only=True)
class EntryWithTraces:
    """One entry of the history."""

    entry: EntryView
    others: Sequence[TraceLink]


@dataclass(frozen=True, kw_only=True)
class EntriesPage:
    """A leaf of the history, and the entry that the next one begins after; None at the end."""

    entries: Sequence[EntryWithTraces]
    next_after: UUID | None


def load_page(
    owner_id: UUID,
    trace_ids: Collection[UUID],
    *,
    called: Mapping[UUID, str],
    zone: str,
    after: UUID | None = None,
) -> EntriesPage:
    """Return a leaf of the entries with all of these traces; raise NotThere for `after` an unknown entry."""
    entries = get_entries_with_traces(owner_id, trace_ids).order_by("-day", "-created_at", "-id")
    if after is not None:
        entries = entries.filter(_build_after_filter(get_entry(owner_id, after)))
    found = list(entries[: ENTRIES_PER_PAGE + 1])
    shown = found[:ENTRIES_PER_PAGE]
    others = _find_other_traces(
        shown, called={id_: name for id_, name in called.items() if id_ not in trace_ids}
    )
    replies = list_reply_views(shown)
    past = [
        EntryWithTraces(
            entry=build_entry_view(entry, zone=zone, replies=replies.get(entry.id, ())),
            others=others.get(entry.id, ()),
        )
        for entry in shown
    ]
    return EntriesPage(entries=past, next_after=shown[-1].id if len(found) > ENTRIES_PER_PAGE else None)


def _find_other_traces(
    entries: Sequence[Entry], *, called: Mapping[UUID, str]
) -> dict[UUID, list[TraceLink]]:
    """Return by entry its traces among those called so, in the order they were kept."""
    known: dict[UUID, TraceLink] = {}
    found: dict[UUID, list[TraceLink]] = {}
    kept = EntryTrace.objects.filter(entry__in=[entry.id for entry in entries])
    for entry_id, trace_id in kept.values_list("entry_id", "trace_id"):
        if trace_id not in called:
            continue
        if trace_id not in known:
            known[trace_id] = TraceLink(called[trace_id], reverse("trace", args=[trace_id]))
        found.setdefault(entry_id, []).append(known[trace_id])
    return found


def _build_after_filter(entry: Entry) -> Q:
    """Return what is true of the entries that come after one, newest first."""
    same_day = Q(day=entry.day)
    same_moment = same_day & Q(created_at=entry.created_at, id__lt=entry.id)
    return Q(day__lt=entry.day) | same_day & Q(created_at__lt=entry.created_at) | same_moment
