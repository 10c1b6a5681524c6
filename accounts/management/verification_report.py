"""Messages of commands that decrypt all values of a person: how many there are, and which are damaged."""

from collections.abc import Sequence

from django.core.management.base import BaseCommand, CommandError

from accounts.rotation import services as rotation_services
from accounts.rotation.errors import DamagedEnvelope
from llamora.crypto import Keyring


def write_damaged(command: BaseCommand, damaged: Sequence[DamagedEnvelope]) -> None:
    """Print the label and row of each value that can't be decrypted."""
    for each in damaged:
        command.stderr.write(f"{each.label} of {each.row} can't be decrypted: {each.code}.")


def verify_and_report(command: BaseCommand, keyring: Keyring) -> None:
    """Decrypt all values of a person and print their number; raise CommandError if any is damaged."""
    found = rotation_services.verify_envelopes(keyring)
    write_damaged(command, found.damaged)
    command.stdout.write(f"{found.envelopes:,} values were checked.")
    if found.damaged:
        raise CommandError(f"{len(found.damaged):,} of them can't be decrypted; they are listed above.")
    command.stdout.write("All of them can be decrypted.")
