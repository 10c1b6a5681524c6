"""The format of an export: one JSON with everything, and a Markdown file for each day. Pure.

    diary.json                  UTF-8
    days/2026/2026-11-20.md     UTF-8, one for each day with entries that are not deleted
    workspace/SOUL.md           and the other notes, each a file at its path (`diary.notes.workspace.files`)

`diary.json` is one object, in this order (version 1):

    format       "llamora.diary"
    version      1
    exported_at  moment
    person       the person's settings: name, time_zone, ...
    entries      including those in the bin; by day, then in the order they were written. Each has its
                 columns by name (id, day, text, revision, created_at, edited_at, deleted_at, source, ...),
                 and lists of its other values, by kind: "replies", "traces" (names), and later additions;
                 "signature", by which this diary recognises the row; missing in a program's export
    others       {kind: rows} of all rows that belong to no entry: "drafts", "inbox_items", ...
    counts       {"entries", "damaged": number of damaged values, "left_out": {kind: number} of rows that
                 the program may not read}; since it comes last, a JSON without it is not complete

Moments are ISO 8601 with their offset, days YYYY-MM-DD, ids text, bytes hexadecimal. Texts are exact, as they
are stored, line ends LF. A damaged value is null, and its row then has an object `damaged` of column names
and reasons. A reader ignores unknown columns and kinds.

A Markdown file has front matter, the date as its heading, then each entry under its time, as it was written,
and each reply as a quotation whose links and pictures are escaped, since loading one could leak words of the
diary from a program that shows the file. The front matter is YAML:

    date         the day
    entries      a list, with for each entry its id and time, and

        origin   what the JSON says: "own", "own_token", "imported", "program" or "model"; missing if the text
                 is damaged, since it is bound to its origin
        from     name of the app, program or file, if it has one; "from" in the provenance of the JSON
        traces   names, if it has any

Like all names in an export, these never change. A Markdown file is for reading only: headings and quotations
inside a text look like those of the file, so nothing in it can be signed, and a program that reads it must
treat all of it as imported. The exact texts, with signatures, are in the JSON.

`import_diary` imports the JSON (`diary.transfer.diary_imports`), whoever wrote or changed it. These values
are left out or changed:

    person             not imported: the importing person has their own settings
    keep_key           not imported: it is used only by the page that saved the entry
    origin             and provenance: believed of an entry that the importing diary signed itself (see
                       `diary.transfer.signatures`); any other entry counts as imported from this file
    deleted_at         and replaced_at of a version: now, if its thirty days are over or have not begun
    source             computed again if possible: it is a digest under a key of the exporting household
    others.ways_of_answering  not used for replies until their new owner says that they are theirs
    others.drafts      imported as drafts if the importing diary signed them, or if they are edits of imported
                       entries; other drafts wait in the Inbox
    others.inbox_items  not imported if deleted; the others wait in the Inbox as imported texts
    others.questions   imported as questions of others, whose answers read text of others
    others.facts       imported with their others.fact_changes; a fact that the importing diary did not sign
                       counts as imported from this file, and so does its history
    others.recaps      not imported: whether a recap is current can be checked only with the exporting key
    others.look_backs  not imported, for the same reason
    others.changes     not imported: undo information of traces, and the traces deleted with it
    damaged rows       not imported: an entry or a reply whose text is null
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from diary import days, messages
from llamora.pluralize import pluralize

FORMAT, VERSION = "llamora.diary", 1
JSON_NAME = "diary.json"

_LINK_MARKS = re.compile(r"[\\\[\]]")
# Each alternative begins with the character that is escaped, since a search for three characters is quick.
_IN_ADDRESS = re.compile(
    r":(?:(?<=\bhttp:)|(?<=\bhttps:)|(?<=\bftp:)|(?<=\bmailto:)|(?<=\bxmpp:))|\.(?<=\bwww\.)|@(?<=\w@)(?=\w)",
    re.IGNORECASE,
)


def to_plain(value: Any) -> Any:
    """Return a column's value as a JSON value."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case bytes() | memoryview():
            return bytes(value).hex()
    return value


def encode_json(value: Any) -> str:
    """Return a value encoded as JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, kw_only=True)
class ExportedText:
    """An entry or a reply in the Markdown file of a day; `text` is None if it is damaged."""

    id: UUID
    at: datetime
    text: str | None
    replies: Sequence["ExportedText"] = ()
    utc_offset: int | None = None
    traces: Sequence[str] = ()
    origin: str = ""
    source: str = ""

    def format_time(self, zone: str) -> str:
        """Return the original time of day; if its offset is unknown, the time of day in `zone`."""
        if self.utc_offset is None:
            return days.format_time(self.at, zone)
        seconds = self.at.hour * 3600 + self.at.minute * 60 + self.utc_offset
        return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}"


def day_file_name(day: date) -> str:
    """Return the name of a day's Markdown file."""
    return f"days/{day.year:04}/{day.isoformat()}.md"


def render_day_markdown(day: date, entries: Sequence[ExportedText], *, zone: str) -> str:
    """Return the content of a day's Markdown file."""
    front = ["---", f"date: {day.isoformat()}", "entries:"]
    for entry in entries:
        front += [f"  - id: {entry.id}", f'    time: "{entry.format_time(zone)}"']
        if entry.origin:
            front.append(f"    origin: {entry.origin}")
        if entry.source:
            front.append(f"    from: {encode_json(entry.source)}")
        if entry.traces:
            # A JSON list is a YAML list too, whatever characters the names hold.
            front.append(f"    traces: {encode_json(list(entry.traces))}")
    parts = ["\n".join([*front, "---"]), f"# {days.weekday_name(day)}, {days.format_day(day)}"]
    for entry in entries:
        parts += _render_entry(entry, zone)
    return "\n\n".join(parts) + "\n"


def render_markdown_end(*, entries: int, day_count: int, left_out: Mapping[str, int]) -> str:
    """Return the last line of the Markdown of all days: the counts of what it contains and leaves out."""
    count = f"{pluralize(entries, 'entry', 'entries')} on {pluralize(day_count, 'day', 'days')}"
    missing = ", ".join(f"{number} {kind.replace('_', ' ')}" for kind, number in sorted(left_out.items()))
    return f"<!-- End of the export: {count}. Left out: {missing or 'nothing'}. -->\n"


def _render_entry(entry: ExportedText, zone: str) -> Iterator[str]:
    yield f"## {entry.format_time(zone)}"
    yield messages.EXPORT_UNREADABLE_TEXT if entry.text is None else entry.text
    for reply in entry.replies:
        text = messages.EXPORT_UNREADABLE_TEXT if reply.text is None else reply.text
        yield "\n".join(
            f"> {line}".rstrip()
            for line in [f"**Reply, {reply.format_time(zone)}**", "", *disarm_markdown(text).split("\n")]
        )


def disarm_markdown(text: str) -> str:
    """Return the Markdown of a text by the model, with its links, pictures and HTML escaped."""
    return _IN_ADDRESS.sub(_escape, _LINK_MARKS.sub(_escape, text).replace("<", "&lt;"))


def _escape(found: re.Match[str]) -> str:
    # A function, since a template is interpreted for each text.
    return f"\\{found[0]}"


def render_json_head(person: Mapping[str, Any], *, at: datetime) -> str:
    """Return the beginning of the JSON, up to its entries."""
    head = {"format": FORMAT, "version": VERSION, "exported_at": to_plain(at), "person": person}
    return encode_json(head).removesuffix("}") + ',"entries":['


def render_json_tail(others: Mapping[str, Any], *, counts: Mapping[str, Any]) -> str:
    """Return the end of the JSON, after its entries."""
    return f'],\n"others":{encode_json(others)},\n"counts":{encode_json(counts)}}}\n'
