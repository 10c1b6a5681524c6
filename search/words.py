"""Every word of one unlocked person, in an FTS5 database that lives in memory alone.

One connection, and one lock for every use of it *and* for its close: closing an sqlite3 connection while
another thread queries it crashes the interpreter. `close` first says so, interrupts whoever is in a
query, then closes under the lock.

Other forms of a word (walked, walking) come from a table of the words there are, stemmed; the index itself
holds words as written, so that no stemming hides an exact hit, and exact hits come first.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from threading import Lock
from typing import Final
from uuid import UUID

from search import matching, tables
from search.asked import Query
from search.documents import Document
from search.errors import IndexClosed, SnapshotRefused
from search.folding import fold, index_form, words_of
from search.ranking import Finder, forms_of

# Names how texts are cut into words; kept indexes of another rule are thrown away.
RULE: Final = "words/1"

# Below this many hits, texts with only some of the words are shown after those with all.
ENOUGH: Final = 10


Place = tuple[bytes, date, UUID]


@dataclass(frozen=True, slots=True)
class WordHits:
    """Who holds the words, best first: as a phrase, all of them, some of them; `total` hold all."""

    phrases: list[UUID] = field(default_factory=list)
    strict: list[UUID] = field(default_factory=list)
    loose: list[UUID] = field(default_factory=list)
    total: int = 0
    days: dict[UUID, date] = field(default_factory=dict)


class WordsIndex:
    """The words of one person; every use after `close` raises IndexClosed."""

    def __init__(self, snapshot: bytes | None = None) -> None:
        self._lock = Lock()
        self._closing = Lock()
        self._closed = self._unsettled = False
        self._db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        try:
            if snapshot is not None:
                self._db.deserialize(snapshot)
            self._db.executescript(tables.SCHEMA)
        except sqlite3.DatabaseError:
            self._db.close()
            raise SnapshotRefused("torn") from None
        self._db.create_function("folded", 1, fold, deterministic=True)
        self._db.create_function("unhexed", 1, bytes.fromhex, deterministic=True)

    @contextmanager
    def _use(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._closed:
                raise IndexClosed
            try:
                yield self._db
            except sqlite3.OperationalError:
                if self._closed:
                    raise IndexClosed from None
                raise

    def close(self) -> None:
        """Forget everything, for good; whoever is in a query is interrupted."""
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

    # --- keeping true ---------------------------------------------------------------------------

    def put(self, documents: Sequence[Document], *, settle: bool = True) -> None:
        """Add texts, or replace those with the same id; without `settle`, `settle()` must follow."""
        forms = [index_form(d.text) for d in documents]
        new = {word for d in documents for word in words_of(d.text)} if settle else set()
        with self._use() as db, tables.transaction(db):
            tables.remove(db, [d.id.bytes for d in documents])
            first = db.execute("SELECT coalesce(max(n), 0) + 1 FROM docs").fetchone()[0]
            db.executemany(
                f"INSERT INTO docs (n, {tables.COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own names
                [(first + place, *tables.row_of(document)) for place, document in enumerate(documents)],
            )
            db.executemany("INSERT INTO words (rowid, body) VALUES (?, ?)", enumerate(forms, first))
            self._unsettled |= not settle
            if new:
                tables.learn(db, "SELECT value AS term FROM json_each(?)", (json.dumps(sorted(new)),))

    def settle(self) -> None:
        """Learn the words of everything that was put without; it takes reading the whole index once."""
        if not self._unsettled:
            return
        with self._use() as db, tables.transaction(db):
            tables.learn(db, "SELECT term FROM vocabulary", ())
            self._unsettled = False

    def remove(self, ids: Iterable[UUID]) -> None:
        """Take texts out; those that are not there are no matter."""
        with self._use() as db, tables.transaction(db):
            tables.remove(db, [id_.bytes for id_ in ids])

    def restamp(self, stamps: dict[UUID, bytes]) -> None:
        """Note new envelopes of unchanged texts: a tenth of what putting them again costs."""
        with self._use() as db, tables.transaction(db):
            db.executemany(
                "UPDATE docs SET stamp = ? WHERE id = ?", [(s, i.bytes) for i, s in stamps.items()]
            )

    # --- looking up -----------------------------------------------------------------------------

    def count(self) -> int:
        """Return how many texts there are."""
        with self._use() as db:
            return int(db.execute("SELECT count(*) FROM docs").fetchone()[0])

    def stamps(self) -> dict[str, bytes]:
        """Return every text's id, in hex, and stamp."""
        with self._use() as db:
            return dict(db.execute("SELECT lower(hex(id)), stamp FROM docs").fetchall())

    def digests(self) -> dict[UUID, bytes]:
        """Return every text's id and digest, newest first."""
        with self._use() as db:
            rows = db.execute("SELECT id, digest FROM docs ORDER BY day DESC, n DESC").fetchall()
        return {UUID(bytes=id_): digest for id_, digest in rows}

    def documents(self, ids: Iterable[UUID]) -> dict[UUID, Document]:
        """Return those of these texts that are there."""
        wanted = json.dumps([id_.hex for id_ in ids])
        sql = f"SELECT {tables.COLUMNS} FROM docs WHERE id IN (SELECT unhexed(value) FROM json_each(?))"  # noqa: S608
        with self._use() as db:
            rows = db.execute(sql, (wanted,)).fetchall()
        return {document.id: document for document in map(tables.document_of, rows)}

    def days_of(self, ids: Iterable[UUID]) -> dict[UUID, date]:
        """Return the days of those of these texts that are there."""
        sql = "SELECT id, day FROM docs WHERE id IN (SELECT unhexed(value) FROM json_each(?))"
        with self._use() as db:
            rows = db.execute(sql, (json.dumps([id_.hex for id_ in ids]),)).fetchall()
        return {UUID(bytes=id_): date.fromisoformat(day) for id_, day in rows}

    def places_of(self, ids: Iterable[UUID]) -> dict[UUID, Place]:
        """Return the digest, day and entry of those of these texts that are there."""
        sql = "SELECT id, digest, day, entry FROM docs WHERE id IN (SELECT unhexed(value) FROM json_each(?))"
        with self._use() as db:
            rows = db.execute(sql, (json.dumps([id_.hex for id_ in ids]),)).fetchall()
        return {
            UUID(bytes=id_): (digest, date.fromisoformat(day), UUID(bytes=entry))
            for id_, digest, day, entry in rows
        }

    def passing(self, query: Query, *, most: int) -> set[UUID] | None:
        """Return the texts that filters and exclusions let through, or None for more than `most`."""
        ask = matching.narrowed_only(query)
        with self._use() as db:
            rows = db.execute(ask.sql("docs.id") + " LIMIT ?", (*ask.parameters, most + 1)).fetchall()
        return {UUID(bytes=row[0]) for row in rows} if len(rows) <= most else None

    def passing_of(self, query: Query, ids: Iterable[UUID]) -> set[UUID]:
        """Return those of these texts that the query's filters and exclusions let through."""
        ask = matching.narrowed_only(query, among=list(ids))
        with self._use() as db:
            return {UUID(bytes=row[0]) for row in db.execute(ask.sql("docs.id"), ask.parameters)}

    def forms_of(self, words: Iterable[str]) -> dict[str, list[str]]:
        """Return the other forms of each of these words that occur."""
        with self._use() as db:
            return {word: forms_of(db, word) for word in words}

    def find(self, query: Query, *, limit: int) -> WordHits:
        """Return the texts with the query's words."""
        if not query.terms:
            return self._filtered(query, limit)
        with self._use() as db:
            finder = Finder(db, query, limit)
            strict, total = finder.strict(), finder.total
            phrases = finder.phrases() if total else []
            loose = finder.loose() if total < ENOUGH else []
            rows = tables.places(db, {*phrases, *strict, *loose})
        ids = {n: UUID(bytes=id_) for n, id_, _ in rows}
        return WordHits(
            phrases=[ids[n] for n in phrases],
            strict=[ids[n] for n in strict],
            loose=[ids[n] for n in loose],
            total=total,
            days={ids[n]: date.fromisoformat(day) for n, _, day in rows},
        )

    def _filtered(self, query: Query, limit: int) -> WordHits:
        ask = matching.narrowed_only(query)
        if query.is_empty:
            return WordHits()
        with self._use() as db:
            total = db.execute(ask.counting(), ask.parameters).fetchone()[0]
            sql = ask.sql("docs.id, docs.day") + " ORDER BY docs.day DESC LIMIT ?"
            rows = db.execute(sql, (*ask.parameters, limit)).fetchall()
        days = {UUID(bytes=id_): date.fromisoformat(day) for id_, day in rows}
        return WordHits(strict=list(days), total=total, days=days)

    # --- keeping between sessions ------------------------------------------------------------------

    def dump(self) -> bytes:
        """Return the whole index as bytes; they hold everything in clear and must be sealed."""
        with self._use() as db:
            return db.serialize()

    def size(self) -> int:
        """Return how many bytes of memory the index takes."""
        with self._use() as db:
            pages, page = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        return int(pages * page)
