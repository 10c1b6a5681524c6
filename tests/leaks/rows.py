"""The database of a household from outside: what stands in it, and other hands in it."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from tests.server import Server


@contextmanager
def database(server: Server) -> Iterator[sqlite3.Connection]:
    """A connection of a process of its own; what is changed is there at the end."""
    with closing(sqlite3.connect(server.data_dir / "llamora.sqlite3", timeout=20)) as connection, connection:
        yield connection


def fingerprints(server: Server) -> dict[str, str]:
    """A digest of each table's rows: any row added, changed or gone shows."""
    with database(server) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        return {table: _digest(connection, table) for table in tables}


def _digest(connection: sqlite3.Connection, table: str) -> str:
    # When somebody was last there moves by itself, every two minutes at most.
    names = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")') if row[1] != "last_active"]
    rows = sorted(map(repr, connection.execute(f'SELECT {", ".join(map(_quoted, names))} FROM "{table}"')))
    return f"{len(rows)} rows, {hashlib.sha256(repr(rows).encode()).hexdigest()[:16]}"


def _quoted(name: str) -> str:
    return f'"{name}"'


def hex_id(said: str) -> str:
    """An id as its column holds it."""
    return said.replace("-", "")


def forge(server: Server, statement: str, *values: object) -> int:
    """Change rows past the fences of the database, as whoever owns the file can; return how many."""
    with database(server) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type='trigger'").fetchall()
        assert triggers, "the fences are gone"
        for name, _ in triggers:
            connection.execute(f'DROP TRIGGER "{name}"')
        changed = connection.execute(statement, values).rowcount
        for _, sql in triggers:
            connection.execute(sql)
    return changed


def value(server: Server, question: str, *values: object) -> Any:
    """The first column of the first row."""
    with database(server) as connection:
        return connection.execute(question, values).fetchone()[0]
