"""The backend of `DATABASES`: connections and operations that read damaged values without an error."""

import sqlite3
from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import base, operations
from django.db.models.expressions import Col

from llamora.database import condition
from llamora.database.sqlite import reading


class DatabaseOperations(operations.DatabaseOperations):
    """Operations of SQLite that never raise for a stored value."""

    def get_db_converters(self, expression: Any) -> list[Any]:
        """Return the functions that convert the stored values of an expression."""
        is_column = isinstance(expression, Col)
        # Of a row that was joined but is not there, Django looks at the primary key.
        has_value = is_column and not (expression.target.null or expression.target.primary_key)
        kind = expression.output_field.get_internal_type()
        reader = reading.build_reader(kind, is_column=is_column, has_value=has_value)
        return list(super().get_db_converters(expression)) if reader is None else [reader]


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to SQLite that reads every stored value."""

    ops_class = DatabaseOperations

    def get_connection_params(self) -> dict[str, Any]:
        """Return the parameters of `sqlite3.connect`; all conversions are those of the operations."""
        return {**super().get_connection_params(), "detect_types": 0}

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        """Open a connection that also reads text which is not UTF-8; make no database where one is lost."""
        condition.refuse_new_database(Path(conn_params["database"]))
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        connection.text_factory = reading.decode_text
        return connection
