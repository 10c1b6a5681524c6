"""The entries of traces, newest first, page by page, each with its replies and its other traces."""

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
    """Another trace of an entry, and the URL of its page."""

    name: str = field(repr=False)
    address: str


@dataclass(frozen=True, kw_only=True)
class EntryWithTraces:
    """An entry on the page of a trace, with its other traces."""

    entry: EntryView
    others: Sequence[TraceLink]


@dataclass(frozen=True, kw_only=True)
class EntriesPage:
    """A page of entries; `next_after` is the id of the last one, or None on the last page."""

    entries: Sequence[EntryWithTraces]
    next_after: UUID | None


def load_page(
    owner_id: UUID,
    trace_ids: Collection[UUID],
    *,
    names: Mapping[UUID, str],
    zone: str,
    after: UUID | None = None,
) -> EntriesPage:
    """Return a page of the entries with all of these traces; raise ObjectNotFound if `after` is unknown."""
    entries = get_entries_with_traces(owner_id, trace_ids).order_by("-day", "-created_at", "-id")
    if after is not None:
        entries = entries.filter(_build_after_filter(get_entry(owner_id, after)))
    # One more than a page holds, to know whether there is a next one.
    rows = list(entries[: ENTRIES_PER_PAGE + 1])
    shown = rows[:ENTRIES_PER_PAGE]
    other_names = {id_: name for id_, name in names.items() if id_ not in trace_ids}
    others = _find_other_traces(shown, names=other_names)
    replies = list_reply_views(shown)
    items = [
        EntryWithTraces(
            entry=build_entry_view(entry, zone=zone, replies=replies.get(entry.id, ())),
            others=others.get(entry.id, ()),
        )
        for entry in shown
    ]
    return EntriesPage(entries=items, next_after=shown[-1].id if len(rows) > ENTRIES_PER_PAGE else None)


def _find_other_traces(entries: Sequence[Entry], *, names: Mapping[UUID, str]) -> dict[UUID, list[TraceLink]]:
    """Return the traces of each entry that are in `names`, in the order they were added."""
    links: dict[UUID, TraceLink] = {}
    links_by_entry: dict[UUID, list[TraceLink]] = {}
    entry_traces = EntryTrace.objects.filter(entry__in=[entry.id for entry in entries])
    for entry_id, trace_id in entry_traces.values_list("entry_id", "trace_id"):
        if trace_id not in names:
            continue
        if trace_id not in links:
            links[trace_id] = TraceLink(names[trace_id], reverse("trace", args=[trace_id]))
        links_by_entry.setdefault(entry_id, []).append(links[trace_id])
    return links_by_entry


def _build_after_filter(entry: Entry) -> Q:
    """Return the filter for the entries after this one in the order newest first."""
    same_day = Q(day=entry.day)
    same_moment = same_day & Q(created_at=entry.created_at, id__lt=entry.id)
    return Q(day__lt=entry.day) | same_day & Q(created_at__lt=entry.created_at) | same_moment
