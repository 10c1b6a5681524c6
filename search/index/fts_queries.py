"""Queries of the word index: FTS5 expressions, SQL conditions, and the order of the results.

A `WordSearch` uses one connection, and its caller holds the lock. Every word is quoted and consists of
letters and digits only, so that nothing a person types is interpreted as FTS5 syntax.
"""

import json
import math
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID

from search.query.folding import build_number_word, is_unbroken, list_number_words
from search.query.parser import QueryTerm, SearchQuery
from search.query.stop_words import STOP_WORDS

# A shorter diary counts as one of so many texts, since its few texts do not show which words are rare.
ASSUMED_TEXTS: Final = 200

# Counting 50,000 texts takes 10 ms, and nobody reads on so far.
MAX_COUNTED: Final = 5000

# Texts are numbered by day. A day has so many numbers; who writes more on one day has those after the last of
# all days.
NUMBERS_OF_DAY: Final = 4096
AFTER_ALL_DAYS: Final = (date.max.toordinal() + 1) * NUMBERS_OF_DAY

FindForms = Callable[[str], Iterable[str]]


def find_no_forms(word: str) -> Iterable[str]:
    """Return an empty tuple, so that a query matches words only as they are written."""
    del word
    return ()


@dataclass(frozen=True, slots=True)
class FtsQuery:
    """A query of the word index: the FTS5 expression `match` (may be empty), and SQL conditions."""

    match: str = ""
    conditions: tuple[str, ...] = ()
    values: tuple[object, ...] = field(default=(), repr=False)

    def sql(self, columns: str) -> str:
        """Return the SELECT statement without ORDER BY; `columns` is its select list."""
        table = "docs"
        if self.match:
            reads_texts = any("docs." in condition for condition in self.conditions)
            table = "words JOIN docs ON docs.n = words.rowid" if reads_texts else "words"
        clauses = (("words MATCH ?",) if self.match else ()) + self.conditions
        return f"SELECT {columns} FROM {table} WHERE {' AND '.join(clauses) or '1'}"  # noqa: S608 - our own names

    def count(self, db: sqlite3.Connection, *, most: int = MAX_COUNTED) -> int:
        """Return the number of results, counted up to `most`."""
        sql = f"SELECT count(*) FROM ({self.sql('1')} LIMIT ?)"  # noqa: S608 - our own names
        return int(db.execute(sql, (*self.parameters, most)).fetchone()[0])

    @property
    def rowid_column(self) -> str:
        """Return the name of the column with the row id."""
        return "words.rowid" if self.match else "docs.n"

    @property
    def parameters(self) -> tuple[object, ...]:
        """Return the parameters of the statement."""
        return (self.match, *self.values) if self.match else self.values


def build_phrase_expression(words: Iterable[str], *, prefix: bool = False) -> str:
    """Return the FTS5 expression for adjacent words.

    With `prefix`, the last of them also matches every word that begins with it.
    """
    return f'"{" ".join(words)}"' + (" *" if prefix else "")


def build_any_expression(expressions: Iterable[str]) -> str:
    """Return the FTS5 expression that matches a text if any of these expressions does."""
    distinct = list(dict.fromkeys(expressions))
    return distinct[0] if len(distinct) == 1 else f"({' OR '.join(distinct)})"


def build_term_expression(
    term: QueryTerm,
    *,
    forms: FindForms = find_no_forms,
    complete_prefix: FindForms = find_no_forms,
    allow_prefix: bool = False,
) -> str:
    """Return the FTS5 expression for a term of a query.

    With `allow_prefix`, the last word of the term also matches as a prefix. If the term is a single word,
    `complete_prefix` lists the words that begin with it.
    """
    alternatives = [build_phrase_expression(term.words, prefix=term.prefix and term.quoted)]
    if allow_prefix and term.is_word:
        alternatives += [build_phrase_expression([word]) for word in complete_prefix(term.words[0])]
    elif allow_prefix and not term.quoted and not is_unbroken(term.words[-1]):
        alternatives.append(build_phrase_expression(term.words, prefix=True))
    if term.joined:
        alternatives.append(build_phrase_expression([term.joined]))
    alternatives += [build_phrase_expression([word]) for word in term.also]
    if term.is_word:
        alternatives += [build_phrase_expression([form]) for form in forms(term.words[0])]
    if term.number:
        alternatives.append(build_phrase_expression([build_number_word(term.number)], prefix=True))
        alternatives += [build_phrase_expression([word]) for word in list_number_words(term.number)]
    return build_any_expression(alternatives)


def match_all_terms(
    query: SearchQuery,
    *,
    forms: FindForms = find_no_forms,
    complete_prefix: FindForms = find_no_forms,
    allow_prefix: Callable[[QueryTerm], bool] = lambda _: False,
) -> FtsQuery:
    """Return the query for texts with every term of the search, and with none of its excluded terms."""
    terms = [
        build_term_expression(
            term, forms=forms, complete_prefix=complete_prefix, allow_prefix=allow_prefix(term)
        )
        for term in query.terms
        if term.words
    ]
    return _build_filtered(query, " AND ".join(terms))


def match_adjacent(query: SearchQuery, *, allow_prefix: Callable[[QueryTerm], bool]) -> FtsQuery | None:
    """Return the query for texts with all words of the search adjacent, or None for a single word."""
    words = [word for term in query.terms for word in term.words]
    if len(words) < 2 or (len(query.terms) == 1 and is_unbroken(words[0])):
        return None
    last = query.terms[-1]
    return _build_filtered(
        query, build_phrase_expression(words, prefix=bool(last.words) and allow_prefix(last))
    )


def match_some_terms(query: SearchQuery, *, terms: Iterable[QueryTerm], forms: FindForms) -> FtsQuery:
    """Return the query for texts with any of these terms."""
    return _build_filtered(
        query, build_any_expression(build_term_expression(term, forms=forms) for term in terms), literal=False
    )


def match_word(query: SearchQuery, word: str) -> FtsQuery:
    """Return the query for texts that contain a word as written, and match the filters and exclusions.

    `word` may also be several words with spaces between them, which must be adjacent in the text.
    """
    return _build_filtered(query, build_phrase_expression([word]), literal=False)


def match_filters(query: SearchQuery, *, among: Iterable[UUID] | None = None) -> FtsQuery:
    """Return the query for texts that match the filters and exclusions.

    If `among` is given, only texts with these ids are found.
    """
    filtered = _build_filtered(query, "", literal=False)
    if among is None:
        return filtered
    ids = json.dumps([id_.hex for id_ in among])
    condition = "docs.id IN (SELECT unhexed(value) FROM json_each(?))"
    return FtsQuery("", (condition, *filtered.conditions), (ids, *filtered.values))


def _build_filtered(query: SearchQuery, match: str, *, literal: bool = True) -> FtsQuery:
    conditions: list[str] = []
    values: list[object] = []
    for term in query.terms if literal else ():
        if term.literal:
            condition, value = _build_literal_condition(term)
            conditions.append(condition)
            values.append(value)
    number = "words.rowid" if match else "docs.n"
    for sql, some in (*_build_day_conditions(query, number), *_build_conditions(query, number)):
        conditions.append(sql)
        values += some
    unwanted = [
        build_phrase_expression(term.words, prefix=term.prefix)
        for term in query.without
        if term.words and not term.literal
    ]
    for term in query.without:
        if term.literal:
            condition, value = _build_literal_condition(term)
            conditions.append(f"NOT {condition}")
            values.append(value)
    if unwanted and match:
        match = f"({match}) NOT {build_any_expression(unwanted)}"
    elif unwanted:
        on_days = list(_build_day_conditions(query, "words.rowid"))
        where = " AND ".join(["words MATCH ?", *(sql for sql, _ in on_days)])
        conditions.append(f"docs.n NOT IN (SELECT rowid FROM words WHERE {where})")  # noqa: S608 - our own names
        values += [build_any_expression(unwanted), *(value for _, some in on_days for value in some)]
    return FtsQuery(match, tuple(conditions), tuple(values))


def _build_literal_condition(term: QueryTerm) -> tuple[str, str]:
    """Return the condition for texts that contain the literal of a term, and its parameter."""
    if term.words or any(map(str.isalpha, term.literal)):
        return "instr(folded(docs.body), ?) > 0", term.literal
    # Folding every text takes seconds, and punctuation alone has no case to fold; GLOB is three times as fast
    # as instr.
    escaped = "".join(f"[{sign}]" if sign in "*?[" else sign for sign in term.literal)
    return "docs.body GLOB ?", f"*{escaped}*"


# An SQL condition and its parameters.
_Condition = tuple[str, tuple[object, ...]]


def _build_conditions(query: SearchQuery, number: str) -> Iterable[_Condition]:
    if query.hidden:
        hidden = "(SELECT value FROM json_each(?))"
        yield f"{number} NOT IN {hidden}", (json.dumps(query.hidden),)
    if query.kinds:
        # Not as one list in JSON: to look into that takes as long for each text as to find it.
        yield f"docs.kind IN ({', '.join('?' * len(query.kinds))})", tuple(sorted(query.kinds))
    if query.entries is not None:
        ids = json.dumps([entry.hex for entry in query.entries])
        yield "docs.entry IN (SELECT unhexed(value) FROM json_each(?))", (ids,)


def _build_day_conditions(query: SearchQuery, number: str) -> Iterable[_Condition]:
    """Yield conditions on the column with the number of a text, so that texts of other days are not read.

    Only texts that are numbered after all days (see `words.number_texts`) are read for their day.
    """
    day = f"(SELECT late.day FROM docs AS late WHERE late.n = {number})"  # noqa: S608 - our own names
    if query.since:
        yield f"{number} >= ?", (query.since.toordinal() * NUMBERS_OF_DAY,)
        yield f"({number} < {AFTER_ALL_DAYS} OR {day} >= ?)", (query.since.isoformat(),)
    if query.until:
        end = (query.until.toordinal() + 1) * NUMBERS_OF_DAY
        last = f"(SELECT iif(max(late.n) < {AFTER_ALL_DAYS}, ?, max(late.n) + 1) FROM docs AS late)"  # noqa: S608
        yield f"{number} < {last}", (end,)
        late = f"{number} >= {AFTER_ALL_DAYS} AND {day} <= ?"
        yield f"({number} < ? OR {late})", (end, query.until.isoformat())


# Ranking by bm25 costs 1.2 microseconds a hit and a pass for each word, counting 0.05. Where more than this
# hold all the words, or there are many words, rank says little and the newest come first: "the" over 50,000
# texts takes 0.1 ms instead of 60.
MAX_RANKED: Final = 1500
_MANY_TERMS: Final = 5
# Everything that begins with "th" takes 50 ms to gather from 50,000 texts.
MIN_PREFIX_LENGTH: Final = 3
LAST_CHARACTER: Final = "\U0010ffff"
_MAX_FORMS: Final = 40
_MAX_COMPLETIONS: Final = 200
_MAX_LOOSE: Final = 60
# A stop word of some language is one in this diary if more than one of so many texts have it.
_STOP_WORD_EVERY: Final = 50


def find_word_forms(db: sqlite3.Connection, word: str) -> list[str]:
    """Return the other forms of a word that occur in the index."""
    sql = "SELECT terms.term FROM stems JOIN terms ON terms.n = stems.rowid WHERE stems MATCH ? LIMIT ?"
    return [
        row[0] for row in db.execute(sql, (build_phrase_expression([word]), _MAX_FORMS)) if row[0] != word
    ]


def list_frequent_words(db: sqlite3.Connection, words: Iterable[str]) -> list[str]:
    """Return the words among these that occur in too many texts to be significant."""
    some = list(words)
    # Counting 100,000 texts takes nearly a millisecond, and most questions have no such word.
    most = count_texts(db) // _STOP_WORD_EVERY if some else 0
    return [word for word in some if is_in_more_than(db, word, most)]


def count_texts(db: sqlite3.Connection) -> int:
    """Return the number of texts in the index."""
    return int(db.execute("SELECT count(*) FROM docs").fetchone()[0])


def count_days(db: sqlite3.Connection) -> int:
    """Return the number of days that have texts in the index."""
    return int(db.execute("SELECT count(*) FROM (SELECT DISTINCT day FROM docs)").fetchone()[0])


def count_new_days(db: sqlite3.Connection, days: Collection[date]) -> int:
    """Return how many of the given days have no texts in the index yet."""
    sql = "SELECT 1 FROM docs WHERE day = ? LIMIT 1"
    return sum(db.execute(sql, (day.isoformat(),)).fetchone() is None for day in days)


def is_on_more_days_than(db: sqlite3.Connection, words: Sequence[str], most: int) -> bool:
    """Return whether texts of more than `most` days contain these adjacent words.

    The count ends as soon as this is known.
    """
    # Texts that are numbered after all days count as those of one day.
    sql = "SELECT DISTINCT rowid / ? FROM words WHERE words MATCH ? LIMIT 1 OFFSET ?"
    values = (NUMBERS_OF_DAY, build_phrase_expression(words), most)
    return bool(words) and db.execute(sql, values).fetchone() is not None


def is_in_more_than(db: sqlite3.Connection, word: str, most: int) -> bool:
    """Return whether more than `most` texts contain a word. The count ends as soon as this is known."""
    sql = "SELECT 1 FROM words WHERE words MATCH ? LIMIT 1 OFFSET ?"
    return db.execute(sql, (build_phrase_expression([word]), most)).fetchone() is not None


class WordSearch:
    """One search in a person's FTS5 index; the caller holds the lock of its SQLite connection."""

    def __init__(self, db: sqlite3.Connection, query: SearchQuery, limit: int) -> None:
        self._db, self._query, self._limit = db, query, limit
        self._forms_by_word: dict[str, list[str]] = {}
        self._counts_by_term: dict[QueryTerm, int] = {}
        self._strict: list[int] = []
        self.total = 0
        # The share of the query's words, by text, of those with some of them.
        self.shares: dict[int, float] = {}

    def find_forms(self, word: str) -> list[str]:
        """Return the other forms of a word that occur in the index."""
        if word not in self._forms_by_word:
            self._forms_by_word[word] = find_word_forms(self._db, word)
        return self._forms_by_word[word]

    def find_phrases(self) -> list[int]:
        """Return the row ids of the texts with all words of the search adjacent.

        If the search has quoted phrases, return the result of `find_strict`, which must be called before.
        """
        if self._query.quoted_phrases:
            return self._strict  # all that was asked stands there, the quotes with it
        adjacent = match_adjacent(self._query, allow_prefix=self._is_continued)
        return self._list_newest(adjacent, self._limit) if adjacent else []

    def find_strict(self) -> list[int]:
        """Return the row ids of the texts with every term; those with the words as written come first."""
        exact = match_all_terms(self._query)
        wide = match_all_terms(
            self._query,
            forms=self.find_forms,
            complete_prefix=self._complete_prefix,
            allow_prefix=self._is_continued,
        )
        written = self._list_newest(exact, MAX_RANKED + 1)
        self.total = self._count(wide) if wide != exact or len(written) > MAX_RANKED else len(written)
        if not self.total and not self._query.has_whole_words:
            wider = match_all_terms(
                self._query,
                forms=self.find_forms,
                complete_prefix=self._complete_prefix,
                allow_prefix=_is_long_enough,
            )
            # Where punctuation is looked for, asking the same again reads every text again.
            self.total, wide = (self._count(wider) if wider != wide else 0), wider
        self._strict = self._order_exact_first(written, exact, wide)[: self._limit] if self.total else []
        return self._strict

    def _order_exact_first(self, written: list[int], exact: FtsQuery, wide: FtsQuery) -> list[int]:
        first: Iterable[int]
        if len(self._query.terms) > _MANY_TERMS or not wide.match or len(written) > MAX_RANKED:
            first, others = written, self._list_newest(wide, self._limit)
        elif self.total <= MAX_RANKED:
            others, known = self._rank(wide), set(written)
            first = [n for n in others if n in known]
        else:
            first, others = self._rank(exact), self._list_newest(wide, self._limit)
        return list(dict.fromkeys([*first, *others]))

    def find_loose(self) -> list[int]:
        """Return the row ids of the texts with some of the terms; more terms and rarer terms rank higher.

        Frequent stop words count only if the search has no other terms.
        """
        parts = [part for term in self._query.terms if not term.quoted for part in split_unbroken(term)]
        # A word that is repeated is looked for once: each search for it may read long texts.
        terms = list(dict.fromkeys(parts))
        if len(terms) < 2:
            return []
        fts_queries = [match_some_terms(self._query, terms=[term], forms=self.find_forms) for term in terms]
        size = count_texts(self._db)
        telling = [
            number
            for number, fts_query in enumerate(fts_queries)
            if not _is_stop_word(terms[number])
            or 0 < self._count(fts_query, most=size // _STOP_WORD_EVERY + 1) <= size // _STOP_WORD_EVERY
        ]
        counts = sorted(
            (self._count(fts_queries[number], most=size), number) for number in telling or range(len(terms))
        )
        scores: dict[int, float] = {}
        left, whole = MAX_RANKED, 0.0
        for holds, number in counts:
            # Not by bm25: it takes each form of a word for a word of its own, and the rarest for the best.
            left -= holds
            worth = weigh(holds, size)
            whole += worth
            if left < 0 and scores:
                continue
            for n in self._list_newest(fts_queries[number], MAX_RANKED) if holds else ():
                scores[n] = scores.get(n, 0.0) + worth
        self.shares = {n: score / whole for n, score in scores.items()}
        return sorted(scores, key=lambda n: (-scores[n], -n))[:_MAX_LOOSE]

    def weigh_terms(self) -> list[float]:
        """Return the weight of each term of the search, counting all its forms: the rarer, the higher.

        A term of no text weighs most.
        """
        size = count_texts(self._db)
        counts = [
            self._count(match_some_terms(SearchQuery(), terms=[term], forms=self.find_forms), most=size)
            for term in self._query.terms
        ]
        return [weigh(holds, size) for holds in counts]

    def list_by_day(self, *, is_oldest_first: bool) -> list[int]:
        """Return the row ids of the texts with all terms of the search, in any form, sorted by day."""
        order = "ASC" if is_oldest_first else "DESC"
        fts_query = match_all_terms(self._query, forms=self.find_forms)
        return self._list_rows(fts_query, f"{fts_query.rowid_column} {order}", self._limit)

    def _complete_prefix(self, word: str) -> list[str]:
        """Return the words with this prefix; very frequent ones only if there are no others.

        Collecting all texts with "with" for the prefix "wit" would take 40 ms of 50,000 texts, and is rarely
        meant.
        """
        # `vocabulary` goes through all places of each word; `terms` has the words with these letters.
        source = "terms" if "a" <= word[0] <= "z" else "vocabulary"
        sql = f"SELECT term FROM {source} WHERE term >= ? AND term < ? ORDER BY term LIMIT ?"  # noqa: S608 - our own names
        rows = self._db.execute(sql, (word, word + LAST_CHARACTER, _MAX_COMPLETIONS)).fetchall()
        terms = [term for (term,) in rows]
        sql = "SELECT term FROM vocabulary WHERE term IN (SELECT value FROM json_each(?)) AND doc > ?"
        frequent = {
            term for term in STOP_WORDS.intersection(terms) if is_in_more_than(self._db, term, MAX_RANKED)
        }
        others = json.dumps([term for term in terms if term not in frequent])
        frequent |= {term for (term,) in self._db.execute(sql, (others, MAX_RANKED))}
        return [term for term in terms if term not in frequent] or terms

    def _is_continued(self, term: QueryTerm) -> bool:
        # Beside a word that is everywhere, what only begins so is not missed.
        return term.prefix and (
            term.quoted or (_is_long_enough(term) and self._count_texts_with(term) <= MAX_RANKED)
        )

    def _count_texts_with(self, term: QueryTerm) -> int:
        if term not in self._counts_by_term:
            self._counts_by_term[term] = self._count(FtsQuery(build_phrase_expression(term.words)))
        return self._counts_by_term[term]

    def _count(self, fts_query: FtsQuery, *, most: int = MAX_COUNTED) -> int:
        return fts_query.count(self._db, most=most)

    def _list_newest(self, fts_query: FtsQuery, most: int) -> list[int]:
        return self._list_rows(fts_query, f"{fts_query.rowid_column} DESC", most)

    def _rank(self, fts_query: FtsQuery) -> list[int]:
        return self._list_rows(
            fts_query, f"rank, {fts_query.rowid_column} DESC", MAX_RANKED
        )  # of equals the newest first

    def _list_rows(self, fts_query: FtsQuery, order: str, most: int) -> list[int]:
        sql = f"{fts_query.sql(fts_query.rowid_column)} ORDER BY {order} LIMIT ?"
        return [row[0] for row in self._db.execute(sql, (*fts_query.parameters, most))]


def weigh(holds: int, size: int) -> float:
    """Return the weight of a term that occurs in `holds` of `size` texts. Rarer terms weigh more."""
    size = max(size, ASSUMED_TEXTS)
    return math.log(1 + (size - holds + 0.5) / (holds + 0.5))


def _is_long_enough(term: QueryTerm) -> bool:
    return bool(term.words) and len(term.words[-1]) >= MIN_PREFIX_LENGTH


def _is_stop_word(term: QueryTerm) -> bool:
    return STOP_WORDS.issuperset(term.words)


def split_unbroken(term: QueryTerm) -> Iterator[QueryTerm]:
    """Yield the term, or the pairs of its adjacent characters if its script has no spaces between words."""
    if len(term.words) < 3 or term.is_word:
        if term.words:
            yield term
        return
    for pair in zip(term.words, term.words[1:], strict=False):
        yield QueryTerm(words=pair)


def count_rare_words(db: sqlite3.Connection, words: Iterable[str], *, most: int) -> dict[str, int]:
    """Return, by word, the number of texts with it. Words in more than `most` texts are left out.

    A word may also be several adjacent words, with spaces between them.
    """
    wanted = set(words)
    single = json.dumps([word for word in wanted if " " not in word])
    sql = "SELECT term, doc FROM vocabulary WHERE term IN (SELECT value FROM json_each(?)) AND doc <= ?"
    counts = dict(db.execute(sql, (single, most)).fetchall())
    sql = "SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)"
    for word in wanted:
        if " " in word:
            many = db.execute(sql, (build_phrase_expression([word]), most + 1)).fetchone()[0]
            if 0 < many <= most:
                counts[word] = many
    return counts


def find_row_ids(db: sqlite3.Connection, word: str, *, before: int) -> list[int]:
    """Return the row ids, below `before`, of the texts that contain a word or several adjacent words."""
    sql = "SELECT rowid FROM words WHERE words MATCH ? AND rowid < ?"
    return [number for (number,) in db.execute(sql, (build_phrase_expression([word]), before))]
