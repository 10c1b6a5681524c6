"""Calls that search the diary, which must be unlocked.

The search index is in memory, and only while the diary is unlocked.
"""

from datetime import date
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from django.utils import timezone

from accounts.preferences.time_zones import load_time_zone
from llamora.api.call import Call, yield_to_pages
from llamora.api.endpoints import endpoint
from llamora.api.errors import ApiError
from llamora.crypto import VaultLocked
from search.index.fts_queries import MAX_COUNTED
from search.programs import services
from search.programs.services import ProgramResults, ReadableHit
from search.query.days import DayReader
from search.query.parser import MAX_TYPED

_TAG: Final = "Search"
_PATH: Final = "/api/v1/search"
_USUAL_LIMIT: Final = 20
_LOCKED: Final = (
    "Search works while the diary is unlocked. Its owner unlocks it in a browser; no token does that."
)
_NOTHING_ASKED: Final = "Say what to search for: words, a phrase in quotes, or days."
DAYS_REVERSED: Final = "The last day is before the first."
Origins = Literal["own", "own_token", "imported", "program", "model"]


class TextSearch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A search with the operators of the search box: words, "a phrase", -without, in:entries, trace:garden.

    `from` and `to` are the first and the last day, both included.
    """

    query: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TYPED, description="What to search for.")]
    limit: Annotated[int, msgspec.Meta(ge=1, le=100, description="How many at most, from 1 to 100.")] = (
        _USUAL_LIMIT
    )
    offset: Annotated[int, msgspec.Meta(ge=0, le=10_000, description="How many to leave out.")] = 0
    since: date | None = msgspec.field(name="from", default=None)
    until: date | None = msgspec.field(name="to", default=None)


class SearchResultBody(msgspec.Struct, kw_only=True):
    """A result: an entry, a reply, an opening, a recap or a fact.

    `entry_id` is the entry itself or the entry that was replied to, else null. `snippet` is the most relevant
    part. `why` says what matched: "phrase", "words", "trace", "meaning". `origin` is as in EntryBody.
    """

    kind: Literal["entry", "reply", "opening", "recap", "fact"]
    id: UUID
    entry_id: UUID | None
    day: date
    snippet: str
    origin: Origins
    why: list[str]


class DaySpan(msgspec.Struct, kw_only=True):
    """The first and the last day of a range, both included."""

    first: date = msgspec.field(name="from")
    last: date = msgspec.field(name="to")


class SearchBody(msgspec.Struct, kw_only=True):
    """A page of results, best first; `next_offset` is null on the last page.

    `total` counts the texts that contain all words, up to 5,000. Results after those contain some of the
    words, or are near in meaning. `days` are the days that the query names; texts of these days come first.
    While the index is being opened, `state` is "opening" and nothing is found: search again in a few seconds.
    """

    state: Literal["ready", "opening"]
    results: list[SearchResultBody]
    total: Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNTED)]
    next_offset: int | None
    days: DaySpan | None


@endpoint("GET", _PATH, scopes=("diary:read",), tag=_TAG)
def search_diary_by_query_parameters(call: Call, *, query: TextSearch) -> SearchBody:
    """Search the diary, with the query in the URL.

    URLs are often logged by proxies, so prefer the call by POST. Otherwise the two are the same.
    """
    return run_search(call, query)


@endpoint("POST", _PATH, scopes=("diary:read",), tag=_TAG)
def search_diary(call: Call, *, body: TextSearch) -> SearchBody:
    """Search the diary by words and by meaning.

    It works only while the diary is unlocked in a browser, whatever the kind of the token. Texts that the
    owner did not write are ignored, unless the token may read them too.
    """
    return run_search(call, body)


def run_search(call: Call, asked: TextSearch) -> SearchBody:
    """Return a page of results for a program.

    Raise ApiError 422 for an invalid query, and 423 while the diary is locked.
    """
    if asked.since and asked.until and asked.until < asked.since:
        raise ApiError(422, "invalid_field", field="to", message=DAYS_REVERSED)
    found = find_texts(
        call,
        asked.query,
        limit=asked.limit,
        offset=asked.offset,
        since=asked.since,
        until=asked.until,
    )
    call.record_read(sum(text.hit.kind == "entry" for text in found.texts))
    return _build_answer(found)


def find_texts(
    call: Call,
    typed: str,
    *,
    limit: int,
    offset: int,
    since: date | None,
    until: date | None,
    kinds: frozenset[str] = frozenset(),
) -> ProgramResults:
    """Return the texts that match a query and that a program may read; without `kinds`, of all kinds.

    Raise ApiError 422 for an empty query, and 423 while the diary is locked.
    """
    now = timezone.now().astimezone(load_time_zone(call.person.time_zone))
    reader = DayReader(now, language=call.person.language)
    yield_to_pages()
    query = services.build_query(typed, reader=reader, since=since, until=until)
    if query.is_empty:
        raise ApiError(422, "invalid_field", field="query", message=_NOTHING_ASKED)
    if kinds:
        query = services.restrict_kinds(query, kinds)
    try:
        return services.search_texts(
            call.keyring, query, offset=offset, limit=limit, with_hidden=call.terms.reads_untrusted
        )
    except VaultLocked:
        raise ApiError(423, "locked", message=_LOCKED) from None


def _build_answer(found: ProgramResults) -> SearchBody:
    return SearchBody(
        state="ready" if found.is_open else "opening",
        results=[_build_result(text) for text in found.texts],
        total=found.total,
        next_offset=found.next,
        days=DaySpan(first=found.days[0], last=found.days[1]) if found.days else None,
    )


def _build_result(text: ReadableHit) -> SearchResultBody:
    hit = text.hit
    return msgspec.convert(
        {
            "kind": hit.kind,
            "id": hit.id,
            "entry_id": hit.entry if hit.kind in ("entry", "reply") else None,
            "day": hit.day,
            "snippet": "".join(part.text for part in hit.parts),
            "origin": text.origin,
            "why": list(hit.why),
        },
        SearchResultBody,
    )
