"""Verification of a database with a person's secret: their key slot, their vault and every row."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, connections

from accounts import error_messages
from accounts.errors import AccountsError
from accounts.management import secret_prompt
from accounts.rotation import services as rotation_services
from accounts.rotation.error_messages import get_rotation_error_message
from accounts.rotation.services import VerificationResult
from llamora.database import read_snapshot
from llamora.ops.errors import OperationRefused


@contextmanager
def using_database_file(path: Path) -> Iterator[None]:
    """Let the models of this process use another database file during the `with` block; for commands only."""
    connection = connections[DEFAULT_DB_ALIAS]
    connection.close()
    before = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = str(path)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def verify_with_secret(
    *, name: str, password_file: Path | None, of_backup: bool = True
) -> VerificationResult:
    """Prompt for a person's secret and open all their rows; raise OperationRefused if it is wrong."""
    try:
        opened = secret_prompt.open_slot_with_prompt(
            name=name, password_file=password_file, of_backup=of_backup
        )
    except AccountsError as error:
        raise OperationRefused(
            get_rotation_error_message(error) or error_messages.get_error_message(error)
        ) from None
    except CommandError as error:
        raise OperationRefused(str(error)) from None
    with closing(opened.keyring) as keyring, read_snapshot():
        return rotation_services.verify_envelopes(keyring)
