"""Output of a command that has opened every row of a person."""

from collections.abc import Sequence

from django.core.management.base import BaseCommand, CommandError

from accounts.rotation import services as rotation_services
from accounts.rotation.errors import DamagedEnvelope
from llamora.crypto import Keyring


def write_damaged(command: BaseCommand, damaged: Sequence[DamagedEnvelope]) -> None:
    """Write which values do not open, by label and row."""
    for each in damaged:
        command.stderr.write(f"{each.label} of {each.row} cannot be decrypted: {each.code}.")


def verify_and_report(command: BaseCommand, keyring: Keyring) -> None:
    """Open every row and write how many opened; fail if any did not."""
    found = rotation_services.verify_envelopes(keyring)
    write_damaged(command, found.damaged)
    command.stdout.write(f"{found.envelopes:,} values in {found.rows:,} rows were checked.")
    if found.damaged:
        raise CommandError(f"{len(found.damaged):,} of them can't be decrypted; they are listed above.")
    command.stdout.write("All of them can be decrypted.")
