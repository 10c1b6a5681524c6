"""Inventory of a person's data, made without their keys: numbers of rows and sizes of sealed values by table.

The tables are found by introspection, so that none is missing. In `AppConfig.ready`, each app registers a
label for the rows of each of its tables, or None to exclude them from the inventory.
"""

import shlex
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Model

from accounts.models import AccessToken, BrowserKey, FormerKey, Person, Vault
from accounts.rotation.sealed_tables import SealedTable, list_sealed_tables


@dataclass(frozen=True, kw_only=True)
class RowLabel:
    """The words that a page uses for the rows of a table, such as "access token" and "access tokens"."""

    one: str
    many: str


@dataclass(frozen=True, kw_only=True)
class InventoryRow:
    """The number and size of a person's rows in one table."""

    label: str
    rows: int
    size: int

    def __str__(self) -> str:
        return f"{self.rows:,} {self.label}"


_labels: dict[type[Model], RowLabel | None] = {
    Vault: None,
    BrowserKey: None,
    FormerKey: None,
    AccessToken: RowLabel(one="access token", many="access tokens"),
}


def register_label(model: type[Model], label: RowLabel | None) -> None:
    """Register the name under which the inventory shows the rows of a sealed table.

    With None, the inventory leaves the table out.
    """
    _labels[model] = label


def has_label(model: type[Model]) -> bool:
    """Return whether `register_label` was called for a model, with a label or with None."""
    return model in _labels


def get_inventory(owner: UUID) -> list[InventoryRow]:
    """Return how many rows a person has in each table of the inventory, without the empty tables."""
    inventory = [_count_rows(table, owner) for table in list_sealed_tables() if _get_label(table.model)]
    return [row for row in inventory if row.rows]


def get_sealed_size(owner: UUID) -> int:
    """Return the size of a person's sealed data in bytes."""
    return sum(_count_rows(table, owner).size for table in list_sealed_tables())


def build_export_command(person: Person) -> str:
    """Return the command that exports a diary, with the name quoted for a shell."""
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
    label = _get_label(table.model) or RowLabel(one="", many="")
    return InventoryRow(label=label.one if rows == 1 else label.many, rows=rows, size=size)
