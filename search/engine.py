"""One search: queries both indexes, fuses what they find, and builds a page of days with their hits."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final, Self
from uuid import UUID

from llamora.threads import FairExecutor, let_others_run, yield_turn
from search import fusion
from search.chunks import Span
from search.embedder.types import Floats
from search.errors import IndexClosed
from search.index.fts_queries import MAX_COUNTED
from search.index.person_index import PersonIndex
from search.index.types import APART_KINDS, Document, NearText, TextOutline
from search.index.vectors import FEW_TEXTS
from search.index.words import WordsIndex
from search.query import snippets, trace_filter
from search.query.parser import KINDS, SearchQuery
from search.query.snippets import QueryMarker, SnippetPart
from search.query.stop_words import STOP_WORDS
from search.results.filters import SuggestedFilter, suggest_filters
from search.results.grouping import OWN_KIND, HitGroup, group_hits, list_shown

# Days on a page, and texts on it: a snippet takes up to half a millisecond.
PAGE_SIZE: Final = 20
_MAX_SNIPPETS: Final = 40
_MAX_SAME_TEXTS: Final = 50
# Rankings are taken this deep, so that a page further down ranks like the pages before it; if that is not
# enough, as deep as matches are counted.
_MAX_RANKED: Final = 200
_MAX_NEAR: Final = 50
# Up to so many texts that filters let through are compared each; of more, the nearest of all are filtered.
_FEW_TEXTS: Final = FEW_TEXTS
_NEAREST_FILTERED: Final = 200
# Where too few of those match, such as entries among very many facts, up to so many are compared each.
_SOME_TEXTS: Final = 10_000
_WIDER_SEARCHES: Final = (1000, 10_000)
_FILTERED_AT_ONCE: Final = 100
_MIN_REPEATED: Final = 3
# A model, SQLite and a comparison of vectors release the interpreter while they compute: the question is
# embedded, and compared with all texts, while its words are looked up.
_embedding_threads: Final = FairExecutor(threads=2, name="search question")
# The same text has a slightly different vector beside longer ones.
_SCORE_DIGITS: Final = 3

# Given how many, and among which.
FindNearest = Callable[[int, Collection[UUID] | None], list[NearText]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateHit:
    """A hit with the same text as another hit. The page shows only its day."""

    id: UUID
    kind: str
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """A search result: the id, kind and day of a text, the reasons for the hit, and its snippet."""

    id: UUID
    kind: str
    entry: UUID
    day: date
    why: tuple[str, ...]
    parts: Sequence[SnippetPart] = field(repr=False)
    # On other days, and how many more of these there are.
    same_texts: Sequence[DuplicateHit] = ()
    same_left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DayResults:
    """A group of hits, the leading hit first: the hits of one day, all facts, or all notes.

    `left` is the number of further hits that the page does not show. `is_unfolded` says that the page shows
    all `hits` at once, because the leading one is not the best.
    """

    day: date
    hits: Sequence[SearchHit]
    left: int = 0
    is_unfolded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResults:
    """A page of search results, grouped by day, with suggested filters that would narrow the search.

    `total` counts the texts with all words, `next` is the offset of the next page.
    """

    days: Sequence[DayResults] = ()
    total: int = 0
    next: int | None = None
    filters: Sequence[SuggestedFilter] = ()

    @property
    def hits(self) -> list[SearchHit]:
        """Return the leading hit of each day."""
        return [day.hits[0] for day in self.days]

    def list_all(self) -> list[SearchHit | DuplicateHit]:
        """Return the hits of the page, then all duplicates. A duplicate has the same text as a hit."""
        hits = [hit for day in self.days for hit in day.hits]
        return [*hits, *(same for hit in hits for same in hit.same_texts)]

    def filter(self, ids: Collection[UUID]) -> Self:
        """Return the results with only the texts of these ids."""
        days = [
            replace(
                day,
                hits=[
                    replace(hit, same_texts=[same for same in hit.same_texts if same.id in ids])
                    for hit in day.hits
                    if hit.id in ids
                ],
            )
            for day in self.days
        ]
        return replace(self, days=[day for day in days if day.hits])


def search(
    index: PersonIndex, query: SearchQuery, *, offset: int = 0, limit: int = PAGE_SIZE
) -> SearchResults:
    """Return a page of the results of a query; raise IndexClosed if the diary was locked meanwhile."""
    words = index.words
    if words is None:
        raise IndexClosed
    ranking = rank_in_days(index, words, query, _MAX_RANKED)
    are_facts_apart = bool(query.kinds) and query.kinds <= APART_KINDS
    groups = group_hits(ranking.hits, ranking.outlines, are_facts_apart=are_facts_apart)
    for further, depth in _list_deeper(query, ranking):
        if len(groups) > offset + limit or ranking.total <= _MAX_RANKED:
            break
        # What a deeper ranking has more comes after all of this one: a page never shows a day of another.
        deeper = rank_in_days(index, words, further, depth)
        ranking = ranking.append(deeper)
        groups = group_hits(ranking.hits, ranking.outlines, are_facts_apart=are_facts_apart)
        if deeper.total <= depth:
            break  # there are no more, however deep
    return SearchResults(
        days=list(_build_days(words, query, groups[offset : offset + limit], ranking)),
        total=ranking.total,
        next=offset + limit if len(groups) > offset + limit else None,
        filters=suggest_filters(query, ranking.outlines.values()),
    )


def _list_deeper(query: SearchQuery, ranking: "Ranking") -> list[tuple[SearchQuery, int]]:
    """Return further queries, each with its depth, to append to a ranking that has too few groups.

    All facts are one group, and so are all notes. If the ranking has any, and other texts are searched for
    too, the next queries leave both out: the other texts may be few among them.
    """
    has_facts = any(outline.kind in APART_KINDS for outline in ranking.outlines.values())
    if (query.kinds and query.kinds <= APART_KINDS) or not has_facts:
        return [(query, MAX_COUNTED)]
    others = _leave_out_facts(query)
    return [(others, _MAX_RANKED), (others, MAX_COUNTED)]


def _leave_out_facts(query: SearchQuery) -> SearchQuery:
    within = _leave_out_facts(query.within) if query.within is not None else None
    kinds = (query.kinds or frozenset(KINDS.values())) - APART_KINDS
    return replace(query, kinds=kinds, within=within)


@dataclass(frozen=True, slots=True, kw_only=True)
class HitList:
    """A slice of the hits of a query, best first.

    `total` counts the texts with all words, `next` is the offset of the next part.
    """

    hits: Sequence[SearchHit] = ()
    total: int = 0
    next: int | None = None


def list_hits(index: PersonIndex, query: SearchQuery, *, offset: int = 0, limit: int = PAGE_SIZE) -> HitList:
    """Return hits of a query, not grouped by days; raise IndexClosed if the diary was locked meanwhile."""
    words = index.words
    if words is None:
        raise IndexClosed
    ranking = rank_in_days(index, words, query, _MAX_RANKED)
    if len(ranking.hits) <= offset + limit and ranking.total > _MAX_RANKED:
        ranking = ranking.append(rank_in_days(index, words, query, MAX_COUNTED))
    hits = ranking.hits[offset : offset + limit]
    documents = words.load_documents([hit.id for hit in hits])
    return HitList(
        hits=list(_build_hits(words, query, hits, documents, ranking.near)),
        total=ranking.total,
        next=offset + limit if len(ranking.hits) > offset + limit else None,
    )


def _build_hits(
    words: WordsIndex,
    query: SearchQuery,
    hits: Iterable[fusion.RankedHit],
    documents: Mapping[UUID, Document],
    near: Mapping[UUID, NearText],
) -> Iterable[SearchHit]:
    marker = build_marker(words, query)
    for hit in hits:
        let_others_run()
        if (document := documents.get(hit.id)) is not None:
            span = near[hit.id].span if hit.id in near else None
            yield _build_hit(document, hit, query, marker, span, ())


@dataclass(frozen=True, slots=True)
class Ranking:
    """The hits of a query, best first, the kind and day of each, and the texts found by meaning (`near`).

    `total` counts the texts with all words. `complete` are the texts that match the whole query. `shares` and
    `closeness` say how well the others match it in words and in meaning: see `search.fusion.fuse`.
    """

    hits: list[fusion.RankedHit]
    outlines: dict[UUID, TextOutline]
    near: dict[UUID, NearText]
    total: int
    complete: frozenset[UUID]
    shares: dict[UUID, float]
    closeness: dict[UUID, float]

    def append(self, other: Self) -> Self:
        """Return this ranking followed by the hits that only the other one has."""
        further = [hit for hit in other.hits if hit.id not in self.outlines]
        return replace(
            self,
            hits=[*self.hits, *further],
            outlines=other.outlines | self.outlines,
            near=other.near | self.near,
            complete=other.complete | self.complete,
            shares=other.shares | self.shares,
            closeness=other.closeness | self.closeness,
        )


def rank_in_days(index: PersonIndex, words: WordsIndex, query: SearchQuery, depth: int) -> Ranking:
    """Return the ranking of a query. If the query names days, the hits on those days come first."""
    ranking = _rank(index, words, query, depth)
    if query.within is None:
        return ranking
    return replace(_rank(index, words, query.within, depth).append(ranking), total=ranking.total)


def _rank(index: PersonIndex, words: WordsIndex, query: SearchQuery, depth: int) -> Ranking:
    """Return the ranking of a query."""
    if query.traces:
        query = replace(query, entries=trace_filter.find_entries_with_traces(index.owner, query.traces))
    embedding = _start_embedding(index, query)
    word_hits = words.find(query, limit=depth)
    let_others_run(before=1)
    question = _wait_for_embedding(embedding) if embedding else None
    near, outlines = _find_near(words, index, query, question)
    let_others_run(before=1)
    bearing_trace = _find_entries_by_trace(index, words, query)
    outlines |= word_hits.outlines
    shares = {id_: word_hits.shares.get(outline.number, 0.0) for id_, outline in outlines.items()}
    outlines |= words.load_outlines(set(bearing_trace) - outlines.keys()) if bearing_trace else {}
    days = {id_: outline.day for id_, outline in outlines.items()}
    closeness = _measure_closeness(index, question, days)
    let_others_run(before=1)
    hits = fusion.fuse(
        phrases=word_hits.phrases,
        strict=word_hits.strict,
        loose=word_hits.loose,
        traced=bearing_trace,
        meaning=list(near),
        shares=shares,
        closeness=closeness,
        days=days,
        own={id_ for id_, outline in outlines.items() if outline.kind == OWN_KIND},
    )
    let_others_run(before=1)
    complete = frozenset([*word_hits.phrases, *word_hits.strict, *bearing_trace])
    return Ranking(hits, outlines, near, word_hits.total, complete, shares, closeness)


def _find_entries_by_trace(index: PersonIndex, words: WordsIndex, query: SearchQuery) -> list[UUID]:
    """Return the entries with the trace whose name is the whole query, if they match the query's filters."""
    if query.without or query.quoted_phrases or (query.kinds and "entry" not in query.kinds):
        return []
    found = trace_filter.find_entries_by_trace_name(index.owner, query.text)
    passing = words.filter_allowed(query, found) if found and query.is_narrowed else set(found)
    return [id_ for id_ in found if id_ in passing]


def _start_embedding(index: PersonIndex, query: SearchQuery) -> "Future[Floats] | None":
    """Start to embed the query; unless filters by day or trace are set, also compare it with all texts.

    Return None if there is no embedder, or if the query has a quoted phrase.
    """
    vectors, embedder = index.vectors, index.embedder
    if vectors is None or embedder is None or not query.text or query.quoted_phrases:
        return None
    needs_few = query.since is not None or query.until is not None or query.entries is not None
    known = index.question_vectors.find(embedder, query.text)
    if known is not None and needs_few:
        embedding: Future[Floats] = Future()
        embedding.set_result(known)
        return embedding

    def embed() -> Floats:
        vector = index.question_vectors.embed(embedder, query.text) if known is None else known
        if not needs_few:
            vectors.compare(vector)
        return vector

    return _embedding_threads.submit(embed)


def _wait_for_embedding(embedding: "Future[Floats]") -> Floats:
    if not embedding.done():
        with yield_turn():
            return embedding.result()
    return embedding.result()


def _find_near(
    words: WordsIndex, index: PersonIndex, query: SearchQuery, question: Floats | None
) -> tuple[dict[UUID, NearText], dict[UUID, TextOutline]]:
    """Return the texts nearest in meaning, nearest first, and their outlines."""
    vectors, embedder = index.vectors, index.embedder
    if vectors is None or embedder is None or question is None:
        return {}, {}
    floor = embedder.floors.known
    if not _has_known_word(words, query):
        floor = embedder.floors.unknown
        if _says_nothing(query):
            return {}, {}

    def nearest(limit: int, allowed: Collection[UUID] | None) -> list[NearText]:
        return vectors.search(question, limit=limit, floor=floor, allowed=allowed)

    near, outlines = filter_near(words, query, nearest, limit=_MAX_NEAR)
    return {one.id: one for one in near}, outlines


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
    return words.has_any_word(asked - STOP_WORDS or asked, query)


def _says_nothing(query: SearchQuery) -> bool:
    """Return whether every word of a query is one letter several times.

    The pieces that an embedder cuts `mmm` into come near to some text of any large diary.
    """
    asked = [word for term in query.terms for word in term.words]
    return bool(asked) and all(len(word) >= _MIN_REPEATED and len(set(word)) == 1 for word in asked)


def filter_near(
    words: WordsIndex, query: SearchQuery, nearest: FindNearest, *, limit: int
) -> tuple[list[NearText], dict[UUID, TextOutline]]:
    """Return the nearest texts that pass the query's filters, and the `TextOutline` of each by text id.

    The nearest texts come first. Of equally near texts, such as the same sentence on many days, the latest
    come first.
    """
    found = _find_passing(words, query, nearest, limit=limit)
    outlines = words.load_outlines(near.id for near in found)

    def rank(near: NearText) -> tuple[float, date, UUID]:
        return _round_score(near), outlines[near.id].day, near.id

    ranked = sorted((near for near in found if near.id in outlines), key=rank, reverse=True)[:limit]
    return ranked, {near.id: outlines[near.id] for near in ranked}


def _round_score(near: NearText) -> float:
    return round(near.score, _SCORE_DIGITS)


def _find_passing(
    words: WordsIndex, query: SearchQuery, nearest: FindNearest, *, limit: int
) -> list[NearText]:
    """Return the nearest texts that match, nearest first; more than `limit` if the last are equally near."""
    if not (query.is_narrowed or query.without):
        return nearest(limit, None)
    few = words.find_allowed(query, limit=_FEW_TEXTS)
    if few is not None:
        return nearest(limit, few)
    found = nearest(_NEAREST_FILTERED, None)
    passing = _filter_nearest(words, query, found, limit=limit)
    if len(passing) >= limit or len(found) < _NEAREST_FILTERED:
        return passing
    some = words.find_allowed(query, limit=_SOME_TEXTS)
    if some is not None:
        return nearest(limit, some)
    for width in _WIDER_SEARCHES:
        found = nearest(width, None)
        passing = _filter_nearest(words, query, found, limit=limit)
        if len(passing) >= limit or len(found) < width:
            break
    return passing


def _filter_nearest(
    words: WordsIndex, query: SearchQuery, found: Sequence[NearText], *, limit: int
) -> list[NearText]:
    """Return the texts of `found` that match, nearest first; at least `limit` if there are as many."""
    passing: list[NearText] = []
    for first in range(0, len(found), _FILTERED_AT_ONCE):
        some = found[first : first + _FILTERED_AT_ONCE]
        if len(passing) >= limit and _round_score(some[0]) < _round_score(passing[limit - 1]):
            break
        allowed = words.filter_allowed(query, [near.id for near in some])
        passing += [near for near in some if near.id in allowed]
    return passing


def build_marker(words: WordsIndex, query: SearchQuery) -> QueryMarker:
    """Return a marker that finds the words of a query, and their other forms, in a text.

    Stop words are found only if the query has no other words.
    """
    stop_words = words.find_stop_words(word for term in query.terms for word in term.words)
    telling = [
        term for term in query.terms if term.quoted or term.literal or not stop_words.issuperset(term.words)
    ]
    query = replace(query, terms=tuple(telling)) if telling else query
    forms = words.find_forms({term.words[0] for term in query.terms if term.is_word})
    return QueryMarker(
        snippets.build_patterns(query, forms), numbers=[term.number for term in query.terms if term.number]
    )


def _build_days(
    words: WordsIndex,
    query: SearchQuery,
    groups: Sequence[HitGroup],
    ranking: Ranking,
) -> Iterable[DayResults]:
    near, outlines = ranking.near, ranking.outlines
    shown = list_shown(groups, most=_MAX_SNIPPETS)
    documents = words.load_documents([hit.id for hits in shown for hit in hits])
    marker = build_marker(words, query)
    for group, hits in zip(groups, shown, strict=True):
        built: list[SearchHit] = []
        for hit in hits:
            let_others_run()
            document = documents.get(hit.id)
            if document is not None:
                same = [_build_duplicate(one.id, outlines) for one in group.same_texts.get(hit.id, ())]
                span = near[hit.id].span if hit.id in near else None
                built.append(_build_hit(document, hit, query, marker, span, same))
        if built:
            left = len(group.hits) - len(hits)
            yield DayResults(day=group.day, hits=built, left=left, is_unfolded=group.is_best_folded)


def _build_duplicate(id_: UUID, outlines: dict[UUID, TextOutline]) -> DuplicateHit:
    return DuplicateHit(id=id_, kind=outlines[id_].kind, day=outlines[id_].day)


def _build_hit(
    document: Document,
    ranked: fusion.RankedHit,
    query: SearchQuery,
    marker: QueryMarker,
    span: Span | None,
    same_texts: Sequence[DuplicateHit],
) -> SearchHit:
    why = (fusion.TRACE, *ranked.why) if query.traces and fusion.TRACE not in ranked.why else ranked.why
    parts = snippets.build_snippet(document.text, marker, around=span)
    return SearchHit(
        id=document.id,
        kind=document.kind,
        entry=document.entry,
        day=document.day,
        why=why,
        parts=parts,
        same_texts=same_texts[:_MAX_SAME_TEXTS],
        same_left=max(0, len(same_texts) - _MAX_SAME_TEXTS),
    )
