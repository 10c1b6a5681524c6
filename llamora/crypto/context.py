r"""Context of an envelope: the additional authenticated data (AAD) to which the envelope is bound.

All integers are unsigned and big-endian. `encode(epoch)` returns these parts in this order:

    19 bytes        the ASCII text "llamora context v1\n"
    u32             epoch of the key that seals
    16 bytes        row id (the bytes of the UUID)
    16 bytes        owner id (the bytes of the UUID)
    u16, bytes      purpose: length in bytes, then UTF-8 ("field", "slot", "session", ...)
    u16, bytes      label: length in bytes, then UTF-8 ("diary.entry.text")
    u16             number of bound values
    per value, ordered by the bytes of its UTF-8 name:
        u16, bytes  name
        u32, bytes  value

Every part has a fixed length or is preceded by its length, so two different contexts never have the same
encoding.
A label is declared once and frozen: it is independent of table and column names, which may be renamed.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol
from uuid import UUID

DOMAIN = b"llamora context v1\n"
MAX_EPOCH = 2**32 - 1

_MAX_NAME = 2**16 - 1
_MAX_VALUE = 2**32 - 1
_IDS = struct.Struct(">I16s16s")
_U16 = struct.Struct(">H")
_U32 = struct.Struct(">I")
_NOTHING_BOUND = _U16.pack(0)


class AnyContext(Protocol):
    """Protocol of a context: a `Context`, or a `RowContext` whose row is set."""

    @property
    def label(self) -> str:
        """The label of the field."""

    @property
    def owner(self) -> UUID:
        """The owner of the row."""

    def encode(self, epoch: int) -> bytes:
        """Return the additional authenticated data (AAD) for a key of this epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The context in which an envelope is sealed; the envelope opens only in an equal context."""

    purpose: str
    label: str
    row: UUID
    owner: UUID
    bound: tuple[tuple[str, bytes], ...] = ()

    def encode(self, epoch: int) -> bytes:
        """Return the additional authenticated data for a key of this epoch.

        Raise ValueError if a part of it is too long.
        """
        if not 0 <= epoch <= MAX_EPOCH:
            raise ValueError("An epoch is an unsigned number of 32 bits.")
        ids = _IDS.pack(epoch, self.row.bytes, self.owner.bytes)
        bound = _encode_bound(self.bound) if self.bound else _NOTHING_BOUND
        return DOMAIN + ids + _encode_names(self.purpose, self.label) + bound


class RowContext:
    """A context that is reused for many rows of one field and owner, to encode its common parts once.

    It applies to the row and values last given to `set_row`. `order` contains the indexes of the bound values
    in `names`, in the order of the encoding, which is also the order of the values for `set_row`.
    """

    __slots__ = ("_parts", "label", "order", "owner")

    def __init__(self, *, purpose: str, label: str, owner: UUID, names: Sequence[str]) -> None:
        ordered = _order_names(tuple(names))
        self.label, self.owner = label, owner
        self.order = [index for index, _ in ordered]
        # Domain and epoch, the row, what comes before the values, and each value behind its name.
        before_values = owner.bytes + _encode_names(purpose, label) + _U16.pack(len(names))
        self._parts = [b"", b"", before_values, *(part for _, name in ordered for part in (name, b""))]

    def set_row(self, row: bytes, values: Sequence[bytes]) -> None:
        """Set the row's id and its encoded values. The values must be in the order that `self.order` gives.

        Each value was encoded by `encode_value`.
        """
        self._parts[1] = row
        # Of too many or too few values, this is a ValueError.
        self._parts[4::2] = values

    def encode(self, epoch: int) -> bytes:
        """Return the additional authenticated data (AAD) for a key of this epoch."""
        self._parts[0] = DOMAIN + _U32.pack(epoch)
        return b"".join(self._parts)


def encode_value(value: bytes) -> bytes:
    """Return a context's value, preceded by its length in 4 bytes; raise ValueError if it is too long."""
    if len(value) > _MAX_VALUE:
        raise ValueError("A bound value is too long.")
    return _U32.pack(len(value)) + value


@lru_cache(maxsize=512)
def _encode_names(purpose: str, label: str) -> bytes:
    """Return the encoded purpose and label; cached, because the models declare only a few."""
    return _encode_with_length(purpose.encode()) + _encode_with_length(label.encode())


def _encode_bound(bound: tuple[tuple[str, bytes], ...]) -> bytes:
    parts = [_U16.pack(len(bound))]
    for index, name in _order_names(tuple([name for name, _ in bound])):
        parts += (name, encode_value(bound[index][1]))
    return b"".join(parts)


@lru_cache(maxsize=512)
def _order_names(names: tuple[str, ...]) -> tuple[tuple[int, bytes], ...]:
    """Return the index and encoded name of each bound value, in the order of the encoding; cached."""
    encoded = [name.encode() for name in names]
    if len(set(encoded)) != len(encoded):
        raise ValueError("A bound value is named twice.")
    order = sorted(range(len(encoded)), key=encoded.__getitem__)
    return tuple((index, _encode_with_length(encoded[index])) for index in order)


def _encode_with_length(name: bytes) -> bytes:
    if not 0 < len(name) <= _MAX_NAME:
        raise ValueError("A purpose, label or bound name has 1 to 65535 bytes.")
    return _U16.pack(len(name)) + name
