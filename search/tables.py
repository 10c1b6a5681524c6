"""The tables of a words index, and what is put in and taken out; whoever calls holds the connection's lock.

docs        the texts
words       their words as written, by FTS5, which reads the texts again from nowhere
vocabulary  the words there are
terms       those of them that an English stemmer knows forms of, and stems over these
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from uuid import UUID

from search.documents import Document
from search.folding import index_form

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
COLUMNS = "id, kind, day, entry, stamp, digest, body"


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Do all of the block or none of it."""
    db.execute("BEGIN")
    try:
        yield
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def remove(db: sqlite3.Connection, ids: Iterable[bytes]) -> None:
    """Take texts out; those that are not there are no matter."""
    sql = "SELECT n, body FROM docs WHERE id IN (SELECT unhexed(value) FROM json_each(?))"
    rows = db.execute(sql, (json.dumps([id_.hex() for id_ in ids]),)).fetchall()
    # FTS5 must be told the very words that were put in, or they stay findable.
    gone = [("delete", n, index_form(body)) for n, body in rows]
    db.executemany("INSERT INTO words (words, rowid, body) VALUES (?, ?, ?)", gone)
    db.executemany("DELETE FROM docs WHERE n = ?", [(n,) for n, _ in rows])


def learn(db: sqlite3.Connection, source: str, values: tuple[str, ...]) -> None:
    """Note the words that a SELECT of `term` gives."""
    last = db.execute("SELECT coalesce(max(n), 0) FROM terms").fetchone()[0]
    # The stemmer is an English one: other scripts and numbers have no forms it could know.
    sql = f"INSERT OR IGNORE INTO terms (term) SELECT term FROM ({source}) WHERE term GLOB '[a-z]*'"  # noqa: S608
    db.execute(sql, values)
    db.execute("INSERT INTO stems (rowid, term) SELECT n, term FROM terms WHERE n > ?", (last,))


def places(db: sqlite3.Connection, numbers: Iterable[int]) -> list[tuple[int, bytes, str]]:
    """Return number, id and day of these texts."""
    sql = "SELECT n, id, day FROM docs WHERE n IN (SELECT value FROM json_each(?))"
    return db.execute(sql, (json.dumps(list(numbers)),)).fetchall()


def row_of(document: Document) -> tuple[bytes, str, str, bytes, bytes, bytes, str]:
    """Return a text as `COLUMNS` name it."""
    day = document.day.isoformat()
    entry, stamp, digest = document.entry.bytes, document.stamp, document.digest
    return document.id.bytes, document.kind, day, entry, stamp, digest, document.text


def document_of(row: tuple[bytes, str, str, bytes, bytes, bytes, str]) -> Document:
    """Return the text of a row of `COLUMNS`."""
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
