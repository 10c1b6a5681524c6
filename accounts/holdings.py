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
from accounts.rotation.columns import SealedTable, sealed_tables


@dataclass(frozen=True, kw_only=True)
class Words:
    """What rows of a table are called."""

    one: str
    many: str


@dataclass(frozen=True, kw_only=True)
class Holding:
    """Rows of one kind that a person has."""

    words: str
    rows: int
    size: int

    def __str__(self) -> str:
        return f"{self.rows:,} {self.words}"


_words: dict[type[Model], Words | None] = {Vault: None, FormerKey: None}


def name(model: type[Model], words: Words | None) -> None:
    """Say what the rows of a sealed table are called, or that they are not to be named."""
    _words[model] = words


def is_named(model: type[Model]) -> bool:
    """Return whether an app has said what rows of a table are called."""
    return model in _words


def of(owner: UUID) -> list[Holding]:
    """Return what a person has, table by table; what they have nothing of is left out."""
    counted = [_count(table, owner) for table in sealed_tables() if _words_of(table.model)]
    return [holding for holding in counted if holding.rows]


def size_of(owner: UUID) -> int:
    """Return how many sealed bytes a person has."""
    return sum(_count(table, owner).size for table in sealed_tables())


def export_command(person: Person) -> str:
    """Return the command that writes it all out; quoted, since a name is whatever its owner made of it."""
    return f"uv run manage.py export_diary {shlex.quote(person.name)}"


def _words_of(model: type[Model]) -> Words | None:
    options = model._meta
    return _words.get(model, Words(one=str(options.verbose_name), many=str(options.verbose_name_plural)))


def _count(table: SealedTable, owner: UUID) -> Holding:
    lengths = " + ".join(f'coalesce(length("{field.column}"), 0)' for field in table.fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*), coalesce(sum({lengths}), 0) FROM {table.name} WHERE owner_id = %s",  # noqa: S608 - our own names
            [owner.hex],
        )
        rows, size = cursor.fetchone()
    words = _words_of(table.model) or Words(one="", many="")
    return Holding(words=words.one if rows == 1 else words.many, rows=rows, size=size)
