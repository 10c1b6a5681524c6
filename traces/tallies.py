"""How often traces are kept, when, and beside which others: asked of the database, in counts and ids alone.

Entries that are deleted do not count, and come back with them. Nothing here is opened.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import CharField, Count, Max, Min
from django.db.models.functions import Cast

from diary.models import Entry
from diary.models import EntryQuerySet as Entries
from traces.models import KeptTrace


@dataclass(frozen=True, slots=True)
class Tally:
    """On how many entries a trace is kept, and from when to when they are."""

    count: int
    first: date
    last: date


def tallies(owner_id: UUID) -> dict[UUID, Tally]:
    """Return the tally of each trace of a person that is on an entry."""
    kept = KeptTrace.objects.of(owner_id).order_by().values_list("trace_id")
    rows = kept.annotate(Count("id"), Min("entry__day"), Max("entry__day"))
    return {trace_id: Tally(count, first, last) for trace_id, count, first, last in rows}


def entries_with(owner_id: UUID, trace_ids: Iterable[UUID]) -> Entries:
    """Return the entries of a person that have all of these traces."""
    found = Entry.objects.of(owner_id)
    for trace_id in trace_ids:
        found = found.filter(id__in=KeptTrace.objects.filter(trace_id=trace_id).values("entry_id"))
    return found


def by_day(owner_id: UUID, trace_ids: Sequence[UUID]) -> dict[date, int]:
    """Return how many entries of each day have all of these traces."""
    rows = entries_with(owner_id, trace_ids).order_by().values_list("day").annotate(Count("id"))
    return dict(rows)


def alongside(owner_id: UUID, trace_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return on how many of the entries with all of these traces each other one is kept, deleted ones too."""
    there = entries_with(owner_id, trace_ids).order_by().values("id")
    others = KeptTrace.objects.filter(entry_id__in=there).exclude(trace_id__in=trace_ids)
    return dict(others.order_by().values_list("trace_id").annotate(Count("id")))


def every_pair(owner_id: UUID) -> Iterator[tuple[str, UUID]]:
    """Yield each entry, in letters, with each of its traces, deleted ones too."""
    # In letters: to make an id of each of thousands takes four times as long as reading them.
    entry, trace = Cast("entry_id", CharField()), Cast("trace_id", CharField())
    there = set(Entry.objects.of(owner_id).order_by().values_list(Cast("id", CharField()), flat=True))
    kept = KeptTrace.objects.filter(owner_id=owner_id).order_by().values_list(entry, trace)
    ids: dict[str, UUID] = {}
    for entry_id, trace_id in kept:
        if entry_id in there:
            yield entry_id, ids.get(trace_id) or ids.setdefault(trace_id, UUID(trace_id))
