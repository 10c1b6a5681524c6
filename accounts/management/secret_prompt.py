"""Prompt for a person's secret, which is typed without echo or read from a file, never an argument."""

import getpass
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import CommandError

from accounts.errors import WrongCredentials
from accounts.keys import key_slots
from accounts.models import Person, SlotKind
from llamora.crypto import BadRecoveryCode, parse_recovery_code


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments for a person's name and a file with their secret."""
    parser.add_argument("name", help="name of the person whose diary it is")
    parser.add_argument(
        "--password-file",
        type=Path,
        help="read the password or recovery code from the first line of this file",
    )


def open_slot_with_prompt(*, name: str, password_file: Path | None) -> key_slots.OpenedSlot:
    """Open a key slot with a secret from the terminal or a file; raise an AccountsError."""
    person = Person.objects.find_by_name(name)
    if person is None:
        raise CommandError("Nobody in this household has that name.")
    secret = _read_secret(person, password_file)
    try:
        return _open_slot(person, SlotKind.RECOVERY, parse_recovery_code(secret))
    except (BadRecoveryCode, WrongCredentials):
        # It is a password, which may look like a recovery code.
        return _open_slot(person, SlotKind.PASSWORD, secret)


def _open_slot(person: Person, kind: SlotKind, secret: str) -> key_slots.OpenedSlot:
    request = key_slots.DerivationRequest(name=person.name, address="terminal")
    return key_slots.open_slot(person=person, kind=kind, secret=secret, request=request)


def _read_secret(person: Person, file: Path | None) -> str:
    if file is None:
        return getpass.getpass(f"Password or recovery code of {person.name}: ")
    try:
        with file.open(encoding="utf-8") as lines:
            return lines.readline().rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise CommandError("The file of --password-file can't be read.") from None
