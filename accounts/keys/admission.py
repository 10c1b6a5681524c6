"""Checks of a data key against what is written in its owner's rows, before anything is opened with it.

A key slot proves that it was made by somebody who knew its secret, not that this was the owner: whoever can
write to the database can make a slot of their own in the owner's row. So a key is admitted only if

1. every sealed column of the vault opens under it, the list of ways to unlock among them;
2. more than half of up to sixteen rows of the owner open under it: the newest eight, and eight at random.

The second rule finds a slot *and* a vault that were replaced together.
"""

import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.errors import KeysDoNotMatch
from accounts.models import FormerKey, Vault
from llamora.crypto import EnvelopeError, Keyring, in_force
from llamora.fields import SealedModel
from llamora.fields.fence import sealed_models
from llamora.fields.models import sealed_fields

SAMPLE_SIZE = 8

_log = logging.getLogger(__name__)


def check_keys_match(keyring: Keyring, *, vault: Vault) -> None:
    """Raise KeysDoNotMatch if this key is not the one with which the owner's rows were written."""
    with in_force(keyring):
        if not _opens(vault):
            _refuse(keyring.owner, "its vault can't be decrypted")
        rows = list(_sample_rows(keyring.owner))
        if rows and 2 * sum(_opens(row) for row in rows) <= len(rows):
            _refuse(keyring.owner, "most of its rows can't be decrypted")


def _refuse(owner: UUID, reason: str) -> None:
    _log.error("A key of person %s was refused: %s.", owner, reason)
    raise KeysDoNotMatch


def _opens(row: SealedModel) -> bool:
    try:
        for field in sealed_fields(type(row)):
            getattr(row, field.attname)
    except EnvelopeError:
        return False
    return True


def _sample_rows(owner: UUID) -> Iterator[SealedModel]:
    """Yield up to sixteen rows of an owner, some of them perhaps twice."""
    models = {model._meta.db_table: model for model in sealed_models() if model not in (Vault, FormerKey)}
    # Ids are UUIDs of version 7, so the newest rows have the highest ids.
    for order in ("id DESC", "random()"):
        for table, row_id in _list_ids(list(models), owner, order):
            row: Any = models[table]._base_manager.filter(pk=row_id).first()
            if row is not None:
                yield row


def _list_ids(tables: list[str], owner: UUID, order: str) -> list[tuple[str, str]]:
    # The names are those of our own models.
    parts = [f"SELECT '{table}' AS name, id FROM \"{table}\" WHERE owner_id = %s" for table in tables]  # noqa: S608 - our own names
    statement = f"SELECT * FROM ({' UNION ALL '.join(parts)}) ORDER BY {order} LIMIT {SAMPLE_SIZE}"  # noqa: S608 - ours
    with connection.cursor() as cursor:
        cursor.execute(statement, [owner.hex] * len(tables))
        found: list[tuple[str, str]] = cursor.fetchall()
    return found
