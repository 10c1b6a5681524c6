"""Moves a person's rows to the newest envelope format."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import rotation, sentences
from accounts.errors import AccountsError
from accounts.management import asking, verifying
from accounts.rotation import sentences as words
from llamora.counted import counted
from llamora.database import NotWritten


class Command(BaseCommand):
    """Seals what is in an older format anew, under the same key."""

    help = (
        "Seal what is in an older envelope format in the diary of NAME anew in the newest one. Asks for the "
        "password or recovery code. Changes no key and ends no session; can be broken off and run "
        "again. Refuses an unknown name and a wrong secret; rows that do not open are named and left."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take whose diary it is."""
        asking.add_arguments(parser)
        parser.add_argument("--verify", action="store_true", help="open every row afterwards")

    def handle(self, *args: Any, **options: Any) -> None:
        """Move the rows, and say how many."""
        try:
            opened = asking.opened(name=options["name"], password_file=options["password_file"])
            moved = rotation.reseal(opened.keyring)
            self.stdout.write(f"{counted(moved.envelopes, 'value was', 'values were')} sealed anew.")
            verifying.name(self, moved.damaged)
            if options["verify"]:
                verifying.tell(self, opened.keyring)
        except AccountsError as error:
            raise CommandError(words.refusal(error)) from None
        except NotWritten as error:
            raise CommandError(f"{sentences.not_written(error)} Run this again to go on.") from None
