"""Creation, list and withdrawal of invitations."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts import error_messages
from accounts.auth.services import first_run, invitations
from accounts.management import server_address
from accounts.models import Invitation
from llamora.database import NotWritten
from llamora.pluralize import pluralize

MAX_DAYS = 30


class Command(BaseCommand):
    """A command that prints the link of a new invitation."""

    help = (
        "Print a link that lets one person make a diary here, once, within seven days. Only its hash is "
        "kept, so it cannot be shown again; --list shows which are open and --withdraw ends them all. The "
        "link begins with --at, else the first of LLAMORA_TRUSTED_ORIGINS, else where this data folder is "
        "served now, else LLAMORA_HOST and LLAMORA_PORT; which of them it was is said. "
        "Refuses while nobody has set the household up: the first person comes by the link that up prints."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments: how long it lasts, the URL of the household, list and withdraw."""
        parser.add_argument(
            "--days", type=int, default=invitations.DEFAULT_LIFETIME.days, help="how long it is good for"
        )
        parser.add_argument("--at", help="address of the household, where it is not that of this machine")
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--list", action="store_true", help="say which invitations are open")
        action.add_argument("--withdraw", action="store_true", help="make all open invitations worthless")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a new link, the list of open ones, or how many were withdrawn."""
        try:
            if options["list"]:
                self._list()
            elif options["withdraw"]:
                count = sum(
                    invitations.withdraw_invitation(row) for row in invitations.get_open_invitations()
                )
                self.stdout.write(f"{pluralize(count, 'invitation was', 'invitations were')} withdrawn.")
            else:
                self._invite(days=options["days"], at=options["at"])
        except NotWritten as error:
            raise CommandError(error_messages.get_not_written_message(error)) from None

    def _invite(self, *, days: int, at: str | None) -> None:
        if first_run.get_setup_token() is not None:
            raise CommandError(
                "Nobody has set this household up yet. Run up and open the link that it prints."
            )
        if not 1 <= days <= MAX_DAYS:
            raise CommandError(f"An invitation is good for 1 to {MAX_DAYS} days.")
        invitation, token = invitations.create_invitation(lasts=timedelta(days=days))
        url, source = _get_base_url(at)
        self.stdout.write(f"{url.rstrip('/')}{invitations.build_invitation_path(token)}")
        self.stderr.write(f"It lets one person in, until {_format_expiry(invitation)}, and is kept nowhere.")
        self.stderr.write(source)

    def _list(self) -> None:
        rows = list(invitations.get_open_invitations().order_by("created_at"))
        for row in rows:
            self.stdout.write(
                f"{row.id}  made {row.created_at:%Y-%m-%d %H:%M}  good until {_format_expiry(row)}"
            )
        self.stdout.write(f"{pluralize(len(rows), 'invitation is', 'invitations are')} open.")


def _get_base_url(at: str | None) -> tuple[str, str]:
    """Return the base URL of the household, and a sentence about where it comes from."""
    if at:
        return at, "Its address is the one you gave with --at."
    if origins := [origin for origin in settings.CSRF_TRUSTED_ORIGINS if "*" not in origin]:
        return origins[0], "Its address is the first of LLAMORA_TRUSTED_ORIGINS; --at takes another."
    if running := server_address.read_address():
        return running, "Its address is that of the server that runs now; --at takes another."
    return server_address.build_address(settings.HOST, settings.PORT), (
        "Nothing serves this household just now, so its address is made of LLAMORA_HOST and LLAMORA_PORT. Is "
        "it reached elsewhere, begin it with that; --at takes another."
    )


def _format_expiry(row: Invitation) -> str:
    return f"{row.expires_at:%Y-%m-%d %H:%M} UTC"
