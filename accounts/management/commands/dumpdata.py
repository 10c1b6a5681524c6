"""Django's `dumpdata` without session rows, so that nobody can sign in with a dump.

Sealed columns stay sealed in a dump.
"""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import dumpdata
from django.db import DatabaseError

from llamora.fields.access import envelope_access

SESSION_ROWS = ("accounts.SignIn", "accounts.Unlock")


class Command(dumpdata.Command):
    """Django's `dumpdata` without session rows."""

    help = (
        "Output the database as a Django fixture. Diaries stay encrypted; only their owners can decrypt "
        "them, with the password or recovery code. Never outputs sessions, even if they are named."
    )
    requires_system_checks: list[str] = []

    def handle(self, *app_labels: str, **options: Any) -> None:
        """Dump the database without session rows."""
        excluded = {row.lower() for row in SESSION_ROWS}
        named = [label for label in app_labels if label.lower() not in excluded]
        if app_labels and not named:
            raise CommandError("Sessions are never output.")
        options["exclude"] = [*(options.get("exclude") or ()), *SESSION_ROWS]
        # Some formats read every attribute; they get envelopes, which needs no key.
        with envelope_access():
            try:
                super().handle(*named, **options)
            except CommandError as error:
                # Of these Django would print SQLite's or Python's own words.
                if isinstance(error.__context__, DatabaseError | OSError):
                    raise error.__context__ from None
                raise
