"""Responses of the server as typed, frozen objects.

Unknown fields are ignored, and kinds and states are plain strings, so that the client works with a newer
server. Times are aware `datetime`s, days are `date`s. Text that a person wrote is left out of `repr`, because
`repr` ends up in logs.
"""

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from llamora.client.errors import UnexpectedAnswer

T = TypeVar("T")


def _text(**options: Any) -> Any:
    """Return a field that `repr` leaves out."""
    return field(repr=False, **options)


@dataclass(frozen=True, kw_only=True)
class ServerHealth:
    """The health of a server: its `status` is "ok", or "away" while it answers but can save nothing."""

    status: str
    version: str = ""
    timestamp: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ModelState:
    """The language model: its state, and its name if there is one."""

    state: str
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class SearchState:
    """The search index: its state, and how many texts it contains so far."""

    state: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, kw_only=True)
class TokenState:
    """The access token of the call: its kind and scopes."""

    kind: str = ""
    scopes: tuple[str, ...] = ()
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class ServerStatus:
    """The state of a server for the token's owner; `unlocked` says whether their diary can be read."""

    status: str
    unlocked: bool = False
    version: str = ""
    model: ModelState | None = None
    search: SearchState | None = None
    token: TokenState | None = None


@dataclass(frozen=True, kw_only=True)
class DiaryEntry:
    """An entry; `text` is None if it is damaged on the server's disk, `source` names where it is from.

    `origin` is "own", "own_token", "imported", "program" or "model".
    """

    id: str
    day: date
    text: str | None = _text()
    created_at: datetime
    revision: int
    edited_at: datetime | None = None
    origin: str = ""
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class CountedDay:
    """A day and the number of its entries."""

    day: date
    entry_count: int


@dataclass(frozen=True, kw_only=True)
class DiaryDay:
    """A day with entries. `unread_count` counts the other entries, which the token is not allowed to read."""

    day: date
    entries: tuple[DiaryEntry, ...] = ()
    opening: str | None = _text(default=None)
    recap: str | None = _text(default=None)
    unread_count: int = 0


@dataclass(frozen=True, kw_only=True)
class WriteAnswer:
    """Result of `write`: `action` is "created", or "pending" if the text waits in the Inbox.

    It is "no_change" if an earlier call with the same key stored the text, for example when its response was
    lost. `entry` is None unless the text is an entry that the token may read.
    """

    action: str
    id: str
    day: date | None = None
    entry: DiaryEntry | None = None


@dataclass(frozen=True, kw_only=True)
class BinnedEntry:
    """A deleted entry, and the number of days until it is deleted for good."""

    id: str
    deleted: bool = True
    in_bin_days: int = 0


@dataclass(frozen=True, kw_only=True)
class FoundText:
    """A result of a search: an entry, or another text that belongs to `entry_id` or to `day`."""

    id: str
    kind: str
    day: date | None = None
    entry_id: str | None = None
    snippet: str = _text(default="")
    origin: str = ""
    # What matches: "phrase", "words", "trace", "meaning".
    why: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DayRange:
    """The days that a query names, both included; None stands for no limit."""

    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, kw_only=True)
class SearchAnswer:
    """One page of results; `state` is "opening" until the index is complete.

    `days` are the days that the query names.
    """

    results: tuple[FoundText, ...] = ()
    total: int = 0
    next_offset: int | None = None
    days: DayRange | None = None
    state: str = ""


@dataclass(frozen=True, kw_only=True)
class DiaryTrace:
    """A trace: its name (None if damaged on the disk), its number of entries, their first and last day."""

    id: str
    name: str | None = _text(default=None)
    entry_count: int = 0
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True, kw_only=True)
class TracedEntry:
    """The id and day of an entry that has a trace."""

    id: str
    day: date


@dataclass(frozen=True, kw_only=True)
class TraceAnswer:
    """A trace with one page of its entries."""

    trace: DiaryTrace
    entries: tuple[TracedEntry, ...] = ()
    next_offset: int | None = None


@dataclass(frozen=True, kw_only=True)
class ChatSession:
    """A chat session, which is a conversation about the diary.

    `name` is the name that it was given, or else the beginning of its first question.
    """

    session_id: str
    name: str = _text(default="")
    question_count: int = 0
    created_at: datetime | None = None
    last_asked_at: datetime | None = None
    read_imported: bool = False


@dataclass(frozen=True, kw_only=True)
class ChatSource:
    """An entry or a note that an answer is based on; the answer cites it by `number`."""

    number: int
    kind: str = ""
    id: str = ""
    day: date | None = None
    snippet: str = _text(default="")
    origin: str = ""


@dataclass(frozen=True, kw_only=True)
class ChatFact:
    """A fact that the model read for an answer; answers do not cite facts."""

    id: str
    content: str = _text(default="")


@dataclass(frozen=True, kw_only=True)
class ChatAnswer:
    """A complete answer with its sources and the facts that the model read.

    `session_id` continues the conversation. `model` is None if no model wrote the answer: then the sources
    are the answer, if there are any. `finish_reason` is "stop", "length" if the answer reached its limit, or
    "stopped" if it took too long.
    """

    response: str = _text()
    session_id: str
    model: str | None = None
    sources: tuple[ChatSource, ...] = ()
    facts: tuple[ChatFact, ...] = ()
    read_imported: bool = False
    finish_reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class ChatStart:
    """The first event of a streamed answer: the conversation, the model and the sources."""

    session_id: str
    model: str | None = None
    sources: tuple[ChatSource, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ChatText:
    """A piece of text of a streamed answer."""

    text: str = _text()


@dataclass(frozen=True, kw_only=True)
class ChatRestart:
    """Event of a streamed answer: the text so far is not part of the answer."""


@dataclass(frozen=True, kw_only=True)
class ChatEnd:
    """The last event of a streamed answer: its whole text, and further fields as in `ChatAnswer`."""

    response: str | None = _text(default=None)
    finish_reason: str | None = None
    read_imported: bool = False
    facts: tuple[ChatFact, ...] = ()


ChatEvent = ChatStart | ChatText | ChatRestart | ChatEnd


@cache
def _list_fields(kind: type[Any]) -> tuple[tuple[Field[Any], Any], ...]:
    """Return the fields of an answer's class, each with its type."""
    hints = get_type_hints(kind)
    return tuple((each, hints[each.name]) for each in fields(kind))


# Words that Python has as keywords.
_NAMES = {DayRange: {"first": "from", "last": "to"}}


def parse_answer(kind: type[T], value: Any) -> T:
    """Return decoded JSON as `kind`, a type of this module; raise UnexpectedAnswer if it does not fit.

    >>> parse_answer(CountedDay, {"day": "2026-01-05", "entry_count": 3, "of_a_newer_server": True})
    CountedDay(day=datetime.date(2026, 1, 5), entry_count=3)
    """
    parsed: T = _parse(kind, value)
    return parsed


def _parse(kind: Any, value: Any) -> Any:
    if kind is Any:
        return value
    if is_dataclass(kind):
        return _parse_object(kind, value)
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in get_args(kind):
            return None
        return _parse(next(one for one in get_args(kind) if one is not type(None)), value)
    if origin is tuple and isinstance(value, list):
        return tuple(_parse(get_args(kind)[0], one) for one in value)
    if origin is dict and isinstance(value, dict):
        return {name: _parse(get_args(kind)[1], one) for name, one in value.items()}
    return _parse_scalar(kind, value)


def _parse_object(kind: Any, value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise _build_mismatch()
    found = {}
    for each, hint in _list_fields(kind):
        name = _NAMES.get(kind, {}).get(each.name, each.name)
        if name in value:
            found[each.name] = _parse(hint, value[name])
        elif each.default is MISSING and each.default_factory is MISSING:
            raise _build_mismatch()
    return kind(**found)


def _parse_scalar(kind: Any, value: Any) -> Any:
    if kind in (date, datetime) and isinstance(value, str):
        try:
            return kind.fromisoformat(value)
        except ValueError:
            raise _build_mismatch() from None
    if kind is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind in (str, bool, float, int) and type(value) is kind:
        return value
    raise _build_mismatch()


def _build_mismatch() -> UnexpectedAnswer:
    return UnexpectedAnswer(
        "The server's answer has another shape than this client knows. Get a newer client."
    )
