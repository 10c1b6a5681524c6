"""Look-up of entries by the trace names in a query; finds none while the person's vault is locked."""

import re
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from llamora.crypto import VaultLocked
from llamora.database import CachedQuery
from search.query.folding import fold
from search.query.stop_words import STOP_WORDS
from traces.accepted import list_accepted
from traces.models import EntryTrace, EntryTraceQuerySet, Trace, compute_name_index

MAX_NAMED: Final = 200
# Of a question so many words are looked up, alone and with those beside them.
_MAX_WORDS: Final = 40
_LONGEST_NAME: Final = 3
_WORD: Final = re.compile(r"[\w'’-]+")


def find_entries_with_traces(owner: UUID, names: Iterable[str]) -> frozenset[UUID]:
    """Return the ids of the entries with all of these traces; none if a name is not a trace."""
    found: frozenset[UUID] | None = None
    for name in names:
        these = frozenset(entry_id for entry_id, _ in list_accepted(_filter_by_name(owner, name).order_by()))
        found = these if found is None else found & these
    return found or frozenset()


def find_entries_by_trace_name(owner: UUID, text: str) -> list[UUID]:
    """Return the ids of the entries with the trace whose name is the whole query, latest day first."""
    if not text.strip():
        return []
    # Hardly a query is a trace's name.
    if not _find_traces(owner, [text]):
        return []
    entry_traces = _filter_by_name(owner, text).order_by("-entry__day", "-entry__created_at", "-entry")
    return [entry_id for entry_id, _ in list_accepted(entry_traces[:MAX_NAMED])]


def find_entries_by_named_traces(owner: UUID, question: str) -> list[UUID]:
    """Return the ids of the entries with any trace that a question names, latest day first."""
    words = _WORD.findall(question)[:_MAX_WORDS]
    names = {
        " ".join(words[start : start + length])
        for length in range(1, _LONGEST_NAME + 1)
        for start in range(len(words) - length + 1)
        if length > 1 or fold(words[start]) not in STOP_WORDS
    }
    if not names:
        return []
    entry_traces = _filter_by_names(owner, names).order_by("-entry__day", "-entry__created_at", "-entry")
    return list(dict.fromkeys(entry_id for entry_id, _ in list_accepted(entry_traces[:MAX_NAMED])))


def _filter_by_name(owner: UUID, name: str) -> EntryTraceQuerySet:
    return _filter_by_names(owner, [name])


def _filter_by_names(owner: UUID, names: Iterable[str]) -> EntryTraceQuerySet:
    traces = _find_traces(owner, names)
    entry_traces = EntryTrace.objects.for_owner(owner)
    return entry_traces.filter(trace_id__in=traces) if traces else entry_traces.none()


# Each search asks whether its words are the name of a trace.
_named_query: Final[CachedQuery[Trace]] = CachedQuery(
    lambda owner_id, name_index: (
        Trace.objects.for_owner(owner_id).filter(name_index=name_index).order_by().defer("summary")
    )
)


def _find_traces(owner: UUID, names: Iterable[str]) -> list[UUID]:
    """Return the traces with one of these names; none while their owner is locked."""
    wanted = list(names)
    try:
        if len(wanted) == 1:
            rows: Iterable[Trace] = _named_query(owner_id=owner, name_index=compute_name_index(wanted[0]))
        else:
            rows = Trace.objects.for_owner(owner).with_names(wanted).order_by().defer("summary")
        # A name does not open if somebody moved its index to another trace.
        return [trace.id for trace in rows if trace.open_or("name", None) is not None]
    except VaultLocked:
        return []
