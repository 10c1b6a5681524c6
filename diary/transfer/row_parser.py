"""Parser of the rows of an export into columns of the models; each value is checked separately.

An entry needs a valid day and text, and a reply a valid text. Any other invalid value is skipped, and named
in a sentence that follows "Entry 12:" and contains nothing of the file.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection, models

from diary import days, messages
from diary.entries.text_validation import InvalidText, clean_draft_text, clean_entry_text
from diary.generation.prompt_record import PromptRecord
from diary.models import Entry, ReplyKind
from diary.transfer.line_reader import RejectedLine, RejectionReason, get_rejection_reason
from llamora.inference.job import JobState
from llamora.source_names import clean_source_name

MAX_REVISION: Final = 2**30
_SECONDS_PER_DAY: Final = 24 * 60 * 60
_DIGEST_BYTES: Final = 32
_CODE_PATTERN: Final = re.compile(r"[a-z0-9_]{0,32}")
# Sealed with the prompt record of a reply: id and name of the custom reply style that it was asked for in.
_REPLY_KIND_KEYS: Final = ("way", "name")
_MAX_REPLY_KIND_TEXT: Final = 100

ExportRow = dict[str, Any]
ValueParser = Callable[[Any], Any]
# How the columns of a row are parsed, by name, each with its default.
ColumnParsers = Mapping[str, tuple[ValueParser, Any]]


class InvalidValue(Exception):  # noqa: N818 - caught where the fault is named, never shown
    """Raised for a value that cannot be imported. The error contains nothing of the file."""


class _EntryRejected(InvalidValue):
    def __init__(self, reason: RejectionReason) -> None:
        super().__init__(reason.name)
        self.reason = reason


@dataclass(kw_only=True)
class ParsedEntry:
    """An entry of a file: its columns, the row from which they were parsed, and its faults."""

    number: int
    id: UUID | None
    day: date
    columns: ExportRow = field(repr=False)
    row: ExportRow = field(repr=False)
    faults: list[str]


# --- Rows ----------------------------------------------------------------------------------------------


def parse_entry(number: int, value: Any, *, now: datetime, limit: int) -> ParsedEntry | RejectedLine:
    """Return an entry of a file, or the reason why it is rejected; `limit` is the longest valid text."""
    if not isinstance(value, dict):
        return RejectedLine(number, RejectionReason.NOT_OBJECT)
    try:
        day = parse_begun_day(value.get("day"), now=now)
        text = parse_entry_text(value.get("text"), limit=limit)
    except _EntryRejected as rejected:
        return RejectedLine(number, rejected.reason)
    faults: list[str] = []
    columns = parse_columns(value, ENTRY_COLUMNS, faults)
    if columns["first_day"] == day:
        columns["first_day"] = None
    columns |= {"day": day, "text": text}
    ids = parse_columns(value, {"id": (parse_uuid, None)}, faults)
    return ParsedEntry(number=number, id=ids["id"], day=day, columns=columns, row=value, faults=faults)


def parse_columns(
    row: ExportRow, parsers: ColumnParsers, faults: list[str], *, prefix: str = ""
) -> ExportRow:
    """Return the columns of a row, with defaults for missing and invalid values.

    Add a sentence about each invalid value to `faults`.
    """
    columns: ExportRow = {}
    for name, (parse, default) in parsers.items():
        columns[name] = default
        if row.get(name) is None:
            continue
        try:
            columns[name] = parse(row[name])
        except InvalidValue:
            faults.append(prefix + messages.FAULT_VALUE.format(name=name))
    return columns


def get_rows(entry_row: ExportRow, kind: str, faults: list[str]) -> list[ExportRow]:
    """Return the rows of a kind that belong to an entry."""
    rows = entry_row.get(kind) or []
    if not isinstance(rows, list):
        faults.append(messages.FAULT_NOT_A_LIST.format(kind=kind))
        return []
    valid = [row for row in rows if isinstance(row, dict)]
    if len(valid) < len(rows):
        faults.append(messages.FAULT_NOT_A_ROW.format(kind=kind))
    return valid


# --- Values --------------------------------------------------------------------------------------------


def parse_begun_day(value: Any, *, now: datetime) -> date:
    """Return a day that has begun; raise InvalidValue."""
    if value is None:
        raise _EntryRejected(RejectionReason.NO_DATE)
    try:
        day = parse_date(value)
    except InvalidValue:
        raise _EntryRejected(RejectionReason.BAD_DATE) from None
    if not days.has_begun(day, now=now):
        raise _EntryRejected(RejectionReason.FUTURE)
    return day


def parse_entry_text(value: Any, *, limit: int) -> str:
    """Return a valid text for an entry; raise InvalidValue."""
    if not isinstance(value, str):
        raise _EntryRejected(RejectionReason.NO_TEXT)
    try:
        return clean_entry_text(value, limit=limit)
    except InvalidText as refused:
        raise _EntryRejected(get_rejection_reason(refused)) from None


def parse_text(value: Any, *, limit: int) -> str:
    """Return a generated text or a draft, which may be empty; raise InvalidValue."""
    if not isinstance(value, str):
        raise InvalidValue
    try:
        return clean_draft_text(value, limit=limit)
    except InvalidText:
        raise InvalidValue from None


def parse_date(value: Any) -> date:
    """Return a day written as YYYY-MM-DD; raise InvalidValue."""
    try:
        return days.parse_day(value)
    except (TypeError, ValueError):
        raise InvalidValue from None


def parse_datetime(value: Any) -> datetime:
    """Parse a text in ISO 8601 with a UTC offset, and return the moment in UTC; raise InvalidValue."""
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise InvalidValue
        return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise InvalidValue from None


def parse_uuid(value: Any) -> UUID:
    """Return an id; raise InvalidValue."""
    if not isinstance(value, str):
        raise InvalidValue
    try:
        return UUID(value)
    except ValueError:
        raise InvalidValue from None


def parse_bool(value: Any) -> bool:
    """Return true or false; raise InvalidValue."""
    if not isinstance(value, bool):
        raise InvalidValue
    return value


def parse_digest(value: Any) -> bytes:
    """Return the bytes of a keyed digest in hexadecimal; raise InvalidValue."""
    try:
        digest = bytes.fromhex(value)
    except (TypeError, ValueError):
        raise InvalidValue from None
    if len(digest) != _DIGEST_BYTES:
        raise InvalidValue
    return digest


def parse_code(value: Any) -> str:
    """Return the code that says why the generation of a reply ended early; raise InvalidValue."""
    if not isinstance(value, str) or not _CODE_PATTERN.fullmatch(value):
        raise InvalidValue
    return value


def parse_prompt_record(value: Any) -> ExportRow:
    """Return the prompt record of a generated text; raise InvalidValue.

    Unknown keys are dropped, since their values could have any depth and would be traversed and sealed.
    """
    record = PromptRecord.from_json(value)
    if record is None:
        raise InvalidValue
    known = {key: one for key, one in record.to_json().items() if key in value}
    return known | {
        key: clean_source_name(parse_text(value[key], limit=_MAX_REPLY_KIND_TEXT))
        for key in _REPLY_KIND_KEYS
        if key in value
    }


def int_parser(*, least: int, most: int) -> ValueParser:
    """Return a parser of whole numbers from `least` to `most`."""

    def parse(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise InvalidValue
        return value

    return parse


def choice_parser(choices: Iterable[str]) -> ValueParser:
    """Return a parser that accepts only the given words."""
    known = frozenset(choices)

    def parse(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise InvalidValue
        return value

    return parse


# --- Columns -------------------------------------------------------------------------------------------


def build_column_parsers(
    model: type[models.Model], *, leave_out: Collection[str], parsers: Mapping[str, ValueParser]
) -> dict[str, tuple[ValueParser, Any]]:
    """Return a parser for each column of a model: the given one, or else the one for the column's type."""
    return {
        column.attname: (
            parsers.get(column.attname) or get_field_parser(column),
            None if callable(column.default) else column.get_default(),
        )
        for column in model._meta.concrete_fields
        if column.attname not in leave_out
    }


def get_field_parser(column: "models.Field[Any, Any]") -> ValueParser:
    """Return the parser for the type of a plain column; raise TypeError if there is none."""
    match column:
        case models.BooleanField():
            return parse_bool
        case models.DateTimeField():
            return parse_datetime
        case models.DateField():
            return parse_date
        case models.UUIDField():
            return parse_uuid
        case models.IntegerField():
            least, most = connection.ops.integer_field_range(column.get_internal_type())
            return int_parser(least=least, most=most)
        case models.CharField() | models.TextField() if column.choices:
            return choice_parser(str(value) for value, _ in column.flatchoices)
        case models.CharField() | models.TextField():
            limit = column.max_length or settings.MAX_TEXT
            return lambda value: parse_text(value, limit=limit)
    raise TypeError(f"{column} needs a parser of its own in ENTRY_COLUMNS.")


parse_revision: Final = int_parser(least=1, most=MAX_REVISION)

ENTRY_COLUMNS: Final = build_column_parsers(
    Entry,
    # `keep_key` means nothing but to the page that saved the entry, and whatever a file says, its entries are
    # imported from that file; the others are parsed by `parse_entry`, or made at the save.
    leave_out={"id", "owner_id", "day", "text", "keep_key", "origin", "provenance", "mac"},
    parsers={
        "utc_offset": int_parser(least=1 - _SECONDS_PER_DAY, most=_SECONDS_PER_DAY - 1),
        "revision": parse_revision,
        "source": parse_digest,
    },
)
VERSION_COLUMNS: Final[ColumnParsers] = {
    "revision": (parse_revision, None),
    "written_at": (parse_datetime, None),
    "replaced_at": (parse_datetime, None),
}
REPLY_COLUMNS: Final[ColumnParsers] = {
    "kind": (choice_parser(ReplyKind.values), ReplyKind.RESPOND.value),
    "state": (choice_parser(JobState.values), JobState.DONE.value),
    "reason": (parse_code, ""),
    "read": (parse_prompt_record, None),
    "created_at": (parse_datetime, None),
    "finished_at": (parse_datetime, None),
}
OPENING_COLUMNS: Final[ColumnParsers] = {
    "read": (parse_prompt_record, None),
    "is_dismissed": (parse_bool, False),
    "created_at": (parse_datetime, None),
}
REPLY_KIND_COLUMNS: Final[ColumnParsers] = {"created_at": (parse_datetime, None)}
DRAFT_COLUMNS: Final[ColumnParsers] = {
    "entry_id": (parse_uuid, None),
    "based_on": (parse_revision, None),
    "updated_at": (parse_datetime, None),
}
