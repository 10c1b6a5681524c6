"""Accepted traces that are authentic: rows of `EntryTrace` with a valid MAC.

Anyone who can write to the database can insert such a row, or move one to another entry. So all traces that
are shown on an entry, listed on the page of a trace, searched, merged or sent to the model are read here; SQL
alone is used only for counts. A row with an invalid MAC is left out as if it did not exist.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from diary.models import Entry, EntryQuerySet
from llamora.crypto import EnvelopeError, current_realm_keyring
from llamora.fields import MacField, SealedValue
from traces.models import EntryTrace

# The columns of a row, in this order, that `list_authentic` needs.
CHECKED_COLUMNS: Final = ("id", "entry_id", "trace_id", "mac")
_MAC: Final[MacField] = EntryTrace._meta.get_field("mac")
_MAX_LOGGED: Final = 10

_log = logging.getLogger(__name__)
Row = tuple[int, UUID, UUID, SealedValue | None]


class AcceptedTrace(NamedTuple):
    """A trace on an entry."""

    entry_id: UUID
    trace_id: UUID


def list_accepted(entry_traces: QuerySet[EntryTrace]) -> list[AcceptedTrace]:
    """Return the traces of these rows, in order, except rows with an invalid MAC (see `list_authentic`).

    The keyring of their owner must be in force.
    """
    return list_authentic(entry_traces.values_list(*CHECKED_COLUMNS))


def list_authentic(rows: Iterable[Row]) -> list[AcceptedTrace]:
    """Return the traces of the rows that have a valid MAC; a row has the values of `CHECKED_COLUMNS`."""
    found: list[AcceptedTrace] = []
    refused: list[int] = []
    for row_id, entry_id, trace_id, mac in rows:
        keyring = current_realm_keyring()
        columns: dict[str, Any] = {
            "id": row_id,
            "owner_id": keyring.owner,
            "entry_id": entry_id,
            "trace_id": trace_id,
        }
        try:
            if not keyring.reads_columns_unchecked:
                _MAC.verify(keyring, mac.envelope if mac else b"", columns)
        except EnvelopeError:
            refused.append(row_id)
        else:
            found.append(AcceptedTrace(entry_id, trace_id))
    if refused:
        _log.warning(
            "%d traces on entries are left out, because their codes are wrong: rows %s",
            len(refused),
            refused[:_MAX_LOGGED],
        )
    return found


def load_entries(
    entries: EntryQuerySet, *, limit: int, is_wanted: Callable[[set[UUID]], bool]
) -> list[tuple[Entry, Sequence[UUID]]]:
    """Return the first entries of a queryset, each with the ids of its accepted traces.

    `is_wanted` decides by these ids whether an entry is in the result: the queryset may have found it by a
    row with an invalid MAC.
    """
    found: list[tuple[Entry, Sequence[UUID]]] = []
    start = 0
    while len(found) < limit:
        batch = list(entries[start : start + limit])
        start += limit
        traces = defaultdict(list)
        for entry_id, trace_id in list_accepted(EntryTrace.objects.filter(entry__in=[e.id for e in batch])):
            traces[entry_id].append(trace_id)
        found += [(e, traces[e.id]) for e in batch if is_wanted(set(traces[e.id]))]
        if len(batch) < limit:
            break
    return found[:limit]
