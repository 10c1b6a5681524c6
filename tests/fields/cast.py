"""Two people of a household with keys of their own, and entries to try things on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.models import Person, Vault
from diary.models import Entry
from llamora.crypto import Keyring, header, in_force, new_vault_keys, secret_bytes

DAY, OTHER_DAY = date(2026, 11, 20), date(2026, 11, 21)
WORDS = "the heron stood in the rain"


@dataclass(kw_only=True)
class Resident:
    """A person whose keys the test holds."""

    person: Person
    keyring: Keyring

    @property
    def id(self) -> UUID:
        return self.person.id

    @contextmanager
    def unlocked(self) -> Iterator[None]:
        with in_force(self.keyring):
            yield

    def wrote(self, text: str = WORDS, *, day: date = DAY) -> Entry:
        """An entry, as a later request loads it: nothing of its making is left on it."""
        with self.unlocked():
            made = Entry.objects.create(owner_id=self.id, day=day, text=text)
        return Entry.objects.get(id=made.id)

    def reads(self, entry: Entry) -> str:
        """What stands in the database, opened."""
        with self.unlocked():
            return str(Entry.objects.get(id=entry.id).text)

    def with_epoch(self, epoch: int) -> Keyring:
        """A keyring of this person that has another epoch, as one that outlived a rotation has."""
        return Keyring(owner=self.id, epoch=epoch, keys={epoch: secret_bytes(32)})


def resident(name: str) -> Resident:
    """A new person with a vault."""
    person = Person.objects.create(name=name)
    keyring = Keyring(owner=person.id, epoch=1, keys={1: secret_bytes(32)})
    private, public = new_vault_keys()
    with in_force(keyring):
        Vault.objects.create(
            owner=person, public_key=public, private_key=private, digest_key=secret_bytes(32)
        )
    return Resident(person=person, keyring=keyring)


def stored(row: Any, column: str = "text") -> bytes:
    """The bytes of a column as they lie in the database, asked without the field."""
    table = row._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT "{column}" FROM "{table}" WHERE id = %s', [row.id.hex])
        return bytes(cursor.fetchone()[0])


def put(row: Any, envelope: bytes, column: str = "text") -> None:
    """Write bytes past the field, as somebody with the database file would."""
    assert header(envelope).epoch
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{row._meta.db_table}" SET "{column}" = %s WHERE id = %s', [envelope, row.id.hex]
        )
