"""The epoch fence: triggers that refuse an envelope whose epoch (key version) is not its owner's current one.

At every write, a trigger compares bytes 1 to 4 of the envelope, its epoch, with the epoch in the owner's
vault. So a job or a process whose data key is from before a rotation cannot write. Django's SQLite schema
editor rebuilds tables, which drops their triggers, so they are created again after every migration.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models

from llamora.database.errors import FENCE_MARKER
from llamora.fields.models import sealed_fields
from llamora.pluralize import pluralize


@dataclass(frozen=True)
class FenceTrigger:
    """A trigger: its name, the column that it protects and the SQL that creates it."""

    name: str
    column: str
    sql: str


def fence_triggers(model: type[models.Model], *, vault_table: str) -> Iterator[FenceTrigger]:
    """Yield the triggers that refuse an envelope whose epoch is not the current epoch of the owner's vault.

    There are two (INSERT and UPDATE) for each sealed column.

    BEFORE triggers would not work: a rotation changes the vault's own sealed columns and its epoch in one
    statement, and a BEFORE trigger would compare them with the former epoch.
    """
    table = model._meta.db_table
    for field in sealed_fields(model):
        column = field.column
        for event, when in (("insert", "AFTER INSERT"), ("update", f'AFTER UPDATE OF "{column}"')):
            name = f"fence_{table}_{column}_{event}"
            epoch = f"SELECT printf('%08X', epoch) FROM \"{vault_table}\" WHERE owner_id = NEW.owner_id"  # noqa: S608 - names of our own models
            refusal = f"{FENCE_MARKER}: {table}.{column} is sealed under another epoch"
            yield FenceTrigger(
                name,
                str(column),
                # Bytes 1 to 4 of an envelope are its epoch, big-endian: eight hexadecimal digits.
                f'CREATE TRIGGER "{name}" {when} ON "{table}" WHEN NEW."{column}" IS NOT NULL '
                f'AND hex(substr(NEW."{column}", 2, 4)) IS NOT ({epoch}) '
                f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END",
            )


def sealed_models() -> list[type[models.Model]]:
    """Return every installed model with a sealed column."""
    return [model for model in apps.get_models() if sealed_fields(model)]


def _get_existing_triggers(connection: Any) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'fence\\_%' ESCAPE '\\'"
        )
        return dict(cursor.fetchall())


def _get_table_columns(connection: Any, table: str) -> set[str]:
    # Django's introspection would parse the SQL of the table: ten milliseconds for each.
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pragma_table_info(%s)", [table])
        return {name for (name,) in cursor.fetchall()}


def install_triggers(connection: Any, *, fenced: Iterable[type[models.Model]], vault_table: str) -> int:
    """Create the fence triggers that are missing or differ; return the number created."""
    existing, created_count = _get_existing_triggers(connection), 0
    for model in fenced:
        triggers = fence_triggers(model, vault_table=vault_table)
        missing = [trigger for trigger in triggers if existing.get(trigger.name) != trigger.sql]
        # Between two migrations a table may lack a column, or not be there: its trigger would make the next
        # one fail.
        columns = _get_table_columns(connection, model._meta.db_table) if missing else set()
        for trigger in missing:
            if trigger.column not in columns:
                continue
            with connection.cursor() as cursor:
                cursor.execute(f'DROP TRIGGER IF EXISTS "{trigger.name}"')
                cursor.execute(trigger.sql)
            created_count += 1
    return created_count


def drop_triggers(connection: Any) -> None:
    """Drop every trigger; needed before a column is dropped, which SQLite refuses while a trigger uses it."""
    for name in _get_existing_triggers(connection):
        with connection.cursor() as cursor:
            cursor.execute(f'DROP TRIGGER "{name}"')


def drop_unknown_triggers_and_views(connection: Any, *, vault_table: str) -> int:
    """Drop the triggers and views that are not the fence's; return their number.

    An attacker who once could write to the database could leave a trigger that goes on acting, such as one
    that copies what is deleted, or that skips a save without an error. It may have the name of one of the
    fence. A view could stand in for a table.
    """
    own = _list_own_triggers(vault_table)
    with connection.cursor() as cursor:
        cursor.execute("SELECT type, name, sql FROM sqlite_master WHERE type IN ('trigger', 'view')")
        unknown = [(kind, name) for kind, name, sql in cursor.fetchall() if own.get(name) != sql]
        for kind, name in unknown:
            quoted = name.replace('"', '""')
            # The triggers of a view are dropped with it.
            cursor.execute(f'DROP {kind} IF EXISTS "{quoted}"')
    return len(unknown)


def describe_dropped(count: int) -> str:
    """Return a sentence for the log about triggers and views that were dropped."""
    return (
        f"The database had {pluralize(count, 'trigger or view', 'triggers or views')} that Llamora did not "
        "create. Deleted. Check which other programs can write to the data folder."
    )


@cache
def _list_own_triggers(vault_table: str) -> dict[str, str]:
    triggers = (t for model in sealed_models() for t in fence_triggers(model, vault_table=vault_table))
    return {trigger.name: trigger.sql for trigger in triggers}


def missing_triggers(connection: Any, *, vault_table: str) -> list[str]:
    """Return the names of fence triggers that are missing or differ."""
    existing = _get_existing_triggers(connection)
    wanted = [t for model in sealed_models() for t in fence_triggers(model, vault_table=vault_table)]
    return [trigger.name for trigger in wanted if existing.get(trigger.name) != trigger.sql]
