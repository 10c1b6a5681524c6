"""The command `changepassword`, which refuses to run: Django's would set a password that opens no vault."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Replacement of Django's command. It changes nothing, and says how owners change their password."""

    help = "Always refuses: only its owner can change the password of a diary. Says how."

    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept the argument of Django's command, so that `handle` runs instead of a usage error."""
        parser.add_argument("username", nargs="?")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raise a CommandError that says how the owner can choose a new password."""
        raise CommandError(
            "A password encrypts a diary, so nobody can set one for another person. The owner can choose a "
            "new one at /recover/ with their recovery code."
        )
