"""Selections whose SQL is worked out once a thread: for what every page asks.

    entries_of_day = Prepared(lambda owner_id, day: Entry.objects.of(owner_id).on(day))
    for entry in entries_of_day(owner_id=person.id, day=today): ...

Working out the SQL of a small query takes Django several times as long as SQLite takes to answer it. Here a
selection is built with marks in the place of its values; the SQL stays, and each call puts its values where
the marks were found. Values are UUIDs, dates, numbers and strings, and go into the SQL as they are: a builder
that reckons with them (adds a day, chooses another filter) loses its mark, and the first call says so.
"""

import threading
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model, QuerySet
from django.db.models.query import (
    FlatValuesListIterable,
    ModelIterable,
    ValuesListIterable,
    get_related_populators,
)

Row = TypeVar("Row")
Value = UUID | date | int | str

_FIRST_PLACEHOLDER_DAY, _FIRST_PLACEHOLDER_NUMBER = date(9990, 1, 1), 7_410_236_981


class CachedQuery(Generic[Row]):
    """One selection; `Row` is a model, a tuple of values, or one flat value."""

    def __init__(self, build: Callable[..., "QuerySet[Any, Any]"]) -> None:
        self._build = build
        self._local = threading.local()

    def __call__(self, **values: Value) -> list[Row]:
        """Return what the database answers for these values."""
        statement: _CompiledQuery | None = getattr(self._local, "statement", None)
        if statement is None or not statement.is_of_this_thread:
            statement = self._local.statement = _CompiledQuery(self._build, values)
        return list(statement.rows(values))


class _CompiledQuery:
    """A selection's SQL, for one thread's connection."""

    def __init__(self, build: Callable[..., "QuerySet[Any, Any]"], values: dict[str, Value]) -> None:
        marks = {name: _placeholder(value, number) for number, (name, value) in enumerate(values.items())}
        selection = build(**marks)
        self._database = selection.db
        self._iterable_class = selection._iterable_class
        self._connection = connections[DEFAULT_DB_ALIAS]
        self._compiler: Any = selection.query.get_compiler(connection=self._connection)
        self._sql, parameters = self._compiler.as_sql()
        names = {_to_stored(mark): name for name, mark in marks.items()}
        # Each is a value of its own, or the name of what goes there.
        self._parameters = [(names.get(parameter), parameter) for parameter in parameters]
        lost = set(values) - {name for name, _ in self._parameters}
        if lost or self._iterable_class not in _BUILDERS:
            raise TypeError(
                f"This selection cannot be prepared: {', '.join(sorted(lost)) or self._iterable_class}"
            )

    @property
    def is_of_this_thread(self) -> bool:
        """Return whether the connection it was made for is still this thread's."""
        return self._connection is connections[DEFAULT_DB_ALIAS]

    def rows(self, values: dict[str, Value]) -> Iterator[Any]:
        """Ask, and shape each row as the selection would."""
        stored = {name: _to_stored(value) for name, value in values.items()}
        parameters: list[Any] = [stored[name] if name else fixed for name, fixed in self._parameters]
        with self._connection.cursor() as cursor:
            cursor.execute(self._sql, parameters)
            found = cursor.fetchall()
        converted = self._compiler.results_iter(results=[found], tuple_expected=True)
        return _BUILDERS[self._iterable_class](self._compiler, converted, self._database)


def _placeholder(value: Value, number: int) -> Value:
    match value:
        case UUID():
            return UUID(int=_FIRST_PLACEHOLDER_NUMBER + number)
        case date():
            return _FIRST_PLACEHOLDER_DAY + timedelta(days=number)
        case str():
            return f"{_FIRST_PLACEHOLDER_NUMBER + number}"
    return _FIRST_PLACEHOLDER_NUMBER + number


def _to_stored(value: Value) -> object:
    """Return a value as Django gives it to SQLite."""
    match value:
        case UUID():
            return value.hex
        case date():
            return value.isoformat()
    return value


def _build_models(compiler: Any, rows: Iterator[Any], database: str) -> Iterator[Model]:
    # As `ModelIterable` makes them, from the same parts.
    about, select = compiler.klass_info, compiler.select
    first, last = about["select_fields"][0], about["select_fields"][-1] + 1
    names = [field[0].target.attname for field in select[first:last]]
    populators: Any = get_related_populators  # the stubs are those of a later Django
    related = populators(about, select, database)
    for row in rows:
        made = about["model"].from_db(database, names, row[first:last])
        for populator in related:
            populator.populate(row, made)
        yield made


def _build_tuples(compiler: Any, rows: Iterator[Any], database: str) -> Iterator[Any]:
    del compiler, database
    return rows


def _build_flat(compiler: Any, rows: Iterator[Any], database: str) -> Iterator[Any]:
    del compiler, database
    return (row[0] for row in rows)


_BUILDERS: dict[Any, Callable[[Any, Iterator[Any], str], Iterator[Any]]] = {
    ModelIterable: _build_models,
    ValuesListIterable: _build_tuples,
    FlatValuesListIterable: _build_flat,
}
