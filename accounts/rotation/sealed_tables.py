"""All tables with sealed columns, found by introspection, read and written in batches of raw rows.

Bound columns are converted as in a queryset, because envelopes are bound to the converted values. Any column
may be damaged, even the primary key. So envelopes are read as bytes whatever their stored type, and rows are
identified by SQLite's rowid.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Field

from llamora.crypto import EnvelopeError, Keyring, NotAuthentic, WrongEpoch, newest_header
from llamora.fields import SealedField, SealedFieldError, SealedModel
from llamora.fields.fence import sealed_models
from llamora.fields.models import sealed_fields
from llamora.fields.sealed import IDENTITY

BATCH = 500
Row = tuple[Any, ...]
Converter = Callable[[Any], Any]
Columns = dict[str, Any]
EnvelopeReader = Callable[[Row], Iterator[tuple[SealedField, bytes | None, Columns]]]
# The lowest number that SQLite gives to a row itself is 1; a file may have any.
_BEFORE_ALL = -(2**63)


@dataclass(frozen=True)
class SealedTable:
    """The table of one sealed model. A row is a tuple: rowid, id, bound columns, then sealed columns."""

    model: type[SealedModel]

    @cached_property
    def fields(self) -> tuple[SealedField, ...]:
        """The sealed fields."""
        return sealed_fields(self.model)

    @cached_property
    def bound_fields(self) -> tuple["Field[Any, Any]", ...]:
        """The plaintext columns that envelopes of this table are bound to, except id and owner."""
        names = {name for sealed in self.fields for name in sealed.bound} - set(IDENTITY)
        return tuple(field for field in self.model._meta.concrete_fields if field.attname in names)

    @cached_property
    def first_sealed_index(self) -> int:
        """The index of the first sealed column in a row, which is a tuple of columns."""
        return 2 + len(self.bound_fields)

    @property
    def name(self) -> str:
        """The table's name, quoted."""
        return _quote(self.model._meta.db_table)

    def list_references(self) -> list[tuple[str, str]]:
        """Return each column that refers to rows of a sealed table, and the name of that table.

        All names are quoted for SQL.
        """
        fields = self.model._meta.concrete_fields
        return [
            (_quote(_get_column_name(field)), _quote(field.related_model._meta.db_table))
            for field in fields
            if isinstance(field.related_model, type) and issubclass(field.related_model, SealedModel)
        ]

    def iterate_batches(
        self, owner: UUID, *, skip_prefix: bytes | None, size: int = BATCH
    ) -> Iterator[list[Row]]:
        """Yield the rows of an owner in batches; skip rows whose envelopes all begin with `skip_prefix`."""
        statement, begins = (
            self._build_select(skip_prefix),
            [] if skip_prefix is None else [skip_prefix] * len(self.fields),
        )
        after = _BEFORE_ALL
        while rows := _fetch(statement, [after, owner.hex, *begins, size]):
            yield rows
            after = rows[-1][0]

    def _build_select(self, skip_prefix: bytes | None) -> str:
        columns = ", ".join(["rowid", *self._plain_columns, *map(_select_bytes, self.fields)])
        other = (
            "" if skip_prefix is None else f" AND ({self._build_prefix_condition(len(skip_prefix), first=1)})"
        )
        # The plus keeps SQLite from using the owner's index, which would sort all rows for every batch.
        return (
            f"SELECT {columns} FROM {self.name} "  # noqa: S608 - our own names
            f"WHERE rowid > %s AND +{_quote(self._owner_column)} = %s{other} ORDER BY rowid LIMIT %s"
        )

    def count_epoch(self, owner: UUID, epoch: int, *, other: bool = False) -> int:
        """Return how many rows have an envelope of this epoch or, with `other`, of any other epoch."""
        statement = (
            f"SELECT count(*) FROM {self.name} WHERE +{_quote(self._owner_column)} = %s "  # noqa: S608 - our own names
            f"AND ({self._build_prefix_condition(4, first=2, operator='<>' if other else '=')})"
        )
        begins = [epoch.to_bytes(4, "big")] * len(self.fields)
        return int(_fetch(statement, [owner.hex, *begins])[0][0])

    def replace_envelopes(self, field: SealedField, changes: list[tuple[bytes, int, bytes]]) -> int:
        """Replace each old envelope with the new one if the row still has it; return how many were replaced.

        A change is (new envelope, rowid, old envelope). Each column is replaced by itself: a save of another
        column of the row does not prevent it.
        """
        with connection.cursor() as cursor:
            cursor.executemany(f"{self.build_update(field)} AND {_select_bytes(field)} = %s", changes)
            return int(cursor.rowcount)

    def build_update(self, field: SealedField) -> str:
        """Return the statement that writes a column; its parameters are (envelope, rowid)."""
        return f"UPDATE {self.name} SET {_quote(_get_column_name(field))} = %s WHERE rowid = %s"  # noqa: S608 - our own names

    def build_envelope_reader(self, owner: UUID) -> EnvelopeReader:
        """Return a function that yields each sealed field of a row, its envelope, and its bound columns.

        The envelope of an empty field is None. The bound columns are those to which the envelope is bound.
        Pass all three to `reseal` or `verify`, which check that the value is valid.
        """
        converters = [_build_converter(field) for field in (self.model._meta.pk, *self.bound_fields)]
        names, end = ["id", *(field.attname for field in self.bound_fields)], self.first_sealed_index

        def read_envelopes(row: Row) -> Iterator[tuple[SealedField, bytes | None, Columns]]:
            columns: Columns = {"owner_id": owner}
            for name, convert, raw in zip(names, converters, row[1:end], strict=True):
                columns[name] = convert(raw)
            for field, envelope in zip(self.fields, row[end:], strict=True):
                yield field, envelope, columns

        return read_envelopes

    def can_open_any(self, keyring: Keyring, *, epoch: int) -> bool:
        """Return whether the keyring opens at least one envelope of an epoch in this table."""
        read_envelopes, begins = self.build_envelope_reader(keyring.owner), epoch.to_bytes(4, "big")
        for rows in self.iterate_batches(keyring.owner, skip_prefix=newest_header(keyring.epoch)):
            for row in rows:
                for field, envelope, columns in read_envelopes(row):
                    if envelope is not None and envelope[1:5] == begins:
                        try:
                            reseal(field, keyring, envelope=envelope, columns=columns)
                        except WrongEpoch:
                            # Not a matter of this envelope.
                            return True
                        except EnvelopeError:
                            continue
                        return True
        return False

    @property
    def _owner_column(self) -> str:
        owners = (field for field in self.model._meta.concrete_fields if field.attname == "owner_id")
        return _get_column_name(next(owners))

    @property
    def _plain_columns(self) -> list[str]:
        return [_quote(_get_column_name(field)) for field in (self.model._meta.pk, *self.bound_fields)]

    def _build_prefix_condition(self, length: int, *, first: int, operator: str = "<>") -> str:
        # A comparison with NULL is not true, so an empty column does not count as another prefix.
        return " OR ".join(
            f"substr({_select_bytes(field)}, {first}, {length}) {operator} %s" for field in self.fields
        )


@contextmanager
def _refuse_strange_values() -> Iterator[None]:
    """Raise NotAuthentic for columns that no program of ours can have written."""
    try:
        yield
    except SealedFieldError:
        raise NotAuthentic from None


def reseal(field: SealedField, keyring: Keyring, *, envelope: bytes, columns: Columns) -> bytes:
    """Open an envelope of a raw row, and return a new envelope of its value in the current epoch.

    Raise an EnvelopeError if the envelope does not open to a valid value.
    """
    with _refuse_strange_values():
        return field.reseal(keyring, envelope, columns)


def verify(field: SealedField, keyring: Keyring, *, envelope: bytes, columns: Columns) -> None:
    """Check that an envelope opens to a valid value; raise an EnvelopeError if it does not.

    `columns` are those columns of the row to which the envelope is bound.
    """
    with _refuse_strange_values():
        field.verify(keyring, envelope, columns)


def can_open_any_envelope(keyring: Keyring, *, epoch: int) -> bool:
    """Return whether the keyring opens at least one envelope of an epoch, in some table."""
    return any(table.can_open_any(keyring, epoch=epoch) for table in list_sealed_tables())


def list_sealed_tables() -> list[SealedTable]:
    """Return every table with a sealed column."""
    models = [model for model in sealed_models() if issubclass(model, SealedModel)]
    return [SealedTable(model) for model in models if not model._meta.proxy]


def count_rows_of_other_epochs(owner: UUID, epoch: int) -> int:
    """Return the number of an owner's rows, in all tables, with an envelope of another epoch."""
    return sum(table.count_epoch(owner, epoch, other=True) for table in list_sealed_tables())


def count_rows_of_epoch(owner: UUID, epoch: int) -> int:
    """Return the number of an owner's rows, in all tables, with an envelope of this epoch."""
    return sum(table.count_epoch(owner, epoch) for table in list_sealed_tables())


def _fetch(statement: str, parameters: list[Any]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[Row] = cursor.fetchall()
    return rows


def _get_column_name(field: "Field[Any, Any]") -> str:
    return str(field.column)


def _select_bytes(field: "Field[Any, Any]") -> str:
    """Return the SQL expression for a column as bytes, because `substr` counts the characters of a text."""
    return f"CAST({_quote(_get_column_name(field))} AS BLOB)"


def _quote(name: str) -> str:
    return connection.ops.quote_name(name)


def _build_converter(field: "Field[Any, Any]") -> Converter:
    """Return the function with which a queryset converts a raw value of this column."""
    column = field.get_col(field.model._meta.db_table)
    steps = connection.ops.get_db_converters(column) + column.get_db_converters(connection)

    def convert(raw: Any) -> Any:
        for step in steps:
            raw = step(raw, column, connection)
        return raw

    return convert
