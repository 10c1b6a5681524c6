"""What a command says after opening everything a person has."""

from collections.abc import Sequence

from django.core.management.base import BaseCommand, CommandError

from accounts import rotation
from accounts.rotation import DamagedEnvelope
from llamora.crypto import Keyring


def name(command: BaseCommand, damaged: Sequence[DamagedEnvelope]) -> None:
    """Name what does not open, by label and row."""
    for each in damaged:
        command.stderr.write(f"{each.label} of {each.row} does not open: {each.code}.")


def tell(command: BaseCommand, keyring: Keyring) -> None:
    """Open every row and say how many did; name those that did not, and fail then."""
    found = rotation.verify(keyring)
    name(command, found.damaged)
    command.stdout.write(f"{found.envelopes:,} values in {found.rows:,} rows were looked at.")
    if found.damaged:
        raise CommandError(f"{len(found.damaged):,} of them do not open; they are named above.")
    command.stdout.write("Every one opens.")
