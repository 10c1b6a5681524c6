"""Turns a person's data key."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import keys, rotation, sentences
from accounts.errors import AccountsError
from accounts.management import asking, verifying
from accounts.rotation import sentences as words
from llamora.counted import counted
from llamora.crypto import Keyring
from llamora.database import NotWritten


class Command(BaseCommand):
    """Gives everything of one person a new key and destroys the old one."""

    help = (
        "Give the diary of NAME a new data key, seal everything anew and destroy the old key. Asks for the "
        "password or recovery code; both go on working. Signs all browsers out. The diary stays usable, "
        "and a rotation that was broken off goes on with the same command or at the next unlock. Refuses an "
        "unknown name, a wrong secret, and to destroy the old key while there are rows that do not open."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take whose diary it is, and what to do about damage."""
        asking.add_arguments(parser)
        parser.add_argument("--verify", action="store_true", help="open every row afterwards")
        parser.add_argument(
            "--leave-damaged",
            action="store_true",
            help="destroy the old key although rows that do not open are left under it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Turn the key, or go on with a turn that was broken off."""
        try:
            opened = asking.opened(name=options["name"], password_file=options["password_file"])
            keyring = opened.keyring
            if rotation.is_unfinished(keyring):
                self.stdout.write("Going on with a rotation that was broken off.")
            else:
                keyring = self._turn(opened)
            began = time.monotonic()
            moved = rotation.go_on(keyring, progress=self._show, leave_damaged=options["leave_damaged"])
            verifying.name(self, moved.damaged)
            taken = time.monotonic() - began
            self.stdout.write(
                f"{counted(moved.envelopes, 'value was', 'values were')} sealed anew in {taken:.2f} s."
            )
            self.stdout.write("The old key is destroyed.")
            if options["verify"]:
                verifying.tell(self, keyring)
        except rotation.Damaged as error:
            verifying.name(self, error.where)
            raise CommandError(words.refusal(error)) from None
        except AccountsError as error:
            raise CommandError(words.refusal(error)) from None
        except NotWritten as error:
            raise CommandError(f"{sentences.not_written(error)} Run this again to go on.") from None

    def _turn(self, opened: keys.Opened) -> Keyring:
        turned = rotation.turn(opened)
        for slot in turned.refused:
            self.stderr.write(words.refused_slot(slot))
        self.stdout.write(
            f"{counted(turned.given, 'way in was', 'ways in were')} given the new key; "
            "all sessions were ended."
        )
        return turned.keyring

    def _show(self, envelopes: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{envelopes:,} values sealed anew", ending="")
