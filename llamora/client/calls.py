"""Calls of the API as data: the request to send, and the parser of its response.

The synchronous and the asynchronous client share them. Diary text is sent in the body and never in the URL,
because servers and proxies log URLs.
"""

import json
import re
import uuid
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from llamora.client.answers import (
    BinnedEntry,
    ChatAnswer,
    ChatSession,
    CountedDay,
    DiaryDay,
    DiaryEntry,
    DiaryTrace,
    FoundText,
    SearchAnswer,
    ServerHealth,
    ServerStatus,
    TraceAnswer,
    TracedEntry,
    WriteAnswer,
    parse_answer,
)
from llamora.client.errors import Invalid, ServerError, UnexpectedAnswer

T = TypeVar("T")
Day = date | str
MAX_END_BYTES: Final = 8192
EXPORT_FORMATS: Final = ("zip", "json", "markdown")
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_KEY = re.compile(r"[ -~]{1,200}")


@dataclass(frozen=True, kw_only=True)
class ApiCall(Generic[T]):
    """A request; `parse` converts the decoded JSON of its response. `repr` shows no text."""

    method: str
    path: str
    parse: Callable[[Any], T] = field(repr=False)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    # Whether sending it twice is the same as once, so that it may be repeated.
    is_idempotent: bool = False
    # Whether a model writes the answer, which takes minutes.
    is_slow: bool = False
    # Of a file: whether the one at this path is whole, as far as its end tells.
    is_whole: Callable[[Path], bool] = field(default=Path.exists, repr=False)

    def encode_body(self) -> bytes | None:
        """Return the body as JSON in UTF-8; raise Invalid for a text with a lone surrogate."""
        if self.body is None:
            return None
        try:
            return json.dumps(self.body, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, TypeError):
            # `from None` hides it, but its object is the text: it must not hang on the error.
            pass
        raise Invalid("The text has characters that can't be sent, such as one half of a surrogate pair.")

    def list_secrets(self) -> list[str]:
        """Return every text in the body, since any text may be secret. No error message may contain one.

        Texts at any depth are returned.
        """
        found, left = [], [self.body]
        while left:
            value = left.pop()
            if isinstance(value, str):
                found.append(value)
            elif isinstance(value, Mapping | list):
                left.extend(value.values() if isinstance(value, Mapping) else value)
        return found


@dataclass(frozen=True, kw_only=True)
class AnswerPage(Generic[T]):
    """One page of a list, and the cursor or offset of the next page, which is None on the last page."""

    items: tuple[T, ...]
    next: str | None


def format_day(day: Day) -> str:
    """Return a day in the form 2026-01-05; raise Invalid for a text in another form."""
    if isinstance(day, date):
        return (day.date() if isinstance(day, datetime) else day).isoformat()
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError:
        pass
    raise Invalid("A day is written like 2026-01-05.", field="day")


def format_id(value: object) -> str:
    """Return an id as it appears in a URL; raise Invalid if it cannot be an id."""
    text = str(value)
    if not _ID.fullmatch(text):
        raise Invalid("This is not an id. Ids stand in the server's answers.", field="id")
    return text


def make_key(key: str | None) -> str:
    """Return the given idempotency key, or a new one; raise Invalid if it cannot be a key."""
    if key is None:
        return str(uuid.uuid4())
    if not _KEY.fullmatch(key):
        raise Invalid(
            "A key has 1 to 200 printable ASCII characters.",
            code="invalid_idempotency_key",
            field="idempotency_key",
        )
    return key


def _drop_none(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _build_range(from_day: Day | None, to_day: Day | None) -> dict[str, str]:
    days = {"from": from_day, "to": to_day}
    return {name: format_day(day) for name, day in days.items() if day is not None}


def _parse_as(kind: type[T]) -> Callable[[Any], T]:
    return lambda value: parse_answer(kind, value)


def build_page_parser(kind: type[T], key: str, next_key: str) -> Callable[[Any], AnswerPage[T]]:
    """Return a parser of one page; `key` and `next_key` name the JSON fields of its items and next cursor."""

    def parse(value: Any) -> AnswerPage[T]:
        items: Any = parse_answer(tuple[kind, ...], value.get(key) if isinstance(value, dict) else None)  # type: ignore[valid-type]
        following = value.get(next_key)
        if following is not None and not isinstance(following, str | int):
            raise UnexpectedAnswer("The server's list of pages has another shape than this client knows.")
        return AnswerPage(items=items, next=None if following is None else str(following))

    return parse


def get_health() -> ApiCall[ServerHealth]:
    """Return the call that asks whether the server is available."""
    return ApiCall(method="GET", path="/health", parse=_parse_as(ServerHealth), is_idempotent=True)


def get_client() -> ApiCall[None]:
    """Return the call that downloads this client program, which the server offers as a zip file.

    Send it with `fetch`, since the response is no JSON.
    """
    return ApiCall(method="GET", path="/api/client.zip", parse=lambda _: None, is_idempotent=True)


def get_status() -> ApiCall[ServerStatus]:
    """Return the call for the state of the server, the diary and the token."""
    return ApiCall(method="GET", path="/api/status", parse=_parse_as(ServerStatus), is_idempotent=True)


def list_days(
    from_day: Day | None, to_day: Day | None, limit: int, cursor: str | None
) -> ApiCall[AnswerPage[CountedDay]]:
    """Return the call for one page of the days with entries."""
    return ApiCall(
        method="GET",
        path="/api/v1/days",
        query=_drop_none(**_build_range(from_day, to_day), limit=str(limit), cursor=cursor),
        parse=build_page_parser(CountedDay, "days", "next_cursor"),
        is_idempotent=True,
    )


def get_day(day: Day) -> ApiCall[DiaryDay]:
    """Return the call that reads a day with its entries."""
    return ApiCall(
        method="GET", path=f"/api/v1/days/{format_day(day)}", parse=_parse_as(DiaryDay), is_idempotent=True
    )


def list_entries(
    day: Day | None, from_day: Day | None, to_day: Day | None, limit: int, cursor: str | None
) -> ApiCall[AnswerPage[DiaryEntry]]:
    """Return the call for one page of entries."""
    return ApiCall(
        method="GET",
        path="/api/v1/entries",
        query=_drop_none(
            day=None if day is None else format_day(day),
            **_build_range(from_day, to_day),
            limit=str(limit),
            cursor=cursor,
        ),
        parse=build_page_parser(DiaryEntry, "entries", "next_cursor"),
        is_idempotent=True,
    )


def write(
    text: str, *, day: Day | None, written_at: datetime | None, idempotency_key: str | None
) -> ApiCall[WriteAnswer]:
    """Return the call that stores a text; its idempotency key makes it safe to repeat."""
    if written_at is not None and written_at.tzinfo is None:
        raise Invalid("The time needs an offset from UTC.", field="written_at")
    return ApiCall(
        method="POST",
        path="/api/v1/entries",
        body=_drop_none(
            text=text,
            day=None if day is None else format_day(day),
            written_at=None if written_at is None else written_at.isoformat(),
        ),
        headers={"Idempotency-Key": make_key(idempotency_key)},
        parse=_parse_as(WriteAnswer),
        is_idempotent=True,
    )


def get_entry(entry_id: object) -> ApiCall[DiaryEntry]:
    """Return the call that reads an entry."""
    return ApiCall(
        method="GET",
        path=f"/api/v1/entries/{format_id(entry_id)}",
        parse=_parse_as(DiaryEntry),
        is_idempotent=True,
    )


def edit_entry(entry_id: object, *, revision: int, text: str | None, day: Day | None) -> ApiCall[DiaryEntry]:
    """Return the call that changes an entry; not idempotent: a repeated call would raise Conflict."""
    return ApiCall(
        method="PATCH",
        path=f"/api/v1/entries/{format_id(entry_id)}",
        body=_drop_none(text=text, day=None if day is None else format_day(day), revision=revision),
        parse=_parse_as(DiaryEntry),
    )


def delete_entry(entry_id: object) -> ApiCall[BinnedEntry]:
    """Return the call that moves an entry to the bin."""
    return ApiCall(
        method="DELETE",
        path=f"/api/v1/entries/{format_id(entry_id)}",
        parse=_parse_as(BinnedEntry),
        is_idempotent=True,
    )


def restore_entry(entry_id: object) -> ApiCall[DiaryEntry]:
    """Return the call that restores an entry from the bin."""
    return ApiCall(
        method="POST",
        path=f"/api/v1/entries/{format_id(entry_id)}/restore",
        parse=_parse_as(DiaryEntry),
    )


def search(
    query: str, *, from_day: Day | None, to_day: Day | None, limit: int, offset: int
) -> ApiCall[SearchAnswer]:
    """Return the call for one page of search results."""
    return ApiCall(
        method="POST",
        path="/api/v1/search",
        body={"query": query, "limit": limit, "offset": offset, **_build_range(from_day, to_day)},
        parse=_parse_as(SearchAnswer),
        is_idempotent=True,
    )


def search_page(
    query: str, from_day: Day | None, to_day: Day | None, limit: int, cursor: str | None
) -> ApiCall[AnswerPage[FoundText]]:
    """Return the call for the page of search results at `cursor`, used to iterate over all pages.

    Its parser raises ServerError while the search index is being opened.
    """
    call = search(query, from_day=from_day, to_day=to_day, limit=limit, offset=int(cursor or 0))

    def parse(value: Any) -> AnswerPage[FoundText]:
        answer = call.parse(value)
        if answer.state == "opening":
            # An empty list would look like nothing found.
            error = ServerError(
                "The search index is being opened. Try again in a few seconds.", code="opening"
            )
            error.is_temporary = True
            raise error
        following = answer.next_offset
        return AnswerPage(items=answer.results, next=None if following is None else str(following))

    return ApiCall(method=call.method, path=call.path, body=call.body, parse=parse, is_idempotent=True)


def list_traces(limit: int, cursor: str | None) -> ApiCall[AnswerPage[DiaryTrace]]:
    """Return the call for one page of the list of traces."""
    return ApiCall(
        method="GET",
        path="/api/v1/traces",
        query={"limit": str(limit), "offset": cursor or "0"},
        parse=build_page_parser(DiaryTrace, "traces", "next_offset"),
        is_idempotent=True,
    )


def get_trace(trace_id: object, limit: int, cursor: str | None) -> ApiCall[TraceAnswer]:
    """Return the call for a trace with one page of its entries."""
    return ApiCall(
        method="GET",
        path=f"/api/v1/traces/{format_id(trace_id)}",
        query={"limit": str(limit), "offset": cursor or "0"},
        parse=_parse_as(TraceAnswer),
        is_idempotent=True,
    )


def list_trace_entries(trace_id: object, limit: int, cursor: str | None) -> ApiCall[AnswerPage[TracedEntry]]:
    """Return the call for one page of a trace's entries."""
    call = get_trace(trace_id, limit, cursor)

    def parse(value: Any) -> AnswerPage[TracedEntry]:
        answer = call.parse(value)
        following = answer.next_offset
        return AnswerPage(items=answer.entries, next=None if following is None else str(following))

    return ApiCall(method=call.method, path=call.path, query=call.query, parse=parse, is_idempotent=True)


def list_sessions(limit: int, cursor: str | None) -> ApiCall[AnswerPage[ChatSession]]:
    """Return the call for one page of the chat sessions (conversations about the diary)."""
    return ApiCall(
        method="GET",
        path="/api/sessions",
        query={"limit": str(limit), "offset": cursor or "0"},
        parse=build_page_parser(ChatSession, "sessions", "next_offset"),
        is_idempotent=True,
    )


def delete_session(session_id: object) -> ApiCall[None]:
    """Return the call that deletes a chat session (a conversation about the diary)."""
    return ApiCall(
        method="DELETE",
        path=f"/api/sessions/{format_id(session_id)}",
        parse=lambda _: None,
        is_idempotent=True,
    )


def export(export_format: str) -> ApiCall[None]:
    """Return the call that exports the whole diary as a file; raise Invalid for an unknown format."""
    if export_format not in EXPORT_FORMATS:
        raise Invalid(f"The format is one of {', '.join(EXPORT_FORMATS)}.", field="format")
    return ApiCall(
        method="GET",
        path="/api/v1/export",
        query={"format": export_format},
        parse=lambda _: None,
        is_idempotent=True,
        is_slow=True,
        is_whole={"zip": _is_whole_zip, "json": _is_whole_json, "markdown": _is_whole_markdown}.get(
            export_format, Path.exists
        ),
    )


def _is_whole_zip(path: Path) -> bool:
    return zipfile.is_zipfile(path)


def _is_whole_json(path: Path) -> bool:
    """Return whether an export ends with the counts of what is in it."""
    end = _read_end(path)
    return end.endswith(b"}") and b'"counts"' in end


def _is_whole_markdown(path: Path) -> bool:
    """Return whether an export ends with the comment that says so."""
    end = _read_end(path)
    return end.endswith(b"-->") and b"<!-- End of the export" in end


def _read_end(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - MAX_END_BYTES))
        return file.read().rstrip()


def chat(
    message: str,
    *,
    session_id: str | None,
    model: str | None,
    idempotency_key: str | None,
    is_stream: bool,
) -> ApiCall[ChatAnswer]:
    """Return the call that asks a question; its idempotency key makes it safe to repeat."""
    return ApiCall(
        method="POST",
        path="/api/chat/stream" if is_stream else "/api/chat",
        body=_drop_none(message=message, session_id=session_id, model=model),
        headers={"Idempotency-Key": make_key(idempotency_key)},
        parse=_parse_as(ChatAnswer),
        is_idempotent=True,
        is_slow=True,
    )
