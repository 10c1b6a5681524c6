"""Values of new columns, and MACs of all rows, written when a diary moves to encryption format 2.

The move is a rotation: envelopes of format 1 then open only under the former key, until the rotation is
finished. In format 1 plaintext columns had no MACs (`MacField`). So the first step writes the MACs of all
rows; after it, a row without a MAC does not open, like a row with a wrong MAC. Columns that are new in format
2 get their values from functions that their apps register.
"""

from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from django.db import connection

from accounts.rotation.sealed_tables import SealedTable, list_sealed_tables
from llamora.crypto import Keyring
from llamora.fields import MacField, SealedFieldError

_BATCH = 2000
_registered: dict[str, Callable[[UUID], None]] = {}


def register_first_values(name: str, write: Callable[[UUID], None]) -> None:
    """Register the function `write`: it gets an owner, and fills columns that format 2 has added."""
    _registered[name] = write


def write_first_macs(keyring: Keyring) -> None:
    """Fill the columns that encryption format 2 has added. Then write the first MACs of all sealed rows.

    The rows are those of the keyring's owner, and the MACs are computed with the keyring's keys.
    """
    for write in _registered.values():
        write(keyring.owner)
    for table in list_sealed_tables():
        macs = [field for field in table.fields if isinstance(field, MacField)]
        if macs:
            _write_macs(table, macs, keyring)


def _write_macs(table: SealedTable, macs: list[MacField], keyring: Keyring) -> None:
    read_envelopes = table.build_envelope_reader(keyring.owner)
    for rows in table.iterate_batches(keyring.owner, skip_prefix=None, size=_BATCH):
        for mac in macs:
            updates = []
            for row in rows:
                _, _, columns = next(read_envelopes(row))
                # A row that no program of ours can have written gets no MAC, and so does not open.
                with suppress(SealedFieldError):
                    updates.append((keyring.compute_mac(mac.context_for(columns)), row[0]))
            with connection.cursor() as cursor:
                cursor.executemany(table.build_update(mac), updates)
