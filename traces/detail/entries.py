"""The entries of traces, newest first, in pages, each with its replies and its other traces."""

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
from traces.queries import load_latest_entries

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
    """A page of entries; `next_after` is the id of its last entry, or None on the last page."""

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
    where = None if after is None else _build_after_filter(get_entry(owner_id, after))
    # One more than a page holds, to know whether there is a next one.
    rows = load_latest_entries(owner_id, trace_ids, limit=ENTRIES_PER_PAGE + 1, where=where)
    shown = [entry for entry, _ in rows[:ENTRIES_PER_PAGE]]
    other_names = {id_: name for id_, name in names.items() if id_ not in trace_ids}
    others = _link_other_traces(rows[:ENTRIES_PER_PAGE], names=other_names)
    replies = list_reply_views(shown)
    items = [
        EntryWithTraces(
            entry=build_entry_view(entry, zone=zone, replies=replies.get(entry.id, ())),
            others=others.get(entry.id, ()),
        )
        for entry in shown
    ]
    return EntriesPage(entries=items, next_after=shown[-1].id if len(rows) > ENTRIES_PER_PAGE else None)


def _link_other_traces(
    entries: Sequence[tuple[Entry, Sequence[UUID]]], *, names: Mapping[UUID, str]
) -> dict[UUID, list[TraceLink]]:
    """Return links to the traces of each entry that are in `names`, in the order they were added."""
    ids = {id_ for _, trace_ids in entries for id_ in trace_ids if id_ in names}
    links = {id_: TraceLink(names[id_], reverse("trace", args=[id_])) for id_ in ids}
    return {entry.id: [links[id_] for id_ in trace_ids if id_ in links] for entry, trace_ids in entries}


def _build_after_filter(entry: Entry) -> Q:
    """Return the filter for the entries after this one in the order newest first."""
    same_day = Q(day=entry.day)
    same_moment = same_day & Q(created_at=entry.created_at, id__lt=entry.id)
    return Q(day__lt=entry.day) | same_day & Q(created_at__lt=entry.created_at) | same_moment
