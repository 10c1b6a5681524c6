"""Import of the traces on the entries of an export, including suggested traces.

Call these functions inside `in_force`, which makes the owner's keys available.

Names with the same identity are the same trace: an existing trace is used unchanged, and the row in the file
is used only for a new trace. Runs within the transaction that inserts the entries.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from diary.generation.prompt_record import dump_author, load_author
from diary.models import Entry
from diary.transfer.row_parser import (
    ExportRow,
    InvalidValue,
    int_parser,
    parse_columns,
    parse_datetime,
    parse_text,
    parse_uuid,
)
from llamora.fields import new_id
from llamora.source_names import clean_source_name
from traces import messages
from traces.models import EntryTrace, Trace, TraceProposal, compute_name_index
from traces.names import MAX_NAME_LENGTH, InvalidTraceName, clean_name, get_identity
from traces.signals import send_names_changed
from traces.tagging.services import restore_deleted_trace

_QUERY_BATCH: Final = 500
_MAX_SUMMARY_LENGTH: Final = 100_000
_MAX_ENTRY_COUNT: Final = 2**31
_MAX_IDENTITY_LENGTH: Final = 18 * MAX_NAME_LENGTH
EntryValues = Sequence[tuple[Entry, Any]]
ImportFaults = dict[UUID, list[str]]


class TraceImporter:
    """Importer of the traces of a file. It adds them to the entries, and creates traces that are missing."""

    def __init__(self, owner_id: UUID, rows: Sequence[Any]) -> None:
        self._owner_id = owner_id
        self._rows = dict(_iter_by_identity(rows))

    def __call__(self, values: EntryValues) -> Mapping[UUID, Sequence[str]]:
        """Add the traces of entries; return the faults of values that cannot be imported, by entry."""
        faults: ImportFaults = {}
        wanted = {entry: _parse_names(value, faults.setdefault(entry.id, [])) for entry, value in values}
        traces = self._get_or_create({id_: name for names in wanted.values() for id_, name in names.items()})
        for entry, names in wanted.items():
            faults[entry.id] += [messages.IMPORT_DAMAGED_TRACE for id_ in names if id_ not in traces]
        EntryTrace.objects.bulk_create(
            # No file says when each was added; most are added when the entry is written.
            EntryTrace(owner_id=self._owner_id, trace_id=trace_id, entry=entry, created_at=entry.created_at)
            for entry, names in wanted.items()
            for trace_id in dict.fromkeys(traces[id_] for id_ in names if id_ in traces)
        )
        return faults

    def _get_or_create(self, names: Mapping[str, str]) -> dict[str, UUID]:
        """Return the ids of the traces with these names, by identity; create missing ones.

        A damaged trace is left out, and no second one with its name is created.
        """
        by_index = self._find_existing(names.values())
        found = {id_: by_index.get(compute_name_index(name)) for id_, name in names.items()}
        created = {id_: self._create(id_, names[id_]) for id_, trace in found.items() if trace is None}
        if created:
            send_names_changed(self._owner_id)
        readable = {id_: trace for id_, trace in found.items() if trace and trace.open_or("name", None)}
        return {id_: trace.id for id_, trace in readable.items()} | created

    def _find_existing(self, names: Iterable[str]) -> dict[bytes, Trace]:
        wanted: list[str] = list(names)
        by_index: dict[bytes, Trace] = {}
        for start in range(0, len(wanted), _QUERY_BATCH):
            batch = wanted[start : start + _QUERY_BATCH]
            traces = Trace.objects.for_owner(self._owner_id).with_names(batch).defer("summary")
            by_index.update({bytes(trace.name_index): trace for trace in traces})
        return by_index

    def _create(self, id_: str, name: str) -> UUID:
        trace = restore_deleted_trace(self._owner_id, name)
        if trace is None:
            trace = self._insert_trace(self._rows.get(id_, {}), name)
        elif trace.is_read_always:
            # What is read for every reply their owner says here, never a file.
            trace.is_read_always = False
            trace.save(update_fields=["is_read_always", "name"])
        trace_id: UUID = trace.id
        return trace_id

    def _insert_trace(self, row: ExportRow, name: str) -> Trace:
        columns = parse_columns(row, {"created_at": (parse_datetime, None)}, [])
        trace = Trace(
            id=_choose_id(row),
            owner_id=self._owner_id,
            summary=_parse_summary(row.get("summary")),
        )
        trace.created_at = columns["created_at"] or trace.created_at
        trace.set_name(name)
        trace.save(force_insert=True)
        return trace


def _iter_by_identity(rows: Sequence[Any]) -> Iterable[tuple[str, ExportRow]]:
    for row in rows:
        # A deleted one can be restored only in the diary where it was deleted.
        if isinstance(row, dict) and row.get("deleted_at") is None:
            yield from ((id_, row) for id_ in _parse_names([row.get("name")], []))


def _parse_names(value: Any, faults: list[str]) -> dict[str, str]:
    """Return the names of an entry's traces in their original spelling, by identity."""
    if not isinstance(value, list):
        faults.append(messages.IMPORT_NOT_A_LIST)
        return {}
    names: dict[str, str] = {}
    for number, typed in enumerate(value, start=1):
        try:
            name = _clean_name(typed)
        except InvalidTraceName as refused:
            faults.append(messages.IMPORT_BAD_NAME.format(number=number, code=refused.code))
        except TypeError:
            faults.append(messages.IMPORT_NOT_TEXT.format(number=number))
        else:
            names.setdefault(get_identity(name), name)
    return names


def _clean_name(typed: str) -> str:
    """Return the name of a trace from elsewhere; raise InvalidTraceName."""
    # Cleaned again, since nothing may be left of it.
    return clean_name(clean_source_name(clean_name(typed)))


def _choose_id(row: ExportRow) -> UUID:
    """Return the id of a trace in the file, or a new id if a trace with that id exists."""
    try:
        id_ = parse_uuid(row.get("id"))
    except InvalidValue:
        return new_id()
    return new_id() if Trace.objects.filter(id=id_).exists() else id_


def _parse_summary(value: Any) -> ExportRow | None:
    """Return the summary of a trace, or None if it is invalid.

    If its digest was made under another person's key, the page shows the summary as out of date.
    """
    parse_count = int_parser(least=0, most=_MAX_ENTRY_COUNT)
    try:
        return {
            "text": parse_text(value["text"], limit=_MAX_SUMMARY_LENGTH),
            "digest": parse_text(value["digest"], limit=64),
            "read": parse_count(value["read"]),
            "of": parse_count(value["of"]),
        }
    except (InvalidValue, TypeError, KeyError):
        return None


class ProposalImporter:
    """Importer of the suggested traces of entries, so that a dismissed name stays dismissed."""

    def __init__(self, owner_id: UUID, rows: Sequence[Any]) -> None:
        del rows
        self._owner_id = owner_id

    def __call__(self, values: EntryValues) -> Mapping[UUID, Sequence[str]]:
        """Add the suggestions for entries; return the faults of values that cannot be imported, by entry."""
        faults: ImportFaults = {}
        for entry, rows in values:
            try:
                (row,) = rows
                offered, dismissed = row["body"]["offered"], row["body"]["dismissed"]
                body: dict[str, Any] = {
                    "offered": _parse_all(_clean_name, offered),
                    "dismissed": _parse_all(_parse_identity, dismissed),
                }
                if "author" in row["body"]:
                    body["author"] = dump_author(load_author(row["body"]["author"]))
            except (InvalidValue, InvalidTraceName, TypeError, ValueError, KeyError):
                faults[entry.id] = [messages.IMPORT_BAD_PROPOSAL]
                continue
            columns = parse_columns(row, {"made_at": (parse_datetime, entry.created_at)}, [])
            TraceProposal.objects.create(owner_id=self._owner_id, entry=entry, body=body, **columns)
        return faults


def _parse_all(parse: Callable[[Any], str], values: Any) -> list[str]:
    if not isinstance(values, list):
        raise InvalidValue
    return [parse(value) for value in values]


def _parse_identity(value: Any) -> str:
    # Folding a name can make it longer than a name may be.
    return get_identity(parse_text(value, limit=_MAX_IDENTITY_LENGTH))
