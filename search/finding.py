"""One search: words and meaning asked, fused, and the hits of one page made ready to be shown."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final
from uuid import UUID

from search import fusion, snippets, traced
from search.asked import Query
from search.chunks import Span
from search.documents import Document
from search.embedded import Near
from search.embedder import Embedder
from search.errors import IndexClosed
from search.person import PersonIndex
from search.snippets import Marker, Part
from search.vectors import VectorsIndex
from search.words import WordsIndex

PAGE: Final = 20
# Rankings are taken this deep at least, so that a page further down ranks like the pages before it.
_DEPTH: Final = 200
_NEAR: Final = 50
# Up to so many texts that filters let through are compared each; of more, the nearest of all are filtered.
_FEW: Final = 2000
_WIDER: Final = 1000

# Given how many, and among which.
Nearest = Callable[[int, Collection[UUID] | None], list[Near]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Something found: where it stands, why it was found, and the place to show."""

    id: UUID
    kind: str
    entry: UUID
    day: date
    why: tuple[str, ...]
    parts: Sequence[Part] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of hits; `total` is how many hold all the words, `next` where the page after begins."""

    hits: Sequence[Hit] = ()
    total: int = 0
    next: int | None = None


def search(index: PersonIndex, query: Query, *, offset: int = 0, limit: int = PAGE) -> Found:
    """Return a page of what a person's query finds; raise IndexClosed if they locked meanwhile."""
    words = index.words
    if words is None:
        raise IndexClosed
    if query.traces:
        query = replace(query, entries=traced.bearing(index.owner, query.traces))
    depth = max(_DEPTH, offset + limit + 1)
    held = words.find(query, limit=depth)
    near = _near(words, index.vectors, index.embedder, query)
    borne = _borne(index, words, query)
    days = held.days | words.days_of((near.keys() | set(borne)) - held.days.keys())
    ranked = fusion.fuse(
        phrases=held.phrases,
        strict=held.strict,
        loose=held.loose,
        traced=borne,
        meaning=list(near),
        days=days,
    )
    page = ranked[offset : offset + limit]
    hits = list(_hits(words, query, page, near))
    further = len(ranked) > offset + limit
    return Found(hits=hits, total=held.total, next=offset + limit if further else None)


def _borne(index: PersonIndex, words: WordsIndex, query: Query) -> list[UUID]:
    """Return the entries under the trace called as the query is, as far as its filters let them through."""
    if query.without or query.quotes or (query.kinds and "entry" not in query.kinds):
        return []
    found = traced.called(index.owner, query.text)
    passing = words.passing_of(query, found) if found and query.is_filtered else set(found)
    return [id_ for id_ in found if id_ in passing]


def _near(
    words: WordsIndex, vectors: VectorsIndex | None, embedder: Embedder | None, query: Query
) -> dict[UUID, Near]:
    """Return what is near in meaning, nearest first. Quotes ask for these very words."""
    if vectors is None or embedder is None or not query.text or query.quotes:
        return {}
    vector = embedder.question(query.text)

    def nearest(limit: int, allowed: Collection[UUID] | None) -> list[Near]:
        return vectors.search(vector, limit=limit, floor=embedder.floor, allowed=allowed)

    return {near.id: near for near in narrowed(words, query, nearest, limit=_NEAR)}


def narrowed(words: WordsIndex, query: Query, nearest: Nearest, *, limit: int) -> list[Near]:
    """Return the nearest texts that a query's filters and exclusions let through, nearest first."""
    if not (query.is_filtered or query.without):
        return nearest(limit, None)
    few = words.passing(query, most=_FEW)
    if few is not None:
        return nearest(limit, few)
    found = nearest(_WIDER, None)
    passing = words.passing_of(query, [near.id for near in found])
    return [near for near in found if near.id in passing][:limit]


def marker_of(words: WordsIndex, query: Query) -> Marker:
    """Return what marks a query's words in a text."""
    forms = words.forms_of({term.words[0] for term in query.terms if term.is_word})
    return Marker(snippets.wanted_of(query, forms))


def _hits(
    words: WordsIndex, query: Query, page: Sequence[fusion.Ranked], near: dict[UUID, Near]
) -> Iterable[Hit]:
    documents = words.documents([ranked.id for ranked in page])
    marker = marker_of(words, query)
    for ranked in page:
        document = documents.get(ranked.id)
        if document is not None:
            span = near[ranked.id].span if ranked.id in near else None
            yield _hit(document, ranked, query, marker, span)


def _hit(document: Document, ranked: fusion.Ranked, query: Query, marker: Marker, span: Span | None) -> Hit:
    why = (fusion.TRACE, *ranked.why) if query.traces and fusion.TRACE not in ranked.why else ranked.why
    parts = snippets.snippet(document.text, marker, around=span)
    return Hit(
        id=document.id, kind=document.kind, entry=document.entry, day=document.day, why=why, parts=parts
    )
