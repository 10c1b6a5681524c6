"""What a command says after opening everything a person has."""

from collections.abc import Sequence

from django.core.management.base import BaseCommand, CommandError

from accounts.rotation import services as rotation_services
from accounts.rotation.errors import DamagedEnvelope
from llamora.crypto import Keyring


def write_damaged(command: BaseCommand, damaged: Sequence[DamagedEnvelope]) -> None:
    """Name what does not open, by label and row."""
    for each in damaged:
        command.stderr.write(f"{each.label} of {each.row} does not open: {each.code}.")


def verify_and_report(command: BaseCommand, keyring: Keyring) -> None:
    """Open every row and say how many did; name those that did not, and fail then."""
    found = rotation_services.verify_envelopes(keyring)
    write_damaged(command, found.damaged)
    command.stdout.write(f"{found.envelopes:,} values in {found.rows:,} rows were looked at.")
    if found.damaged:
        raise CommandError(f"{len(found.damaged):,} of them do not open; they are named above.")
    command.stdout.write("Every one opens.")
