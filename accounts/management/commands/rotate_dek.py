"""The command `rotate_dek`: replaces a person's data key."""

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
from accounts.rotation.errors import UnreadableFormerKey
from llamora.crypto import Keyring
from llamora.database import NotWritten
from llamora.pluralize import pluralize


class Command(BaseCommand):
    """A command that replaces a person's data key with a new one and destroys the old one."""

    help = (
        "Create a new key for the diary of NAME, encrypt everything again and destroy the old key. Asks for "
        "the password or recovery code; both keep working. Signs out all browsers. The diary can be used "
        "meanwhile. If stopped, it continues with the same command or at the next unlock. Refuses an unknown "
        "name, a wrong password or code, and to destroy an old key that can't be read while values need it."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments: the person, their secret, and options to verify and to leave damaged rows."""
        secret_prompt.add_arguments(parser)
        parser.add_argument(
            "--verify", action="store_true", help="afterwards check that everything can be decrypted"
        )
        parser.add_argument(
            "--leave-damaged",
            action="store_true",
            help="destroy an old key that can't be read; the values that need it are lost",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate the key, or resume an unfinished rotation."""
        try:
            opened = secret_prompt.open_diary_with_prompt(
                name=options["name"], password_file=options["password_file"]
            )
            keyring = opened.keyring
            if rotation_services.is_rotation_unfinished(keyring):
                self.stdout.write("Continuing a key change that was stopped.")
            else:
                keyring = self._begin_rotation(opened)
            started = time.monotonic()
            moved = rotation_services.resume_rotation(
                keyring, progress=self._show_progress, leave_damaged=options["leave_damaged"]
            )
            verification_report.write_damaged(self, moved.damaged)
            seconds = time.monotonic() - started
            self.stdout.write(
                f"{pluralize(moved.envelopes, 'value was', 'values were')} encrypted again "
                f"in {seconds:.2f} s."
            )
            self.stdout.write("The old key is destroyed.")
            if moved.damaged:
                self.stderr.write(
                    f"{pluralize(len(moved.damaged), 'value', 'values')} can't be decrypted, and stayed as "
                    "before; see above. Restore a backup if you have one."
                )
            if options["verify"]:
                verification_report.verify_and_report(self, keyring)
        except UnreadableFormerKey as error:
            verification_report.write_damaged(self, error.where)
            raise CommandError(get_rotation_error_message(error)) from None
        except AccountsError as error:
            raise CommandError(get_rotation_error_message(error)) from None
        except NotWritten as error:
            raise CommandError(
                f"{error_messages.get_not_written_message(error)} Run this again to continue."
            ) from None

    def _begin_rotation(self, opened: key_slots.OpenedSlot) -> Keyring:
        rotation = begin_rotation(opened)
        for slot in rotation.refused_slots:
            self.stderr.write(get_refused_slot_message(slot))
        self.stdout.write(
            f"{pluralize(rotation.renewed_slots, 'way to unlock has', 'ways to unlock have')} the new key; "
            "all browsers were signed out."
        )
        return rotation.keyring

    def _show_progress(self, envelopes: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{envelopes:,} values encrypted again", ending="")
