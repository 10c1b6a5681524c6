"""Evidence that a text answers a question: the text has many of the question's words, or a close meaning.

A model turns any passage into a claim, and people read a passage as an answer. So passages that do not answer
the question are not shown. A text answers it if one of its passages contains enough of the question's words,
weighted by their rarity, or is near enough in meaning, or some of both. If the question contains names, the
text must contain one of them, unless it is near in meaning alone. If a name never occurs in the diary, no
text answers the question.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import replace
from typing import Final
from uuid import UUID

from llamora.threads import let_others_run
from search import engine
from search.ask.question.names import list_names
from search.engine import Ranking
from search.index.fts_queries import ASSUMED_TEXTS, split_unbroken, weigh
from search.index.words import WordsIndex
from search.query.parser import QueryTerm, SearchQuery
from search.query.snippets import FoldedText
from search.services import get_days

# The part of the question's words that stand in a passage, and its closeness in meaning, each 1 at most. Of
# 115 questions that a diary answers, three fell below both whose day was among the first five hits; of 60
# that it does not answer, three reached one of them (`tests/search/ask_questions.py`).
_LEAST_TOGETHER: Final = 0.58
_LEAST_CLOSENESS: Final = 0.45
# The same where a question is about something else: words that were never written are more of it than those
# that were. Its words tell little then, and something near is found for any question.
_MOST_UNWRITTEN: Final = 0.5
_LEAST_TOGETHER_ELSE: Final = 0.7
_LEAST_CLOSENESS_ELSE: Final = 0.55
_PASSAGE_LENGTH: Final = 450
_READ_AT_ONCE: Final = 50
# Of a name of several words, one that at most one of so many texts has tells who is meant.
_RARE_EVERY: Final = 50


class Evidence:
    """Evidence about one question: it decides which texts answer the question, and caches each result.

    `by_day` are texts about the question's subject, `of_days` texts of the days that it names, if these are
    few, and `traced` texts with a trace that it names.
    """

    def __init__(
        self,
        words: WordsIndex,
        query: SearchQuery,
        ranking: Ranking,
        *,
        question: str,
        by_day: Sequence[UUID],
        of_days: Sequence[UUID],
        traced: Sequence[UUID],
    ) -> None:
        self._words = words
        self._ranking = ranking
        self._found: dict[UUID, bool] = {}
        inner = query.within or query
        # A word that is repeated is looked for once, and weighs as often as it is there.
        repeats = Counter(part for term in inner.terms if term.words for part in split_unbroken(term))
        terms = list(repeats)
        counts, size = words.count_texts_with(terms, hidden=query.hidden)
        self._weights = [
            repeats[term] * weigh(holds, size) for term, holds in zip(terms, counts, strict=True)
        ]
        self._whole = sum(self._weights)
        self._markers = [engine.build_marker(words, replace(inner, terms=(term,))) for term in terms]
        unwritten = sum(weight for weight, holds in zip(self._weights, counts, strict=True) if not holds)
        is_of_something_else = size >= ASSUMED_TEXTS and unwritten > _MOST_UNWRITTEN * self._whole
        self._least_together = _LEAST_TOGETHER_ELSE if is_of_something_else else _LEAST_TOGETHER
        self._least_closeness = _LEAST_CLOSENESS_ELSE if is_of_something_else else _LEAST_CLOSENESS
        self._about = frozenset(traced if is_of_something_else else (*traced, *of_days, *by_day))
        self._days = None if is_of_something_else else get_days(query)
        names = _select_names(question, terms)
        self._is_answerable = bool(traced) or words.are_names_in_texts(names, inner, rare_every=_RARE_EVERY)
        self._named = _find_name_terms(names, terms, counts, most=max(size, ASSUMED_TEXTS) // _RARE_EVERY)

    def find_evident(self, ids: Iterable[UUID]) -> Set[UUID]:
        """Return the ids, among these, of the texts that answer the question."""
        if not self._is_answerable:
            return set()
        asked = list(ids)
        new = [id_ for id_ in asked if id_ not in self._found]
        self._found |= {id_: self._is_about(id_) for id_ in new}
        unread = [id_ for id_ in new if not self._found[id_]] if self._markers else []
        for first in range(0, len(unread), _READ_AT_ONCE):
            documents = self._words.load_documents(unread[first : first + _READ_AT_ONCE])
            for id_, document in documents.items():
                let_others_run()
                self._found[id_] = self._has_enough(document.text, self._ranking.closeness.get(id_, 0.0))
        return {id_ for id_ in asked if self._found[id_]}

    def _is_about(self, id_: UUID) -> bool:
        """Return whether a text counts as an answer without a look at its words."""
        if id_ in self._about or self._ranking.closeness.get(id_, 0.0) >= self._least_closeness:
            return True
        outline = self._ranking.outlines.get(id_)
        if self._days is not None and outline is not None and self._days[0] <= outline.day <= self._days[1]:
            return True
        # A question without a telling word asks for all that it does not exclude.
        return not self._markers and id_ in self._ranking.complete

    def _has_enough(self, text: str, closeness: float) -> bool:
        places = sorted(self._find_places(text))
        if self._named and not any(number in self._named for _, _, number in places):
            return False
        return self._measure_best_share(places) + closeness >= self._least_together

    def _find_places(self, text: str) -> Iterator[tuple[int, int, int]]:
        """Yield the begin and end of each of the question's words in a text, and the number of its term."""
        folded = FoldedText(text)
        for number, marker in enumerate(self._markers):
            let_others_run()
            for span, _ in marker.find_spans_in(folded):
                yield span[0], span[1], number

    def _measure_best_share(self, places: list[tuple[int, int, int]]) -> float:
        """Return the largest share of the question's words, by weight, that a single passage contains."""
        best, first = 0.0, 0
        inside = [0] * len(self._weights)
        total = 0.0
        for current, (_, end, number) in enumerate(places):
            inside[number] += 1
            total += self._weights[number] if inside[number] == 1 else 0.0
            # A word that is longer than a passage is a passage.
            while first < current and places[first][0] < end - _PASSAGE_LENGTH:
                gone = places[first][2]
                inside[gone] -= 1
                total -= 0.0 if inside[gone] else self._weights[gone]
                first += 1
            best = max(best, total)
        return best / self._whole if self._whole else 0.0


def _select_names(question: str, terms: Iterable[QueryTerm]) -> list[tuple[str, ...]]:
    """Return the names in a question, each with only those words that are searched for."""
    searched = {word for term in terms for word in term.words}
    names = [tuple(word for word in name if word in searched) for name in list_names(question)]
    return [name for name in names if name]


def _find_name_terms(
    names: Iterable[tuple[str, ...]], terms: Iterable[QueryTerm], counts: Iterable[int], *, most: int
) -> Set[int]:
    """Return the numbers of the terms in names, only the rare ones if there are any.

    A text must have one of them to answer the question.
    """
    in_names = {word for name in names for word in name}
    found = [
        (number, holds)
        for number, (term, holds) in enumerate(zip(terms, counts, strict=True))
        if in_names.intersection(term.words)
    ]
    rare = {number for number, holds in found if holds <= most}
    return rare or {number for number, _ in found}
