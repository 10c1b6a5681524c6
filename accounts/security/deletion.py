"""Switching somebody's diary off and on again: it stays as it is, sealed, and nobody is let in."""

from functools import partial
from uuid import UUID

from django.db import connection, transaction

from accounts.auth.services.reauth import Reauthentication, reauthenticate
from accounts.errors import LastAdministrator
from accounts.keys import key_pairs
from accounts.models import Person
from accounts.rotation import background
from accounts.rotation.sealed_tables import list_sealed_tables
from accounts.sessions import services as sessions_services
from accounts.signals import person_deleted
from llamora.database import truncate_wal, write_transaction

# MERGED accounts.services.leaving: A person leaves: everything that is theirs goes, in one transaction, and
# cannot be had back.


def delete_own_account(asked: Reauthentication) -> None:
    """Delete the account of whoever asks, once they have given their password again.

    Raise OtherPerson, WrongSecret, TooSoon, Busy, LastKeeper or NotWritten.
    """
    with reauthenticate(asked) as opened:
        delete_person(opened.person)


def delete_person(person: Person) -> None:
    """Delete a person with everything they have; raise LastKeeper or NotWritten.

    What is in backups stays there until they are past their time.
    """
    background.stop(person.id, timeout=5)
    with write_transaction():
        _check_administrator_remains(person)
        # First, so that jobs and indexes hear that the last session has ended.
        sessions_services.end_sessions(person_id=person.id)
        transaction.on_commit(partial(_send_deleted, person.id))
        _delete_sealed_rows(person.id)
        person.delete()
    truncate_wal()


def _delete_sealed_rows(owner: UUID) -> None:
    """Delete the sealed rows by their owner alone: Django's cascade would fetch each, and housemates wait.

    Foreign keys between them are checked at the commit.
    """
    with connection.cursor() as cursor:
        for table in list_sealed_tables():
            cursor.execute(f"DELETE FROM {table.name} WHERE owner_id = %s", [owner.hex])  # noqa: S608 - our own names


def _check_administrator_remains(person: Person) -> None:
    others = Person.objects.exclude(id=person.id)
    if person.is_staff and others.exists() and not others.filter(is_staff=True, is_active=True).exists():
        raise LastAdministrator


def _send_deleted(person_id: UUID) -> None:
    key_pairs.forget_public_key(person_id)
    person_deleted.send_robust(Person, person_id=person_id)


def deactivate(person: Person) -> int:
    """Let a person in no more and end their sessions; return how many. Raise LastKeeper."""
    with write_transaction():
        others = Person.objects.filter(is_staff=True, is_active=True).exclude(id=person.id)
        if person.is_staff and not others.exists():
            raise LastAdministrator
        person.is_active = False
        person.save(update_fields=["is_active"])
        return sessions_services.end_sessions(person_id=person.id)


def activate(person: Person) -> None:
    """Let a person in again."""
    person.is_active = True
    with write_transaction():
        person.save(update_fields=["is_active"])
