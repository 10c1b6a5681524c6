"""What a person has in the database, as anybody can count it without a key: rows and sealed bytes.

The tables are found by introspection, so that nothing is left out. The apps above say, from
`AppConfig.ready`, what their rows are called; `None` for rows that are not worth a line of their own.
"""

import shlex
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Model

from accounts.models import FormerKey, Person, Vault
from accounts.rotation.sealed_tables import SealedTable, list_sealed_tables


@dataclass(frozen=True, kw_only=True)
class RowLabel:
    """What rows of a table are called."""

    one: str
    many: str


@dataclass(frozen=True, kw_only=True)
class InventoryRow:
    """Rows of one kind that a person has."""

    label: str
    rows: int
    size: int

    def __str__(self) -> str:
        return f"{self.rows:,} {self.label}"


_labels: dict[type[Model], RowLabel | None] = {Vault: None, FormerKey: None}


def register_label(model: type[Model], words: RowLabel | None) -> None:
    """Say what the rows of a sealed table are called, or that they are not to be named."""
    _labels[model] = words


def has_label(model: type[Model]) -> bool:
    """Return whether an app has said what rows of a table are called."""
    return model in _labels


def get_inventory(owner: UUID) -> list[InventoryRow]:
    """Return what a person has, table by table; what they have nothing of is left out."""
    counted = [_count_rows(table, owner) for table in list_sealed_tables() if _get_label(table.model)]
    return [holding for holding in counted if holding.rows]


def get_sealed_size(owner: UUID) -> int:
    """Return how many sealed bytes a person has."""
    return sum(_count_rows(table, owner).size for table in list_sealed_tables())


def build_export_command(person: Person) -> str:
    """Return the command that writes it all out; quoted, since a name is whatever its owner made of it."""
    return f"uv run manage.py export_diary {shlex.quote(person.name)}"


def _get_label(model: type[Model]) -> RowLabel | None:
    options = model._meta
    return _labels.get(model, RowLabel(one=str(options.verbose_name), many=str(options.verbose_name_plural)))


def _count_rows(table: SealedTable, owner: UUID) -> InventoryRow:
    lengths = " + ".join(f'coalesce(length("{field.column}"), 0)' for field in table.fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*), coalesce(sum({lengths}), 0) FROM {table.name} WHERE owner_id = %s",  # noqa: S608 - our own names
            [owner.hex],
        )
        rows, size = cursor.fetchone()
    words = _get_label(table.model) or RowLabel(one="", many="")
    return InventoryRow(label=words.one if rows == 1 else words.many, rows=rows, size=size)
