"""Traces that come back with the entries of an export. Needs the owner's keyring in force.

The same name is the same trace, however it is written, as everywhere: one that is there is used as it is, and
what a file says of it counts for a new one alone. Runs within the transaction that brings the entries.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from diary.models import Entry
from diary.own_rows import taken
from diary.own_values import Row, Unfit, an_id, moment, whole, words, yes_or_no
from llamora.fields import new_id
from traces.models import KeptTrace, Proposal, Trace, index_of
from traces.names import MAX_NAME, NameRefused, identity, written
from traces.services.keeping import revived
from traces.signals import tell_names_changed

_ASKED_AT_ONCE: Final = 500
_LONGEST_SUMMARY: Final = 100_000
_MOST_ENTRIES: Final = 2**31
_LONGEST_IDENTITY: Final = 18 * MAX_NAME
Borne = Sequence[tuple[Entry, Any]]
Faults = dict[UUID, list[str]]


class Traces:
    """What takes back the traces of one file: names on its entries, and a row for each of them."""

    def __init__(self, owner_id: UUID, rows: Sequence[Any]) -> None:
        self._owner_id = owner_id
        self._rows = dict(_by_identity(rows))

    def __call__(self, borne: Borne) -> Mapping[UUID, Sequence[str]]:
        """Keep the traces of some entries; return what cannot be kept, by entry."""
        faults: Faults = {}
        wanted = {entry: _names(value, faults.setdefault(entry.id, [])) for entry, value in borne}
        traces = self._traces({id_: name for names in wanted.values() for id_, name in names.items()})
        KeptTrace.objects.bulk_create(
            # When each was kept no file says; most are when the entry is written.
            KeptTrace(owner_id=self._owner_id, trace_id=trace_id, entry=entry, created_at=entry.created_at)
            for entry, names in wanted.items()
            for trace_id in dict.fromkeys(traces[id_] for id_ in names)
        )
        return faults

    def _traces(self, names: Mapping[str, str]) -> dict[str, UUID]:
        """Return the traces of these names, by identity; those that are missing are made."""
        there = self._there(names.values())
        found = {id_: there.get(index_of(name)) for id_, name in names.items()}
        missing = [id_ for id_, trace_id in found.items() if trace_id is None]
        made = {id_: self._made(id_, names[id_]) for id_ in missing}
        if made:
            tell_names_changed(self._owner_id)
        return {id_: trace_id for id_, trace_id in found.items() if trace_id} | made

    def _there(self, names: Iterable[str]) -> dict[bytes, UUID]:
        asked, there = list(names), {}
        for start in range(0, len(asked), _ASKED_AT_ONCE):
            some = Trace.objects.of(self._owner_id).called(asked[start : start + _ASKED_AT_ONCE])
            there.update({bytes(index): id_ for index, id_ in some.values_list("name_index", "id")})
        return there

    def _made(self, id_: str, name: str) -> UUID:
        trace = revived(self._owner_id, name) or self._new(self._rows.get(id_, {}), name)
        trace_id: UUID = trace.id
        return trace_id

    def _new(self, row: Row, name: str) -> Trace:
        columns = taken(row, {"created_at": (moment, None), "is_read_always": (yes_or_no, False)}, [])
        trace = Trace(
            id=_free(row),
            owner_id=self._owner_id,
            is_read_always=columns["is_read_always"],
            summary=_summary(row.get("summary")),
        )
        trace.created_at = columns["created_at"] or trace.created_at
        trace.call(name)
        trace.save(force_insert=True)
        return trace


def _by_identity(rows: Sequence[Any]) -> Iterable[tuple[str, Row]]:
    for row in rows:
        # A deleted one waits to be wanted back where it was deleted.
        if isinstance(row, dict) and row.get("deleted_at") is None:
            yield from ((id_, row) for id_ in _names([row.get("name")], []))


def _names(value: Any, faults: list[str]) -> dict[str, str]:
    """Return the names that an entry bears, by identity, as they are written."""
    if not isinstance(value, list):
        faults.append("its traces are no list")
        return {}
    names: dict[str, str] = {}
    for number, typed in enumerate(value, start=1):
        try:
            name = written(typed)
        except NameRefused as refused:
            faults.append(f"trace {number} cannot be kept: {refused.code}")
        except TypeError:
            faults.append(f"trace {number} is no text")
        else:
            names.setdefault(identity(name), name)
    return names


def _free(row: Row) -> UUID:
    """Return the id a trace of a file has here: its own, unless there is one of that id."""
    try:
        id_ = an_id(row.get("id"))
    except Unfit:
        return new_id()
    return new_id() if Trace.objects.filter(id=id_).exists() else id_


def _summary(value: Any) -> Row | None:
    """Return what the model said of a trace; under another key its page calls it stale, which it may be."""
    count = whole(least=0, most=_MOST_ENTRIES)
    try:
        return {
            "text": words(value["text"], limit=_LONGEST_SUMMARY),
            "digest": words(value["digest"], limit=64),
            "read": count(value["read"]),
            "of": count(value["of"]),
        }
    except (Unfit, TypeError, KeyError):
        return None


class Proposals:
    """What takes back what was proposed for entries, so that a name dismissed there stays dismissed."""

    def __init__(self, owner_id: UUID, rows: Sequence[Any]) -> None:
        del rows
        self._owner_id = owner_id

    def __call__(self, borne: Borne) -> Mapping[UUID, Sequence[str]]:
        """Keep what was proposed for some entries; return what cannot be kept, by entry."""
        faults: Faults = {}
        for entry, rows in borne:
            try:
                (row,) = rows
                offered, dismissed = row["body"]["offered"], row["body"]["dismissed"]
                body = {"offered": _all(written, offered), "dismissed": _all(_identity, dismissed)}
            except (Unfit, NameRefused, TypeError, ValueError, KeyError):
                faults[entry.id] = ["what was proposed for it cannot be taken"]
                continue
            columns = taken(row, {"made_at": (moment, entry.created_at)}, [])
            Proposal.objects.create(owner_id=self._owner_id, entry=entry, body=body, **columns)
        return faults


def _all(read: Callable[[Any], str], values: Any) -> list[str]:
    if not isinstance(values, list):
        raise Unfit
    return [read(value) for value in values]


def _identity(value: Any) -> str:
    # Folding a name can make it longer than a name may be.
    return identity(words(value, limit=_LONGEST_IDENTITY))
