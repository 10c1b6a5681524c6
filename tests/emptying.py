"""Empties the tables after a test whose writes were committed, without announcing a migration every time.

Django's `flush` says afterwards that everything was migrated. Rights nobody here asks for are then written
again, and every sealed table is read anew to see whether its fence stands: a tenth of a second of the
processor, after some six hundred tests. Emptied tables keep their triggers.
"""

from typing import Any

from django.apps import apps
from django.contrib.contenttypes.management import create_contenttypes
from django.core.management import get_commands
from django.core.management.commands import flush
from django.db import connections

from accounts.models import Vault
from llamora.fields import fence


class Command(flush.Command):
    """Announces a migration only where a test has taken a piece of the fence away."""

    def handle(self, **options: Any) -> None:
        """Empty the tables, but for the kinds of rows: who comes next remembers their numbers."""
        stands = not fence.missing_triggers(
            connections[options["database"]], vault_table=Vault._meta.db_table
        )
        super().handle(**options | {"inhibit_post_migrate": stands or options["inhibit_post_migrate"]})
        for app in apps.get_app_configs():
            create_contenttypes(app, verbosity=0)


def take_over() -> None:
    """Have this process's `flush` be this one; the program's own stays as it is."""
    get_commands()["flush"] = Command()  # type: ignore[assignment] - it takes commands already loaded, too
