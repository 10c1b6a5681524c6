"""A person leaves: everything that is theirs goes, in one transaction, and cannot be had back."""

from functools import partial
from uuid import UUID

from django.db import connection, transaction

from accounts import keys, sessions, vault_keys
from accounts.errors import LastKeeper
from accounts.models import Person
from accounts.rotation import background
from accounts.rotation.columns import sealed_tables
from accounts.services.securing import Asked, reopened
from accounts.signals import person_gone
from accounts.turnstile import turnstile
from llamora.database import writing


def leave(asked: Asked) -> None:
    """Delete the account of whoever asks, once they have given their password again.

    Raise OtherPerson, WrongSecret, TooSoon, Busy, LastKeeper or NotWritten.
    """
    with reopened(asked) as opened, turnstile.aside():
        remove(opened.person)


def remove(person: Person) -> None:
    """Delete a person with everything they have; raise LastKeeper or NotWritten.

    What is in backups stays there until they are past their time.
    """
    background.stop(person.id, timeout=5)
    with writing():
        _check_keeper(person)
        # First, so that jobs and indexes hear that the last session has ended.
        sessions.end_all(person_id=person.id)
        transaction.on_commit(partial(_tell, person.id))
        _empty(person.id)
        person.delete()
    keys.leave_no_trace()


def _empty(owner: UUID) -> None:
    """Delete the sealed rows by their owner alone: Django's cascade would fetch each, and housemates wait.

    Foreign keys between them are checked at the commit.
    """
    with connection.cursor() as cursor:
        for table in sealed_tables():
            cursor.execute(f"DELETE FROM {table.name} WHERE owner_id = %s", [owner.hex])  # noqa: S608 - our own names


def _check_keeper(person: Person) -> None:
    others = Person.objects.exclude(id=person.id)
    if person.is_staff and others.exists() and not others.filter(is_staff=True, is_active=True).exists():
        raise LastKeeper


def _tell(person_id: UUID) -> None:
    vault_keys.forget(person_id)
    person_gone.send_robust(Person, person_id=person_id)
