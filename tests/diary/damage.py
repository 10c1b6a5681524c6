"""Damage to stored rows, as by a failing disk."""

from django.db import connection

from diary.models import Entry


def flip_a_bit(entry: Entry) -> None:
    """Flip a bit of an entry's sealed bytes in the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM diary_entry WHERE id = %s", [entry.id.hex])
        sealed = bytearray(cursor.fetchone()[0])
        sealed[-1] ^= 1
        cursor.execute("UPDATE diary_entry SET text = %s WHERE id = %s", [bytes(sealed), entry.id.hex])
