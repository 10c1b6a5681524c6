"""From a row as an export wrote it back to columns, each taken only if it is what it should be.

An entry needs a day and a text, and a reply its text. Everything else that cannot be taken is left out by
itself, and named in words that follow "Entry 12:", which hold nothing of what was there.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from diary import days
from diary.entries.text_validation import InvalidText, clean_draft_text, clean_entry_text
from diary.generation.prompt_record import PromptRecord
from diary.models import ReplyKind, ReplyState
from diary.transfer.line_reader import RejectedLine, RejectionReason, get_rejection_reason

# MERGED diary.own_values: Single values as an export writes them: each reader returns what a column takes,
# or raises Unfit. Pure.

_DIGEST_BYTES: Final = 32
_CODE_PATTERN: Final = re.compile(r"[a-z0-9_]{0,32}")
# What is kept with a reply besides: the id and the name of the person's own way that it was asked for in.
_REPLY_KIND_KEYS: Final = ("way", "name")
_MAX_REPLY_KIND_TEXT: Final = 100

ExportRow = dict[str, Any]
ValueParser = Callable[[Any], Any]


class InvalidValue(Exception):  # noqa: N818 - carries no word of the file from where it is seen to where it is told
    """Raised for a value that cannot be taken."""


def parse_text(value: Any, *, limit: int) -> str:
    """Return a text that may be empty, as those of the model and of drafts may; raise Unfit."""
    if not isinstance(value, str):
        raise InvalidValue
    try:
        return clean_draft_text(value, limit=limit)
    except InvalidText:
        raise InvalidValue from None


def parse_date(value: Any) -> date:
    """Return a day written as YYYY-MM-DD; raise Unfit."""
    try:
        return days.parse_day(value)
    except (TypeError, ValueError):
        raise InvalidValue from None


def parse_datetime(value: Any) -> datetime:
    """Return a moment in ISO 8601 with its offset, as UTC; raise Unfit."""
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise InvalidValue
        return at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise InvalidValue from None


def parse_uuid(value: Any) -> UUID:
    """Return an id; raise Unfit."""
    if not isinstance(value, str):
        raise InvalidValue
    try:
        return UUID(value)
    except ValueError:
        raise InvalidValue from None


def parse_bool(value: Any) -> bool:
    """Return what is true or false; raise Unfit."""
    if not isinstance(value, bool):
        raise InvalidValue
    return value


def int_parser(*, least: int, most: int) -> ValueParser:
    """Return what reads a whole number between two others."""

    def read(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise InvalidValue
        return value

    return read


def choice_parser(those: Iterable[str]) -> ValueParser:
    """Return what reads one of some words."""
    known = frozenset(those)

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise InvalidValue
        return value

    return read


def parse_prompt_record(value: Any) -> ExportRow:
    """Return what was read for something the model wrote, as it is sealed with it; raise Unfit.

    Nothing else comes along: a value of any shape and depth would be walked through, and sealed, with it.
    """
    reading = PromptRecord.from_json(value)
    if reading is None:
        raise InvalidValue
    kept = {key: one for key, one in reading.to_json().items() if key in value}
    return kept | {
        key: parse_text(value[key], limit=_MAX_REPLY_KIND_TEXT) for key in _REPLY_KIND_KEYS if key in value
    }


def parse_digest(value: Any) -> bytes:
    """Return a keyed digest in hexadecimal as its bytes; raise Unfit."""
    try:
        digest = bytes.fromhex(value)
    except (TypeError, ValueError):
        raise InvalidValue from None
    if len(digest) != _DIGEST_BYTES:
        raise InvalidValue
    return digest


def parse_code(value: Any) -> str:
    """Return the code of a reason; raise Unfit."""
    if not isinstance(value, str) or not _CODE_PATTERN.fullmatch(value):
        raise InvalidValue
    return value


LIVE_REPLY_STATES: Final = (ReplyState.WAITING, ReplyState.WRITING)
MAX_REVISION: Final = 2**30
_SECONDS_PER_DAY: Final = 24 * 60 * 60


@dataclass(kw_only=True)
class ParsedEntry:
    """An entry as a file gives it: what it is made of, and whatever the row holds besides."""

    number: int
    id: UUID | None
    day: date
    columns: ExportRow = field(repr=False)
    row: ExportRow = field(repr=False)
    faults: list[str]


def parse_entry(number: int, value: Any, *, now: datetime, limit: int) -> ParsedEntry | RejectedLine:
    """Return an entry of a file, or why it cannot be imported; `limit` is the longest text."""
    if not isinstance(value, dict):
        return RejectedLine(number, RejectionReason.NOT_OBJECT)
    try:
        day = parse_begun_day(value.get("day"), now=now)
        text = parse_entry_text(value.get("text"), limit=limit)
    except _EntryRejected as because:
        return RejectedLine(number, because.reason)
    faults: list[str] = []
    columns = parse_columns(value, ENTRY_COLUMNS, faults)
    if columns["first_day"] == day:
        columns["first_day"] = None
    columns |= {"day": day, "text": text}
    ids = parse_columns(value, {"id": (parse_uuid, None)}, faults)
    return ParsedEntry(number=number, id=ids["id"], day=day, columns=columns, row=value, faults=faults)


def parse_columns(
    row: ExportRow, columns: Mapping[str, tuple[ValueParser, Any]], faults: list[str], *, of: str = ""
) -> ExportRow:
    """Return these columns of a row; each that is missing, or cannot be taken, as it is without one."""
    found: ExportRow = {}
    for name, (read, otherwise) in columns.items():
        value = row.get(name)
        found[name] = otherwise
        if value is None:
            continue
        try:
            found[name] = read(value)
        except InvalidValue:
            faults.append(f"{of}{name} cannot be taken")
    return found


def get_rows(given_row: ExportRow, kind: str, faults: list[str]) -> list[ExportRow]:
    """Return the rows of a kind that belong to an entry."""
    rows = given_row.get(kind) or []
    if not isinstance(rows, list):
        faults.append(f"{kind} is no list")
        return []
    good = [row for row in rows if isinstance(row, dict)]
    if len(good) < len(rows):
        faults.append(f"{kind} holds what is no row")
    return good


# --- Days and texts ------------------------------------------------------------------------------------


class _EntryRejected(InvalidValue):
    def __init__(self, reason: RejectionReason) -> None:
        super().__init__(reason.name)
        self.reason = reason


def parse_begun_day(value: Any, *, now: datetime) -> date:
    """Return a day that has begun; raise Unfit."""
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
    """Return a text that an entry may have; raise Unfit."""
    if not isinstance(value, str):
        raise _EntryRejected(RejectionReason.NO_TEXT)
    try:
        return clean_entry_text(value, limit=limit)
    except InvalidText as refused:
        raise _EntryRejected(get_rejection_reason(refused)) from None


# --- Columns ---------------------------------------------------------------------------------------------

parse_revision: Final = int_parser(least=1, most=MAX_REVISION)

# Not among them: `keep_key`, which means something to the page alone that kept the entry.
ENTRY_COLUMNS: Final[dict[str, tuple[ValueParser, Any]]] = {
    "first_day": (parse_date, None),
    "utc_offset": (int_parser(least=1 - _SECONDS_PER_DAY, most=_SECONDS_PER_DAY - 1), None),
    "revision": (parse_revision, 1),
    "created_at": (parse_datetime, None),
    "edited_at": (parse_datetime, None),
    "deleted_at": (parse_datetime, None),
    "source": (parse_digest, None),
}
VERSION_COLUMNS: Final[dict[str, tuple[ValueParser, Any]]] = {
    "revision": (parse_revision, None),
    "written_at": (parse_datetime, None),
    "replaced_at": (parse_datetime, None),
}
REPLY_COLUMNS: Final[dict[str, tuple[ValueParser, Any]]] = {
    "kind": (choice_parser(ReplyKind.values), ReplyKind.RESPOND.value),
    "state": (choice_parser(ReplyState.values), ReplyState.DONE.value),
    "reason": (parse_code, ""),
    "read": (parse_prompt_record, None),
    "created_at": (parse_datetime, None),
    "finished_at": (parse_datetime, None),
}
OPENING_COLUMNS: Final[dict[str, tuple[ValueParser, Any]]] = {
    "read": (parse_prompt_record, None),
    "is_dismissed": (parse_bool, False),
    "created_at": (parse_datetime, None),
}
REPLY_KIND_COLUMNS: Final[dict[str, tuple[ValueParser, Any]]] = {"created_at": (parse_datetime, None)}
DRAFT_COLUMNS: Final[dict[str, tuple[ValueParser, Any]]] = {
    "entry_id": (parse_uuid, None),
    "based_on": (parse_revision, None),
    "updated_at": (parse_datetime, None),
}
