"""Export of facts to one file, in one of four formats; each ends with the number of facts.

    json      {"memories": [...], "count": 2, "left_out": 0}, which can be imported as proposals
    csv       a header, a row for each fact, and a last row: count, and the number
    markdown  a list; a comment with the number at the end
    text      a line for each fact; a line with the number at the end

A file without this number is incomplete. The oldest fact comes first. A CSV cell that a spreadsheet would
read as a formula begins with a quote.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, Any, Final
from uuid import UUID

import msgspec
from msgspec.structs import astuple

from diary.hooks import ExportRule
from diary.models import Entry
from diary.transfer.export_format import disarm_markdown, encode_json, to_plain
from diary.transfer.programs.file_formats import TextFormat
from llamora.crypto import RealmKeyring, in_force
from llamora.database import read_snapshot
from llamora.fields.rows import RowReader, StoredRow, format_id, format_moment
from traces.facts.models import TRUSTED_FACT_ORIGINS, FactChange
from traces.facts.open_facts import decode_body
from traces.facts.pages.list_cache import find_opened_facts
from traces.facts.selection import FactSelection, get_confidence

_STORED: Final = ("id", "state", "origin", "entry_day", "created_at", "changed_at")
# Joined into one write: a file of 100,000 facts is not 100,000 writes.
_CHUNK: Final = 200
_FORMULA: Final = frozenset("=+-@\t\r")


class ExportedFact(msgspec.Struct, kw_only=True):
    """A fact as a row of an exported file. If the fact is damaged, `content` is None.

    The names of the fields are the columns of the file, and never change.
    """

    id: str
    content: Any
    category: Any
    state: str
    confidence: float
    date: str
    when: Any
    ended: Any
    quote: Any
    origin: str
    source: Any
    created_at: str
    updated_at: str


class _ExportedBody(msgspec.Struct):
    """The exported parts of a body, of any type."""

    text: Any = None
    kind: Any = None
    when: Any = None
    ended: Any = None
    quote: Any = None
    source: Any = None


COLUMNS: Final = ExportedFact.__struct_fields__
_NO_BODY: Final = _ExportedBody()
_bodies: Final = msgspec.json.Decoder(_ExportedBody)
_facts: Final = msgspec.json.Encoder()


@dataclass(kw_only=True)
class FactExportReport:
    """The numbers of facts that were written, left out as not trusted, and damaged."""

    count: int = 0
    left_out: int = 0
    damaged: int = 0


def write_facts(
    file: IO[bytes],
    *,
    keyring: RealmKeyring,
    text_format: TextFormat,
    wanted: FactSelection,
    report: FactExportReport,
) -> None:
    """Write a person's facts to a file, and count them in `report`."""
    with in_force(keyring), read_snapshot():
        facts = _iter_facts(keyring, wanted, report)
        parts: list[str] = []
        for part in _render(facts, text_format, report):
            parts.append(part)
            if len(parts) == _CHUNK:
                file.write("".join(parts).encode())
                parts.clear()
        file.write("".join(parts).encode())


def build_fact_rule(owner_id: UUID, own_ids: frozenset[UUID]) -> ExportRule:
    """Return the function that decides whether a program may export a fact. The fact must be trusted.

    This is for programs that may read only the owner's own texts. Damaged facts are not exported.
    """
    del owner_id, own_ids
    return lambda row, _: row.origin in TRUSTED_FACT_ORIGINS and row.open_or("body", None) is not None


def build_fact_change_rule(owner_id: UUID, own_ids: frozenset[UUID]) -> ExportRule:
    """Return the function that decides whether a program may export a change of a fact.

    The origin before the change and the origin after it must both be trusted.
    """
    del owner_id, own_ids

    def is_own(row: FactChange, entry: Entry | None) -> bool:
        del entry
        body = row.open_or("body", None)
        sides = [body[side] for side in ("before", "after") if body[side]] if body else []
        return bool(sides) and all(side["origin"] in TRUSTED_FACT_ORIGINS for side in sides)

    return is_own


def _iter_facts(
    keyring: RealmKeyring, wanted: FactSelection, report: FactExportReport
) -> Iterator[ExportedFact]:
    report.left_out = wanted.count_left_out(keyring.owner)
    rows = wanted.select(keyring.owner).order_by("created_at", "id")
    opened, fits = find_opened_facts(keyring), wanted.build_condition()
    reader = RowReader(rows, "body", _STORED, keyring=keyring, opened=opened)
    build_fact = _get_fact_builder(reader)
    for row, plaintext in reader:
        body = _decode(plaintext)
        if fits is not None and not fits(_get_text(body, "kind"), _get_text(body, "text")):
            continue
        report.count += 1
        report.damaged += body is None
        yield build_fact(body, row)


def _decode(plaintext: bytes | None) -> _ExportedBody | None:
    """Return the exported parts of a body, or None if it is damaged."""
    if plaintext is None:
        return None
    try:
        return _bodies.decode(plaintext)
    except (msgspec.DecodeError, ValueError):
        # Such as a number that only Python takes for one.
        body = decode_body(plaintext)
    return msgspec.convert(body, _ExportedBody) if isinstance(body, dict) else None


def _get_text(body: _ExportedBody | None, name: str) -> str:
    value = getattr(body, name, "")
    return value if isinstance(value, str) else ""


def _get_fact_builder(reader: RowReader) -> Callable[[_ExportedBody | None, StoredRow], ExportedFact]:
    """Return the function that builds a fact of a body, None if it is damaged, and the columns of its row."""
    pick, convert = reader.build_picker(_STORED), reader.build_converter(_STORED)

    @lru_cache(maxsize=1024)
    def format_day(stored: Any) -> Any:
        return to_plain(reader.convert("entry_day", stored))

    @lru_cache(maxsize=64)
    def find_confidence(state: str, origin: str) -> float:
        return get_confidence(state=state, origin=origin)

    def build_fact(body: _ExportedBody | None, row: StoredRow) -> ExportedFact:
        id_, state, origin, entry_day, created_at, changed_at = pick(row)
        created, changed = format_moment(created_at), format_moment(changed_at)
        if body is None or not (created and changed and type(state) is type(origin) is str):
            # A damaged row, or one whose columns are not stored as we store them.
            body = body or _NO_BODY
            id_, state, origin, day, created, changed = map(to_plain, convert(row))
        else:
            id_, day = format_id(id_), format_day(entry_day) if entry_day is not None else None
        return ExportedFact(
            id=id_,
            content=body.text,
            category=body.kind,
            state=state,
            confidence=find_confidence(state, origin),
            date=day or created[:10],
            when=body.when,
            ended=body.ended,
            quote=body.quote,
            origin=origin,
            source=body.source,
            created_at=created,
            updated_at=changed,
        )

    return build_fact


def _render(
    facts: Iterator[ExportedFact], text_format: TextFormat, report: FactExportReport
) -> Iterator[str]:
    match text_format:
        case TextFormat.JSON:
            yield '{"memories":['
            for number, fact in enumerate(facts):
                yield (",\n" if number else "\n") + _facts.encode(fact).decode()
            counts = {"count": report.count, "left_out": report.left_out}
            yield "\n]," + encode_json(counts).removeprefix("{") + "\n"
        case TextFormat.CSV:
            render_row = csv.writer(_Echo()).writerow
            yield render_row(COLUMNS)
            for fact in facts:
                # Most values are texts, of which few begin like a formula.
                cells = [
                    value if type(value) is str and value[:1] not in _FORMULA else _disarm_cell(value)
                    for value in astuple(fact)
                ]
                yield render_row(cells)
            yield render_row(["count", str(report.count)])
        case TextFormat.MARKDOWN:
            for fact in facts:
                yield f"- {disarm_markdown(_describe(fact))}\n"
            yield f"\n<!-- {_describe_end(report)} -->\n"
        case TextFormat.TEXT:
            for fact in facts:
                yield f"{_describe(fact)}\n"
            yield f"\n{_describe_end(report)}\n"


class _Echo:
    """A file for a CSV writer, whose `writerow` then returns the row."""

    def write(self, row: str) -> str:
        """Return the row. The CSV writer calls this instead of writing to a file."""
        return row


def _disarm_cell(value: Any) -> str:
    """Return a value as the text of a cell that no spreadsheet takes for a formula."""
    cell = _format_cell(value)
    return f"'{cell}" if cell[:1] in _FORMULA else cell


def _format_cell(value: Any) -> str:
    """Return a value as the text of a cell; of a time or a quote, only the words in the entry."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        value = value.get("raw") or value.get("text") or value.get("start")
    return "" if value is None else str(value)


def _describe(fact: ExportedFact) -> str:
    """Return a fact in one line."""
    notes = [_format_cell(fact.category), _describe_state(fact), fact.date]
    quote = " ".join(_format_cell(fact.quote).split())
    said = f' Said: "{quote}"' if quote else ""
    return f"{_format_cell(fact.content)} ({', '.join(filter(None, notes))}){said}"


def _describe_state(fact: ExportedFact) -> str:
    match fact.state:
        case "accepted":
            return ""
        case "ended":
            return f"no longer so since {fact.ended}" if fact.ended else "no longer so"
        case state:
            return str(state)


def _describe_end(report: FactExportReport) -> str:
    return f"End: {report.count} in all, {report.left_out} left out."
