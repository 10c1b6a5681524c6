"""The texts of all entries in one file, in one of four formats, which ends with how many there are.

    json      {"memories": [...], "count": 2, "left_out": 0}
    csv       a header, a row for each entry, and a last row: count, and the number
    markdown  a heading with the day and the time, and the text; a comment with the number at the end
    text      a line with the day and the time, and the text; a line with the number at the end

A file without its number is not complete. A cell of a CSV that begins as a formula of a spreadsheet does gets
a quote in front.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import IO, Final
from uuid import UUID

from diary.models import Entry
from diary.origins.provenance import Provenance
from diary.transfer.export_format import encode_json, to_plain
from diary.transfer.exports import BATCH_SIZE, ExportReport, ExportSource
from llamora.crypto import RealmKeyring, in_force
from llamora.database import read_snapshot
from llamora.threads import let_others_run

COLUMNS: Final = ("id", "date", "created_at", "updated_at", "origin", "source", "content")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class TextFormat(Enum):
    """A format of a file of texts."""

    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"
    TEXT = "text"

    @property
    def media_type(self) -> str:
        """The media type of a file."""
        return _TYPES[self][0]

    @property
    def suffix(self) -> str:
        """The end of a file's name."""
        return _TYPES[self][1]


_TYPES: Final = {
    TextFormat.JSON: ("application/json", "json"),
    TextFormat.CSV: ("text/csv; charset=utf-8", "csv"),
    TextFormat.MARKDOWN: ("text/markdown; charset=utf-8", "md"),
    TextFormat.TEXT: ("text/plain; charset=utf-8", "txt"),
}
Record = dict[str, str | None]


def write_texts(
    file: IO[bytes],
    *,
    keyring: RealmKeyring,
    text_format: TextFormat,
    reads_others: bool,
    report: ExportReport,
) -> None:
    """Write the texts of all entries that are not deleted, by day, and count them in `report`.

    Without `reads_others`, entries that are not their owner's own are left out.
    """
    with in_force(keyring), read_snapshot():
        records = _iter_records(keyring.owner, ExportSource.load(keyring, reads_others=reads_others), report)
        for chunk in _render(records, text_format, report):
            file.write(chunk.encode())


def build_record(entry: Entry) -> Record:
    """Return the columns of an entry; its text is None if it is damaged."""
    values = {
        "id": entry.id,
        "date": entry.day,
        "created_at": entry.created_at,
        "updated_at": entry.edited_at,
        "origin": str(entry.origin),
        "source": Provenance.load(entry).source,
        "content": entry.open_or("text", None),
    }
    return {name: to_plain(value) for name, value in values.items()}


def _iter_records(owner_id: UUID, source: ExportSource, report: ExportReport) -> Iterator[Record]:
    rows = Entry.objects.for_owner(owner_id).order_by("day", "created_at", "id")
    for entry in rows.iterator(chunk_size=BATCH_SIZE):
        let_others_run()
        if source.allows(entry):
            report.entries += 1
            yield build_record(entry)
        else:
            report.left_out["entries"] += 1


def _render(records: Iterator[Record], text_format: TextFormat, report: ExportReport) -> Iterator[str]:
    match text_format:
        case TextFormat.JSON:
            yield '{"memories":['
            for number, record in enumerate(records):
                yield (",\n" if number else "\n") + encode_json(record)
            counts = {"count": report.entries, "left_out": sum(report.left_out.values())}
            yield "\n]," + encode_json(counts).removeprefix("{") + "\n"
        case TextFormat.CSV:
            yield render_csv_row(COLUMNS)
            for record in records:
                yield render_csv_row([disarm_cell(record[name] or "") for name in COLUMNS])
            yield render_csv_row(["count", str(report.entries)])
        case TextFormat.MARKDOWN:
            for record in records:
                yield f"## {record['date']}, {record['created_at']}\n\n{record['content'] or ''}\n\n"
            yield f"<!-- {_describe_end(report)} -->\n"
        case TextFormat.TEXT:
            for record in records:
                yield f"{record['date']}, {record['created_at']}\n{record['content'] or ''}\n\n"
            yield f"{_describe_end(report)}\n"


def _describe_end(report: ExportReport) -> str:
    left_out = sum(report.left_out.values())
    return f"End: {report.entries} in all, {left_out} left out."


def render_csv_row(cells: Sequence[str]) -> str:
    """Return a line of a CSV."""
    row = io.StringIO()
    csv.writer(row).writerow(cells)
    return row.getvalue()


def disarm_cell(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
