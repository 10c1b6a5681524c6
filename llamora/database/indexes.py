"""Indexes and uniqueness of the tables, compared with those that the models declare.

Another program can drop an index, which makes pages slow, or create one, which makes each save slow or
refuses it. Both are put right here. If a table was created again without a primary key or a unique
constraint, rows may be doubled, and SQLite refuses every write to the tables that refer to it; that is only
found, not repaired.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db import DatabaseError, connections
from django.db.models import Model, UniqueConstraint

# A table and its columns, without their order.
_Unique = tuple[str, frozenset[str]]


def restore_indexes(connection: Any) -> tuple[int, int]:
    """Drop unknown indexes and create missing ones; return the number dropped and the number created.

    Call when no migration is missing. An index of the same name but another definition counts as both. A
    unique index is not created while rows are doubled.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        existing = dict(cursor.fetchall())
        declared = _build_declared(connection.alias)
        inlined = {name for name, sql in declared.items() if name not in existing and _is_inlined(name)}
        unknown = [name for name, sql in existing.items() if declared.get(name) != sql]
        for name in unknown:
            quoted = name.replace('"', '""')
            cursor.execute(f'DROP INDEX IF EXISTS "{quoted}"')
        created = 0
        for name, sql in declared.items():
            if name not in inlined and existing.get(name) != sql:
                created += _create(cursor, sql)
    return len(unknown), created


def find_missing_uniqueness(database: sqlite3.Connection) -> list[str]:
    """Return "table.column" for each primary key or unique constraint that the tables lack."""
    found: set[_Unique] = set()
    tables = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    for (table,) in tables:
        keys = database.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0", [table])
        found.add((table, frozenset(name for (name,) in keys)))
        unique = database.execute(
            'SELECT name FROM pragma_index_list(?) WHERE "unique" AND NOT partial', [table]
        ).fetchall()
        for (index,) in unique:
            columns = database.execute("SELECT name FROM pragma_index_info(?)", [index])
            found.add((table, frozenset(name for (name,) in columns)))
    missing = {one for one in _list_unique() if one not in found}
    return sorted(f"{table}.{', '.join(sorted(columns))}" for table, columns in missing)


def _create(cursor: Any, sql: str) -> int:
    try:
        cursor.execute(sql)
    except DatabaseError:
        # Rows of one person are doubled, which is no reason to stop everybody.
        return 0
    return 1


def _list_models() -> list[type[Model]]:
    return [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]


def _list_unique() -> Iterator[_Unique]:
    """Yield what SQLite must refuse to have twice in a table; conditions are parts of indexes instead."""
    for model in _list_models():
        meta = model._meta
        sets: list[Sequence[str]] = [*meta.unique_together]
        sets += [(f.name,) for f in meta.local_concrete_fields if f.unique]
        sets += [c.fields for c in meta.constraints if isinstance(c, UniqueConstraint) and not c.condition]
        for names in sets:
            yield meta.db_table, frozenset(str(meta.get_field(name).column) for name in names)  # type: ignore[union-attr]


def _is_inlined(name: str) -> bool:
    """Return whether a constraint without a condition has this name: it is a part of its table."""
    constraints = (c for model in _list_models() for c in model._meta.constraints)
    return any(c.name == name and isinstance(c, UniqueConstraint) and not c.condition for c in constraints)


@lru_cache(maxsize=1)
def _build_declared(alias: str) -> dict[str, str]:
    """Return the SQL of each declared index by its name."""
    # Not entered: on leaving it, the editor would check every reference in the database.
    schema: Any = connections[alias].schema_editor(collect_sql=True)
    found = {}
    for model in _list_models():
        meta = model._meta
        statements = [*schema._model_indexes_sql(model)]
        statements += [constraint.create_sql(model, schema) for constraint in meta.constraints]
        statements += [
            schema._create_unique_sql(model, [meta.get_field(name) for name in names])
            for names in meta.unique_together
        ]
        for statement in statements:
            if statement is not None:
                sql = str(statement)
                found[sql.split('"')[1]] = sql
    return found
