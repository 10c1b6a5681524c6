"""Calls that list the traces (people, places and themes on entries), and return the entries of one trace."""

from datetime import date
from typing import Final
from uuid import UUID

import msgspec
from django.db.models import Count, Max, Min

from diary.errors import ObjectNotFound
from diary.models import TRUSTED_ORIGINS
from llamora.api.call import Call
from llamora.api.endpoints import endpoint
from llamora.api.resources.pages import USUAL_LIMIT, Limit, Offset
from traces.accepted import list_accepted
from traces.models import EntryTrace, EntryTraceQuerySet, Trace

_TAG: Final = "Traces"
_PATH: Final = "/api/v1/traces"


class TraceListQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Query parameters that select a page of the list of traces."""

    limit: Limit = USUAL_LIMIT
    offset: Offset = 0


class TraceBody(msgspec.Struct, kw_only=True):
    """A trace: its name (null if damaged on the disk) and the number of its entries.

    `first_day` and `last_day` are the days of its first and last entry, or null without entries.
    """

    id: UUID
    name: str | None
    entry_count: int
    first_day: date | None
    last_day: date | None


class TraceList(msgspec.Struct, kw_only=True):
    """A page of traces, oldest first; `next_offset` is null on the last page."""

    traces: list[TraceBody]
    next_offset: int | None


class EntryReference(msgspec.Struct, kw_only=True):
    """An entry, by its id and its day."""

    id: UUID
    day: date


class TraceEntries(msgspec.Struct, kw_only=True):
    """A trace with a page of its entries, latest day first; `next_offset` is null on the last page."""

    trace: TraceBody
    entries: list[EntryReference]
    next_offset: int | None


@endpoint("GET", _PATH, scopes=("diary:read",), tag=_TAG)
def list_traces(call: Call, *, query: TraceListQuery) -> TraceList:
    """List traces with their names.

    Entries that the owner did not write are not counted, unless the token may read them too. A trace that has
    no other entries is then left out.
    """
    traces = Trace.objects.for_owner(call.owner).order_by("created_at", "id").defer("summary")
    if not call.terms.reads_untrusted:
        traces = traces.filter(id__in=_select_readable(call).values("trace_id"))
    rows = list(traces[query.offset : query.offset + query.limit + 1])
    shown = rows[: query.limit]
    counts = _count_entries(call, shown)
    return TraceList(
        traces=[_build_body(trace, counts) for trace in shown],
        next_offset=query.offset + query.limit if len(rows) > len(shown) else None,
    )


@endpoint("GET", _PATH + "/{id}", scopes=("diary:read",), tag=_TAG)
def get_trace(call: Call, *, id: UUID, query: TraceListQuery) -> TraceEntries:  # noqa: A002 - its name there
    """Return a trace with the ids and days of its entries."""
    trace = Trace.objects.for_owner(call.owner).filter(id=id).defer("summary").first()
    on_entries = _select_readable(call).filter(trace_id=id)
    if trace is None or not (call.terms.reads_untrusted or on_entries.exists()):
        raise ObjectNotFound
    ordered = on_entries.order_by("-entry__day", "-entry__created_at", "-entry")
    part = ordered[query.offset : query.offset + query.limit]
    days = dict(part.values_list("entry_id", "entry__day"))
    # A row whose code is wrong was written without a key.
    entry_ids = [accepted.entry_id for accepted in list_accepted(part)]
    return TraceEntries(
        trace=_build_body(trace, _count_entries(call, [trace])),
        entries=[
            EntryReference(id=entry_id, day=days[entry_id]) for entry_id in entry_ids if entry_id in days
        ],
        next_offset=query.offset + query.limit if ordered[query.offset + query.limit :].exists() else None,
    )


_Counts = dict[UUID, tuple[int, date, date]]


def _select_readable(call: Call) -> EntryTraceQuerySet:
    """Return the traces on entries that a program may read."""
    on_entries = EntryTrace.objects.for_owner(call.owner).order_by()
    if call.terms.reads_untrusted:
        return on_entries
    return on_entries.filter(entry__origin__in=TRUSTED_ORIGINS)


def _count_entries(call: Call, traces: list[Trace]) -> _Counts:
    rows = _select_readable(call).filter(trace_id__in=[trace.id for trace in traces]).values_list("trace_id")
    counted = rows.annotate(Count("id"), Min("entry__day"), Max("entry__day"))
    return {trace_id: (count, first, last) for trace_id, count, first, last in counted}


def _build_body(trace: Trace, counts: _Counts) -> TraceBody:
    count, first, last = counts.get(trace.id, (0, None, None))
    name = trace.open_or("name", None)
    return TraceBody(id=trace.id, name=name, entry_count=count, first_day=first, last_day=last)
