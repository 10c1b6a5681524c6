"""A diary in format 1, as earlier versions left it, made from a present diary.

All envelopes are sealed again in format 1, under the same data key. Removed are MACs of columns, the state of
the vault, its copy of the preferences, and the kinds and dates in its list, which did not exist in format 1.
For a household made by such a version, see `tests/upgrade`.
"""

import json
import os

from django.db import connection
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt

from accounts.models import KeySlot, Vault
from accounts.rotation.sealed_tables import list_sealed_tables
from llamora.crypto import FORMAT_1, Context, Keyring, SubkeyUse, encode_header, pad, subkey
from llamora.fields import MacField, SealedField
from tests.people import Resident

LIST = "ways_in"


def seal_in_format_1(plaintext: bytes, context: Context, *, data_key: bytes, epoch: int) -> bytes:
    """Return an envelope of format 1, as its docstring describes it."""
    header, nonce = encode_header(FORMAT_1, epoch), os.urandom(24)
    aad = header[:1] + context.encode(epoch)
    key = subkey(data_key, SubkeyUse.CONTENT)
    return header + nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(pad(plaintext), aad, nonce, key)


def move_back_to_format_1(owner: Resident, *, with_list: bool = True) -> None:
    """Seal everything of a person again as a version before format 2 did."""
    keyring = owner.open_keyring()
    for table in list_sealed_tables():
        read_envelopes = table.build_envelope_reader(owner.id)
        for rows in table.iterate_batches(owner.id, skip_prefix=None):
            for row in rows:
                for field, envelope, columns in read_envelopes(row):
                    if envelope is not None:
                        _write(table.build_update(field), _reseal(field, envelope, columns, keyring), row[0])
    _write_vault(owner, keyring, with_list=with_list)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE diary_entry SET origin = 'own' WHERE owner_id = %s", [owner.id.hex])


def _reseal(
    field: SealedField, envelope: bytes, columns: dict[str, object], keyring: Keyring
) -> bytes | None:
    if isinstance(field, MacField):
        return None
    context = field.context_for(columns, number=FORMAT_1)
    return seal_in_format_1(
        field.unseal(keyring, envelope, columns), context, data_key=keyring.data_key(), epoch=keyring.epoch
    )


def _write_vault(owner: Resident, keyring: Keyring, *, with_list: bool) -> None:
    vault = owner.get_vault()
    ids = sorted(row.id.hex for row in KeySlot.objects.filter(owner_id=owner.id))
    field = Vault._meta.get_field(LIST)
    assert isinstance(field, SealedField)
    context = field.context_for({"id": vault.id, "owner_id": owner.id}, number=FORMAT_1)
    listed = seal_in_format_1(
        json.dumps(ids).encode(), context, data_key=keyring.data_key(), epoch=keyring.epoch
    )
    _write(
        "UPDATE accounts_vault SET ways_in = %s, state = NULL, preferences = NULL WHERE id = %s",
        listed if with_list else None,
        vault.id.hex,
    )


def _write(statement: str, value: bytes | None, row: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [value, row])
