"""Replacement of Django's command, which would create a person without a vault."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.auth.services import first_run


class Command(BaseCommand):
    """A refusal that tells what to do instead."""

    help = "Refuses always: a keeper made here would have no vault. Says how the first person comes in."

    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse."""
        if first_run.get_setup_token() is None:
            raise CommandError(
                "There is a keeper already. They make others keepers in the admin, under People."
            )
        raise CommandError(
            "People bring their own password, which seals their diary, so nobody can be made here. "
            "Run manage.py up and open the set-up link that it prints."
        )
