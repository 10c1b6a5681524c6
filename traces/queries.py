"""Queries of traces: names, counts by trace and day, shared entries, and entries for a prompt.

Counts and ids are read without decrypting anything. Entries that are shown or go into a prompt are found by
traces with a valid MAC (`traces.accepted`). Deleted entries do not count until they are restored.
Functions that return names need the owner's keyring in force.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.db.models import CharField, Count, Max, Min, Q
from django.db.models.functions import Cast
from django.urls import reverse

from diary.hooks import ExportRule, NamedLink, RecalledEntries
from diary.models import Entry, EntryQuerySet
from llamora.database.sqlite.reading import to_id
from traces.accepted import load_entries
from traces.messages import UNREADABLE_NAME
from traces.models import EntryTrace, Trace

# The latest ones; if they are too much for the window of the model, the oldest are left out again.
MAX_CONTEXT_ENTRIES: Final = 24


@dataclass(frozen=True, slots=True)
class TraceCount:
    """The number of entries of a trace, and the days of the first and last entry."""

    count: int
    first: date
    last: date


def count_by_trace(owner_id: UUID) -> dict[UUID, TraceCount]:
    """Return the number of entries of each trace, and the days of the first and the last of these entries.

    The counts are returned by trace id. A trace on no entry is left out.
    """
    entry_traces = EntryTrace.objects.for_owner(owner_id).order_by().values_list("trace_id")
    rows = entry_traces.annotate(Count("id"), Min("entry__day"), Max("entry__day"))
    return {trace_id: TraceCount(count, first, last) for trace_id, count, first, last in rows}


def get_entries_with_traces(owner_id: UUID, trace_ids: Iterable[UUID]) -> EntryQuerySet:
    """Return those entries of a person that have all of these traces.

    The MACs of the `EntryTrace` rows are not checked.
    """
    entries = Entry.objects.for_owner(owner_id)
    for trace_id in trace_ids:
        entries = entries.filter(id__in=EntryTrace.objects.filter(trace_id=trace_id).values("entry_id"))
    return entries


def load_latest_entries(
    owner_id: UUID, trace_ids: Collection[UUID], *, limit: int, where: Q | None = None
) -> list[tuple[Entry, Sequence[UUID]]]:
    """Return the latest entries with all of these traces, each with the ids of its traces."""
    entries = get_entries_with_traces(owner_id, trace_ids).filter(where or Q())
    ordered = entries.order_by("-day", "-created_at", "-id")
    return load_entries(ordered, limit=limit, is_wanted=set(trace_ids).issubset)


def count_by_day(owner_id: UUID, trace_ids: Sequence[UUID]) -> dict[date, int]:
    """Return, by day, the number of entries with all of these traces."""
    rows = get_entries_with_traces(owner_id, trace_ids).order_by().values_list("day").annotate(Count("id"))
    return dict(rows)


def count_related(owner_id: UUID, trace_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return, by id of each further trace, the number of entries with this trace and all `trace_ids`.

    Deleted traces are included.
    """
    entries = get_entries_with_traces(owner_id, trace_ids).order_by().values("id")
    others = EntryTrace.objects.filter(entry_id__in=entries).exclude(trace_id__in=trace_ids)
    return dict(others.order_by().values_list("trace_id").annotate(Count("id")))


def iter_entry_trace_pairs(owner_id: UUID) -> Iterator[tuple[str, UUID]]:
    """Yield each (entry id as text, trace id) pair, including deleted traces."""
    # As strings: building a UUID of each of thousands takes four times as long as reading them.
    entry, trace = Cast("entry_id", CharField()), Cast("trace_id", CharField())
    entries = Entry.objects.for_owner(owner_id).order_by()
    existing = set(entries.values_list(Cast("id", CharField()), flat=True))
    rows = EntryTrace.objects.filter(owner_id=owner_id).order_by().values_list(entry, trace)
    ids: dict[str, UUID] = {}
    for entry_id, trace_id in rows:
        if entry_id in existing:
            yield entry_id, ids.get(trace_id) or ids.setdefault(trace_id, to_id(trace_id))


def find_context_entries(entry: Entry, by: Collection[UUID]) -> RecalledEntries:
    """Return entries of earlier days for the prompt about `entry`. The person chose the traces `by`.

    Each returned entry has one of the traces whose ids are in `by`, or a trace with `is_read_always`, whose
    entries every prompt may include. `entry` itself need not have any of them.
    """
    wanted = Trace.objects.for_owner(entry.owner_id).filter(Q(id__in=list(by)) | Q(is_read_always=True))
    # Opened as a check: a name is bound to `is_read_always`, and does not open if that was set without a key.
    traces = [trace.id for trace in wanted.defer("summary") if trace.open_or("name", None) is not None]
    if not traces:
        return RecalledEntries()
    rows = EntryTrace.objects.for_owner(entry.owner_id).filter(trace_id__in=traces, entry__day__lt=entry.day)
    entries = Entry.objects.for_owner(entry.owner_id).filter(id__in=rows.order_by().values("entry_id"))
    found = load_entries(
        entries.order_by("-day", "-created_at", "-id"),
        limit=MAX_CONTEXT_ENTRIES,
        is_wanted=lambda ids: not ids.isdisjoint(traces),
    )
    return RecalledEntries(entries=[entry for entry, _ in found], by=traces)


def list_trace_links(owner_id: UUID, ids: Collection[UUID]) -> Sequence[NamedLink]:
    """Return links to the traces with these ids; ids that no longer exist are left out."""
    traces = Trace.objects.for_owner(owner_id).filter(id__in=list(ids)).defer("summary")
    return [
        NamedLink(name=get_display_name(trace), address=reverse("trace", args=[trace.id])) for trace in traces
    ]


def get_display_name(trace: Trace) -> str:
    """Return the name of a trace, or a substitute if the name is damaged."""
    return trace.open_or("name", UNREADABLE_NAME)


def load_names(owner_id: UUID) -> dict[UUID, str]:
    """Return the names of all traces of a person by trace id, with a substitute for damaged names."""
    return {
        trace.id: get_display_name(trace)
        for trace in Trace.objects.for_owner(owner_id).only("id", "owner_id", "name")
    }


def build_trace_rule(owner_id: UUID, own_ids: frozenset[UUID]) -> ExportRule:
    """Return the function that decides whether a program may export a trace.

    This is for programs that may read only the owner's own texts. Allowed are traces on a trusted entry,
    unless they have a summary that may quote other entries.
    """
    own, mixed = _split_traces(owner_id, own_ids)

    def is_own(row: Trace, entry: Entry | None) -> bool:
        del entry
        if row.id not in own:
            return False
        summary: dict[str, Any] | None = row.open_or("summary", {})
        return summary is None or (summary.get("clean") is True and row.id not in mixed)

    return is_own


def build_change_rule(owner_id: UUID, own_ids: frozenset[UUID]) -> ExportRule:
    """Return the function that decides whether a program may export a change of a trace.

    Allowed are the changes of traces on a trusted entry.
    """
    own, _ = _split_traces(owner_id, own_ids)
    return lambda row, _: row.trace_id in own


def build_proposal_rule(owner_id: UUID, own_ids: frozenset[UUID]) -> ExportRule:
    """Return the function that decides whether a program may export a suggested trace.

    Allowed are the suggested traces of trusted entries.
    """
    del owner_id
    return lambda row, _: row.entry_id in own_ids


def _split_traces(owner_id: UUID, own_ids: frozenset[UUID]) -> tuple[set[UUID], set[UUID]]:
    """Return the traces that are on trusted entries, and those on other entries; some may be in both."""
    rows = EntryTrace.objects.filter(owner_id=owner_id).order_by().values_list("trace_id", "entry_id")
    own: set[UUID] = set()
    mixed: set[UUID] = set()
    for trace_id, entry_id in rows.iterator():
        (own if entry_id in own_ids else mixed).add(trace_id)
    return own, mixed
