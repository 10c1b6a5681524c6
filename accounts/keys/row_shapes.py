"""Checks of types and lengths in key and session rows, which detect damaged and manipulated rows.

SQLite stores any value in any column, so the file may contain text instead of bytes, a number instead of a
date, or a salt of the wrong length. Reading such a row raises some error of Django or Python. When this
happens, these checks decide whether a damaged row is the cause; then the request is refused with a sentence,
and any other error is raised again.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import IntegrityError, connection, models

from accounts.errors import AccountsError
from accounts.models import AccessToken, BrowserKey, FormerKey, KeySlot, SignIn, Unlock, Vault
from llamora.database import write_transaction
from llamora.fields import SealedFieldError

TABLES: tuple[type[models.Model], ...] = (KeySlot, Vault, AccessToken, BrowserKey, FormerKey, SignIn, Unlock)
# What reading or using a value of another type raises.
ERRORS = (
    TypeError,
    ValueError,
    AttributeError,
    OverflowError,
    struct.error,
    SealedFieldError,
    IntegrityError,
)
# Shortest and longest, in bytes.
_LENGTHS = {
    (KeySlot, "salt"): (16, 64),
    (KeySlot, "public_key"): (32, 32),
    (KeySlot, "mac"): (32, 32),
    (Vault, "public_key"): (32, 32),
    (AccessToken, "public_key"): (0, 32),
    (AccessToken, "mac"): (32, 32),
    (SignIn, "half_hash"): (32, 32),
    (Unlock, "salt"): (16, 64),
}
_DATE = "[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]"
_DATE_AND_HOUR = "[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9] [0-2][0-9]:*"


def read_bytes(value: bytes | memoryview, *, longest: int | None = None) -> bytes:
    """Return the value of a bytes column; raise TypeError or ValueError for anything else.

    For a number n, `bytes` would return n zeros.
    """
    if not isinstance(value, bytes | memoryview):
        raise TypeError
    if longest is not None and len(value) > longest:
        raise ValueError
    return bytes(value)


def register_longest(model: type[models.Model], column: str, longest: int) -> None:
    """Register the length limit of a bytes column in a table of another app."""
    _LENGTHS[(model, column)] = (0, longest)


def count_damaged_rows(model: type[models.Model], owner: UUID | None = None) -> int:
    """Return the number of damaged rows in a table, of all owners or of one."""
    condition, values = ("", []) if owner is None else ("owner_id = %s AND ", [owner.hex])
    with connection.cursor() as cursor:
        condition += f"({build_damage_condition(model)})"
        query = f"SELECT COUNT(*) FROM {model._meta.db_table} WHERE {condition}"  # noqa: S608 - own names
        (count,) = cursor.execute(query, values).fetchone()
    return int(count)


def list_sound_ids(model: type[models.Model], owner: UUID) -> list[UUID]:
    """Return the ids of an owner's undamaged rows; loading the others would raise an error."""
    table = model._meta.db_table
    query = f"SELECT id FROM {table} WHERE owner_id = %s AND NOT ({build_damage_condition(model)})"  # noqa: S608 - own names
    with connection.cursor() as cursor:
        return [UUID(hex=row_id) for (row_id,) in cursor.execute(query, [owner.hex]).fetchall()]


def delete_damaged_rows(model: type[models.Model], owner: UUID) -> None:
    """Delete an owner's damaged rows of a table; call in a write transaction."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        query = f"DELETE FROM {table} WHERE owner_id = %s AND ({build_damage_condition(model)})"  # noqa: S608 - own names
        cursor.execute(query, [owner.hex])


def is_caused_by_damage(error: BaseException) -> bool:
    """Return whether damaged rows may have caused an error: its type fits, and there are such rows."""
    return isinstance(error, ERRORS) and any(map(count_damaged_rows, TABLES))


@contextmanager
def refuse_damaged_rows(refusal: type[AccountsError]) -> Iterator[None]:
    """Raise `refusal` in place of an error that a damaged row causes inside the `with` block."""
    try:
        yield
    except ERRORS as error:
        if not is_caused_by_damage(error):
            raise
        raise refusal from None


def delete_damaged_sessions() -> None:
    """Delete damaged session rows, so that the affected browsers must sign in or unlock again."""
    if not count_damaged_rows(SignIn) + count_damaged_rows(Unlock):
        return
    sign_in, unlock = SignIn._meta.db_table, Unlock._meta.db_table
    with write_transaction(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {unlock} WHERE {build_damage_condition(Unlock)}")  # noqa: S608 - own names
        cursor.execute(f"DELETE FROM {sign_in} WHERE {build_damage_condition(SignIn)}")  # noqa: S608 - own names
        cursor.execute(f"DELETE FROM {unlock} WHERE sign_in_id NOT IN (SELECT id FROM {sign_in})")  # noqa: S608 - own


def build_damage_condition(model: type[models.Model]) -> str:
    """Return the SQL condition that finds damaged rows in the table of a model."""
    return " OR ".join(f"NOT ({_describe_shape(model, field)})" for field in model._meta.concrete_fields)


def _describe_shape(model: type[models.Model], field: "models.Field[object, object]") -> str:
    """Return the condition that a column has a value as we write it."""
    name, target = f'"{field.column}"', field
    while isinstance(target, models.ForeignKey):
        target = target.target_field
    # Of the 30th of February SQLite makes another day.
    exists_day = f"date({name}, '+0 days') = substr({name}, 1, 10)"
    match target:
        case models.UUIDField():
            shape = f"typeof({name}) = 'text' AND length({name}) = 32 AND {name} NOT GLOB '*[^0-9a-f]*'"
        case models.DateTimeField():
            shape = (
                f"typeof({name}) = 'text' AND {name} GLOB '{_DATE_AND_HOUR}' AND datetime({name}) NOT NULL "
                f"AND {exists_day}"
            )
        case models.DateField():
            shape = f"typeof({name}) = 'text' AND {name} GLOB '{_DATE}' AND {exists_day}"
        case models.BooleanField():
            shape = f"typeof({name}) = 'integer' AND {name} IN (0, 1)"
        case models.IntegerField():
            shape = f"typeof({name}) = 'integer' AND {name} BETWEEN 0 AND {2**31 - 1}"
        case models.CharField():
            shape = f"typeof({name}) = 'text'"
        case _:
            shortest, longest = _LENGTHS.get((model, str(field.column)), (0, 2**31 - 1))
            shape = f"typeof({name}) = 'blob' AND length({name}) BETWEEN {shortest} AND {longest}"
    return f"{name} IS NULL OR {shape}" if field.null else f"coalesce({shape}, 0)"
