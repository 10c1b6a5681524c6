"""Replacement of Django's command, which would set a password that opens nothing."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """A refusal that tells what to do instead."""

    help = "Always refuses: only its owner can change the password of a diary. Says how."

    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Accept the argument of Django's command, so that the refusal is what is read."""
        parser.add_argument("username", nargs="?")

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse."""
        raise CommandError(
            "A password encrypts a diary, so nobody can set one for another person. The owner can choose a "
            "new one at /recover/ with their recovery code."
        )
