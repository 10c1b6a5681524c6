"""Cache of decrypted vault columns that every request needs.

A cached value is used only for the same envelope, row, bound columns, key and epoch. So a row that is changed
during an unlocked session is noticed at the next request. Only immutable values that are not secret may be
cached (epochs, preferences), never keys. They are dropped when the last session is locked, at a rotation, and
when their owner is deleted.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar, cast
from uuid import UUID

from accounts.models import Vault
from llamora.crypto import KeyId, current_keyring, newest_header
from llamora.fields import SealedField

# A lock that comes while a column is being opened leaves its value behind, until others take its place.
_MAX_COLUMNS: Final = 256
_T = TypeVar("_T")


class _OpenedColumn(NamedTuple):
    """An opened envelope, the columns that it is bound to, and its parsed value."""

    envelope: bytes
    columns: dict[str, Any]
    value: Any


_guard = threading.Lock()
_opened: OrderedDict[tuple[KeyId, int, str], _OpenedColumn] = OrderedDict()


def load_column(vault: Vault, name: str, *, parse: Callable[[Any], _T]) -> _T:
    """Return the parsed value of one of the vault's columns; call inside `in_force` with the vault's keyring.

    `parse` must return an immutable value. Raise EnvelopeError if the column does not open.
    """
    field, keyring = cast("SealedField", Vault._meta.get_field(name)), current_keyring()
    vault.check_columns(keyring)
    held = vault.get_envelope(field)
    # Which former keys a keyring has is not part of its identity, so what they open is not held.
    if held is None or not held.envelope.startswith(newest_header(keyring.epoch)):
        return parse(getattr(vault, name))
    place, columns = (keyring.key_id, keyring.epoch, name), vault.get_loaded_columns(field)
    found = _opened.get(place)
    if found is not None and found.envelope == held.envelope and found.columns == columns:
        return cast("_T", found.value)
    value = parse(getattr(vault, name))
    with _guard:
        _opened[place] = _OpenedColumn(held.envelope, columns, value)
        _opened.move_to_end(place)
        while len(_opened) > _MAX_COLUMNS:
            _opened.popitem(last=False)
    return value


def forget_columns(person_id: UUID) -> None:
    """Remove the decrypted columns of a person's vault from the cache."""
    with _guard:
        for place in [place for place in _opened if place[0].owner == person_id]:
            del _opened[place]
