"""Deletion of an account with all its data, in one transaction, and deactivation of an account.

Deletion cannot be undone. The diary of a deactivated account stays sealed and unchanged.
"""

from functools import partial
from uuid import UUID

from django.db import connection, transaction

from accounts.auth.services.reauth import Reauthentication, reauthenticate
from accounts.errors import LastAdministrator
from accounts.keys import former_keys, token_slots
from accounts.models import Person
from accounts.rotation import background
from accounts.rotation.sealed_tables import list_sealed_tables
from accounts.sessions import services as sessions_services
from accounts.signals import person_deleted
from llamora.database import truncate_wal, write_transaction


def delete_own_account(reauthentication: Reauthentication) -> None:
    """Delete the account of a person after re-authentication.

    Raise LastAdministrator, NotWritten, or an error of `reauthenticate`.
    """
    with reauthenticate(reauthentication) as opened:
        delete_person(opened.person)


def delete_person(person: Person) -> None:
    """Delete a person with all their rows; raise LastAdministrator or NotWritten.

    Backups are not changed; they contain the rows until the backups expire.
    """
    background.stop_rotation_threads_of(person.id, timeout=5)
    with write_transaction():
        _check_administrator_remains(person)
        # First, so that jobs and indexes receive the signal of the last session.
        sessions_services.end_sessions(person_id=person.id)
        token_slots.remove_all_confirmations_on_commit(person.id)
        transaction.on_commit(partial(_send_deleted, person.id))
        _delete_sealed_rows(person.id)
        person.delete()
    truncate_wal()


def deactivate_person(person: Person) -> int:
    """Disable a person's account and end their sessions; return how many ended. Raise LastAdministrator."""
    with write_transaction():
        others = Person.objects.filter(is_staff=True, is_active=True).exclude(id=person.id)
        if person.is_staff and not others.exists():
            raise LastAdministrator
        person.is_active = False
        person.save(update_fields=["is_active"])
        return sessions_services.end_sessions(person_id=person.id)


def activate_person(person: Person) -> None:
    """Enable a person's account again."""
    person.is_active = True
    with write_transaction():
        person.save(update_fields=["is_active"])


def _delete_sealed_rows(owner: UUID) -> None:
    """Delete an owner's sealed rows in SQL; Django's cascade would load each row and delay other writers.

    Foreign keys are checked at the commit. So sealed rows that refer to these rows are deleted too, even
    those of another owner: Llamora never writes such a reference, and a row with a changed one does not open.
    """
    tables = list_sealed_tables()
    with connection.cursor() as cursor:
        for table in tables:
            for column, target in table.list_references():
                cursor.execute(
                    f"DELETE FROM {table.name} "  # noqa: S608 - our own names
                    f"WHERE {column} IN (SELECT id FROM {target} WHERE owner_id = %s)",
                    [owner.hex],
                )
        for table in tables:
            cursor.execute(f"DELETE FROM {table.name} WHERE owner_id = %s", [owner.hex])  # noqa: S608 - our own names


def _check_administrator_remains(person: Person) -> None:
    others = Person.objects.exclude(id=person.id)
    if person.is_staff and others.exists() and not others.filter(is_staff=True, is_active=True).exists():
        raise LastAdministrator


def _send_deleted(person_id: UUID) -> None:
    former_keys.destroy_files(person_id)
    person_deleted.send_robust(Person, person_id=person_id)
