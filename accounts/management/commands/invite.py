"""The command `invite`: creates, lists and withdraws invitations."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

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
        "Print a link with which one person can create a diary here. It works once, for seven days, and "
        "can't be shown again. --list lists the unused invitations, --withdraw withdraws them. The link "
        "begins with the address given by --at; without it, with the first of LLAMORA_TRUSTED_ORIGINS, the "
        "address of the running server, or LLAMORA_HOST and LLAMORA_PORT. Refuses until Llamora is set up: "
        "the first person uses the link that `manage.py up` prints."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options `--days`, `--at`, `--list` and `--withdraw`."""
        parser.add_argument(
            "--days", type=int, default=invitations.DEFAULT_LIFETIME.days, help="how many days the link works"
        )
        parser.add_argument("--at", help="address that the link begins with, such as https://diary.home")
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--list", action="store_true", help="list the unused invitations")
        action.add_argument("--withdraw", action="store_true", help="withdraw all unused invitations")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the link of a new invitation, the list of open invitations, or how many were withdrawn."""
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
                "Llamora is not set up yet. Run manage.py up and open the link that it prints."
            )
        if not 1 <= days <= MAX_DAYS:
            raise CommandError(f"An invitation is valid for 1 to {MAX_DAYS} days.")
        if at and not _is_address(at):
            raise CommandError(
                "--at is the beginning of the link: an address such as https://diary.home, without a path."
            )
        invitation, token = invitations.create_invitation(lasts=timedelta(days=days))
        url, source = _get_base_url(at)
        self.stdout.write(f"{url.rstrip('/')}{invitations.build_invitation_path(token)}")
        self.stderr.write(
            f"The link works once, until {_format_expiry(invitation)}. It can't be shown again."
        )
        self.stderr.write(source)

    def _list(self) -> None:
        rows = list(invitations.get_open_invitations().order_by("created_at"))
        for row in rows:
            self.stdout.write(
                f"{row.id}  created {row.created_at:%Y-%m-%d %H:%M}  valid until {_format_expiry(row)}"
            )
        self.stdout.write(f"{pluralize(len(rows), 'invitation is', 'invitations are')} unused.")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        is_valid = parts.port != 0
    except ValueError:
        return False
    return (
        is_valid
        and parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and text.rstrip("/") == f"{parts.scheme}://{parts.netloc}"
    )


def _get_base_url(at: str | None) -> tuple[str, str]:
    """Return the base URL of the household, and a sentence that says how the URL was found."""
    if at:
        return at, "Its address is from --at."
    if origins := [origin for origin in settings.CSRF_TRUSTED_ORIGINS if "*" not in origin]:
        return origins[0], "Its address is the first of LLAMORA_TRUSTED_ORIGINS; --at sets another."
    if running := server_address.read_address():
        return running, "Its address is that of the running server; --at sets another."
    return server_address.build_address(settings.HOST, settings.PORT), (
        "No server is running, so its address is from LLAMORA_HOST and LLAMORA_PORT; --at sets another."
    )


def _format_expiry(row: Invitation) -> str:
    return f"{row.expires_at:%Y-%m-%d %H:%M} UTC"
