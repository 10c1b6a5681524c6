"""Access to the database of a served household from another process."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from tests.server import Server


@contextmanager
def open_database(server: Server) -> Iterator[sqlite3.Connection]:
    """Open a database connection; changes are committed at the end."""
    with closing(sqlite3.connect(server.data_dir / "llamora.sqlite3", timeout=20)) as connection, connection:
        yield connection


def get_table_digests(server: Server) -> dict[str, str]:
    """Return a digest of each table's rows."""
    with open_database(server) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        return {table: _digest(connection, table) for table in tables}


def _digest(connection: sqlite3.Connection, table: str) -> str:
    # When somebody was last there moves by itself, every two minutes at most.
    names = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")') if row[1] != "last_active"]
    rows = sorted(
        map(repr, connection.execute(f'SELECT {", ".join(map(_quote_name, names))} FROM "{table}"'))
    )
    return f"{len(rows)} rows, {hashlib.sha256(repr(rows).encode()).hexdigest()[:16]}"


def _quote_name(name: str) -> str:
    return f'"{name}"'


def to_hex_id(said: str) -> str:
    """Return an id in the form of its column."""
    return said.replace("-", "")


def change_rows(server: Server, statement: str, *values: object) -> int:
    """Change rows without the triggers, as the owner of the file can; return the number."""
    with open_database(server) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type='trigger'").fetchall()
        assert triggers, "the fences are gone"
        for name, _ in triggers:
            connection.execute(f'DROP TRIGGER "{name}"')
        changed = connection.execute(statement, values).rowcount
        for _, sql in triggers:
            connection.execute(sql)
    return changed


def select_value(server: Server, question: str, *values: object) -> Any:
    """Return the first column of the first row of a query."""
    with open_database(server) as connection:
        return connection.execute(question, values).fetchone()[0]
