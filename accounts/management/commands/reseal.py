"""The command `reseal`: re-encrypts a person's rows in the newest envelope format."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import error_messages
from accounts.errors import AccountsError
from accounts.management import secret_prompt, verification_report
from accounts.rotation import services as rotation_services
from accounts.rotation.error_messages import get_rotation_error_message
from llamora.database import NotWritten
from llamora.pluralize import pluralize


class Command(BaseCommand):
    """A command that reseals values of older formats under the same key."""

    help = (
        "Encrypt everything in the diary of NAME that is in an older format again, in the newest format. "
        "Asks for the password or recovery code. Changes no key and signs nobody out. Can be stopped and "
        "run again. Refuses an unknown name and a wrong password or code. Values that can't be decrypted are "
        "listed and not changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments: the person, their secret, and whether to verify."""
        secret_prompt.add_arguments(parser)
        parser.add_argument(
            "--verify", action="store_true", help="afterwards check that everything can be decrypted"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Reseal the values, and print how many there were."""
        try:
            opened = secret_prompt.open_slot_with_prompt(
                name=options["name"], password_file=options["password_file"]
            )
            moved = rotation_services.reseal_old_formats(opened.keyring)
            self.stdout.write(f"{pluralize(moved.envelopes, 'value was', 'values were')} encrypted again.")
            verification_report.write_damaged(self, moved.damaged)
            if options["verify"]:
                verification_report.verify_and_report(self, opened.keyring)
        except AccountsError as error:
            raise CommandError(get_rotation_error_message(error)) from None
        except NotWritten as error:
            raise CommandError(
                f"{error_messages.get_not_written_message(error)} Run this again to continue."
            ) from None
