"""Django's `dumpdata`, without session rows: a copy signs nobody in, and sealed columns stay sealed."""

from typing import Any

from django.core.management.commands import dumpdata

from llamora.fields.access import bare_access

SESSION_ROWS = ("accounts.SignIn", "accounts.Unlock")


class Command(dumpdata.Command):
    """Dumps everything but who is signed in."""

    help = (
        "Output the database as a fixture. Sealed columns come as envelopes, which open only for their "
        "owner, with the key slots beside them. Session rows are never in it, even when they are named."
    )

    def handle(self, *app_labels: str, **options: Any) -> None:
        """Dump with the session rows left out."""
        left_out = {row.lower() for row in SESSION_ROWS}
        named = [label for label in app_labels if label.lower() not in left_out]
        if app_labels and not named:
            self.stderr.write("Session rows are never dumped.")
            return
        options["exclude"] = [*(options.get("exclude") or ()), *SESSION_ROWS]
        # Some formats read each attribute; they get envelopes, and need no key.
        with bare_access():
            super().handle(*named, **options)
