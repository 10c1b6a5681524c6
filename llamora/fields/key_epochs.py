"""Check for damaged epochs: an envelope is damaged if its epoch is later than the latest one of its diary.

A keyring that has no key of an envelope's epoch raises WrongEpoch: another process may have rotated the key.
If the database has no key of that epoch either, the bytes of the epoch were changed: the envelope is damaged.
"""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from llamora.crypto import NotAuthentic
from llamora.crypto.envelope import read_header

FindEpoch = Callable[[UUID], int | None]
_lookups: Final[list[FindEpoch]] = []


def register(find_epoch: FindEpoch) -> None:
    """Register the function that returns the epoch of an owner's vault, or None if there is no vault."""
    _lookups[:] = [find_epoch]


def refuse_unknown_epoch(owner: UUID, envelope: bytes) -> None:
    """Raise NotAuthentic if the epoch of an envelope or MAC is later than the epoch of the owner's vault."""
    for find_epoch in _lookups:
        latest = find_epoch(owner)
        if latest is not None and read_header(envelope).epoch > latest:
            raise NotAuthentic
