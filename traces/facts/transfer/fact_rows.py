"""Import of facts with their history from an export. Facts that the diary already has are skipped.

Call these functions inside `in_force`, which makes the owner's keys available.

A fact that this diary signed is imported as it was. All other facts get the origin `imported` with their
whole history, whatever the file says: a model does not read them as their owner's. A fact that was forgotten
here is not imported again.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from diary.hooks import ImportedFile
from diary.models import Origin
from diary.transfer.row_parser import (
    ColumnParsers,
    InvalidValue,
    choice_parser,
    int_parser,
    parse_date,
    parse_datetime,
    parse_text,
    parse_uuid,
)
from llamora.fields import new_id
from llamora.source_names import clean_source_name
from traces import messages
from traces.facts.changes import BY_OWNER, compute_digest, take_snapshot
from traces.facts.fact_body import FactText, InvalidFact, get_text
from traces.facts.indexes import set_indexes
from traces.facts.models import Fact, FactChange, FactState
from traces.facts.queries import find_same, is_declined

FACTS: Final = "facts"
CHANGES: Final = "fact_changes"
FACT_SIGNATURE: Final = b"diary.export.fact"
CHANGE_SIGNATURE: Final = b"diary.export.fact_change"
_IMPORTED: Final = "import"
_KNOWN: Final = (FactState.PROPOSED, FactState.ACCEPTED)
_MAX_QUOTE: Final = 2_000
_MOST_CHANGES: Final = 1_000
_MOST_IDS: Final = 100
_MOST_MOMENTS: Final = 1_000
_KIND: Final = re.compile(r"[a-z_]{1,24}")
_NAME: Final = re.compile(r"[a-z0-9-]{1,36}")
_parse_number: Final = int_parser(least=0, most=2**31 - 1)
_COLUMNS: Final[ColumnParsers] = {
    "state": (choice_parser(FactState.values), FactState.PROPOSED.value),
    "created_at": (parse_datetime, None),
    "changed_at": (parse_datetime, None),
}


def insert_fact(file: ImportedFile, number: int, row: dict[str, Any]) -> bool:
    """Insert a fact with its history, unless the diary has it already; return whether it was added."""
    label = messages.FACT_LABEL.format(number=number)
    is_own = file.is_signed(row, FACT_SIGNATURE)
    try:
        file_id, body = parse_uuid(row.get("id")), _parse_body(row.get("body"), is_own=is_own)
    except InvalidValue:
        return file.refuse(messages.FACT_INCOMPLETE.format(label=label))
    ids = (file_id, file.derive_id(b"fact", file_id.bytes))
    owners = dict(Fact.objects.filter(id__in=ids).order_by().values_list("id", "owner_id"))
    if file.owner_id in owners.values():
        return False
    columns, text = file.parse_columns(label, row, _COLUMNS), get_text(body)
    if is_declined(file.owner_id, text):
        return file.refuse(messages.FACT_FORGOTTEN.format(label=label))
    if columns["state"] in _KNOWN and find_same(file.owner_id, text, _KNOWN) is not None:
        return False
    mapper = _IdMapper(file)
    fact = Fact(
        id=next((id_ for id_ in ids if id_ not in owners), None) or new_id(),
        owner_id=file.owner_id,
        entry_id=mapper.map_entry(row.get("entry_id")),
        successor_id=mapper.map_fact(row.get("successor_id")),
        state=columns["state"],
        origin=_parse_origin(row.get("origin")) if is_own else Origin.IMPORTED,
        body=mapper.map_body(body),
    )
    fact.created_at = min(columns["created_at"] or file.now, file.now)
    fact.changed_at = min(columns["changed_at"] or fact.created_at, file.now)
    set_indexes(fact)
    history = file.group_rows(CHANGES, by="fact_id").get(str(row["id"]), [])
    try:
        changes = _parse_history(history, fact, mapper, file, is_own=is_own)
    except InvalidValue:
        changes = [_build_first_change(fact)]
        file.refuse(messages.FACT_HISTORY_INCOMPLETE.format(label=label))
    fact.save(force_insert=True)
    _save_chain(changes)
    return True


def skip_change(file: ImportedFile, number: int, row: dict[str, Any]) -> bool:
    """Insert nothing: a change is inserted with its fact."""
    del file, number, row
    return False


class _IdMapper:
    """Mapping from ids of facts and entries in the file to ids in this diary."""

    def __init__(self, file: ImportedFile) -> None:
        self._file = file
        self._facts: dict[UUID, UUID] = {}

    def map_entry(self, value: Any) -> UUID | None:
        if value is None:
            return None
        try:
            id_ = parse_uuid(value)
        except InvalidValue:
            return None
        return self._file.resolve_entries([id_])[id_]

    def map_fact(self, value: Any) -> UUID | None:
        """Return the id that a fact of the file has in this diary, or None for an invalid id."""
        if value is None:
            return None
        try:
            id_ = parse_uuid(value)
        except InvalidValue:
            return None
        if id_ not in self._facts:
            owner = Fact.objects.filter(id=id_).values_list("owner_id", flat=True).first()
            is_free = owner in (None, self._file.owner_id)
            self._facts[id_] = id_ if is_free else self._file.derive_id(b"fact", id_.bytes)
        return self._facts[id_]

    def map_facts(self, values: Any) -> list[str]:
        if not isinstance(values, list):
            raise InvalidValue
        mapped = (self.map_fact(value) for value in values[:_MOST_IDS])
        return [str(id_) for id_ in mapped if id_ is not None]

    def map_body(self, body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "links": self.map_facts(body["links"])} if "links" in body else body


# --- Bodies ------------------------------------------------------------------------------------------------


def _parse_body(value: Any, *, is_own: bool) -> dict[str, Any]:
    """Return the body of a fact; if the file is from elsewhere, only its valid values. Raise InvalidValue."""
    if not isinstance(value, dict):
        raise InvalidValue
    try:
        text = FactText.create(
            _get_line(value, "text"),
            language=_get_line(value, "language") or "en",
            kind=_get_line(value, "kind"),
        )
    except InvalidFact:
        raise InvalidValue from None
    if is_own:
        return value
    return {**_parse_details(value), **text.to_json()}


def _parse_details(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the optional values of a body that are valid."""
    details: dict[str, Any] = {}
    for name, parse in _DETAILS.items():
        if value.get(name) is None:
            continue
        try:
            details[name] = parse(value[name])
        except InvalidValue:
            continue
    return details


def _parse_quote(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidValue
    quote: dict[str, Any] = {"text": parse_text(value.get("text"), limit=_MAX_QUOTE)}
    if "start" in value:
        quote |= {name: _parse_number(value.get(name)) for name in ("start", "end")}
    return quote


def _parse_when(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidValue
    names = ("raw", "start", "end", "kind", "precision", "zone", "rule")
    return {name: parse_text(value[name], limit=200) for name in names if isinstance(value.get(name), str)}


def _parse_name(value: Any) -> str:
    return clean_source_name(parse_text(value, limit=500))


def _parse_confidence(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InvalidValue
    return float(value)


def _parse_said(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise InvalidValue
    return [parse_datetime(each).isoformat(timespec="seconds") for each in value[:_MOST_MOMENTS]]


def _parse_links(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise InvalidValue
    return [str(parse_uuid(each)) for each in value[:_MOST_IDS]]


_DETAILS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "quote": _parse_quote,
    "when": _parse_when,
    "source": _parse_name,
    "model": _parse_name,
    "prompt": _parse_name,
    "said": _parse_said,
    "ended": lambda value: parse_date(value).isoformat(),
    "links": _parse_links,
    "confidence": _parse_confidence,
}


def _get_line(value: Mapping[str, Any], name: str) -> str:
    line = value.get(name, "")
    if not isinstance(line, str):
        raise InvalidValue
    return line


def _parse_origin(value: Any) -> Origin:
    try:
        return Origin(value)
    except ValueError:
        raise InvalidValue from None


# --- History -----------------------------------------------------------------------------------------------


def _parse_history(
    rows: Sequence[Any], fact: Fact, mapper: _IdMapper, file: ImportedFile, *, is_own: bool
) -> list[FactChange]:
    """Return the changes of a fact; raise InvalidValue if one is missing or their result is not the fact."""
    if not 0 < len(rows) <= _MOST_CHANGES:
        raise InvalidValue
    if is_own and not all(file.is_signed(row, CHANGE_SIGNATURE) for row in rows):
        raise InvalidValue
    changes = [_parse_change(row, fact, mapper, file, is_own=is_own) for row in rows]
    changes.sort(key=lambda change: change.number)
    if [change.number for change in changes] != list(range(1, len(changes) + 1)):
        raise InvalidValue
    if changes[-1].body["after"] != take_snapshot(fact):
        raise InvalidValue
    return changes


def _parse_change(row: Any, fact: Fact, mapper: _IdMapper, file: ImportedFile, *, is_own: bool) -> FactChange:
    body = row.get("body") if isinstance(row, dict) else None
    if not isinstance(body, dict):
        raise InvalidValue
    before = body.get("before")
    change = FactChange(
        id=_choose_change_id(row),
        owner_id=fact.owner_id,
        fact=fact,
        number=_parse_number(row.get("number")),
        kind=_match(_KIND, row.get("kind")),
        body={
            "before": None if before is None else _parse_snapshot(before, mapper, is_own=is_own),
            "after": _parse_snapshot(body.get("after"), mapper, is_own=is_own),
            "by": _match(_NAME, body.get("by")),
            "group": str(parse_uuid(body.get("group"))),
            "facts": mapper.map_facts(body.get("facts")),
            "undoes": str(parse_uuid(body["undoes"])) if body.get("undoes") else "",
            "previous": "",
        },
    )
    change.made_at = min(parse_datetime(row.get("made_at")), file.now)
    return change


def _parse_snapshot(value: Any, mapper: _IdMapper, *, is_own: bool) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidValue
    entry_id, successor_id = (
        mapper.map_entry(value.get("entry_id")),
        mapper.map_fact(value.get("successor_id")),
    )
    return {
        "entry_id": str(entry_id) if entry_id else None,
        "successor_id": str(successor_id) if successor_id else None,
        "state": choice_parser(FactState.values)(value.get("state")),
        "origin": str(_parse_origin(value.get("origin")) if is_own else Origin.IMPORTED),
        "body": mapper.map_body(_parse_body(value.get("body"), is_own=is_own)),
    }


def _build_first_change(fact: Fact) -> FactChange:
    """Return the record of a fact whose history is not known."""
    return FactChange(
        owner_id=fact.owner_id,
        fact=fact,
        number=1,
        kind=_IMPORTED,
        body={
            "before": None,
            "after": take_snapshot(fact),
            "by": BY_OWNER,
            "group": str(new_id()),
            "facts": [],
            "undoes": "",
            "previous": "",
        },
    )


def _choose_change_id(row: Mapping[str, Any]) -> UUID:
    id_ = parse_uuid(row.get("id"))
    return new_id() if FactChange.objects.filter(id=id_).exists() else id_


def _save_chain(changes: Iterable[FactChange]) -> None:
    """Save changes, each with the digest of the one before it, which has the ids of this diary."""
    previous = ""
    for change in changes:
        change.body = {**change.body, "previous": previous}
        change.save(force_insert=True)
        previous = compute_digest(change)


def _match(pattern: re.Pattern[str], value: Any) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise InvalidValue
    return value
