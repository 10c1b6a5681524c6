"""Facts in one file, in one of four formats, which ends with how many there are.

    json      {"memories": [...], "count": 2, "left_out": 0}, which can be imported as proposals
    csv       a header, a row for each fact, and a last row: count, and the number
    markdown  a list; a comment with the number at the end
    text      a line for each fact; a line with the number at the end

A file without its number is not complete. The oldest fact comes first. A cell of a CSV that a spreadsheet
would take for a formula gets a quote in front.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, Final
from uuid import UUID

import msgspec

from diary.hooks import ExportRule, OtherEntries
from diary.models import Entry
from diary.transfer.export_format import disarm_markdown, encode_json, to_plain
from diary.transfer.programs.file_formats import TextFormat
from llamora.crypto import RealmKeyring, in_force
from llamora.database import read_snapshot
from traces.facts.models import TRUSTED_FACT_ORIGINS, FactChange
from traces.facts.open_facts import OpenFact
from traces.facts.selection import FactSelection, get_confidence

COLUMNS: Final = (
    "id",
    "content",
    "category",
    "state",
    "confidence",
    "date",
    "when",
    "ended",
    "quote",
    "origin",
    "source",
    "created_at",
    "updated_at",
)
# Joined into one write: a file of 100,000 facts is not 100,000 writes.
_CHUNK: Final = 200
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
Record = dict[str, Any]


@dataclass(kw_only=True)
class FactExportReport:
    """Numbers of facts that were written, that may not be read, and that are damaged."""

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
        records = _iter_records(keyring, wanted, report)
        parts: list[str] = []
        for part in _render(records, text_format, report):
            parts.append(part)
            if len(parts) == _CHUNK:
                file.write("".join(parts).encode())
                parts.clear()
        file.write("".join(parts).encode())


def build_record(fact: OpenFact) -> Record:
    """Return the columns of a fact; its sentence is None if it is damaged."""
    body = fact.body or {}
    return {
        "id": str(fact.id),
        "content": body.get("text"),
        "category": body.get("kind"),
        "state": fact.state,
        "confidence": get_confidence(state=fact.state, origin=fact.origin),
        "date": fact.day.isoformat(),
        "when": body.get("when"),
        "ended": body.get("ended"),
        "quote": body.get("quote"),
        "origin": fact.origin,
        "source": body.get("source"),
        "created_at": to_plain(fact.created_at),
        "updated_at": to_plain(fact.changed_at),
    }


def build_fact_rule(owner_id: UUID, others: OtherEntries) -> ExportRule:
    """Return the rule for exports of a program that reads only its owner's words, for facts."""
    del owner_id, others
    return lambda row, _: row.origin in TRUSTED_FACT_ORIGINS and row.open_or("body", None) is not None


def build_fact_change_rule(owner_id: UUID, others: OtherEntries) -> ExportRule:
    """Return the rule for the history of facts: all that a change was made from and to is their owner's."""
    del owner_id, others

    def is_own(row: FactChange, entry: Entry | None) -> bool:
        del entry
        body = row.open_or("body", None)
        sides = [body[side] for side in ("before", "after") if body[side]] if body else []
        return bool(sides) and all(side["origin"] in TRUSTED_FACT_ORIGINS for side in sides)

    return is_own


def _iter_records(keyring: RealmKeyring, wanted: FactSelection, report: FactExportReport) -> Iterator[Record]:
    report.left_out = wanted.count_left_out(keyring.owner)
    rows = wanted.select(keyring.owner).order_by("created_at", "id")
    for fact in wanted.iter_selected(rows):
        report.count += 1
        report.damaged += fact.body is None
        yield build_record(fact)


def _render(records: Iterator[Record], text_format: TextFormat, report: FactExportReport) -> Iterator[str]:
    match text_format:
        case TextFormat.JSON:
            yield '{"memories":['
            for number, record in enumerate(records):
                yield (",\n" if number else "\n") + msgspec.json.encode(record).decode()
            counts = {"count": report.count, "left_out": report.left_out}
            yield "\n]," + encode_json(counts).removeprefix("{") + "\n"
        case TextFormat.CSV:
            yield _render_csv_row(COLUMNS)
            for record in records:
                yield _render_csv_row([_disarm_cell(_format_cell(record[name])) for name in COLUMNS])
            yield _render_csv_row(["count", str(report.count)])
        case TextFormat.MARKDOWN:
            for record in records:
                yield f"- {disarm_markdown(_describe(record))}\n"
            yield f"\n<!-- {_describe_end(report)} -->\n"
        case TextFormat.TEXT:
            for record in records:
                yield f"{_describe(record)}\n"
            yield f"\n{_describe_end(report)}\n"


def _render_csv_row(cells: Sequence[str]) -> str:
    row = io.StringIO()
    csv.writer(row).writerow(cells)
    return row.getvalue()


def _disarm_cell(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _format_cell(value: Any) -> str:
    """Return a value in one cell: of a time what was written of it, of a quote its words."""
    if isinstance(value, dict):
        value = value.get("raw") or value.get("text") or value.get("start")
    return "" if value is None else str(value)


def _describe(record: Record) -> str:
    """Return a fact in one line."""
    notes = [_format_cell(record["category"]), _describe_state(record), record["date"]]
    quote = " ".join(_format_cell(record["quote"]).split())
    said = f' Said: "{quote}"' if quote else ""
    return f"{_format_cell(record['content'])} ({', '.join(filter(None, notes))}){said}"


def _describe_state(record: Record) -> str:
    match record["state"]:
        case "accepted":
            return ""
        case "ended":
            return f"no longer so since {record['ended']}" if record["ended"] else "no longer so"
        case state:
            return str(state)


def _describe_end(report: FactExportReport) -> str:
    return f"End: {report.count} in all, {report.left_out} left out."
