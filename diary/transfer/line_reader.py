"""Parser of JSON lines, each `{"date": "2026-11-20", "text": "..."}`; a bad line does not stop it. Pure.

The encoding is UTF-8, with or without a byte order mark; empty lines are skipped and other fields ignored. A
bad line is reported by its number and a reason, never by its text.
"""

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, BinaryIO

from diary import messages
from diary.days import parse_day
from diary.entries.text_validation import EmptyText, InvalidText, TextTooLong, clean_entry_text

# JSON takes at most twelve bytes for one character; the rest is for the object around the text.
BYTES_PER_CHARACTER = 12
FRAME_BYTES = 64 * 1024
_CHUNK_BYTES = 1024 * 1024
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class RejectionReason(Enum):
    """Reasons why a line is not imported, worded as the rest of a sentence that begins with "Line 12"."""

    LONG_LINE = messages.LINE_TOO_LONG
    NOT_UTF8 = messages.LINE_NOT_UTF8
    NOT_JSON = messages.LINE_NOT_JSON
    NOT_OBJECT = messages.LINE_NOT_OBJECT
    NO_DATE = messages.LINE_NO_DATE
    BAD_DATE = messages.LINE_BAD_DATE
    FUTURE = messages.LINE_FUTURE
    NO_TEXT = messages.LINE_NO_TEXT
    EMPTY = messages.LINE_EMPTY
    LONG_TEXT = messages.LINE_LONG_TEXT
    NOT_TEXT = messages.LINE_INVALID_TEXT


@dataclass(frozen=True, slots=True)
class ImportLine:
    """A valid line; `repr` does not show its text."""

    number: int
    day: date
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line that cannot be imported, with the reason."""

    number: int
    reason: RejectionReason


_REASONS_BY_ERROR = {EmptyText: RejectionReason.EMPTY, TextTooLong: RejectionReason.LONG_TEXT}


class _LineRejected(Exception):  # noqa: N818 - becomes a `RejectedLine`
    def __init__(self, reason: RejectionReason) -> None:
        super().__init__(reason.name)
        self.reason = reason


class UnsupportedEncoding(Exception):  # noqa: N818 - an answer to the person, not a fault
    """Raised for a file in UTF-16, in which no line can be read."""


def read_lines(file: BinaryIO, *, until: date, limit: int) -> Iterator[ImportLine | RejectedLine]:
    """Yield each line, parsed or rejected; `until` is the last valid day, `limit` the longest valid text."""
    longest = limit * BYTES_PER_CHARACTER + FRAME_BYTES
    for number, raw in enumerate(_read_raw_lines(file, longest=longest), start=1):
        if number == 1 and raw.startswith(_UTF16_MARKS):
            raise UnsupportedEncoding(messages.UTF16_FILE)
        stripped = (raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw).strip()
        if not stripped:
            continue
        try:
            yield _parse_line(number, _parse_object(stripped, longest=longest), until=until, limit=limit)
        except _LineRejected as rejected:
            yield RejectedLine(number, rejected.reason)


def _read_raw_lines(file: BinaryIO, *, longest: int) -> Iterator[bytes]:
    """Yield raw lines, each cut to `longest + 1` bytes.

    A longer result than `longest` tells the caller that the line was too long.
    """
    while raw := file.readline(longest + 1):
        yield raw
        chunk = raw
        while len(chunk) >= min(_CHUNK_BYTES, longest + 1) and not chunk.endswith(b"\n"):
            chunk = file.readline(_CHUNK_BYTES)


def _parse_object(raw: bytes, *, longest: int) -> dict[str, Any]:
    if len(raw) > longest:
        raise _LineRejected(RejectionReason.LONG_LINE)
    try:
        value = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise _LineRejected(RejectionReason.NOT_UTF8) from None
    except (ValueError, RecursionError):
        # `from None`: the error carries the text.
        raise _LineRejected(RejectionReason.NOT_JSON) from None
    if not isinstance(value, dict):
        raise _LineRejected(RejectionReason.NOT_OBJECT)
    return value


def _parse_line(number: int, value: dict[str, Any], *, until: date, limit: int) -> ImportLine:
    day, text = value.get("date"), value.get("text")
    if day is None:
        raise _LineRejected(RejectionReason.NO_DATE)
    if text is None:
        raise _LineRejected(RejectionReason.NO_TEXT)
    if not isinstance(day, str) or not isinstance(text, str):
        raise _LineRejected(RejectionReason.NOT_OBJECT)
    return ImportLine(number, _parse_line_day(day, until=until), _parse_line_text(text, limit=limit))


def _parse_line_day(text: str, *, until: date) -> date:
    try:
        day = parse_day(text)
    except ValueError:
        raise _LineRejected(RejectionReason.BAD_DATE) from None
    if day > until:
        raise _LineRejected(RejectionReason.FUTURE)
    return day


def _parse_line_text(text: str, *, limit: int) -> str:
    try:
        return clean_entry_text(text, limit=limit)
    except InvalidText as refused:
        raise _LineRejected(get_rejection_reason(refused)) from None


def get_rejection_reason(refused: InvalidText) -> RejectionReason:
    """Return the reason why a line with this invalid text is rejected."""
    return _REASONS_BY_ERROR.get(type(refused), RejectionReason.NOT_TEXT)
