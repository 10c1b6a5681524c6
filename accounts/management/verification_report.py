"""Output of commands that open every row of a person."""

from collections.abc import Sequence

from django.core.management.base import BaseCommand, CommandError

from accounts.rotation import services as rotation_services
from accounts.rotation.errors import DamagedEnvelope
from llamora.crypto import Keyring


def write_damaged(command: BaseCommand, damaged: Sequence[DamagedEnvelope]) -> None:
    """Print the label and row of each envelope that does not open."""
    for each in damaged:
        command.stderr.write(f"{each.label} of {each.row} can't be decrypted: {each.code}.")


def verify_and_report(command: BaseCommand, keyring: Keyring) -> None:
    """Open every row and print how many opened; raise CommandError if any did not."""
    found = rotation_services.verify_envelopes(keyring)
    write_damaged(command, found.damaged)
    command.stdout.write(f"{found.envelopes:,} values were checked.")
    if found.damaged:
        raise CommandError(f"{len(found.damaged):,} of them can't be decrypted; they are listed above.")
    command.stdout.write("All of them can be decrypted.")
