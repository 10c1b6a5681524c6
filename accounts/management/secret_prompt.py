"""Prompt for a person's secret, typed without echo or read from a file; never an argument."""

import getpass
import sys
import warnings
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path

from django.core.management.base import CommandError

from accounts.errors import WrongCredentials
from accounts.keys import key_slots
from accounts.keys.key_slots import OpenedSlot
from accounts.keys.sealed_preferences import apply_preferences
from accounts.models import Person, SlotKind
from accounts.rotation.format_upgrade import move_to_format_2
from llamora.crypto import BadRecoveryCode, EnvelopeError, in_force, parse_recovery_code


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments for a person's name and a file with their secret."""
    parser.add_argument("name", help="name of the person whose diary it is")
    parser.add_argument(
        "--password-file",
        type=Path,
        help="read the password or recovery code from the first line of this file",
    )


def open_diary_with_prompt(*, name: str, password_file: Path | None) -> OpenedSlot:
    """Open a key slot as `open_slot_with_prompt` does, and move a diary of format 1 to format 2.

    For commands that write. If the move replaces the recovery code, the new one is printed.
    """
    opened = move_to_format_2(open_slot_with_prompt(name=name, password_file=password_file))
    if opened.recovery_code:
        sys.stdout.write(
            "The recovery code of this diary was replaced, because an older version did not note which code "
            f"is valid. The new one, which is shown only now: {opened.recovery_code}\n"
        )
    return opened


def open_slot_with_prompt(*, name: str, password_file: Path | None, of_backup: bool = False) -> OpenedSlot:
    """Open a key slot with a secret from the terminal or a file; raise an AccountsError.

    With `of_backup` the prompt asks for the secret at the time of the backup, and a disabled account is
    accepted.
    """
    person = Person.objects.find_by_name(name)
    if person is None:
        raise CommandError("Nobody in this household has that name.")
    secret = _read_secret(person, password_file, when=" when the backup was made" if of_backup else "")
    try:
        return _open_slot(person, SlotKind.RECOVERY, parse_recovery_code(secret), of_backup=of_backup)
    except (BadRecoveryCode, WrongCredentials):
        # It is a password, which may look like a recovery code.
        return _open_slot(person, SlotKind.PASSWORD, secret, of_backup=of_backup)


def _open_slot(person: Person, kind: SlotKind, secret: str, *, of_backup: bool) -> OpenedSlot:
    request = key_slots.DerivationRequest(name=person.name, address="terminal")
    opened = key_slots.open_slot(
        person=person, kind=kind, secret=secret, request=request, is_disabled_refused=not of_backup
    )
    # A damaged copy of the preferences must not keep a person from exporting what else is left.
    with in_force(opened.keyring), suppress(EnvelopeError):
        apply_preferences(opened.person, opened.person.vault)
    return opened


def _read_secret(person: Person, file: Path | None, *, when: str) -> str:
    if file is None:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            try:
                return getpass.getpass(f"Password or recovery code of {person.printable_name}{when}: ")
            except getpass.GetPassWarning:
                raise CommandError(
                    "There is no terminal that hides what you type. Use --password-file FILE."
                ) from None
    try:
        with file.open(encoding="utf-8") as lines:
            return lines.readline().rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise CommandError("The file of --password-file can't be read.") from None
