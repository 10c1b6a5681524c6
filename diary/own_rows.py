"""From a row as an export wrote it back to columns, each taken only if it is what it should be.

An entry needs a day and a text, and a reply its text. Everything else that cannot be taken is left out by
itself, and named in words that follow "Entry 12:", which hold nothing of what was there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from diary import days
from diary.importing import BadLine, Reason, why_not
from diary.models import ReplyKind, ReplyState
from diary.own_values import (
    Read,
    Row,
    Unfit,
    a_code,
    a_day,
    a_digest,
    an_id,
    moment,
    one_of,
    what_was_read,
    whole,
    yes_or_no,
)
from diary.texts import TextRefused, to_keep

LIVE: Final = (ReplyState.WAITING, ReplyState.WRITING)
MOST_REVISIONS: Final = 2**30
_DAY_OF_SECONDS: Final = 24 * 60 * 60


@dataclass(kw_only=True)
class Given:
    """An entry as a file gives it: what it is made of, and whatever the row holds besides."""

    number: int
    id: UUID | None
    day: date
    columns: Row = field(repr=False)
    row: Row = field(repr=False)
    faults: list[str]


def given(number: int, value: Any, *, now: datetime, limit: int) -> Given | BadLine:
    """Return an entry of a file, or why it cannot be imported; `limit` is the longest text."""
    if not isinstance(value, dict):
        return BadLine(number, Reason.NOT_OBJECT)
    try:
        day = day_begun(value.get("day"), now=now)
        text = text_of(value.get("text"), limit=limit)
    except _Because as because:
        return BadLine(number, because.reason)
    faults: list[str] = []
    columns = taken(value, ENTRY, faults)
    if columns["first_day"] == day:
        columns["first_day"] = None
    columns |= {"day": day, "text": text}
    ids = taken(value, {"id": (an_id, None)}, faults)
    return Given(number=number, id=ids["id"], day=day, columns=columns, row=value, faults=faults)


def taken(row: Row, columns: Mapping[str, tuple[Read, Any]], faults: list[str], *, of: str = "") -> Row:
    """Return these columns of a row; each that is missing, or cannot be taken, as it is without one."""
    found: Row = {}
    for name, (read, otherwise) in columns.items():
        value = row.get(name)
        found[name] = otherwise
        if value is None:
            continue
        try:
            found[name] = read(value)
        except Unfit:
            faults.append(f"{of}{name} cannot be taken")
    return found


def rows_of(given_row: Row, kind: str, faults: list[str]) -> list[Row]:
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


class _Because(Unfit):
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.name)
        self.reason = reason


def day_begun(value: Any, *, now: datetime) -> date:
    """Return a day that has begun; raise Unfit."""
    if value is None:
        raise _Because(Reason.NO_DATE)
    try:
        day = a_day(value)
    except Unfit:
        raise _Because(Reason.BAD_DATE) from None
    if not days.has_begun(day, now=now):
        raise _Because(Reason.FUTURE)
    return day


def text_of(value: Any, *, limit: int) -> str:
    """Return a text that an entry may have; raise Unfit."""
    if not isinstance(value, str):
        raise _Because(Reason.NO_TEXT)
    try:
        return to_keep(value, limit=limit)
    except TextRefused as refused:
        raise _Because(why_not(refused)) from None


# --- Columns ---------------------------------------------------------------------------------------------

revision: Final = whole(least=1, most=MOST_REVISIONS)

# Not among them: `keep_key`, which means something to the page alone that kept the entry.
ENTRY: Final[dict[str, tuple[Read, Any]]] = {
    "first_day": (a_day, None),
    "utc_offset": (whole(least=1 - _DAY_OF_SECONDS, most=_DAY_OF_SECONDS - 1), None),
    "revision": (revision, 1),
    "created_at": (moment, None),
    "edited_at": (moment, None),
    "deleted_at": (moment, None),
    "source": (a_digest, None),
}
VERSION: Final[dict[str, tuple[Read, Any]]] = {
    "revision": (revision, None),
    "written_at": (moment, None),
    "replaced_at": (moment, None),
}
REPLY: Final[dict[str, tuple[Read, Any]]] = {
    "kind": (one_of(ReplyKind.values), ReplyKind.RESPOND.value),
    "state": (one_of(ReplyState.values), ReplyState.DONE.value),
    "reason": (a_code, ""),
    "read": (what_was_read, None),
    "created_at": (moment, None),
    "finished_at": (moment, None),
}
OPENING: Final[dict[str, tuple[Read, Any]]] = {
    "read": (what_was_read, None),
    "is_dismissed": (yes_or_no, False),
    "created_at": (moment, None),
}
WAY: Final[dict[str, tuple[Read, Any]]] = {"created_at": (moment, None)}
DRAFT: Final[dict[str, tuple[Read, Any]]] = {
    "entry_id": (an_id, None),
    "based_on": (revision, None),
    "updated_at": (moment, None),
}
