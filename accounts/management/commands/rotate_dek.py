"""Turns a person's data key."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import error_messages
from accounts.errors import AccountsError
from accounts.keys import key_slots
from accounts.management import secret_prompt, verification_report
from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import begin_rotation
from accounts.rotation.error_messages import get_refused_slot_message, get_rotation_error_message
from accounts.rotation.errors import DamagedRows
from llamora.crypto import Keyring
from llamora.database import NotWritten
from llamora.pluralize import pluralize


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
        secret_prompt.add_arguments(parser)
        parser.add_argument("--verify", action="store_true", help="open every row afterwards")
        parser.add_argument(
            "--leave-damaged",
            action="store_true",
            help="destroy the old key although rows that do not open are left under it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Turn the key, or go on with a turn that was broken off."""
        try:
            opened = secret_prompt.open_slot_with_prompt(
                name=options["name"], password_file=options["password_file"]
            )
            keyring = opened.keyring
            if rotation_services.is_rotation_unfinished(keyring):
                self.stdout.write("Going on with a rotation that was broken off.")
            else:
                keyring = self._begin_rotation(opened)
            began = time.monotonic()
            moved = rotation_services.resume_rotation(
                keyring, progress=self._show_progress, leave_damaged=options["leave_damaged"]
            )
            verification_report.write_damaged(self, moved.damaged)
            taken = time.monotonic() - began
            self.stdout.write(
                f"{pluralize(moved.envelopes, 'value was', 'values were')} sealed anew in {taken:.2f} s."
            )
            self.stdout.write("The old key is destroyed.")
            if options["verify"]:
                verification_report.verify_and_report(self, keyring)
        except DamagedRows as error:
            verification_report.write_damaged(self, error.where)
            raise CommandError(get_rotation_error_message(error)) from None
        except AccountsError as error:
            raise CommandError(get_rotation_error_message(error)) from None
        except NotWritten as error:
            raise CommandError(
                f"{error_messages.get_not_written_message(error)} Run this again to go on."
            ) from None

    def _begin_rotation(self, opened: key_slots.OpenedSlot) -> Keyring:
        turned = begin_rotation(opened)
        for slot in turned.refused_slots:
            self.stderr.write(get_refused_slot_message(slot))
        self.stdout.write(
            f"{pluralize(turned.renewed_slots, 'way in was', 'ways in were')} given the new key; "
            "all sessions were ended."
        )
        return turned.keyring

    def _show_progress(self, envelopes: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{envelopes:,} values sealed anew", ending="")
