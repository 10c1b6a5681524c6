"""A faster `flush` command, which empties the tables after a test without sending `post_migrate`.

Django's `flush` sends `post_migrate` afterwards. Its receivers create permissions, which no test uses, and
check the triggers of every sealed table: a tenth of a second, after about six hundred tests. Triggers stay
when a table is emptied.
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
    """Command `flush` that sends `post_migrate` only if a test has removed a trigger of the fence."""

    def handle(self, **options: Any) -> None:
        """Empty all tables, and create the content types again."""
        stands = not fence.missing_triggers(
            connections[options["database"]], vault_table=Vault._meta.db_table
        )
        super().handle(**options | {"inhibit_post_migrate": stands or options["inhibit_post_migrate"]})
        for app in apps.get_app_configs():
            create_contenttypes(app, verbosity=0)


def replace_flush() -> None:
    """Replace Django's `flush` by this command in this process."""
    get_commands()["flush"] = Command()  # type: ignore[assignment] - it takes commands already loaded, too
