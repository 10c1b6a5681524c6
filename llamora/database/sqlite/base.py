"""The backend in `DATABASES`: connections and operations that read damaged values without an error."""

import sqlite3
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import base, operations
from django.db.models.expressions import Col

from llamora.database import condition
from llamora.database.sqlite import reading, schema_guard

_LONGEST_CACHED = 4096
# Bytes. Far more than any value that is written; another program could write one that fills the memory.
LARGEST_VALUE = 64 * 1024 * 1024


class DatabaseOperations(operations.DatabaseOperations):
    """SQLite operations whose converters accept stored values of any type."""

    def get_db_converters(self, expression: Any) -> list[Any]:
        """Return the functions that convert the stored values of an expression."""
        is_column = isinstance(expression, Col)
        # Of a row that was joined but is not there, Django looks at the primary key.
        has_value = is_column and not (expression.target.null or expression.target.primary_key)
        kind = expression.output_field.get_internal_type()
        reader = reading.build_reader(kind, is_column=is_column, has_value=has_value)
        return list(super().get_db_converters(expression)) if reader is None else [reader]


class Cursor(base.SQLiteCursorWrapper):
    """A cursor that caches the conversion of placeholders from Django's style (%s) to SQLite's (?)."""

    def convert_query(self, query: str, *, param_names: list[str] | None = None) -> str:
        """Return the SQL with SQLite's placeholders; cached, since conversion is slow."""
        # A long one, as of many rows at once, would fill the memory and is of little use.
        if param_names is None and len(query) <= _LONGEST_CACHED:
            return convert_query(query)
        converted: str = super().convert_query(query, param_names=param_names)  # type: ignore[misc]  # the stubs lack it
        return converted


@lru_cache(maxsize=256)
def convert_query(query: str) -> str:
    """Return SQL with SQLite's placeholders; the parameters must not be named."""
    converted: str = base.FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%")
    return converted


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to SQLite that can read every stored value, even a damaged one."""

    ops_class = DatabaseOperations
    # The number of the schema that was checked last; see `schema_guard`.
    _checked_schema: int | None = None
    # Those that migrations accept; see `accept_dangling_rows`.
    _dangling: Counter[tuple[str, str]] = Counter()

    def get_connection_params(self) -> dict[str, Any]:
        """Return the parameters of `sqlite3.connect`, which turn off the converters of `sqlite3`."""
        return {**super().get_connection_params(), "detect_types": 0}

    def create_cursor(self, name: str | None = None) -> Cursor:
        """Return a new cursor."""
        del name
        connection: sqlite3.Connection = self.connection
        return connection.cursor(factory=Cursor)

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        """Open a connection that reads invalid UTF-8 too; refuse to replace a lost database."""
        condition.refuse_new_database(Path(conn_params["database"]))
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        connection.text_factory = reading.decode_text
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_VALUE)
        self._checked_schema = None
        return connection

    def _start_transaction_under_autocommit(self) -> None:
        super()._start_transaction_under_autocommit()  # type: ignore[misc]  # the stubs lack it
        # A transaction that only reads could not remove anything.
        if self.transaction_mode == "IMMEDIATE":  # type: ignore[attr-defined]  # the stubs lack it
            try:
                self._check_schema()
            except BaseException:
                self.connection.rollback()
                raise

    def accept_dangling_rows(self) -> None:
        """Let `check_constraints` accept the rows that refer to missing rows now, but no others.

        A migration must not be prevented for ever by a row that was damaged before.
        """
        self._dangling = self._count_dangling_rows()

    def refuse_dangling_rows(self) -> None:
        """Let `check_constraints` accept no row that refers to a missing row. This is the default."""
        self._dangling = Counter()

    def check_constraints(self, table_names: Any = None) -> None:
        """Raise IntegrityError if a row refers to a missing row, unless `accept_dangling_rows` allowed it."""
        if self._dangling and not self._count_dangling_rows() - self._dangling:
            return
        super().check_constraints(table_names)

    def _count_dangling_rows(self) -> Counter[tuple[str, str]]:
        """Count the rows that refer to missing rows, by their table and the table that they refer to."""
        self.ensure_connection()
        try:
            return Counter(self.connection.execute('SELECT "table", parent FROM pragma_foreign_key_check'))
        except sqlite3.OperationalError:
            # A table that is referred to is missing, or lacks its primary key.
            return Counter()

    def _check_schema(self) -> None:
        (number,) = self.connection.execute("PRAGMA schema_version").fetchone()
        if number != self._checked_schema:
            self._checked_schema = None if schema_guard.remove_unknown(self) else number
