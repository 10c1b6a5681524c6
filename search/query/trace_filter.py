"""Look-up of entries by the trace names in a query; finds none while the person's vault is locked."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from llamora.crypto import VaultLocked
from traces.accepted import list_accepted
from traces.models import EntryTrace, EntryTraceQuerySet, Trace

MAX_NAMED: Final = 200


def find_entries_with_traces(owner: UUID, names: Iterable[str]) -> frozenset[UUID]:
    """Return the entries with all of these traces; none if a name is no trace."""
    found: frozenset[UUID] | None = None
    for name in names:
        these = frozenset(entry_id for entry_id, _ in list_accepted(_filter_by_name(owner, name).order_by()))
        found = these if found is None else found & these
    return found or frozenset()


def find_entries_by_trace_name(owner: UUID, text: str) -> list[UUID]:
    """Return the entries with the trace whose name is the whole query, latest day first."""
    if not text.strip():
        return []
    entry_traces = _filter_by_name(owner, text).order_by("-entry__day", "-entry__created_at", "-entry")
    return [entry_id for entry_id, _ in list_accepted(entry_traces[:MAX_NAMED])]


def _filter_by_name(owner: UUID, name: str) -> EntryTraceQuerySet:
    try:
        rows = Trace.objects.for_owner(owner).with_names([name]).order_by().defer("summary")
        # A name does not open if somebody moved its index to another trace.
        traces = [trace.id for trace in rows if trace.open_or("name", None) is not None]
    except VaultLocked:
        traces = []
    # Hardly a query is a trace's name: the second question is asked only where the first has an answer.
    entry_traces = EntryTrace.objects.for_owner(owner)
    return entry_traces.filter(trace_id__in=traces) if traces else entry_traces.none()
