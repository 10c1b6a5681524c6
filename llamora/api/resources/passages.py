"""Calls that are compatible with LocalGPT: they search for passages, describe the index and rebuild it."""

from datetime import date
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from django.db.models import Count, Max, Min

from diary.transfer.export_format import day_file_name
from llamora.api.call import Call
from llamora.api.endpoints import endpoint
from llamora.api.errors import ApiError
from llamora.api.resources.search import SearchResultBody, TextSearch, run_search
from llamora.api.resources.texts import select_entries
from llamora.crypto import VaultLocked
from search.programs.services import TextCounts, count_texts, rebuild
from search.query.parser import MAX_TYPED

_TAG: Final = "Questions"
_PATH: Final = "/api/memory/search"
_SCOPES: Final = ("chat", "diary:read")
_NOTHING_ASKED: Final = "Say what to search for, in query or in q."
Typed = Annotated[str, msgspec.Meta(max_length=MAX_TYPED, description="What to search for.")]


class PassageSearch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A search; the query is sent as `query` or as `q`."""

    query: Typed = ""
    q: Typed = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=100, description="How many at most, from 1 to 100.")] = 10


class PassageBody(msgspec.Struct, kw_only=True):
    """A passage that a search found. An export stores the passage's day, `day`, in the file `file`.

    `origin` has the same meaning as in EntryBody.
    """

    file: str
    content: str
    kind: str
    id: UUID
    day: date
    origin: str


class PassageResults(msgspec.Struct, kw_only=True):
    """Passages, best first; `state` is "opening" while the search index is not ready."""

    state: Literal["ready", "opening"]
    results: list[PassageBody]
    total: int


class IndexStats(msgspec.Struct, kw_only=True):
    """Counts of what a token can search: texts in the search index, entries, and days that have entries.

    The names are those of LocalGPT: `total_files` counts days with entries, and `total_chunks` counts texts
    in the index.

    `state` is "closed" while the diary is locked, and "opening" until all texts are in the index. Only texts
    that are `embedded` are found by meaning.
    """

    total_files: int
    total_entries: int
    first_day: date | None
    last_day: date | None
    state: Literal["ready", "opening", "closed"]
    total_chunks: int
    embedded: int


class RebuildResult(msgspec.Struct, kw_only=True):
    """Result of the request to rebuild the search index. `is_begun` tells whether a rebuild has begun.

    `is_begun` is false if the index was already being opened or rebuilt.
    """

    state: Literal["opening"] = "opening"
    is_begun: bool


@endpoint("GET", _PATH, scopes=_SCOPES, tag=_TAG)
def search_passages_by_query_parameters(call: Call, *, query: PassageSearch) -> PassageResults:
    """Search the diary for passages, with the query in the URL.

    URLs are often logged by proxies, so prefer the call by POST. Otherwise the two are the same.
    """
    return _search(call, query)


@endpoint("POST", _PATH, scopes=_SCOPES, tag=_TAG)
def search_passages(call: Call, *, body: PassageSearch) -> PassageResults:
    """Search the diary for passages.

    The fields have LocalGPT's names. The search under `/api/v1/search` returns more about each result.
    """
    return _search(call, body)


@endpoint("GET", "/api/memory/stats", scopes=_SCOPES, tag=_TAG)
def count_passages(call: Call) -> IndexStats:
    """Count the texts in which passages are searched. Also count entries, and days that have an entry."""
    counts = select_entries(call).aggregate(
        entries=Count("id"), days=Count("day", distinct=True), first=Min("day"), last=Max("day")
    )
    try:
        texts = count_texts(call.keyring, with_hidden=call.terms.reads_untrusted)
        state: Literal["ready", "opening", "closed"] = "ready" if texts.is_open else "opening"
    except VaultLocked:
        texts, state = TextCounts(), "closed"
    return IndexStats(
        total_files=counts["days"],
        total_entries=counts["entries"],
        first_day=counts["first"],
        last_day=counts["last"],
        state=state,
        total_chunks=texts.total,
        embedded=texts.embedded,
    )


@endpoint("POST", "/api/memory/reindex", scopes=_SCOPES, tag=_TAG)
def rebuild_index(call: Call) -> RebuildResult:
    """Rebuild the search index of the diary from all its texts.

    No text is changed. It takes some seconds, during which a search finds nothing; `/api/memory/stats`
    reports "ready" at the end. The diary must be unlocked in a browser.
    """
    return RebuildResult(is_begun=rebuild(call.keyring))


def _search(call: Call, asked: PassageSearch) -> PassageResults:
    typed = asked.query or asked.q
    if not typed.strip():
        raise ApiError(422, "invalid_field", field="query", message=_NOTHING_ASKED)
    found = run_search(call, TextSearch(query=typed, limit=asked.limit))
    return PassageResults(
        state=found.state, results=[_build_passage(one) for one in found.results], total=found.total
    )


def _build_passage(one: SearchResultBody) -> PassageBody:
    return PassageBody(
        file=day_file_name(one.day),
        content=one.snippet,
        kind=one.kind,
        id=one.id,
        day=one.day,
        origin=one.origin,
    )
