"""The keyring: the keys of one unlocked person, and the keyring in force.

The keyring in force is the one that sealed fields use in the current context (a `ContextVar`); it is set with
`in_force` and read with `current_keyring`.

A keyring contains the current data key, older data keys while a rotation is unfinished, and their subkeys,
computed once. `close()` empties the object itself, because asyncio tasks hold copies of the context. Python
cannot erase all copies: the data keys are bytearrays, which are overwritten; the subkeys are bytes objects,
which are only released; and the interpreter may have copied either.

Blind index, with which equal values are found without decryption: 32 bytes of

    BLAKE2b(key = index subkey of the current epoch, digest length 32,
            personalisation = "llamora.blind", zeros behind it up to 16 bytes,
            data = u16 big-endian length of the label | label, UTF-8 | value, UTF-8)

A lone surrogate is encoded as UTF-8 would encode its number ("surrogatepass"). The value is not normalised:
callers fold its case or composition if they need that.

Fingerprint of a data key, by which values in memory are stored: 16 bytes of

    BLAKE2b(key = content subkey, digest length 16, no data,
            personalisation = "llamora.print", zeros behind it up to 16 bytes)

Text that is opened stays in memory under owner *and* fingerprint (`KeyId`), never under the owner alone.
Whoever can write to the database can make a key slot of their own in somebody else's row; the owner's id is
then right, and the fingerprint is not. A fingerprint is always computed from the key at hand, never read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2b
from threading import Lock
from typing import NamedTuple, NoReturn, TypeVar
from uuid import UUID

from llamora.crypto import envelope as envelopes
from llamora.crypto.context import MAX_EPOCH, Context
from llamora.crypto.errors import NotAuthentic, VaultLocked, WrongEpoch
from llamora.crypto.subkeys import Use, subkey

_BLIND = b"llamora.blind"
_FINGERPRINT = b"llamora.print"
_U16 = struct.Struct(">H")
_EPOCH_END = 5
_Key = TypeVar("_Key", bytes, bytearray)


class KeyId(NamedTuple):
    """The identity of a data key, under which opened text is stored in memory; not secret."""

    owner: UUID
    fingerprint: bytes


class Keyring:
    """The keys of one person while their vault is unlocked; after `close()` every use raises VaultLocked."""

    __slots__ = (
        "__weakref__",
        "_content",
        "_data_keys",
        "_index",
        "_lock",
        "_sealing",
        "_slots",
        "_snapshot",
        "epoch",
        "key_id",
        "owner",
    )

    owner: UUID
    key_id: KeyId
    epoch: int

    def __init__(self, *, owner: UUID, epoch: int, keys: Mapping[int, bytes]) -> None:
        if epoch not in keys:
            raise ValueError("A keyring needs the key of its own epoch.")
        if not all(1 <= number <= MAX_EPOCH for number in keys):
            raise ValueError("Epochs are counted from 1.")
        self.owner = owner
        self.epoch = epoch
        self._lock = Lock()
        # Subkeys are made here, all at once: made later, they could be made of a data key being wiped.
        self._content = {number: subkey(key, Use.CONTENT) for number, key in keys.items()}
        self._slots = {number: subkey(key, Use.SLOTS) for number, key in keys.items()}
        self._sealing: bytes | None = self._content[epoch]
        self._index: bytes | None = subkey(keys[epoch], Use.INDEX)
        self._snapshot: bytes | None = subkey(keys[epoch], Use.SNAPSHOT)
        self._data_keys = {number: bytearray(key) for number, key in keys.items()}
        fingerprint = blake2b(key=self._sealing, digest_size=16, person=_FINGERPRINT).digest()
        self.key_id = KeyId(owner, fingerprint)

    @property
    def is_closed(self) -> bool:
        """Whether the keyring was closed."""
        return self._sealing is None

    def seal(self, plaintext: bytes, context: Context) -> bytes:
        """Return an envelope sealed under the content key of the current epoch."""
        key = self._sealing
        if key is None:
            raise VaultLocked
        if context.owner != self.owner:
            raise NotAuthentic
        return envelopes.seal(key=key, plaintext=plaintext, context=context, epoch=self.epoch)

    def unseal(self, envelope: bytes, context: Context) -> bytes:
        """Return the plaintext of an envelope; this keyring must have the key of the envelope's epoch."""
        if self._sealing is None:
            raise VaultLocked
        if context.owner != self.owner:
            raise NotAuthentic
        key = self._content.get(int.from_bytes(envelope[1:_EPOCH_END], "big"))
        if key is None:
            self._raise_no_key(envelope)
        return envelopes.unseal(key=key, envelope=envelope, context=context)

    def blind_index(self, *, label: str, value: str) -> bytes:
        """Return the keyed index of a value under a label; equal values give equal bytes within an epoch."""
        key = _require_key(self._index)
        name = label.encode()
        data = _U16.pack(len(name)) + name + value.encode("utf-8", "surrogatepass")
        return blake2b(data, key=key, digest_size=32, person=_BLIND).digest()

    def snapshot_key(self) -> bytes:
        """Return the key that seals snapshots of search indexes."""
        return _require_key(self._snapshot)

    def slots_key(self, epoch: int | None = None) -> bytes:
        """Return the key that seals authenticators in the current or the given epoch."""
        return self._get_for_epoch(self._slots, epoch)

    def data_key(self, epoch: int | None = None) -> bytes:
        """Return a copy of the data key of the current or the given epoch."""
        with self._lock:
            return bytes(self._get_for_epoch(self._data_keys, epoch))

    def copy(self) -> Keyring:
        """Return a new keyring with the current data key only, for work that outlasts a request.

        The caller closes it.
        """
        return Keyring(owner=self.owner, epoch=self.epoch, keys={self.epoch: self.data_key()})

    def close(self) -> None:
        """Delete every key; a `seal` or `unseal` that is already running still finishes."""
        with self._lock:
            self._sealing = self._index = self._snapshot = None
            for data_key in self._data_keys.values():
                data_key[:] = bytes(len(data_key))
            # Replaced, not cleared: another thread may be reading the old ones.
            self._data_keys, self._content, self._slots = {}, {}, {}

    def _get_for_epoch(self, keys: Mapping[int, _Key], epoch: int | None) -> _Key:
        if self._sealing is None:
            raise VaultLocked
        key = keys.get(self.epoch if epoch is None else epoch)
        if key is None:
            raise VaultLocked if self.is_closed else WrongEpoch
        return key

    def _raise_no_key(self, envelope: bytes) -> NoReturn:
        """Raise VaultLocked if the keyring is closed, else WrongEpoch or an error of the header."""
        if self.is_closed:
            raise VaultLocked
        envelopes.read_header(envelope)
        raise WrongEpoch

    def __repr__(self) -> str:
        return f"<Keyring owner={self.owner} epoch={self.epoch}{' closed' if self.is_closed else ''}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A keyring is never pickled; it is copied only by its method copy().")


def _require_key(key: bytes | None) -> bytes:
    if key is None:
        raise VaultLocked
    return key


_in_force: ContextVar[Keyring | None] = ContextVar("llamora_keyring_in_force", default=None)


@contextmanager
def in_force(keyring: Keyring | None) -> Iterator[None]:
    """Put a keyring in force in this context during the block; None stands for a locked vault."""
    token = _in_force.set(keyring)
    try:
        yield
    finally:
        _in_force.reset(token)


def current_keyring() -> Keyring:
    """Return the keyring in force; raise VaultLocked if there is none or if it was closed."""
    keyring = _in_force.get()
    if keyring is None or keyring.is_closed:
        raise VaultLocked
    return keyring
