"""Who plays in these tests: people of the household, each with a vault and a browser of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.keys import key_pairs
from accounts.models import Person, Vault
from accounts.sessions import services as sessions_services
from accounts.sessions.cookies import get_cookie_name
from diary import days
from diary.models import Entry
from llamora.crypto import Keyring, in_force, new_vault_keys, secret_bytes

BY_SCRIPT = {"HX-Request": "true"}


@dataclass(kw_only=True)
class Member:
    """A person of the household, unlocked in one browser."""

    person: Person
    keyring: Keyring
    client: Client

    @property
    def id(self) -> UUID:
        return self.person.id

    @property
    def today(self) -> date:
        return days.today(self.person.time_zone, now=timezone.now())

    def today_at(self, hour: int) -> datetime:
        """An hour of today, in their time zone."""
        return datetime.combine(self.today, time(hour), tzinfo=days.get_time_zone(self.person.time_zone))

    @contextmanager
    def unlocked(self) -> Iterator[None]:
        """The keyring in force, as within a request of theirs."""
        with in_force(self.keyring):
            yield

    def wrote(self, text: str, *, day: date | None = None, at: datetime | None = None) -> Entry:
        """An entry that is there already."""
        with self.unlocked():
            entry: Entry = Entry.objects.create(
                owner_id=self.id, day=day or self.today, text=text, created_at=at or timezone.now()
            )
        return entry

    def texts(self, day: date | None = None) -> list[str]:
        """What stands on a day."""
        with self.unlocked():
            return [entry.text for entry in Entry.objects.for_owner(self.id).on_day(day or self.today)]

    def get(self, path: str, *, script: bool = False) -> Any:
        return self.client.get(path, headers=BY_SCRIPT if script else {})

    def post(self, path: str, *, script: bool = False, **fields: Any) -> Any:
        """Send a form of this person's page."""
        return self.client.post(path, {"owner": str(self.id), **fields}, headers=BY_SCRIPT if script else {})

    def locks(self) -> None:
        """Lock in their browser; they stay signed in."""
        row = self.person.sign_ins.get()
        sessions_services.lock_session(sign_in_id=row.id, person_id=self.id)


def member(name: str, *, time_zone: str = "UTC") -> Member:
    """A new person of the household."""
    person = Person.objects.create(name=name, time_zone=time_zone)
    keyring = Keyring(owner=person.id, epoch=1, keys={1: secret_bytes(32)})
    private, public = new_vault_keys()
    with in_force(keyring):
        Vault.objects.create(
            owner=person, epoch=1, public_key=public, private_key=private, digest_key=secret_bytes(32)
        )
    key_pairs.remember_public_key(keyring)
    cookie = sessions_services.create_session(person=person, keyring=keyring, is_persistent=False, device="")
    client = Client()
    client.cookies[get_cookie_name(secure=False)] = cookie.encode()
    return Member(person=person, keyring=keyring, client=client)


def flip_a_bit(entry: Entry) -> None:
    """Change an entry's sealed bytes on the disk, as a failing disk would."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM diary_entry WHERE id = %s", [entry.id.hex])
        sealed = bytearray(cursor.fetchone()[0])
        sealed[-1] ^= 1
        cursor.execute("UPDATE diary_entry SET text = %s WHERE id = %s", [bytes(sealed), entry.id.hex])
