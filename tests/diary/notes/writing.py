"""Notes of the people of the tests, written as by their owner, a program or an import."""

from typing import Any

from django.db import connection

from diary.models import Note, Origin
from diary.notes.queries import NoteText
from diary.notes.services import save_note
from diary.origins.provenance import Provenance
from llamora.crypto import Realm, RealmKeyring
from tests.people import Resident


def add_note(
    who: Resident, path: str, content: str | bytes, *, origin: str = Origin.OWN, source: str = "", **of: Any
) -> NoteText:
    provenance = Provenance(source=source) if source else None
    return save_note(who.keyring, path, content, origin=origin, provenance=provenance, **of)


def open_as_program(who: Resident) -> RealmKeyring:
    """The keyring of a token with the scope `notes`."""
    return who.keyring.restrict([Realm.NOTES])


def change_columns(note: NoteText, **columns: Any) -> None:
    """Change columns as somebody who can write to the database, and has no key."""
    names = ", ".join(f"{name} = %s" for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Note._meta.db_table} SET {names} WHERE id = %s",
            [*columns.values(), note.id.hex],
        )
        assert cursor.rowcount == 1
