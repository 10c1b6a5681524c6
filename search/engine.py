"""One search: queries both indexes, fuses what they find, and builds the hits of one page."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final
from uuid import UUID

from llamora.threads import let_others_run
from search import fusion
from search.chunks import Span
from search.embedder.types import Floats
from search.errors import IndexClosed
from search.index.person_index import PersonIndex
from search.index.types import Document, NearText
from search.index.words import WordsIndex
from search.query import snippets, trace_filter
from search.query.parser import SearchQuery
from search.query.snippets import QueryMarker, SnippetPart
from search.query.stop_words import STOP_WORDS

PAGE_SIZE: Final = 20
# Rankings are taken this deep at least, so that a page further down ranks like the pages before it.
_MAX_RANKED: Final = 200
_MAX_NEAR: Final = 50
# Up to so many texts that filters let through are compared each; of more, the nearest of all are filtered.
_FEW_TEXTS: Final = 2000
_WIDER_SEARCH: Final = 1000
# The same text has a slightly different vector beside longer ones.
_SCORE_DIGITS: Final = 3

# Given how many, and among which.
FindNearest = Callable[[int, Collection[UUID] | None], list[NearText]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """A search result: id, kind and day of the text, the reasons it was found, and the snippet to show."""

    id: UUID
    kind: str
    entry: UUID
    day: date
    why: tuple[str, ...]
    parts: Sequence[SnippetPart] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResults:
    """A page of hits; `total` counts the texts with all words, `next` is the offset of the next page."""

    hits: Sequence[SearchHit] = ()
    total: int = 0
    next: int | None = None


def search(
    index: PersonIndex, query: SearchQuery, *, offset: int = 0, limit: int = PAGE_SIZE
) -> SearchResults:
    """Return a page of the results of a query; raise IndexClosed if the person locked meanwhile."""
    words = index.words
    if words is None:
        raise IndexClosed
    depth = max(_MAX_RANKED, offset + limit + 1)
    ranked, near, total = _rank(index, words, query, depth)
    if query.within is not None:
        # What lies in the days that the question names comes first, and nothing else is lost.
        inside, near_inside, _ = _rank(index, words, query.within, depth)
        first = {hit.id for hit in inside}
        ranked = [*inside, *(hit for hit in ranked if hit.id not in first)]
        near = near | near_inside
    page = ranked[offset : offset + limit]
    hits = list(_build_hits(words, query, page, near))
    further = len(ranked) > offset + limit
    return SearchResults(hits=hits, total=total, next=offset + limit if further else None)


def _rank(
    index: PersonIndex, words: WordsIndex, query: SearchQuery, depth: int
) -> tuple[list[fusion.RankedHit], dict[UUID, NearText], int]:
    """Return the hits of a query, best first, the texts near in meaning, and how many have all words."""
    if query.traces:
        query = replace(query, entries=trace_filter.find_entries_with_traces(index.owner, query.traces))
    question = _embed_question(index, query)
    near = _find_near(words, index, query, question)
    word_hits = words.find(query, limit=depth, near=near.keys())
    bearing_trace = _find_entries_by_trace(index, words, query)
    days = word_hits.days | words.load_days((near.keys() | set(bearing_trace)) - word_hits.days.keys())
    ranked = fusion.fuse(
        phrases=word_hits.phrases,
        strict=word_hits.strict,
        loose=word_hits.loose,
        traced=bearing_trace,
        meaning=list(near),
        shares=word_hits.shares,
        closeness=_measure_closeness(index, question, days),
        days=days,
    )
    return ranked, near, word_hits.total


def _find_entries_by_trace(index: PersonIndex, words: WordsIndex, query: SearchQuery) -> list[UUID]:
    """Return the entries with the trace whose name is the whole query, if they match the query's filters."""
    if query.without or query.quoted_phrases or (query.kinds and "entry" not in query.kinds):
        return []
    found = trace_filter.find_entries_by_trace_name(index.owner, query.text)
    passing = words.filter_allowed(query, found) if found and query.is_filtered else set(found)
    return [id_ for id_ in found if id_ in passing]


def _embed_question(index: PersonIndex, query: SearchQuery) -> Floats | None:
    """Return the vector of the query, or None without an embedder and where phrases are quoted."""
    if index.vectors is None or index.embedder is None or not query.text or query.quoted_phrases:
        return None
    return index.embedder.embed_question(query.text)


def _find_near(
    words: WordsIndex, index: PersonIndex, query: SearchQuery, question: Floats | None
) -> dict[UUID, NearText]:
    """Return the texts nearest in meaning, nearest first."""
    vectors, embedder = index.vectors, index.embedder
    if vectors is None or embedder is None or question is None:
        return {}
    floor = embedder.floors.known if _has_known_word(words, query) else embedder.floors.unknown

    def nearest(limit: int, allowed: Collection[UUID] | None) -> list[NearText]:
        return vectors.search(question, limit=limit, floor=floor, allowed=allowed)

    return {near.id: near for near in filter_near(words, query, nearest, limit=_MAX_NEAR)}


def _measure_closeness(index: PersonIndex, question: Floats | None, ids: Iterable[UUID]) -> dict[UUID, float]:
    """Return how close texts are to the question: from 0 at the embedder's floor to 1 for the same words."""
    if index.vectors is None or index.embedder is None or question is None:
        return {}
    floor = index.embedder.floors.known
    cosines = index.vectors.score_texts(question, ids)
    return {id_: max(0.0, (cosine - floor) / (1 - floor)) for id_, cosine in cosines.items()}


def _has_known_word(words: WordsIndex, query: SearchQuery) -> bool:
    """Return whether a word of the query was ever written; stop words count only if there are no others."""
    asked = {word for term in query.terms for word in term.words}
    return words.has_any_word(asked - STOP_WORDS or asked)


def filter_near(words: WordsIndex, query: SearchQuery, nearest: FindNearest, *, limit: int) -> list[NearText]:
    """Return the nearest texts that match the query's filters and exclusions, nearest first.

    Of equally near texts, such as the same sentence on many days, the latest come first.
    """
    found = _find_passing(words, query, nearest, limit=limit)
    days = words.load_days(near.id for near in found)

    def rank(near: NearText) -> tuple[float, date, UUID]:
        return round(near.score, _SCORE_DIGITS), days.get(near.id, date.min), near.id

    return sorted(found, key=rank, reverse=True)[:limit]


def _find_passing(
    words: WordsIndex, query: SearchQuery, nearest: FindNearest, *, limit: int
) -> list[NearText]:
    if not (query.is_filtered or query.without):
        return nearest(limit, None)
    few = words.find_allowed(query, limit=_FEW_TEXTS)
    if few is not None:
        return nearest(limit, few)
    found = nearest(_WIDER_SEARCH, None)
    passing = words.filter_allowed(query, [near.id for near in found])
    return [near for near in found if near.id in passing]


def build_marker(words: WordsIndex, query: SearchQuery) -> QueryMarker:
    """Return the marker of the query's words and their other forms; of stop words only without others."""
    stop_words = words.find_stop_words(word for term in query.terms for word in term.words)
    telling = [
        term for term in query.terms if term.quoted or term.literal or not stop_words.issuperset(term.words)
    ]
    query = replace(query, terms=tuple(telling)) if telling else query
    forms = words.find_forms({term.words[0] for term in query.terms if term.is_word})
    return QueryMarker(
        snippets.build_patterns(query, forms), numbers=[term.number for term in query.terms if term.number]
    )


def _build_hits(
    words: WordsIndex, query: SearchQuery, page: Sequence[fusion.RankedHit], near: dict[UUID, NearText]
) -> Iterable[SearchHit]:
    documents = words.load_documents([ranked.id for ranked in page])
    marker = build_marker(words, query)
    for ranked in page:
        let_others_run()
        document = documents.get(ranked.id)
        if document is not None:
            span = near[ranked.id].span if ranked.id in near else None
            yield _build_hit(document, ranked, query, marker, span)


def _build_hit(
    document: Document, ranked: fusion.RankedHit, query: SearchQuery, marker: QueryMarker, span: Span | None
) -> SearchHit:
    why = (fusion.TRACE, *ranked.why) if query.traces and fusion.TRACE not in ranked.why else ranked.why
    parts = snippets.build_snippet(document.text, marker, around=span)
    return SearchHit(
        id=document.id, kind=document.kind, entry=document.entry, day=document.day, why=why, parts=parts
    )
