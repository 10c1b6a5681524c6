"""Which earlier entries a trace brings along to be read for an answer. Needs the owner's keyring in force."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from django.db.models import CharField, Count, Max, Min, Q
from django.db.models.functions import Cast
from django.urls import reverse

from diary.hooks import NamedLink, RecalledEntries
from diary.models import Entry
from diary.models import EntryQuerySet as Entries
from traces.models import EntryTrace, Trace

# MERGED traces.tallies: How often traces are kept, when, and beside which others: asked of the database, in
# counts and ids alone.
#
# Entries that are deleted do not count, and come back with them. Nothing here is opened.


@dataclass(frozen=True, slots=True)
class TraceCount:
    """On how many entries a trace is kept, and from when to when they are."""

    count: int
    first: date
    last: date


def count_by_trace(owner_id: UUID) -> dict[UUID, TraceCount]:
    """Return the tally of each trace of a person that is on an entry."""
    kept = EntryTrace.objects.for_owner(owner_id).order_by().values_list("trace_id")
    rows = kept.annotate(Count("id"), Min("entry__day"), Max("entry__day"))
    return {trace_id: TraceCount(count, first, last) for trace_id, count, first, last in rows}


def get_entries_with_traces(owner_id: UUID, trace_ids: Iterable[UUID]) -> Entries:
    """Return the entries of a person that have all of these traces."""
    found = Entry.objects.for_owner(owner_id)
    for trace_id in trace_ids:
        found = found.filter(id__in=EntryTrace.objects.filter(trace_id=trace_id).values("entry_id"))
    return found


def count_by_day(owner_id: UUID, trace_ids: Sequence[UUID]) -> dict[date, int]:
    """Return how many entries of each day have all of these traces."""
    rows = get_entries_with_traces(owner_id, trace_ids).order_by().values_list("day").annotate(Count("id"))
    return dict(rows)


def count_related(owner_id: UUID, trace_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return on how many of the entries with all of these traces each other one is kept, deleted ones too."""
    there = get_entries_with_traces(owner_id, trace_ids).order_by().values("id")
    others = EntryTrace.objects.filter(entry_id__in=there).exclude(trace_id__in=trace_ids)
    return dict(others.order_by().values_list("trace_id").annotate(Count("id")))


def iter_entry_trace_pairs(owner_id: UUID) -> Iterator[tuple[str, UUID]]:
    """Yield each entry, in letters, with each of its traces, deleted ones too."""
    # In letters: to make an id of each of thousands takes four times as long as reading them.
    entry, trace = Cast("entry_id", CharField()), Cast("trace_id", CharField())
    there = set(Entry.objects.for_owner(owner_id).order_by().values_list(Cast("id", CharField()), flat=True))
    kept = EntryTrace.objects.filter(owner_id=owner_id).order_by().values_list(entry, trace)
    ids: dict[str, UUID] = {}
    for entry_id, trace_id in kept:
        if entry_id in there:
            yield entry_id, ids.get(trace_id) or ids.setdefault(trace_id, UUID(trace_id))


# The latest of them; what is too much for the window is left out again, oldest first.
MAX_CONTEXT_ENTRIES: Final = 24


def find_context_entries(entry: Entry, by: Collection[UUID]) -> RecalledEntries:
    """Return entries of days before an entry's: under traces chosen this once, or that are always read.

    Whether the entry bears them makes no difference: the person has chosen.
    """
    wanted = Trace.objects.for_owner(entry.owner_id).filter(Q(id__in=list(by)) | Q(is_read_always=True))
    traces = list(wanted.values_list("id", flat=True))
    if not traces:
        return RecalledEntries()
    kept = EntryTrace.objects.for_owner(entry.owner_id).filter(trace_id__in=traces, entry__day__lt=entry.day)
    found = Entry.objects.for_owner(entry.owner_id).filter(id__in=kept.order_by().values("entry_id"))
    return RecalledEntries(
        entries=list(found.order_by("-day", "-created_at", "-id")[:MAX_CONTEXT_ENTRIES]), by=traces
    )


def list_trace_links(owner_id: UUID, ids: Collection[UUID]) -> Sequence[NamedLink]:
    """Return the traces among some ids, by name, as far as they are still there."""
    traces = Trace.objects.for_owner(owner_id).filter(id__in=list(ids)).defer("summary")
    return [
        NamedLink(name=get_display_name(trace), address=reverse("trace", args=[trace.id])) for trace in traces
    ]


UNREADABLE_NAME = "a trace that does not open"


def get_display_name(trace: Trace) -> str:
    """Return what a trace is called; a damaged one must not take its whole day with it."""
    return trace.open_or("name", UNREADABLE_NAME)


def load_names(owner_id: UUID) -> dict[UUID, str]:
    """Open the names of all traces of a person; needs their keyring in force."""
    return {
        trace.id: get_display_name(trace)
        for trace in Trace.objects.for_owner(owner_id).only("id", "owner_id", "name")
    }
