"""All traces of a person as their page lists them: filtered by what was typed, sorted as wished."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from traces.names import MAX_NAME_LENGTH, get_identity
from traces.queries import TraceCount, count_by_trace, load_names


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRow:
    """One trace in the list."""

    id: UUID
    name: str = field(repr=False)
    count: int
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class TraceSort:
    """One order of the list, by the word in its address; `by` gives what a row is put in order by."""

    code: str
    label: str
    sort_key: Callable[[TraceRow], Any]


SORTS: Final[Mapping[str, TraceSort]] = {
    sort.code: sort
    for sort in (
        TraceSort("count", "Most kept", lambda row: (-row.count, get_identity(row.name))),
        TraceSort(
            "recent", "Latest", lambda row: (-row.last.toordinal(), -row.count, get_identity(row.name))
        ),
        TraceSort("first", "First seen", lambda row: (row.first, -row.count, get_identity(row.name))),
        TraceSort("name", "By name", lambda row: get_identity(row.name)),
    )
}
DEFAULT_SORT: Final = "count"


def list_rows(owner_id: UUID) -> list[TraceRow]:
    """Return each trace of a person that is on an entry, in no order."""
    called, kept = load_names(owner_id), count_by_trace(owner_id)
    return [
        _build_row(trace_id, name, kept[trace_id]) for trace_id, name in called.items() if trace_id in kept
    ]


def _build_row(trace_id: UUID, name: str, tally: TraceCount) -> TraceRow:
    return TraceRow(id=trace_id, name=name, count=tally.count, first=tally.first, last=tally.last)


def filter_rows(rows: Iterable[TraceRow], *, typed: str, sort: str) -> Sequence[TraceRow]:
    """Return the rows whose name holds what was typed, however it is written, in an order."""
    wanted = get_identity(typed[: 2 * MAX_NAME_LENGTH]) if typed.strip() else ""
    found = [row for row in rows if wanted in get_identity(row.name)]
    return sorted(found, key=SORTS.get(sort, SORTS[DEFAULT_SORT]).sort_key)
