"""All traces of a person as their page lists them: filtered by what was typed, sorted as wished."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from traces.models import Trace
from traces.names import MAX_NAME, identity
from traces.presenting import name_of
from traces.tallies import Tally, tallies


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One trace in the list."""

    id: UUID
    name: str = field(repr=False)
    count: int
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Sort:
    """One order of the list, by the word in its address; `by` gives what a row is put in order by."""

    code: str
    label: str
    by: Callable[[Row], Any]


SORTS: Final[Mapping[str, Sort]] = {
    sort.code: sort
    for sort in (
        Sort("count", "Most kept", lambda row: (-row.count, identity(row.name))),
        Sort("recent", "Latest", lambda row: (-row.last.toordinal(), -row.count, identity(row.name))),
        Sort("first", "First seen", lambda row: (row.first, -row.count, identity(row.name))),
        Sort("name", "By name", lambda row: identity(row.name)),
    )
}
USUAL: Final = "count"


def names(owner_id: UUID) -> dict[UUID, str]:
    """Open the names of all traces of a person; needs their keyring in force."""
    return {trace.id: name_of(trace) for trace in Trace.objects.of(owner_id).only("id", "owner_id", "name")}


def every_row(owner_id: UUID) -> list[Row]:
    """Return each trace of a person that is on an entry, in no order."""
    called, kept = names(owner_id), tallies(owner_id)
    return [_row(trace_id, name, kept[trace_id]) for trace_id, name in called.items() if trace_id in kept]


def _row(trace_id: UUID, name: str, tally: Tally) -> Row:
    return Row(id=trace_id, name=name, count=tally.count, first=tally.first, last=tally.last)


def chosen(rows: Iterable[Row], *, typed: str, sort: str) -> Sequence[Row]:
    """Return the rows whose name holds what was typed, however it is written, in an order."""
    wanted = identity(typed[: 2 * MAX_NAME]) if typed.strip() else ""
    found = [row for row in rows if wanted in identity(row.name)]
    return sorted(found, key=SORTS.get(sort, SORTS[USUAL]).by)
