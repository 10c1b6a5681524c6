"""The list of all traces of a person, filtered by a typed text and sorted."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from traces.messages import SORT_COUNT, SORT_FIRST, SORT_NAME, SORT_RECENT
from traces.names import MAX_NAME_LENGTH, get_identity
from traces.queries import TraceCount, count_by_trace, load_names


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRow:
    """A trace in the list."""

    id: UUID
    name: str = field(repr=False)
    count: int
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class TraceSort:
    """A sort order of the list, by its code in the URL."""

    code: str
    label: str
    sort_key: Callable[[TraceRow], Any]


SORTS: Final[Mapping[str, TraceSort]] = {
    sort.code: sort
    for sort in (
        TraceSort("count", SORT_COUNT, lambda row: (-row.count, get_identity(row.name))),
        TraceSort(
            "recent", SORT_RECENT, lambda row: (-row.last.toordinal(), -row.count, get_identity(row.name))
        ),
        TraceSort("first", SORT_FIRST, lambda row: (row.first, -row.count, get_identity(row.name))),
        TraceSort("name", SORT_NAME, lambda row: get_identity(row.name)),
    )
}
DEFAULT_SORT: Final = "count"


def list_rows(owner_id: UUID) -> list[TraceRow]:
    """Return the traces of a person that are on at least one entry, unsorted."""
    names, counts = load_names(owner_id), count_by_trace(owner_id)
    return [_build_row(id_, name, counts[id_]) for id_, name in names.items() if id_ in counts]


def _build_row(trace_id: UUID, name: str, count: TraceCount) -> TraceRow:
    return TraceRow(id=trace_id, name=name, count=count.count, first=count.first, last=count.last)


def filter_rows(rows: Iterable[TraceRow], *, typed: str, sort: str) -> Sequence[TraceRow]:
    """Return the rows whose name contains the typed text, sorted; names are compared by `get_identity`."""
    wanted = get_identity(typed[: 2 * MAX_NAME_LENGTH]) if typed.strip() else ""
    matching = [row for row in rows if wanted in get_identity(row.name)]
    return sorted(matching, key=SORTS.get(sort, SORTS[DEFAULT_SORT]).sort_key)
