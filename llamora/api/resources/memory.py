"""Harmonia's calls, over entries and the Inbox until there are facts.

`MemoryStore` is what a store of memories does; the one of entries is the only one by now. Entries are opened
with the keys of the diary: a token for facts alone has none, and none of these calls takes it.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import IO, Annotated, Any, Final, Literal, Protocol
from uuid import UUID

import msgspec
from django.db.models import Q
from django.http import StreamingHttpResponse

from accounts.tokens.token_uses import token_uses
from diary.errors import ObjectNotFound
from diary.models import Entry, Version
from diary.origins.provenance import Provenance, get_first_own_revision
from diary.transfer.exports import ExportReport
from diary.transfer.programs.texts import TextFormat, write_texts
from llamora.api.call import Call
from llamora.api.endpoints import endpoint
from llamora.api.errors import ApiError
from llamora.api.resources import entries
from llamora.api.resources.entries import DeletedEntry, EntryToSave, Moment, Text
from llamora.api.resources.export import stream_file
from llamora.api.resources.pages import (
    USUAL_LIMIT,
    Cursor,
    Limit,
    Offset,
    decode_cursor,
    encode_cursor,
)
from llamora.api.resources.search import DAYS_REVERSED, find_texts
from llamora.api.resources.texts import select_entries
from llamora.crypto import RealmKeyring
from search.query.parser import MAX_TYPED

_TAG: Final = "Memory"
_PATH: Final = "/api/v1/memory"
_ENTRY_KIND: Final = frozenset({"entry"})
_NO_FACTS: Final = (
    "This version stores no facts, so nothing was stored. Send what is to be remembered as message, without "
    "facts."
)
_NO_CATEGORIES: Final = "Entries have no category. Leave this field out."
_NO_CONFIDENCE: Final = "Entries have no confidence. Leave this field out."
UserId = (
    Annotated[str, msgspec.Meta(max_length=200, description="The name of the token's owner, or nothing.")]
    | None
)
Confidence = Annotated[float, msgspec.Meta(ge=0, le=1)]


class UserQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Parameter of all these calls."""

    user_id: UserId = None


class MemoryToStore(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A message to remember. `facts` are refused as long as this version stores none."""

    message: Text
    user_id: UserId = None
    facts: list[Any] | None = None


class StoredMemory(msgspec.Struct, kw_only=True):
    """Result of a call that stores a message.

    "created": it is an entry. "pending": it waits in the Inbox until its owner accepts it. "no_change": the
    same call with the same Idempotency-Key stored it before. `facts` is empty as long as there are none.
    """

    action: Literal["created", "pending", "no_change"]
    id: UUID
    date: date
    facts: list[Any]


class MemoryBody(msgspec.Struct, kw_only=True):
    """A memory: an entry of the diary. `content` is null where it is damaged on the disk.

    `category` and `confidence` are those of a fact, and null for an entry. `origin` is as in EntryBody.
    """

    id: UUID
    kind: Literal["entry"]
    content: str | None
    category: str | None
    confidence: float | None
    date: date
    created_at: datetime
    updated_at: datetime | None
    revision: int
    origin: str
    source: str


class MemorySearch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A search of memories, as typed in the search box. Entries have neither category nor confidence."""

    query: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TYPED, description="What to search for.")]
    limit: Annotated[int, msgspec.Meta(ge=1, le=100, description="How many at most, from 1 to 100.")] = 20
    offset: Annotated[int, msgspec.Meta(ge=0, le=10_000, description="How many to leave out.")] = 0
    from_date: date | None = None
    to_date: date | None = None
    category: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    min_confidence: Confidence | None = None
    max_confidence: Confidence | None = None
    sort_by: Literal["relevance"] = "relevance"
    sort_order: Literal["desc"] = "desc"
    user_id: UserId = None


class FoundMemories(msgspec.Struct, kw_only=True):
    """Memories that were found, best first; the other fields are as in SearchBody."""

    state: Literal["ready", "opening"]
    results: list[MemoryBody]
    total: int
    next_offset: int | None


class MemoryListQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Parameters of the list, in parts by `cursor` or by `offset`. Entries have no category."""

    limit: Limit = USUAL_LIMIT
    offset: Offset = 0
    cursor: Cursor = ""
    from_date: date | None = None
    to_date: date | None = None
    category: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    sort_by: Literal["date"] = "date"
    sort_order: Literal["asc", "desc"] = "desc"
    user_id: UserId = None


class MemoryList(msgspec.Struct, kw_only=True):
    """Memories by day; `next_cursor` and `next_offset` are null at the end."""

    memories: list[MemoryBody]
    total: int
    next_cursor: str | None
    next_offset: int | None


class MemoryChange(msgspec.Struct, kw_only=True):
    """One state of a memory: when it was written, and what it said."""

    action: Literal["created", "updated"]
    revision: int
    at: datetime
    content: str | None


class MemoryHistory(msgspec.Struct, kw_only=True):
    """The states of a memory, the oldest first. Earlier ones stay for thirty days."""

    id: UUID
    history: list[MemoryChange]


class MemoryExportQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The format of an export."""

    format: TextFormat = TextFormat.JSON
    user_id: UserId = None


class MemoryStore(Protocol):
    """A store of memories, for one call of a program."""

    def store(self, message: str) -> StoredMemory:
        """Store a message once for the call's Idempotency-Key."""

    def search(self, asked: MemorySearch) -> FoundMemories:
        """Return what is found."""

    def list_page(self, asked: MemoryListQuery) -> MemoryList:
        """Return one part of all."""

    def get(self, memory_id: UUID) -> MemoryBody:
        """Return one; raise ObjectNotFound."""

    def delete(self, memory_id: UUID) -> DeletedEntry:
        """Delete one; raise ObjectNotFound."""

    def get_history(self, memory_id: UUID) -> MemoryHistory:
        """Return the states of one; raise ObjectNotFound."""

    def build_writer(self, text_format: TextFormat) -> Callable[[IO[bytes], RealmKeyring], None]:
        """Return the function that writes all to a file."""


class EntryMemories:
    """The entries that a program may read, as memories."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def store(self, message: str) -> StoredMemory:
        """Save a message as an entry or put it into the Inbox, as the token's terms say."""
        saved = entries.add_entry(self._call, body=EntryToSave(text=message))
        return StoredMemory(action=saved.action, id=saved.id, date=saved.day, facts=[])

    def search(self, asked: MemorySearch) -> FoundMemories:
        """Return the entries that are found."""
        found = find_texts(
            self._call,
            asked.query,
            limit=asked.limit,
            offset=asked.offset,
            since=asked.from_date,
            until=asked.to_date,
            kinds=_ENTRY_KIND,
        )
        ids = [text.hit.id for text in found.texts]
        rows = select_entries(self._call).in_bulk(ids)
        self._call.note_read(len(rows))
        return FoundMemories(
            state="ready" if found.is_open else "opening",
            results=[_build_body(rows[id_]) for id_ in ids if id_ in rows],
            total=found.total,
            next_offset=found.next,
        )

    def list_page(self, asked: MemoryListQuery) -> MemoryList:
        """Return entries by day, a part of them by a cursor, else by an offset."""
        rows = select_entries(self._call)
        if asked.from_date:
            rows = rows.filter(day__gte=asked.from_date)
        if asked.to_date:
            rows = rows.filter(day__lte=asked.to_date)
        total = rows.count()
        is_latest_first = asked.sort_order == "desc"
        last = decode_cursor(asked.cursor, date, Moment, UUID)
        if last is not None:
            rows = rows.filter(_is_behind(*last, is_latest_first=is_latest_first))
        sign = "-" if is_latest_first else ""
        ordered = rows.order_by(f"{sign}day", f"{sign}created_at", f"{sign}id")
        part = list(ordered[asked.offset : asked.offset + asked.limit + 1])
        shown = part[: asked.limit]
        self._call.note_read(len(shown))
        has_more = len(part) > len(shown)
        return MemoryList(
            memories=[_build_body(entry) for entry in shown],
            total=total,
            next_cursor=encode_cursor(shown[-1].day, shown[-1].created_at.isoformat(), shown[-1].id)
            if has_more
            else None,
            next_offset=asked.offset + asked.limit if has_more and not asked.cursor else None,
        )

    def get(self, memory_id: UUID) -> MemoryBody:
        """Return an entry; raise ObjectNotFound."""
        entry = self._find(memory_id)
        self._call.note_read(1)
        return _build_body(entry)

    def delete(self, memory_id: UUID) -> DeletedEntry:
        """Move an entry to the bin; raise ObjectNotFound."""
        return entries.delete_entry(self._call, id=memory_id)

    def get_history(self, memory_id: UUID) -> MemoryHistory:
        """Return the versions of an entry and its text; raise ObjectNotFound."""
        entry = self._find(memory_id)
        versions = Version.objects.filter(owner_id=self._call.owner, entry=entry)
        if not self._call.terms.reads_untrusted:
            # Those before its owner said that it is theirs are texts of others.
            versions = versions.filter(revision__gte=get_first_own_revision(entry))
            if entry.open_or("text", None) is None:
                versions = versions.none()
        states = [
            (version.revision, version.written_at, version.open_or("text", None))
            for version in versions.order_by("revision")
        ]
        states.append((entry.revision, entry.edited_at or entry.created_at, entry.open_or("text", None)))
        self._call.note_read(1)
        return MemoryHistory(
            id=entry.id,
            history=[
                MemoryChange(
                    action="created" if revision == 1 else "updated",
                    revision=revision,
                    at=at.astimezone(UTC),
                    content=content,
                )
                for revision, at, content in states
            ],
        )

    def build_writer(self, text_format: TextFormat) -> Callable[[IO[bytes], RealmKeyring], None]:
        """Return the function that writes the texts of all entries to a file."""
        reads_others, token_id = self._call.terms.reads_untrusted, self._call.token_id

        def write(file: IO[bytes], keyring: RealmKeyring) -> None:
            report = ExportReport()
            try:
                write_texts(
                    file,
                    keyring=keyring,
                    text_format=text_format,
                    reads_others=reads_others,
                    report=report,
                )
            finally:
                token_uses.note(token_id, read_count=report.entries)

        return write

    def _find(self, memory_id: UUID) -> Entry:
        entry = select_entries(self._call).filter(id=memory_id).first()
        if entry is None:
            raise ObjectNotFound
        return entry


def _is_behind(day: date, created_at: datetime, id_: UUID, *, is_latest_first: bool) -> Q:
    """Return the condition for entries behind one in the order of a list."""
    after = "lt" if is_latest_first else "gt"
    same_moment = Q(created_at=created_at) & Q(**{f"id__{after}": id_})
    same_day = Q(day=day) & (Q(**{f"created_at__{after}": created_at}) | same_moment)
    return Q(**{f"day__{after}": day}) | same_day


def _build_body(entry: Entry) -> MemoryBody:
    return MemoryBody(
        id=entry.id,
        kind="entry",
        content=entry.open_or("text", None),
        category=None,
        confidence=None,
        date=entry.day,
        created_at=entry.created_at.astimezone(UTC),
        updated_at=entry.edited_at.astimezone(UTC) if entry.edited_at else None,
        revision=entry.revision,
        origin=str(entry.origin),
        source=Provenance.load(entry).source,
    )


def _open_store(call: Call, user_id: str | None) -> MemoryStore:
    """Return the store of a call; raise ObjectNotFound for the name of anybody but the token's owner."""
    if user_id is not None and user_id not in (call.person.name, str(call.owner)):
        raise ObjectNotFound
    return EntryMemories(call)


def _check_search(asked: MemorySearch) -> None:
    if asked.category is not None:
        raise ApiError(422, "invalid_field", field="category", message=_NO_CATEGORIES)
    if asked.min_confidence:
        raise ApiError(422, "invalid_field", field="min_confidence", message=_NO_CONFIDENCE)
    if asked.max_confidence is not None and asked.max_confidence < 1:
        raise ApiError(422, "invalid_field", field="max_confidence", message=_NO_CONFIDENCE)
    _check_days(asked.from_date, asked.to_date)


def _check_days(first: date | None, last: date | None) -> None:
    if first and last and last < first:
        raise ApiError(422, "invalid_field", field="to_date", message=DAYS_REVERSED)


@endpoint("POST", _PATH + "/store", scopes=("diary:write", "drop"), tag=_TAG, stores=True)
def store_memory(call: Call, *, body: MemoryToStore) -> StoredMemory:
    """Store a message.

    A token that writes what its owner types saves an entry of today; the message of any other waits in the
    Inbox. There are no facts yet, so a token for facts alone can store nothing.
    """
    store = _open_store(call, body.user_id)
    if body.facts:
        raise ApiError(422, "invalid_field", field="facts", message=_NO_FACTS)
    return store.store(body.message)


@endpoint("GET", _PATH + "/search", scopes=("diary:read",), tag=_TAG)
def search_memories_with_address(call: Call, *, query: MemorySearch) -> FoundMemories:
    """Search memories; addresses are often logged on their way, so rather send the query by POST.

    Otherwise the same as the call by POST.
    """
    _check_search(query)
    return _open_store(call, query.user_id).search(query)


@endpoint("POST", _PATH + "/search", scopes=("diary:read",), tag=_TAG)
def search_memories(call: Call, *, body: MemorySearch) -> FoundMemories:
    """Search memories, which are entries as long as there are no facts.

    It works while the diary is unlocked in a browser. A token for facts alone reads no entries.
    """
    _check_search(body)
    return _open_store(call, body.user_id).search(body)


@endpoint("GET", _PATH + "/list", scopes=("diary:read",), tag=_TAG)
def list_memories(call: Call, *, query: MemoryListQuery) -> MemoryList:
    """List memories, which are entries as long as there are no facts.

    Texts that are not their owner's own are left out, unless the token was made to read them too. A token for
    facts alone reads no entries.
    """
    if query.category is not None:
        raise ApiError(422, "invalid_field", field="category", message=_NO_CATEGORIES)
    _check_days(query.from_date, query.to_date)
    return _open_store(call, query.user_id).list_page(query)


@endpoint(
    "GET",
    _PATH + "/export",
    scopes=("export",),
    tag=_TAG,
    media_types=("application/json", "text/csv", "text/markdown", "text/plain"),
)
def export_memories(call: Call, *, query: MemoryExportQuery) -> StreamingHttpResponse:
    """Export all memories as a file.

    Each format ends with how many there are: without that it is not complete. What this program may not read
    is left out. In a CSV, a cell that begins like a formula gets a quote in front.
    """
    writer = _open_store(call, query.user_id).build_writer(query.format)
    return stream_file(
        call, writer, name="memories", media_type=query.format.media_type, suffix=query.format.suffix
    )


@endpoint("GET", _PATH + "/{id}", scopes=("diary:read",), tag=_TAG)
def get_memory(call: Call, *, id: UUID, query: UserQuery) -> MemoryBody:  # noqa: A002 - its name there
    """Return a memory."""
    return _open_store(call, query.user_id).get(id)


@endpoint("DELETE", _PATH + "/{id}", scopes=("diary:write",), tag=_TAG)
def delete_memory(call: Call, *, id: UUID, query: UserQuery) -> DeletedEntry:  # noqa: A002 - its name there
    """Move a memory to the bin, where it stays for thirty days."""
    return _open_store(call, query.user_id).delete(id)


@endpoint("GET", _PATH + "/{id}/history", scopes=("diary:read",), tag=_TAG)
def get_memory_history(call: Call, *, id: UUID, query: UserQuery) -> MemoryHistory:  # noqa: A002 - its name
    """Return the states of a memory."""
    return _open_store(call, query.user_id).get_history(id)
