"""Entries to try things on, and their bytes as they lie in the database."""

from datetime import date
from typing import Any

from django.db import connection

from diary.models import Entry
from llamora.crypto import Keyring, read_header, secret_bytes
from tests.people import Resident

DAY, OTHER_DAY = date(2026, 11, 20), date(2026, 11, 21)
WORDS = "the heron stood in the rain"


def write(someone: Resident, text: str = WORDS, *, day: date = DAY) -> Entry:
    """Save an entry, and return it as a later request loads it: nothing of its making is left on it."""
    return Entry.objects.get(id=someone.write(text, day=day).id)


def read(someone: Resident, entry: Entry) -> str:
    """Return what stands in the database, opened."""
    with someone.unlocked():
        return str(Entry.objects.get(id=entry.id).text)


def keyring_with_epoch(someone: Resident, epoch: int) -> Keyring:
    """Return a keyring of this person that has another epoch, as one that outlived a rotation has."""
    return Keyring(owner=someone.id, epoch=epoch, keys={epoch: secret_bytes(32)})


def stored(row: Any, column: str = "text") -> bytes:
    """The bytes of a column as they lie in the database, asked without the field."""
    table = row._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT "{column}" FROM "{table}" WHERE id = %s', [row.id.hex])
        return bytes(cursor.fetchone()[0])


def put(row: Any, envelope: bytes, column: str = "text") -> None:
    """Write bytes past the field, as somebody with the database file would."""
    assert read_header(envelope).epoch
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{row._meta.db_table}" SET "{column}" = %s WHERE id = %s', [envelope, row.id.hex]
        )
