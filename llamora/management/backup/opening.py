"""Checks of a database by opening it with a person's secret: their slot, their vault, every row."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, connections

from accounts import rotation, sentences
from accounts.errors import AccountsError
from accounts.management import asking
from accounts.rotation import Verified
from accounts.rotation import sentences as words
from llamora.database.reading import reading
from llamora.management.refusals import Refusal


@contextmanager
def standing_on(path: Path) -> Iterator[None]:
    """Have this process's models read another database file; only for a command run by hand."""
    connection = connections[DEFAULT_DB_ALIAS]
    connection.close()
    before = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = str(path)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def open_everything(*, name: str, password_file: Path | None) -> Verified:
    """Ask for a person's secret and open all they have; raise Refusal where the secret opens nothing."""
    try:
        opened = asking.opened(name=name, password_file=password_file)
    except AccountsError as error:
        raise Refusal(words.refusal(error) or sentences.refusal(error)) from None
    except CommandError as error:
        raise Refusal(str(error)) from None
    with closing(opened.keyring) as keyring, reading():
        return rotation.verify(keyring)
