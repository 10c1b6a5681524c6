"""The word index of one unlocked person: an FTS5 database in memory only.

There is one connection, and one lock for every use of it *and* for its close: closing an sqlite3 connection
while another thread queries it crashes the interpreter. `close` first marks the index as closed, interrupts a
query in progress, then closes the connection under the lock.

    docs        the texts, numbered by day: the numbers decide between equal hits
    words       their words as written, indexed by FTS5 without a second copy of the texts
    vocabulary  the distinct words
    terms       the words that an English stemmer can reduce, with an index of their stems

Other forms of a word (walked, walking) come from `terms`; the index itself contains words as written, so that
exact hits can be told apart and rank first.
"""

import json
import math
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from threading import Lock
from typing import Final
from uuid import UUID

from llamora.threads import let_others_run
from search.errors import IndexBusy, IndexClosed, SnapshotRefused
from search.index import fts_queries
from search.index.fts_queries import AFTER_ALL_DAYS, ASSUMED_TEXTS, MAX_COUNTED, WordSearch, find_word_forms
from search.index.types import APART_KINDS, FACT_KIND, Document, TextOutline
from search.query.folding import fold, split_words, to_index_form
from search.query.parser import QueryTerm, SearchQuery
from search.query.stop_words import STOP_WORDS

SCHEMA = """
PRAGMA temp_store = MEMORY;
CREATE TABLE IF NOT EXISTS docs (
    n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, kind TEXT NOT NULL, day TEXT NOT NULL, entry BLOB NOT
    NULL,
    stamp BLOB NOT NULL, digest BLOB NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS docs_by_day ON docs (day, kind, id, entry);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
    body, content='docs', content_rowid='n', tokenize='unicode61 remove_diacritics 0');
CREATE VIRTUAL TABLE IF NOT EXISTS vocabulary USING fts5vocab(words, row);
CREATE TABLE IF NOT EXISTS terms (n INTEGER PRIMARY KEY, term TEXT NOT NULL UNIQUE);
CREATE VIRTUAL TABLE IF NOT EXISTS stems USING fts5(
    term, content='terms', content_rowid='n', tokenize='porter unicode61 remove_diacritics 0', detail=none);
"""
TEXT_COLUMNS = "id, kind, day, entry, stamp, digest, body"


@contextmanager
def words_transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Run the `with` block in a transaction of the word index."""
    db.execute("BEGIN")
    try:
        yield
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def number_texts(db: sqlite3.Connection, documents: Sequence[Document]) -> list[int]:
    """Return a row id for each text. Texts of later days get higher row ids.

    A text whose day has not changed retains its row id. Once all row ids of a day are used, its further texts
    get row ids after those of all days.
    """
    sql = "SELECT id, n FROM docs WHERE id IN (SELECT unhexed(value) FROM json_each(?))"
    known = dict(db.execute(sql, (json.dumps([document.id.hex for document in documents]),)))
    last: dict[int, int] = {}
    numbers = []
    for document in documents:
        first = document.day.toordinal() * fts_queries.NUMBERS_OF_DAY
        number = known.get(document.id.bytes, -1)
        if number // fts_queries.NUMBERS_OF_DAY != document.day.toordinal():
            if first not in last:
                last[first] = _find_last_number(db, first, first + fts_queries.NUMBERS_OF_DAY - 1)
            if last[first] >= first + fts_queries.NUMBERS_OF_DAY - 1:
                first = AFTER_ALL_DAYS
                last.setdefault(first, _find_last_number(db, first, 2 * first))
            number = last[first] = last[first] + 1
        numbers.append(number)
    return numbers


def _find_last_number(db: sqlite3.Connection, first: int, last: int) -> int:
    sql = "SELECT max(n) FROM docs WHERE n BETWEEN ? AND ?"
    found: int | None = db.execute(sql, (first, last)).fetchone()[0]
    return first - 1 if found is None else found


def delete_texts(db: sqlite3.Connection, ids: Iterable[bytes]) -> int:
    """Remove texts, and return how many; unknown ids are ignored."""
    sql = "SELECT n, body FROM docs WHERE id IN (SELECT unhexed(value) FROM json_each(?))"
    rows = db.execute(sql, (json.dumps([id_.hex() for id_ in ids]),)).fetchall()
    # FTS5 needs the very words that were put in, or they stay findable.
    gone = [("delete", n, to_index_form(body)) for n, body in rows]
    db.executemany("INSERT INTO words (words, rowid, body) VALUES (?, ?, ?)", gone)
    db.executemany("DELETE FROM docs WHERE n = ?", [(n,) for n, _ in rows])
    return len(rows)


def add_terms(db: sqlite3.Connection, source: str, values: tuple[str, ...]) -> None:
    """Add words to the table `terms`. The SELECT statement `source` returns them in its column `term`."""
    last = db.execute("SELECT coalesce(max(n), 0) FROM terms").fetchone()[0]
    # The stemmer is an English one: other scripts and numbers have no forms it could know.
    sql = f"INSERT OR IGNORE INTO terms (term) SELECT term FROM ({source}) WHERE term GLOB '[a-z]*'"  # noqa: S608
    db.execute(sql, values)
    db.execute("INSERT INTO stems (rowid, term) SELECT n, term FROM terms WHERE n > ?", (last,))


class _RecentReads:
    """A cache of rows since the last change of the index: outlines of texts, and ids that pass filters.

    A search ranks hundreds of texts, and the next search mostly the same ones; reading them again took a
    third of its time.
    """

    def __init__(self) -> None:
        self._ids: dict[int, UUID] = {}
        self._outlines: dict[UUID, TextOutline] = {}
        self._allowed: dict[tuple[fts_queries.FtsQuery, int], frozenset[UUID] | None] = {}
        self._changes = 0

    def load_outlines(
        self, db: sqlite3.Connection, *, numbers: Iterable[int] | None = None, ids: Iterable[UUID] = ()
    ) -> dict[UUID, TextOutline]:
        """Return the `TextOutline` of each selected text by text id. Unknown texts are left out.

        The texts are selected by `numbers`, which are row ids, or if that is None, by `ids`.
        """
        self._forget_changed(db)
        if numbers is None:
            wanted = list(ids)
            unread = [id_.hex for id_ in wanted if id_ not in self._outlines]
            self._read(db, "id IN (SELECT unhexed(value) FROM json_each(?))", unread)
        else:
            places = sorted(numbers)
            self._read(db, "n IN (SELECT value FROM json_each(?))", [n for n in places if n not in self._ids])
            wanted = [self._ids[number] for number in places if number in self._ids]
        return {id_: self._outlines[id_] for id_ in wanted if id_ in self._outlines}

    def list_matching(
        self, db: sqlite3.Connection, fts_query: fts_queries.FtsQuery, *, limit: int
    ) -> frozenset[UUID] | None:
        """Return the ids of the texts that match `fts_query`, or None if there are more than `limit`.

        The ids are cached, since finding some thousand entries among 100,000 facts takes 30 ms.
        """
        self._forget_changed(db)
        key = (fts_query, limit)
        if key not in self._allowed:
            while len(self._allowed) >= _MAX_FILTERS:
                del self._allowed[next(iter(self._allowed))]
            allowed = None
            if fts_query.count(db, most=limit + 1) <= limit:
                rows = db.execute(fts_query.sql("docs.id"), fts_query.parameters)
                allowed = frozenset(UUID(bytes=own) for (own,) in rows)
            self._allowed[key] = allowed
        return self._allowed[key]

    def _forget_changed(self, db: sqlite3.Connection) -> None:
        is_changed = self._changes != db.total_changes
        if is_changed or len(self._outlines) > _MAX_OUTLINES:
            self._ids, self._outlines = {}, {}
        if is_changed:
            self._allowed = {}
            self._changes = db.total_changes

    def _read(self, db: sqlite3.Connection, condition: str, unread: Sequence[object]) -> None:
        if not unread:
            return
        sql = f"SELECT id, kind, day, entry, digest, n FROM docs WHERE {condition}"  # noqa: S608 - our own names
        for own, kind, day, entry, digest, number in db.execute(sql, (json.dumps(unread),)):
            id_ = UUID(bytes=own)
            entry_id = id_ if entry == own else UUID(bytes=entry)
            self._ids[number] = id_
            self._outlines[id_] = TextOutline(kind, date.fromisoformat(day), entry_id, digest, number)


def build_row(document: Document) -> tuple[bytes, str, str, bytes, bytes, bytes, str]:
    """Return the values of a text in the order of `TEXT_COLUMNS`."""
    day = document.day.isoformat()
    entry, stamp, digest = document.entry.bytes, document.stamp, document.digest
    return document.id.bytes, document.kind, day, entry, stamp, digest, document.text


def build_document(row: tuple[bytes, str, str, bytes, bytes, bytes, str]) -> Document:
    """Return the text from a row of `TEXT_COLUMNS`."""
    id_, kind, day, entry, stamp, digest, text = row
    return Document(
        id=UUID(bytes=id_),
        kind=kind,
        day=date.fromisoformat(day),
        entry=UUID(bytes=entry),
        stamp=stamp,
        digest=digest,
        text=text,
    )


# Names how texts are cut into words and numbered; snapshots of another rule are deleted.
WORDS_RULE: Final = "words/3"

# Below this many hits, texts with only some of the words are shown after those with all.
ENOUGH_STRICT: Final = 10

# A word is rare that is in at most one text of twenty.
_RARE_SHARE: Final = 0.05
# Of rare words, the rarest are looked up, until so many places are found.
_MAX_PLACES: Final = 5000

# Pages that FTS5 merges in a step, and how few changes of its tables mean that there was nothing to merge.
_PAGES_AT_ONCE: Final = 200
_LEAST_CHANGES: Final = 2

# So many facts or notes with rare words of a text are compared with it.
_MAX_FACTS: Final = 200

# Of so many texts the outlines are remembered, each of which takes 0.4 kB.
_MAX_OUTLINES: Final = 5000
# Of so many filters the texts that they let through.
_MAX_FILTERS: Final = 4

# Seconds for which a page waits for what it can do without.
_PATIENCE: Final = 0.005


TextState = tuple[bytes, date, UUID]


@dataclass(frozen=True, slots=True)
class WordHits:
    """Ids of matching texts, best first; `total` is the number of texts with every word of the query.

    `outlines` are the outlines of all these texts. `shares` are, by row id, the parts of the query's words
    that a text contains, weighted by rarity.
    """

    phrases: list[UUID] = field(default_factory=list)
    strict: list[UUID] = field(default_factory=list)
    loose: list[UUID] = field(default_factory=list)
    total: int = 0
    outlines: dict[UUID, TextOutline] = field(default_factory=dict)
    shares: dict[int, float] = field(default_factory=dict)


class WordsIndex:
    """The words of one person; every use after `close` raises IndexClosed."""

    def __init__(self, snapshot: bytes | None = None) -> None:
        self._lock = Lock()
        self._closing = Lock()
        self._closed = self._are_terms_outdated = False
        self._days: int | None = None
        self._recent = _RecentReads()
        self._db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        try:
            if snapshot is not None:
                self._db.deserialize(snapshot)
            self._db.executescript(SCHEMA)
        except sqlite3.DatabaseError:
            self._db.close()
            raise SnapshotRefused("torn") from None
        self._db.create_function("folded", 1, fold, deterministic=True)
        self._db.create_function("unhexed", 1, bytes.fromhex, deterministic=True)

    @contextmanager
    def _use(self, *, patience: float = -1) -> Iterator[sqlite3.Connection]:
        """Run the block with the connection; raise IndexBusy if it is not free within `patience` seconds."""
        if not self._lock.acquire(timeout=patience):
            raise IndexBusy
        try:
            if self._closed:
                raise IndexClosed
            yield self._db
        except sqlite3.OperationalError:
            if self._closed:
                raise IndexClosed from None
            raise
        finally:
            self._lock.release()

    def close(self) -> None:
        """Delete all texts from memory and close the index for good; queries in progress are interrupted."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._db.interrupt()
            with self._lock:
                self._db.close()

    @property
    def is_closed(self) -> bool:
        """Return whether the index was closed."""
        return self._closed

    # --- updates --------------------------------------------------------------------------------

    def get_revision(self) -> int:
        """Return a number that increases whenever a text is added, changed, encrypted again or removed."""
        with self._use() as db:
            return db.total_changes

    def upsert(self, documents: Sequence[Document], *, update_terms: bool = True) -> None:
        """Add texts, or replace those with the same id.

        Without `update_terms`, the caller must call `update_all_terms` later.
        """
        new = {word for d in documents for word in split_words(d.text)} if update_terms else set()
        with self._use() as db:
            days, self._days = self._days, None
            with words_transaction(db):
                if days is not None:
                    # Counting all of them again takes a millisecond in a diary of many years.
                    days += fts_queries.count_new_days(db, {document.day for document in documents})
                numbers = number_texts(db, documents)
                if delete_texts(db, [d.id.bytes for d in documents]):
                    days = None  # one of them may have been the last of its day
                # FTS5 begins a new segment at each number that is lower than the one before.
                numbered = sorted(zip(numbers, documents, strict=True), key=lambda pair: pair[0])
                db.executemany(
                    f"INSERT INTO docs (n, {TEXT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own names
                    [(number, *build_row(document)) for number, document in numbered],
                )
                forms = [(number, to_index_form(document.text)) for number, document in numbered]
                db.executemany("INSERT INTO words (rowid, body) VALUES (?, ?)", forms)
                self._are_terms_outdated |= not update_terms
                if new:
                    add_terms(db, "SELECT value AS term FROM json_each(?)", (json.dumps(sorted(new)),))
            self._days = days

    def update_all_terms(self) -> None:
        """Add the words of all texts to the table `terms`, after calls of `upsert` without `update_terms`."""
        if not self._are_terms_outdated:
            return
        with self._use() as db, words_transaction(db):
            add_terms(db, "SELECT term FROM vocabulary", ())
            self._are_terms_outdated = False

    def remove(self, ids: Iterable[UUID]) -> None:
        """Remove texts; unknown ids are ignored."""
        with self._use() as db, words_transaction(db):
            self._days = None
            delete_texts(db, [id_.bytes for id_ in ids])

    def purge(self) -> None:
        """Erase the remains of removed and replaced texts, so that no dump contains them.

        FTS5 only marks words as deleted until it merges its segments, and SQLite leaves freed bytes in its
        pages. Searches go on between the steps, of which the last takes longest: 10 ms for 1,000 texts.
        """
        is_first = True
        while self._merge_segments(is_first=is_first):
            is_first = False
            let_others_run()
        with self._use() as db, words_transaction(db):
            db.execute("DELETE FROM terms WHERE term NOT IN (SELECT term FROM vocabulary)")
            db.execute("INSERT INTO stems (stems) VALUES ('rebuild')")
        with self._use() as db:
            db.execute("VACUUM")

    def _merge_segments(self, *, is_first: bool) -> bool:
        """Merge a few pages of all segments into one, and return whether there is more to merge."""
        with self._use() as db:
            before = db.total_changes
            # With a negative number all segments take part, not only those that are due.
            pages = -_PAGES_AT_ONCE if is_first else _PAGES_AT_ONCE
            db.execute("INSERT INTO words (words, rank) VALUES ('merge', ?)", (pages,))
            return db.total_changes - before >= _LEAST_CHANGES

    def restamp(self, stamps: dict[UUID, bytes]) -> None:
        """Store the new stamps of texts that were encrypted again. A stamp is a ciphertext's nonce.

        The texts must be unchanged. To add them to the index again would take ten times as long.
        """
        with self._use() as db, words_transaction(db):
            db.executemany(
                "UPDATE docs SET stamp = ? WHERE id = ?", [(s, i.bytes) for i, s in stamps.items()]
            )

    # --- queries -------------------------------------------------------------------------------

    def count(self, query: SearchQuery | None = None) -> int:
        """Return the number of texts; with a query, of those that match its filters."""
        with self._use() as db:
            if query is None:
                return fts_queries.count_texts(db)
            return fts_queries.match_filters(query).count(db, most=-1)

    def list_stamps(self) -> dict[str, bytes]:
        """Return the stamp of each indexed text by its id in hex. A stamp is a ciphertext's nonce."""
        with self._use() as db:
            return dict(db.execute("SELECT lower(hex(id)), stamp FROM docs").fetchall())

    def list_digests(self) -> dict[UUID, bytes]:
        """Return the digest of every text by its id, the newest text first."""
        with self._use() as db:
            rows = db.execute("SELECT id, digest FROM docs ORDER BY day DESC, n DESC").fetchall()
        return {UUID(bytes=id_): digest for id_, digest in rows}

    def load_documents(self, ids: Iterable[UUID]) -> dict[UUID, Document]:
        """Return these texts by id, without unknown ids."""
        wanted = json.dumps([id_.hex for id_ in ids])
        sql = f"SELECT {TEXT_COLUMNS} FROM docs WHERE id IN (SELECT unhexed(value) FROM json_each(?))"  # noqa: S608
        with self._use() as db:
            rows = db.execute(sql, (wanted,)).fetchall()
        return {document.id: document for document in map(build_document, rows)}

    def list_row_ids(self, ids: Iterable[UUID]) -> list[int]:
        """Return the row ids of these texts, without unknown texts. A row id changes with the text's day."""
        wanted = json.dumps([id_.hex for id_ in ids])
        sql = "SELECT n FROM docs WHERE id IN (SELECT unhexed(value) FROM json_each(?))"
        with self._use() as db:
            return [number for (number,) in db.execute(sql, (wanted,))]

    def load_outlines(self, ids: Iterable[UUID]) -> dict[UUID, TextOutline]:
        """Return the `TextOutline` of each of these texts by text id. Unknown texts are left out."""
        with self._use() as db:
            return self._recent.load_outlines(db, ids=ids)

    def load_states(self, ids: Iterable[UUID]) -> dict[UUID, TextState]:
        """Return the digest, day and entry of these texts by id, without unknown ids."""
        sql = "SELECT id, digest, day, entry FROM docs WHERE id IN (SELECT unhexed(value) FROM json_each(?))"
        with self._use() as db:
            rows = db.execute(sql, (json.dumps([id_.hex for id_ in ids]),)).fetchall()
        return {
            UUID(bytes=id_): (digest, date.fromisoformat(day), UUID(bytes=entry))
            for id_, digest, day, entry in rows
        }

    def find_allowed(self, query: SearchQuery, *, limit: int) -> frozenset[UUID] | None:
        """Return the ids of the texts that match the query's filters and exclusions.

        Return None if there are more than `limit`.
        """
        fts_query = fts_queries.match_filters(query)
        with self._use() as db:
            return self._recent.list_matching(db, fts_query, limit=limit)

    def filter_allowed(self, query: SearchQuery, ids: Iterable[UUID]) -> set[UUID]:
        """Return the ids of these texts that match the query's filters and exclusions."""
        fts_query = fts_queries.match_filters(query, among=list(ids))
        with self._use() as db:
            return {UUID(bytes=row[0]) for row in db.execute(fts_query.sql("docs.id"), fts_query.parameters)}

    def find_stop_words(self, words: Iterable[str]) -> set[str]:
        """Return the stop words among these words that are frequent in this diary."""
        with self._use() as db:
            return set(fts_queries.list_frequent_words(db, STOP_WORDS.intersection(words)))

    def has_any_word(self, words: Iterable[str], query: SearchQuery) -> bool:
        """Return whether any text contains one of these words, or another form of it.

        Texts of other kinds than the query asks for, and texts hidden from the program, do not count.
        """
        visible = SearchQuery(kinds=query.kinds, hidden=query.hidden)
        with self._use() as db:
            forms = (form for word in words for form in (word, *find_word_forms(db, word)))
            return any(fts_queries.match_word(visible, form).count(db, most=1) for form in forms)

    def find_frequent_words(
        self, words: Iterable[str], *, share: float, least_days: int
    ) -> Collection[str] | None:
        """Return the words that occur on more than this share of the days with texts.

        Return None if there are fewer than `least_days`. Raise IndexBusy rather than wait for a long update.
        """
        with self._use(patience=_PATIENCE) as db:
            if self._days is None:
                self._days = fts_queries.count_days(db)
            if self._days < least_days:
                return None
            most = int(self._days * share)
            return {word for word in words if fts_queries.is_on_more_days_than(db, split_words(word), most)}

    def find_forms(self, words: Iterable[str]) -> dict[str, list[str]]:
        """Return, for each word, its other forms that occur in the index."""
        with self._use() as db:
            return {word: find_word_forms(db, word) for word in words}

    def find_entries_sharing(
        self, words: Collection[str], *, before: date
    ) -> tuple[dict[str, float], dict[UUID, float]]:
        """Return two mappings: rare word to weight, and entry id to the sum of its rare words' weights.

        Only entries of days before `before` are returned, and only with a rare word. A word may also be
        several adjacent words, with spaces between them. The weight is 0 for a word of every text, and 1 for
        a word of a single text.
        """
        with self._use() as db:
            total = max(ASSUMED_TEXTS, fts_queries.count_texts(db))
            counts = fts_queries.count_rare_words(db, words, most=int(total * _RARE_SHARE))
            weights = {word: 1 - math.log(many) / math.log(total) for word, many in counts.items()}
            sums: dict[int, float] = {}
            places = 0
            for word in sorted(weights, key=lambda word: (counts[word], word)):
                numbers = fts_queries.find_row_ids(
                    db, word, before=before.toordinal() * fts_queries.NUMBERS_OF_DAY
                )
                for number in numbers:
                    sums[number] = sums.get(number, 0) + weights[word]
                places += len(numbers)
                if places >= _MAX_PLACES:
                    break
            sql = "SELECT n, id FROM docs WHERE n IN (SELECT value FROM json_each(?)) AND kind = 'entry'"
            rows = db.execute(sql, (json.dumps(list(sums)),)).fetchall()
        return weights, {UUID(bytes=id_): sums[n] for n, id_ in rows}

    def find_facts_sharing(
        self, words: Collection[str], *, kind: str = FACT_KIND
    ) -> tuple[dict[str, float], set[UUID]]:
        """Return the weight of each rare word, and the ids of the facts (or notes) that have any of them.

        The weights are as in `find_entries_sharing`, but facts and notes are not counted: many of them may be
        about one thing, and its words are still rare in entries.
        """
        of_kind = SearchQuery(kinds=frozenset({kind}))
        beside = SearchQuery(kinds=APART_KINDS - {kind})
        with self._use() as db:
            every = SearchQuery(kinds=APART_KINDS)
            apart = fts_queries.match_filters(every).count(db, most=-1)
            total = max(ASSUMED_TEXTS, fts_queries.count_texts(db) - apart)
            most = int(total * _RARE_SHARE)
            counts = fts_queries.count_rare_words(db, words, most=most + apart)
            weights: dict[str, float] = {}
            found: set[UUID] = set()
            for word in sorted(counts, key=lambda word: (counts[word], word)):
                query = fts_queries.match_word(of_kind, word)
                sql = f"{query.sql('docs.id')} LIMIT ?"
                some = {UUID(bytes=id_) for (id_,) in db.execute(sql, (*query.parameters, _MAX_FACTS))}
                others = fts_queries.match_word(beside, word).count(db, most=_MAX_FACTS)
                many = max(1, counts[word] - len(some) - others)
                if some and many <= most:
                    weights[word] = 1 - math.log(many) / math.log(total)
                    found |= some
                if len(found) >= _MAX_FACTS:
                    break
        return weights, found

    def find(self, query: SearchQuery, *, limit: int) -> WordHits:
        """Return the texts that match the words of the query."""
        if not query.terms:
            return self._run_filtered(query, limit)
        with self._use() as db:
            finder = WordSearch(db, query, limit)
            strict, total = finder.find_strict(), finder.total
            phrases = finder.find_phrases() if total else []
            loose = finder.find_loose() if total < ENOUGH_STRICT else []
            outlines = self._recent.load_outlines(db, numbers={*phrases, *strict, *loose})
        ids = {outline.number: id_ for id_, outline in outlines.items()}
        return WordHits(
            phrases=[ids[n] for n in phrases],
            strict=[ids[n] for n in strict],
            loose=[ids[n] for n in loose],
            total=total,
            outlines=outlines,
            shares=finder.shares,
        )

    def weigh_terms(self, terms: Sequence[QueryTerm]) -> list[float]:
        """Return the weight of each term: the rarer, the higher; the highest for a term in no text."""
        with self._use() as db:
            return WordSearch(db, SearchQuery(terms=tuple(terms)), 0).weigh_terms()

    def count_texts_with(
        self, terms: Sequence[QueryTerm], *, hidden: Sequence[int] = ()
    ) -> tuple[list[int], int]:
        """Return the number of texts with each term in any form, and the number of all texts.

        Hidden texts are counted only among all texts.
        """
        seen = SearchQuery(hidden=tuple(hidden))
        with self._use() as db:
            size = fts_queries.count_texts(db)
            forms = WordSearch(db, seen, 0).find_forms
            queries = (fts_queries.match_some_terms(seen, terms=[term], forms=forms) for term in terms)
            return [query.count(db, most=size) for query in queries], size

    def are_names_in_texts(
        self, names: Iterable[Sequence[str]], query: SearchQuery, *, rare_every: int
    ) -> bool:
        """Return whether each of these names occurs in at least one text that the query may find.

        A name of several words occurs if two of its words are adjacent in a text, or if one word is in at
        most one of `rare_every` texts. So "Lee" may stand for Anna Lee, but "York" not for New York.
        """
        visible = SearchQuery(kinds=query.kinds, hidden=query.hidden)
        with self._use() as db:
            most = max(ASSUMED_TEXTS, fts_queries.count_texts(db)) // rare_every
            return all(_is_name_written(db, visible, name, most=most) for name in names)

    def list_by_day(
        self, query: SearchQuery, *, limit: int, is_oldest_first: bool = False
    ) -> list[tuple[UUID, date]]:
        """Return ids and days of the texts with all terms of a query that pass its filters, sorted by day."""
        with self._use() as db:
            numbers = WordSearch(db, query, limit).list_by_day(is_oldest_first=is_oldest_first)
            outlines = self._recent.load_outlines(db, numbers=numbers)
        found = [(id_, outline.day, outline.number) for id_, outline in outlines.items()]
        found.sort(key=lambda one: one[1:], reverse=not is_oldest_first)
        return [(id_, day) for id_, day, _ in found]

    def _run_filtered(self, query: SearchQuery, limit: int) -> WordHits:
        fts_query = fts_queries.match_filters(query)
        if query.is_empty:
            return WordHits()
        with self._use() as db:
            # One pass to count and to list.
            sql = fts_query.sql("docs.n") + " ORDER BY docs.day DESC, docs.n DESC LIMIT ?"
            numbers = [n for (n,) in db.execute(sql, (*fts_query.parameters, MAX_COUNTED))]
            outlines = self._recent.load_outlines(db, numbers=numbers[:limit])
        ids = {outline.number: id_ for id_, outline in outlines.items()}
        return WordHits(strict=[ids[n] for n in numbers[:limit]], total=len(numbers), outlines=outlines)

    # --- snapshots -------------------------------------------------------------------------------

    def dump(self) -> bytes:
        """Return the whole index as bytes; they contain all texts unencrypted and must be sealed."""
        with self._use() as db:
            return db.serialize()

    def size(self) -> int:
        """Return the memory of the index in bytes."""
        with self._use() as db:
            pages, page = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        return int(pages * page)


def _is_name_written(db: sqlite3.Connection, visible: SearchQuery, name: Sequence[str], *, most: int) -> bool:
    forms = [_list_name_forms(word) for word in name]
    counts = [_count_forms(db, visible, some, most=most + 1) for some in forms]
    if len(name) == 1:
        return counts[0] > 0
    in_a_row = (
        fts_queries.match_word(visible, f"{first} {second}")
        for firsts, seconds in pairwise(forms)
        for first in firsts
        for second in seconds
    )
    return any(0 < many <= most for many in counts) or any(one.count(db, most=1) for one in in_a_row)


def _list_name_forms(word: str) -> list[str]:
    """Return a name as it may also be written, as in "the Joyces"; no other stem is shared by names."""
    return [word, f"{word}s", *([word[:-1]] if word.endswith("s") and len(word) > 3 else [])]


def _count_forms(db: sqlite3.Connection, visible: SearchQuery, forms: Sequence[str], *, most: int) -> int:
    return sum(fts_queries.match_word(visible, form).count(db, most=most) for form in forms)
