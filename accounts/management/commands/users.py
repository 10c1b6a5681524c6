"""The command `users`: lists the people of the household, and activates or deactivates one."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.db.models import Count

from accounts import error_messages
from accounts.errors import LastAdministrator
from accounts.models import Person
from accounts.security import deletion
from llamora.database import NotWritten, condition
from llamora.pluralize import pluralize


class Command(BaseCommand):
    """A command that lists people, or activates or deactivates one."""

    help = (
        "List the people who have a diary here, with their ways to unlock and signed-in browsers. --disable "
        "NAME signs a person out and stops them from signing in; their diary is not deleted. --enable NAME "
        "lets them sign in again. Refuses an unknown name, and to turn off the only administrator."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments: the person to activate or to deactivate."""
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--disable", metavar="NAME", help="stop this person from signing in")
        action.add_argument("--enable", metavar="NAME", help="let this person sign in again")

    def handle(self, *args: Any, disable: str | None, enable: str | None, **options: Any) -> None:
        """Activate or deactivate a person, or list all people."""
        try:
            if disable is not None:
                ended = deletion.deactivate_person(_get_person(disable))
                self.stdout.write(
                    f"Turned off; {pluralize(ended, 'browser was', 'browsers were')} signed out."
                )
            elif enable is not None:
                deletion.activate_person(_get_person(enable))
                self.stdout.write("Turned on.")
            else:
                self._list()
        except LastAdministrator:
            raise CommandError(
                "This is the only administrator who can sign in. Make someone else an administrator first: "
                "Settings, Administration, People."
            ) from None
        except NotWritten as error:
            raise CommandError(error_messages.get_not_written_message(error)) from None
        except DatabaseError as error:
            raise CommandError(condition.describe_database_error(error)) from None

    def _list(self) -> None:
        people = Person.objects.annotate(
            slot_count=Count("slots", distinct=True), browser_count=Count("sign_ins", distinct=True)
        )
        if not people:
            self.stdout.write("There is no diary here yet. Open the set-up link that `up` prints.")
        for person in people.order_by("created_at"):
            state = "" if person.is_active else ", turned off"
            self.stdout.write(
                f"{person.printable_name}{', administrator' if person.is_staff else ''}{state}: "
                f"{pluralize(person.slot_count, 'way', 'ways')} to unlock, "
                f"{pluralize(person.browser_count, 'browser', 'browsers')} signed in, "
                f"since {person.created_at:%Y-%m-%d}."
            )


def _get_person(name: str) -> Person:
    person = Person.objects.find_by_name(name)
    if person is None:
        raise CommandError("Nobody in this household has that name.")
    return person
