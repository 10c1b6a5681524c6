"""The command `createsuperuser`, which refuses to run: Django's would create a person without a vault."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.auth.services import first_run
from llamora.database import condition
from llamora.database.condition import FileState


class Command(BaseCommand):
    """Replacement of Django's command. It creates nobody, and says how to create the first person."""

    help = "Always refuses: an account created here would have no key. Says how to create the first one."

    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Raise a CommandError that says how to add people, or how to create the first one."""
        found = condition.examine_file(condition.get_database_path())
        if found.state is not FileState.NEW and first_run.get_setup_token() is None:
            raise CommandError(
                "There is an administrator already. They can add others: Settings, Administration, People."
            )
        raise CommandError(
            "People choose their own password, which encrypts their diary, so no account can be created "
            "here. Run manage.py up and open the set-up link that it prints."
        )
