"""Cached queries: querysets compiled to SQL once, for the queries that every page runs.

    entries_of_day = CachedQuery(lambda owner_id, day: Entry.objects.of(owner_id).on(day))
    for entry in entries_of_day(owner_id=person.id, day=today): ...

For a small query, Django takes several times as long to compile the SQL as SQLite takes to run it. So a
queryset is built once with placeholder values and its SQL is cached; each call replaces the placeholders
among the parameters with its own values. Values may be UUIDs, dates, aware datetimes, numbers, strings and
bytes. They must reach the SQL unchanged: if a builder computes with them (adds a day, chooses another
filter), a placeholder is lost, and the first call raises TypeError.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model, QuerySet
from django.db.models.query import (  # type: ignore[attr-defined]  # the stubs lack the last
    FlatValuesListIterable,
    ModelIterable,
    ValuesListIterable,
    get_related_populators,
)

from llamora.database.sqlite.base import convert_query

Row = TypeVar("Row")
Value = UUID | date | datetime | int | str | bytes
StoredRow = tuple[Any, ...]

# As many as a search answers.
_IDS_AT_ONCE = 20
_ID_NAMES = tuple(f"id_{number}" for number in range(_IDS_AT_ONCE))
_FIRST_PLACEHOLDER_DAY, _FIRST_PLACEHOLDER_NUMBER = date(9990, 1, 1), 7_410_236_981


class CachedQuery(Generic[Row]):
    """A queryset with cached SQL. Its rows (type `Row`) are models, tuples of values, or single values."""

    def __init__(self, build: Callable[..., "QuerySet[Any, Any]"]) -> None:
        self._build = build
        self._compiled: _CompiledQuery | None = None

    def __call__(self, **values: Value) -> list[Row]:
        """Return the rows for these values."""
        compiled = self._get_compiled(values)
        return compiled.convert(compiled.fetch(values))

    def fetch_stored(self, **values: Value) -> "list[StoredRow]":
        """Return the rows unconverted, for callers that compare them with earlier rows."""
        return self._get_compiled(values).fetch(values)

    def convert(self, stored: "list[StoredRow]", **values: Value) -> list[Row]:
        """Convert the rows that `fetch_stored` returned for the same `values`, as the queryset would."""
        return self._get_compiled(values).convert(stored)

    def _get_compiled(self, values: dict[str, Value]) -> "_CompiledQuery":
        # Of two threads that compile it at the same time, either is right.
        compiled = self._compiled
        if compiled is None:
            compiled = self._compiled = _CompiledQuery(self._build, values)
        return compiled


class CachedIdQuery(Generic[Row]):
    """A query with cached SQL for the rows with given ids.

    The argument `build` of the constructor is a function that gets the ids first and returns the queryset.
    The ids are queried in parts of a fixed size, so that the SQL is the same for any number of them.
    """

    def __init__(self, build: Callable[..., "QuerySet[Any, Any]"]) -> None:
        def build_part(**values: Value) -> "QuerySet[Any, Any]":
            ids = [values.pop(name) for name in _ID_NAMES]
            return build(ids, **values)

        self._query: CachedQuery[Row] = CachedQuery(build_part)

    def __call__(self, ids: Iterable[UUID], **values: Value) -> list[Row]:
        """Return the rows with these ids, in the order of the queryset within each part."""
        return [row for part in _iter_parts(ids) for row in self._query(**part, **values)]

    def fetch_stored(self, ids: Iterable[UUID], **values: Value) -> list[StoredRow]:
        """Return the rows unconverted, for callers that compare them with earlier rows."""
        return [row for part in _iter_parts(ids) for row in self._query.fetch_stored(**part, **values)]

    def convert(self, stored: list[StoredRow]) -> list[Row]:
        """Convert the rows that `fetch_stored` returned, as the queryset would."""
        return self._query.convert(stored)


def _iter_parts(ids: Iterable[UUID]) -> Iterator[dict[str, UUID]]:
    wanted = list(dict.fromkeys(ids))
    for first in range(0, len(wanted), len(_ID_NAMES)):
        part = wanted[first : first + len(_ID_NAMES)]
        part += [part[0]] * (len(_ID_NAMES) - len(part))
        yield dict(zip(_ID_NAMES, part, strict=True))


class _CompiledQuery:
    """The compiled SQL of a queryset, shared by the connections of all threads."""

    def __init__(self, build: Callable[..., "QuerySet[Any, Any]"], values: dict[str, Value]) -> None:
        placeholders = {
            name: _build_placeholder(value, number) for number, (name, value) in enumerate(values.items())
        }
        queryset = build(**placeholders)
        self._database = queryset.db
        self._iterable_class = queryset._iterable_class
        # Not held: with it, a connection would outlast its thread.
        compiler: Any = queryset.query.get_compiler(connection=connections[DEFAULT_DB_ALIAS])
        self._sql, parameters = compiler.as_sql()
        columns = [column[0] for column in compiler.select[: compiler.col_count]]
        # The place of each column that is converted, what it is an expression of, and the functions.
        self._converters = [
            (place, expression, converters)
            for place, (converters, expression) in compiler.get_converters(columns).items()
        ]
        names = {_to_stored(placeholder): name for name, placeholder in placeholders.items()}
        # Each parameter is the name of a value of the call, or a fixed value.
        self._parameters = [(names.get(parameter), parameter) for parameter in parameters]
        lost = set(values) - {name for name, _ in self._parameters}
        if lost or self._iterable_class not in _BUILDERS:
            raise TypeError(
                f"This queryset cannot be cached: {', '.join(sorted(lost)) or self._iterable_class}"
            )
        # As the backend's cursor would turn it into SQLite's.
        self._sqlite_sql = convert_query(self._sql)
        self._build_rows = _BUILDERS[self._iterable_class](compiler, self._database)

    def fetch(self, values: dict[str, Value]) -> list[StoredRow]:
        """Run the query and return the rows unconverted."""
        stored = {name: _to_stored(value) for name, value in values.items()}
        parameters: list[Any] = [stored[name] if name else fixed for name, fixed in self._parameters]
        connection: Any = connections[DEFAULT_DB_ALIAS]
        # A new connection refuses a thread that runs an event loop, as each query of Django's does.
        if connection.connection is None or connection.execute_wrappers or connection.queries_logged:
            with connection.cursor() as cursor:
                cursor.execute(self._sql, parameters)
                return list(cursor.fetchall())
        # What Django's cursor does around it takes longer than a small query itself.
        connection.validate_no_broken_transaction()
        with connection.wrap_database_errors:
            return list(connection.connection.execute(self._sqlite_sql, parameters))

    def convert(self, stored: list[StoredRow]) -> list[Any]:
        """Convert rows as the queryset would."""
        connection = connections[DEFAULT_DB_ALIAS]
        return list(self._build_rows(self._convert(row, connection) for row in stored))

    def _convert(self, fetched: StoredRow, connection: object) -> StoredRow:
        """Return a row as the compiler's own `apply_converters` does, in half the time."""
        row = list(fetched)
        for place, expression, converters in self._converters:
            value = row[place]
            for convert in converters:
                value = convert(value, expression, connection)
            row[place] = value
        return tuple(row)


def _build_placeholder(value: Value, number: int) -> Value:
    match value:
        case UUID():
            return UUID(int=_FIRST_PLACEHOLDER_NUMBER + number)
        case datetime():
            day = _FIRST_PLACEHOLDER_DAY + timedelta(days=number)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        case date():
            return _FIRST_PLACEHOLDER_DAY + timedelta(days=number)
        case str():
            return f"{_FIRST_PLACEHOLDER_NUMBER + number}"
        case bytes():
            return f"{_FIRST_PLACEHOLDER_NUMBER + number}".encode()
    return _FIRST_PLACEHOLDER_NUMBER + number


def _to_stored(value: Value) -> object:
    """Return a value in the form in which Django passes it to SQLite."""
    match value:
        case UUID():
            return value.hex
        case datetime():
            # As Django's SQLite backend writes it.
            return str(value.astimezone(UTC).replace(tzinfo=None))
        case date():
            return value.isoformat()
    return value


RowsBuilder = Callable[[Iterator[Any]], Iterator[Any]]


def _get_models_builder(compiler: Any, database: str) -> RowsBuilder:
    # The same steps as in Django's `ModelIterable`, of which all but the last few are done once.
    class_info, select = compiler.klass_info, compiler.select
    first, last = class_info["select_fields"][0], class_info["select_fields"][-1] + 1
    names = [field[0].target.attname for field in select[first:last]]
    from_db = class_info["model"].from_db
    get_populators: Any = get_related_populators  # the stubs are those of a later Django
    related = get_populators(class_info, select, database)
    _remove_back_references(related)

    def build(rows: Iterator[Any]) -> Iterator[Model]:
        for row in rows:
            instance = from_db(database, names, row[first:last])
            for populator in related:
                populator.populate(row, instance)
            yield instance

    return build


def _remove_back_references(populators: list[Any]) -> None:
    """Let joined rows not refer to the row that they were joined to.

    Otherwise a person with their vault is a cycle, which stays in memory until a garbage collection, and a
    collection delays every request. Each page and each call of a program loads such rows.
    """
    for populator in populators:
        populator.remote_setter = lambda *_: None
        _remove_back_references(populator.related_populators)


def _get_tuples_builder(compiler: Any, database: str) -> RowsBuilder:
    del compiler, database
    return lambda rows: rows


def _get_flat_builder(compiler: Any, database: str) -> RowsBuilder:
    del compiler, database
    return lambda rows: (row[0] for row in rows)


_BUILDERS: dict[Any, Callable[[Any, str], RowsBuilder]] = {
    ModelIterable: _get_models_builder,
    ValuesListIterable: _get_tuples_builder,
    FlatValuesListIterable: _get_flat_builder,
}
