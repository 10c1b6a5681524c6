"""List of the people of the household, and their activation and deactivation."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.db.models import Count

from accounts import error_messages
from accounts.errors import LastAdministrator
from accounts.models import Person
from accounts.security import deletion
from llamora.database import NotWritten
from llamora.pluralize import pluralize


class Command(BaseCommand):
    """A command that lists people, or activates or deactivates one."""

    help = (
        "List who is in the household: keeper or not, switched on or off, ways in, browsers signed in. "
        "--disable NAME lets somebody in no more and ends their sessions; their diary stays as it is, and "
        "--enable NAME lets them in again. Refuses an unknown name, and to switch off the last keeper."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments: whom to activate or deactivate."""
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--disable", metavar="NAME", help="switch this person's diary off")
        action.add_argument("--enable", metavar="NAME", help="switch it on again")

    def handle(self, *args: Any, disable: str | None, enable: str | None, **options: Any) -> None:
        """Activate or deactivate a person, or list everybody."""
        try:
            if disable is not None:
                ended = deletion.deactivate_person(_get_person(disable))
                self.stdout.write(f"Switched off; {pluralize(ended, 'session was', 'sessions were')} ended.")
            elif enable is not None:
                deletion.activate_person(_get_person(enable))
                self.stdout.write("Switched on.")
            else:
                self._list()
        except LastAdministrator:
            raise CommandError(
                "This is the only keeper who can sign in. Make somebody else a keeper first, in the admin."
            ) from None
        except NotWritten as error:
            raise CommandError(error_messages.get_not_written_message(error)) from None
        except DatabaseError:
            raise CommandError("There is no household here yet. Run manage.py up first.") from None

    def _list(self) -> None:
        people = Person.objects.annotate(
            slot_count=Count("slots", distinct=True), browser_count=Count("sign_ins", distinct=True)
        )
        for person in people.order_by("created_at"):
            state = "" if person.is_active else ", switched off"
            self.stdout.write(
                f"{person.name}{', keeper' if person.is_staff else ''}{state}: "
                f"{pluralize(person.slot_count, 'way', 'ways')} in, "
                f"{pluralize(person.browser_count, 'browser', 'browsers')} signed in, "
                f"since {person.created_at:%Y-%m-%d}."
            )


def _get_person(name: str) -> Person:
    person = Person.objects.find_by_name(name)
    if person is None:
        raise CommandError("Nobody in this household has that name.")
    return person
