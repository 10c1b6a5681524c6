"""Which texts hold a query's words, best first: one query, one connection, whose owner holds the lock."""

import math
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Final

from search import matching
from search.asked import Query, Term
from search.matching import Ask

# Ranking by bm25 costs 1.2 microseconds a hit and a pass for each word, counting 0.05. Where more than this
# hold all the words, or there are many words, rank says little and the newest come first: "the" over 50,000
# texts takes 0.1 ms instead of 60.
RANKED: Final = 1500
_MANY: Final = 5
# Everything that begins with "th" takes 50 ms to gather from 50,000 texts.
SHORTEST_BEGINNING: Final = 3
LAST: Final = "\U0010ffff"
_MAX_FORMS: Final = 40
_MAX_BEGUN: Final = 200
_LOOSE: Final = 60


def forms_of(db: sqlite3.Connection, word: str) -> list[str]:
    """Return the other forms of a word that occur."""
    sql = "SELECT terms.term FROM stems JOIN terms ON terms.n = stems.rowid WHERE stems MATCH ? LIMIT ?"
    return [row[0] for row in db.execute(sql, (matching.phrase([word]), _MAX_FORMS)) if row[0] != word]


class Finder:
    """One query against one connection; its owner holds the lock."""

    def __init__(self, db: sqlite3.Connection, query: Query, limit: int) -> None:
        self._db, self._query, self._limit = db, query, limit
        self._known: dict[str, list[str]] = {}
        self._held: dict[Term, int] = {}
        self._strict: list[int] = []
        self.total = 0

    def forms(self, word: str) -> list[str]:
        """Return the other forms of a word that occur."""
        if word not in self._known:
            self._known[word] = forms_of(self._db, word)
        return self._known[word]

    def phrases(self) -> list[int]:
        """Return texts with the query's own words next to each other, or with every phrase in quotes."""
        if self._query.quotes:
            return self._strict  # all that was asked stands there, the quotes with it
        ask = matching.together(self._query, beginnings=self._goes_on)
        return self._newest(ask, self._limit) if ask else []

    def strict(self) -> list[int]:
        """Return texts with every term: as written first, then other forms, then words that begin so."""
        exact = matching.strict(self._query)
        wide = matching.strict(self._query, forms=self.forms, begun=self._begun, beginnings=self._goes_on)
        written = self._newest(exact, RANKED + 1)
        self.total = self._count(wide) if wide != exact or len(written) > RANKED else len(written)
        if not self.total:
            wider = matching.strict(self._query, forms=self.forms, begun=self._begun, beginnings=_is_long)
            # Where punctuation is looked for, asking the same again reads every text again.
            self.total, wide = (self._count(wider) if wider != wide else 0), wider
        self._strict = self._exact_first(written, exact, wide)[: self._limit] if self.total else []
        return self._strict

    def _exact_first(self, written: list[int], exact: Ask, wide: Ask) -> list[int]:
        first: Iterable[int]
        if len(self._query.terms) > _MANY or not wide.match or len(written) > RANKED:
            first, others = written, self._newest(wide, self._limit)
        elif self.total <= RANKED:
            others, known = self._ranked(wide), set(written)
            first = [n for n in others if n in known]
        else:
            first, others = self._ranked(exact), self._newest(wide, self._limit)
        return list(dict.fromkeys([*first, *others]))

    def loose(self) -> list[int]:
        """Return texts with some of the terms, those with more and rarer ones first."""
        terms = [part for term in self._query.terms if not term.quoted for part in _parts(term)]
        if len(terms) < 2:
            return []
        asks = [matching.loosely(self._query, terms=[term], forms=self.forms) for term in terms]
        held = sorted((self._count(ask), place) for place, ask in enumerate(asks))
        size = self._db.execute("SELECT count(*) FROM docs").fetchone()[0]
        scores: dict[int, float] = {}
        left = RANKED
        for holds, place in held:
            # Not by bm25: it takes each form of a word for a word of its own, and the rarest for the best.
            left -= holds
            if left < 0 and scores:
                break
            worth = math.log(1 + (size - holds + 0.5) / (holds + 0.5))
            for n in self._newest(asks[place], RANKED) if holds else ():
                scores[n] = scores.get(n, 0.0) + worth
        return sorted(scores, key=lambda n: (-scores[n], -n))[:_LOOSE]

    def _begun(self, word: str) -> list[str]:
        """Return the words that begin so, but for those that are everywhere unless there are no others.

        Gathering "wit..." with all that hold "with" takes 40 ms of 50,000 texts, and nobody looks for that.
        """
        sql = "SELECT term, doc FROM vocabulary WHERE term >= ? AND term < ? LIMIT ?"
        rows = self._db.execute(sql, (word, word + LAST, _MAX_BEGUN)).fetchall()
        telling = [term for term, holds in rows if holds <= RANKED]
        return telling or [term for term, _ in rows]

    def _goes_on(self, term: Term) -> bool:
        # Beside a word that is everywhere, what only begins so is not missed.
        return term.prefix and (term.quoted or (_is_long(term) and self._holds(term) <= RANKED))

    def _holds(self, term: Term) -> int:
        if term not in self._held:
            self._held[term] = self._count(Ask(matching.phrase(term.words)))
        return self._held[term]

    def _count(self, ask: Ask) -> int:
        return int(self._db.execute(ask.counting(), ask.parameters).fetchone()[0])

    def _newest(self, ask: Ask, most: int) -> list[int]:
        return self._rows(ask, f"{ask.number} DESC", most)

    def _ranked(self, ask: Ask) -> list[int]:
        return self._rows(ask, f"rank, {ask.number} DESC", RANKED)  # of equals the newest first

    def _rows(self, ask: Ask, order: str, most: int) -> list[int]:
        sql = f"{ask.sql(ask.number)} ORDER BY {order} LIMIT ?"
        return [row[0] for row in self._db.execute(sql, (*ask.parameters, most))]


def _is_long(term: Term) -> bool:
    return bool(term.words) and len(term.words[-1]) >= SHORTEST_BEGINNING


def _parts(term: Term) -> Iterator[Term]:
    """Yield a term as it is, or a run of unbroken script as its pairs of characters."""
    if len(term.words) < 3 or term.is_word:
        if term.words:
            yield term
        return
    for pair in zip(term.words, term.words[1:], strict=False):
        yield Term(words=pair)
