"""Test access to entries and to their stored bytes."""

from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from diary.models import Entry
from llamora.crypto import Keyring, read_header, secret_bytes
from tests.people import Resident

DAY, OTHER_DAY = date(2026, 11, 20), date(2026, 11, 21)
WORDS = "the heron stood in the rain"


def write(someone: Resident, text: str = WORDS, *, day: date = DAY) -> Entry:
    """Save an entry, and return it loaded from the database."""
    return Entry.objects.get(id=someone.write(text, day=day).id)


def read(someone: Resident, entry: Entry) -> str:
    """Return the stored text of an entry, decrypted."""
    with someone.unlocked():
        return str(Entry.objects.get(id=entry.id).text)


def keyring_with_epoch(someone: Resident, epoch: int) -> Keyring:
    """Return a keyring of this person with another epoch."""
    return Keyring(owner=someone.id, epoch=epoch, keys={epoch: secret_bytes(32)})


def get_stored_id(row: Any) -> str | int:
    """Return a primary key as the database stores it."""
    return row.id.hex if isinstance(row.id, UUID) else int(row.id)


def change_behind_the_back(row: Any, **columns: Any) -> None:
    """Write columns of a row in the database, as somebody without a key can."""
    names = ", ".join(f'"{name}" = %s' for name in columns)
    values = [value.hex if isinstance(value, UUID) else value for value in columns.values()]
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{row._meta.db_table}" SET {names} WHERE id = %s', [*values, get_stored_id(row)]
        )


def read_stored_bytes(row: Any, column: str = "text") -> bytes:
    """Return the bytes of a column as stored in the database."""
    table = row._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT "{column}" FROM "{table}" WHERE id = %s', [get_stored_id(row)])
        return bytes(cursor.fetchone()[0])


def write_stored_bytes(row: Any, envelope: bytes, column: str = "text") -> None:
    """Write bytes to a column in the database, without the field."""
    assert read_header(envelope).epoch
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{row._meta.db_table}" SET "{column}" = %s WHERE id = %s', [envelope, get_stored_id(row)]
        )
