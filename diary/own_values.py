"""Single values as an export writes them: each reader returns what a column takes, or raises Unfit. Pure."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from diary import days
from diary.reading import Reading
from diary.texts import TextRefused, to_draft

_DIGEST: Final = 32
_CODE: Final = re.compile(r"[a-z0-9_]{0,32}")
# What is kept with a reply besides: the id and the name of the person's own way that it was asked for in.
_OF_WAY: Final = ("way", "name")
_LONGEST_OF_WAY: Final = 100

Row = dict[str, Any]
Read = Callable[[Any], Any]


class Unfit(Exception):  # noqa: N818 - carries no word of the file from where it is seen to where it is told
    """Raised for a value that cannot be taken."""


def words(value: Any, *, limit: int) -> str:
    """Return a text that may be empty, as those of the model and of drafts may; raise Unfit."""
    if not isinstance(value, str):
        raise Unfit
    try:
        return to_draft(value, limit=limit)
    except TextRefused:
        raise Unfit from None


def a_day(value: Any) -> date:
    """Return a day written as YYYY-MM-DD; raise Unfit."""
    try:
        return days.parse_day(value)
    except (TypeError, ValueError):
        raise Unfit from None


def moment(value: Any) -> datetime:
    """Return a moment in ISO 8601 with its offset, as UTC; raise Unfit."""
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise Unfit
        return at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise Unfit from None


def an_id(value: Any) -> UUID:
    """Return an id; raise Unfit."""
    if not isinstance(value, str):
        raise Unfit
    try:
        return UUID(value)
    except ValueError:
        raise Unfit from None


def yes_or_no(value: Any) -> bool:
    """Return what is true or false; raise Unfit."""
    if not isinstance(value, bool):
        raise Unfit
    return value


def whole(*, least: int, most: int) -> Read:
    """Return what reads a whole number between two others."""

    def read(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise Unfit
        return value

    return read


def one_of(those: Iterable[str]) -> Read:
    """Return what reads one of some words."""
    known = frozenset(those)

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise Unfit
        return value

    return read


def what_was_read(value: Any) -> Row:
    """Return what was read for something the model wrote, as it is sealed with it; raise Unfit.

    Nothing else comes along: a value of any shape and depth would be walked through, and sealed, with it.
    """
    reading = Reading.from_json(value)
    if reading is None:
        raise Unfit
    kept = {key: one for key, one in reading.as_json().items() if key in value}
    return kept | {key: words(value[key], limit=_LONGEST_OF_WAY) for key in _OF_WAY if key in value}


def a_digest(value: Any) -> bytes:
    """Return a keyed digest in hexadecimal as its bytes; raise Unfit."""
    try:
        digest = bytes.fromhex(value)
    except (TypeError, ValueError):
        raise Unfit from None
    if len(digest) != _DIGEST:
        raise Unfit
    return digest


def a_code(value: Any) -> str:
    """Return the code of a reason; raise Unfit."""
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        raise Unfit
    return value
