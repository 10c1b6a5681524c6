"""Ranking of the texts that may answer a question, best first, by means of their owner's open index.

Call these functions inside `in_force`: without the owner's keys, no traces that the question names are found.

A question is searched for by its words, its meaning, and the days and traces that it names. If it asks for
the latest or the first time, texts about its subject are ranked by day: those with all of its significant
words, such as names. If no text contains enough of the words, or is near enough in meaning, nothing answers
the question.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from uuid import UUID

from search import engine
from search.ask.evidence import Evidence
from search.ask.question.irregular_verbs import list_irregular_forms
from search.ask.question.question_type import ParsedQuestion, QuestionType, parse_question
from search.chunks import Span
from search.errors import IndexClosed
from search.index.fts_queries import MAX_COUNTED
from search.index.person_index import PersonIndex
from search.index.words import WordsIndex
from search.query import trace_filter
from search.query.days import DayReader
from search.query.parser import QueryTerm, SearchQuery, parse
from search.query.snippets import QueryMarker
from search.query.stop_words import find_own_stop_words
from search.query.subject_words import find_subject
from search.services import get_days

_KINDS: Final = frozenset({"entry"})
_DEPTH: Final = 200
# Where there is no name, a word that tells at least half as much as the one that tells most must be in the
# latest or first texts.
_KEY_SHARE: Final = 0.5
# If none of so many best texts answers the question, nothing does.
_JUDGED: Final = 5
# Of the latest or first texts, and of those with a trace that the question names, so many come before those
# that are best in other ways.
_FIRST: Final = 3
# Of so many named days every text is an answer.
_FEW_DAYS: Final = 7
_MAX_OF_DAYS: Final = 40


@dataclass(frozen=True, slots=True)
class CandidateTexts:
    """The texts that may answer a question, best first, with their relevant spans.

    `marker` finds the words of the question in a text. `evidence` decides which texts answer the question.
    `counted` are all texts with the question's significant words, by day, if it asks how often. `days` are
    the days that it names.
    """

    ids: Sequence[UUID]
    evidence: Evidence
    spans: dict[UUID, Span]
    marker: QueryMarker
    counted: Sequence[UUID] = ()
    days: tuple[date, date] | None = None

    def select(self, ids: Sequence[UUID]) -> Sequence[UUID]:
        """Return all of these ids if one of the first few texts answers the question, or else none."""
        return ids if self.evidence.find_evident(ids[:_JUDGED]) else ()


def rank_texts(
    index: PersonIndex, question: str, *, reader: DayReader | None = None, hidden: Collection[UUID] = ()
) -> CandidateTexts:
    """Return the texts that may answer a question, without hidden ones.

    Raise IndexClosed if the person locked meanwhile.
    """
    words = index.words
    if words is None:
        raise IndexClosed
    asked = parse_question(question, reader=reader)
    # A question is written to its end: its last word is not the beginning of another.
    parsed = parse(f"{asked.subject} ", reader=reader)
    query = _build_query(words, parsed, hidden=words.list_row_ids(hidden) if hidden else ())
    ranking = engine.rank_in_days(index, words, query, _DEPTH)
    named = trace_filter.find_entries_by_named_traces(index.owner, asked.subject)
    traced = [id_ for id_ in named if id_ not in hidden]
    by_day = _list_by_day(words, query, traced, asked)
    of_days = _list_of_named_days(words, query)
    hits = [hit.id for hit in ranking.hits]
    ids = [*by_day[:_FIRST], *of_days, *traced[:_FIRST], *hits, *traced, *by_day]
    return CandidateTexts(
        ids=list(dict.fromkeys(ids)),
        evidence=Evidence(
            words, query, ranking, question=asked.subject, by_day=by_day, traced=traced, of_days=of_days
        ),
        spans={id_: near.span for id_, near in ranking.near.items()},
        marker=engine.build_marker(words, query),
        counted=by_day if asked.wanted is QuestionType.NUMBER else (),
        days=get_days(query),
    )


def _build_query(words: WordsIndex, query: SearchQuery, *, hidden: Sequence[int]) -> SearchQuery:
    """Return a query for entries, without the words that say little.

    These are the stop words of the question's language, which may never have been written ("where did I"),
    and those of any language that are frequent in this diary.
    """
    asked = [word for term in query.terms for word in term.words]
    telling_little = find_own_stop_words(asked) | words.find_stop_words(asked)
    terms = [
        replace(term, also=list_irregular_forms(term.words[0])) if term.is_word else term
        for term in query.terms
        if term.quoted or not telling_little.issuperset(term.words)
    ]
    within = _build_query(words, query.within, hidden=hidden) if query.within is not None else None
    return replace(
        query, terms=tuple(terms), kinds=_KINDS, within=within, hidden=tuple(hidden), has_whole_words=True
    )


def _list_by_day(
    words: WordsIndex, query: SearchQuery, traced: Sequence[UUID], asked: ParsedQuestion
) -> list[UUID]:
    """Return the texts about the subject of a question by day, in the order that it asks for."""
    wanted = asked.wanted
    if wanted is QuestionType.BEST:
        return []
    narrowed = query.within or query
    telling = _select_telling(words, narrowed, asked.subject)
    found: dict[UUID, date] = {}
    is_oldest_first = wanted is not QuestionType.LATEST
    if telling:
        chosen = replace(narrowed, terms=tuple(telling))
        found = dict(words.list_by_day(chosen, limit=MAX_COUNTED, is_oldest_first=is_oldest_first))
    found |= {id_: outline.day for id_, outline in words.load_outlines(traced).items()}
    return sorted(found, key=lambda id_: (found[id_], id_), reverse=not is_oldest_first)


def _select_telling(words: WordsIndex, query: SearchQuery, question: str) -> list[QueryTerm]:
    """Return the words that a text about the subject must have: the names, or else the rarest."""
    terms = [term for term in query.terms if term.words]
    names = find_subject(question).names
    named = [term for term in terms if names.issuperset(term.words)]
    if named or not terms:
        return named
    weights = words.weigh_terms(terms)
    least = _KEY_SHARE * max(weights)
    return [term for term, weight in zip(terms, weights, strict=True) if weight >= least]


def _list_of_named_days(words: WordsIndex, query: SearchQuery) -> list[UUID]:
    """Return the texts of the days that a question names, if these are few."""
    days = get_days(query)
    if days is None or query.within is None or (days[1] - days[0]).days >= _FEW_DAYS:
        return []
    every = replace(query.within, terms=(), without=())
    return [id_ for id_, _ in words.list_by_day(every, limit=_MAX_OF_DAYS, is_oldest_first=True)]
