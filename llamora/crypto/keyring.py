"""Keyrings: the keys of a person whose vault is unlocked, and the keyring in force for a request or task.

The keyring in force is the one that sealed fields use in the current context (a `ContextVar`); it is set with
`in_force` and read with `current_keyring` or `current_realm_keyring`.

    Keyring        everything: the data keys, and with them the keys of all realms
    RealmKeyring   the keys of some realms only, for a program; it holds no data key

A keyring contains the keys of the current epoch, and of former epochs while rotations are unfinished. New
values are sealed under the current epoch. `close()` empties the object itself, because asyncio tasks hold
copies of the context. The data keys are bytearrays, which it overwrites. The derived keys are bytes objects,
which it can only release. Python may have made copies of both, which cannot be erased.

Keys of epochs before `format_2_since` open only envelopes of format 1, and seal nothing. Keys of later epochs
open only envelopes of format 2. A keyring whose current epoch is of format 1 can only open and rotate.

A keyring also knows the oldest epoch in use. The keys of earlier epochs were destroyed after all rows were
resealed, so an envelope of an earlier epoch raises DestroyedKey. An envelope of any other epoch whose key is
missing raises WrongEpoch, since another keyring may open it.

Blind index, which finds equal values without decryption: 32 bytes of

    BLAKE2b(key = blinding key of the label's realm in the current epoch, digest length 32,
            personalisation = "llamora.blind", zeros behind it up to 16 bytes,
            data = u16 big-endian length of the label | label, UTF-8 | value, UTF-8)

A lone surrogate is encoded as UTF-8 would encode its number ("surrogatepass"). The value is not normalised:
callers fold its case or composition if they need that.

MAC of plaintext columns, with which a change of these columns is noticed: 37 bytes,

    u8 format 2 | u32 epoch, big-endian | 32 bytes of
    BLAKE2b(key = columns key of the label's realm in that epoch, digest length 32,
            personalisation = "llamora.mac", zeros behind it up to 16 bytes,
            data = u8 format 2 | Context.encode(epoch) as in `llamora.crypto.context`)

Fingerprint of the keys of a realm, which is part of the cache key of decrypted values: 16 bytes of

    BLAKE2b(key = sealing key of the realm, digest length 16, no data,
            personalisation = "llamora.print", zeros behind it up to 16 bytes)

Decrypted text is cached in memory by owner *and* fingerprint (`KeyId`), never by owner alone. Anyone who can
write to the database can put a key slot of their own into another person's row: then the owner's id is right,
but the fingerprint differs. A fingerprint is always computed from the key, never read from the database.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2b
from threading import Lock
from typing import NamedTuple, NoReturn, TypeVar
from uuid import UUID

from llamora.crypto import envelope as envelopes
from llamora.crypto.context import MAX_EPOCH, AnyContext, Context
from llamora.crypto.envelope import FORMAT_1, FORMAT_2
from llamora.crypto.errors import DestroyedKey, FormerFormat, NotAuthentic, Truncated, VaultLocked, WrongEpoch
from llamora.crypto.realms import Realm, RealmKeys, derive_realm_keys, get_realm
from llamora.crypto.subkeys import SubkeyUse, subkey

_BLIND = b"llamora.blind"
_FINGERPRINT = b"llamora.print"
_MAC = b"llamora.mac"
_MAC_BYTES = 32
_U16 = struct.Struct(">H")
_HEADER_BYTES = 5
_Key = TypeVar("_Key", bytes, bytearray)


class KeyId(NamedTuple):
    """The identity of a realm's keys, by which decrypted text is cached in memory; not secret."""

    owner: UUID
    fingerprint: bytes


class RealmKeyring:
    """The keys of some realms of one person. Use of another realm, or after `close`, raises VaultLocked."""

    __slots__ = (
        "__weakref__",
        "_by_header",
        "_column_keys",
        "_current",
        "_lock",
        "epoch",
        "oldest_epoch",
        "owner",
        "reads_columns_unchecked",
    )

    owner: UUID
    epoch: int
    # Whether the current epoch is of format 1, in which plaintext columns had no MAC.
    reads_columns_unchecked: bool

    def __init__(
        self,
        *,
        owner: UUID,
        epoch: int,
        realm_keys: Mapping[int, Mapping[Realm, RealmKeys]],
        oldest_epoch: int = 1,
    ) -> None:
        if not all(1 <= number <= MAX_EPOCH for number in (epoch, *realm_keys)):
            raise ValueError("Epochs are counted from 1.")
        self.owner = owner
        self.epoch = epoch
        self.reads_columns_unchecked = False
        self.oldest_epoch = oldest_epoch
        self._lock = Lock()
        self._current: Mapping[Realm, RealmKeys] | None = dict(realm_keys.get(epoch, {}))
        # The keys that open envelopes and check MACs, by the first bytes (format and epoch) and by realm.
        self._by_header: dict[tuple[bytes, Realm], bytes] = {}
        self._column_keys: dict[tuple[bytes, Realm], bytes] = {}
        for number, by_realm in realm_keys.items():
            header = envelopes.encode_header(FORMAT_2, number)
            for realm, keys in by_realm.items():
                self._by_header[header, realm] = keys.sealing
                self._column_keys[header, realm] = keys.columns

    @property
    def is_closed(self) -> bool:
        """Whether the keyring was closed."""
        return self._current is None

    def list_epochs(self) -> set[int]:
        """Return the epochs whose keys this keyring holds; a closed one holds none."""
        return {int.from_bytes(header[1:], "big") for header, _ in self._by_header}

    def has_realms(self, realms: Iterable[Realm]) -> bool:
        """Return whether the keyring has the keys of all of these realms."""
        return all(self.has_realm(realm) for realm in realms)

    @property
    def key_id(self) -> KeyId:
        """The id of the keys of the realm `content`, under which decrypted text is cached."""
        return self.get_key_id(Realm.CONTENT)

    def has_realm(self, realm: Realm) -> bool:
        """Return whether the keyring has the keys of a realm. A closed keyring has no keys."""
        current = self._current
        return current is not None and realm in current

    def get_key_id(self, realm: Realm) -> KeyId:
        """Return the identity of the keys of a realm."""
        return _build_key_id(self.owner, self._get_current(realm).sealing)

    def seal(self, plaintext: bytes, context: Context) -> bytes:
        """Return an envelope sealed under the current epoch's key of the label's realm."""
        key = self._get_current(get_realm(context.label)).sealing
        if context.owner != self.owner:
            raise NotAuthentic
        return envelopes.seal(key=key, plaintext=plaintext, context=context, epoch=self.epoch)

    def unseal(self, envelope: bytes, context: AnyContext) -> bytes:
        """Return the plaintext of an envelope; this keyring must have the key of its epoch and realm."""
        if self._current is None:
            raise VaultLocked
        if context.owner != self.owner:
            raise NotAuthentic
        key = self._by_header.get((envelope[:_HEADER_BYTES], get_realm(context.label)))
        if key is None:
            self._raise_no_key(envelope, context)
        return envelopes.unseal(key=key, envelope=envelope, context=context)

    def compute_mac(self, context: Context) -> bytes:
        """Return the MAC of the columns that a context binds, under the current epoch."""
        key = self._get_current(get_realm(context.label)).columns
        if context.owner != self.owner:
            raise NotAuthentic
        header = envelopes.encode_header(FORMAT_2, self.epoch)
        return header + _compute_mac(key, context, epoch=self.epoch)

    def check_mac(self, mac: bytes, context: AnyContext) -> None:
        """Raise an EnvelopeError if a MAC does not match the columns in the context."""
        if self._current is None:
            raise VaultLocked
        if context.owner != self.owner:
            raise NotAuthentic
        header = mac[:_HEADER_BYTES]
        key = self._column_keys.get((header, get_realm(context.label)))
        if key is None:
            self._raise_no_key(mac, context)
        if len(mac) != _HEADER_BYTES + _MAC_BYTES:
            raise Truncated
        expected = _compute_mac(key, context, epoch=int.from_bytes(header[1:], "big"))
        if not hmac.compare_digest(mac[_HEADER_BYTES:], expected):
            raise NotAuthentic

    def blind_index(self, *, label: str, value: str) -> bytes:
        """Return the keyed index of a value under a label.

        Equal values have equal indexes within an epoch.
        """
        key = self._get_current(get_realm(label)).blinding
        name = label.encode()
        data = _U16.pack(len(name)) + name + value.encode("utf-8", "surrogatepass")
        return blake2b(data, key=key, digest_size=32, person=_BLIND).digest()

    def copy(self) -> RealmKeyring:
        """Return a new keyring with the current keys only, for work that outlasts a request.

        The caller closes it.
        """
        if self._current is None:
            raise VaultLocked
        return RealmKeyring(
            owner=self.owner,
            epoch=self.epoch,
            realm_keys={self.epoch: self._current},
            oldest_epoch=self.oldest_epoch,
        )

    def close(self) -> None:
        """Delete every key; a `seal` or `unseal` that is already running still finishes."""
        with self._lock:
            # Replaced, not cleared: another thread may be reading the old ones.
            self._current, self._by_header, self._column_keys = None, {}, {}

    def _get_current(self, realm: Realm) -> RealmKeys:
        keys = self._current.get(realm) if self._current is not None else None
        if keys is None:
            raise VaultLocked
        return keys

    def _raise_no_key(self, envelope: bytes, context: AnyContext) -> NoReturn:
        """Raise the error that says why there is no key for an envelope."""
        if self.is_closed:
            raise VaultLocked
        if get_realm(context.label) not in {realm for _, realm in self._by_header}:
            raise VaultLocked
        header = envelopes.read_header(envelope)
        if header.epoch in self.list_epochs():
            # A format that is not that epoch's.
            raise NotAuthentic
        raise DestroyedKey if header.epoch < self.oldest_epoch else WrongEpoch

    def __repr__(self) -> str:
        closed = " closed" if self.is_closed else ""
        return f"<{type(self).__name__} owner={self.owner} epoch={self.epoch}{closed}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A keyring is never pickled; it is copied only by its method copy().")


class Keyring(RealmKeyring):
    """All keys of one person while their vault is unlocked. After `close`, every use raises VaultLocked."""

    __slots__ = ("_data_keys", "_key_id", "_slots", "_snapshot", "format_2_since")

    def __init__(
        self,
        *,
        owner: UUID,
        epoch: int,
        keys: Mapping[int, bytes],
        format_2_since: int = 1,
        oldest_epoch: int = 1,
    ) -> None:
        if epoch not in keys:
            raise ValueError("A keyring needs the key of its own epoch.")
        # Subkeys are made here, all at once: made later, they could be made of a data key being wiped.
        super().__init__(
            owner=owner,
            epoch=epoch,
            realm_keys={
                number: {realm: derive_realm_keys(key, realm) for realm in Realm}
                for number, key in keys.items()
                if number >= format_2_since
            },
            oldest_epoch=oldest_epoch,
        )
        self.format_2_since = format_2_since
        self.reads_columns_unchecked = self.is_of_format_1
        content = {
            number: subkey(key, SubkeyUse.CONTENT) for number, key in keys.items() if number < format_2_since
        }
        # In format 1 one key opened everything.
        self._by_header |= {
            (envelopes.encode_header(FORMAT_1, number), realm): key
            for number, key in content.items()
            for realm in Realm
        }
        self._slots = {number: subkey(key, SubkeyUse.SLOTS) for number, key in keys.items()}
        self._snapshot: bytes | None = subkey(keys[epoch], SubkeyUse.SNAPSHOT)
        self._data_keys = {number: bytearray(key) for number, key in keys.items()}
        sealing = content[epoch] if epoch in content else self._get_current(Realm.CONTENT).sealing
        self._key_id = _build_key_id(owner, sealing)

    @property
    def key_id(self) -> KeyId:
        """The identity of the current keys; available also after `close()`."""
        return self._key_id

    @property
    def is_of_format_1(self) -> bool:
        """Whether the current epoch is of format 1; a keyring of format 1 opens envelopes and seals none."""
        return self.epoch < self.format_2_since

    def snapshot_key(self) -> bytes:
        """Return the key that seals snapshots of search indexes."""
        if self._snapshot is None:
            raise VaultLocked
        return self._snapshot

    def slots_key(self, epoch: int | None = None) -> bytes:
        """Return the key, of the current or the given epoch, that seals the authenticators of key slots."""
        return self._get_for_epoch(self._slots, epoch)

    def data_key(self, epoch: int | None = None) -> bytes:
        """Return a copy of the data key of the current or the given epoch."""
        with self._lock:
            return bytes(self._get_for_epoch(self._data_keys, epoch))

    def list_former_epochs(self) -> list[int]:
        """Return the former epochs whose keys this keyring holds, the oldest first."""
        return sorted(number for number in self._data_keys if number != self.epoch)

    def copy(self) -> Keyring:
        """Return a new keyring with the current data key only, for work that outlasts a request.

        The caller closes it.
        """
        return Keyring(
            owner=self.owner,
            epoch=self.epoch,
            keys={self.epoch: self.data_key()},
            format_2_since=self.format_2_since,
            oldest_epoch=self.oldest_epoch,
        )

    def derive_keys_by_epoch(self, realms: Collection[Realm]) -> dict[int, dict[Realm, RealmKeys]]:
        """Derive the keys of `realms` for the epochs of format 2 in this keyring; return a dict by epoch."""
        if self.is_of_format_1:
            raise FormerFormat
        return {
            number: {realm: derive_realm_keys(self.data_key(number), realm) for realm in realms}
            for number in (*self.list_former_epochs(), self.epoch)
            if number >= self.format_2_since
        }

    def restrict(self, realms: Iterable[Realm]) -> RealmKeyring:
        """Return a keyring of some realms, in the current epoch; the caller closes it."""
        return RealmKeyring(
            owner=self.owner,
            epoch=self.epoch,
            realm_keys={self.epoch: {realm: self._get_current(realm) for realm in realms}},
            oldest_epoch=self.oldest_epoch,
        )

    def close(self) -> None:
        """Delete every key; a `seal` or `unseal` that is already running still finishes."""
        super().close()
        with self._lock:
            self._snapshot = None
            for data_key in self._data_keys.values():
                data_key[:] = bytes(len(data_key))
            self._data_keys, self._slots = {}, {}

    def _get_current(self, realm: Realm) -> RealmKeys:
        if self.is_of_format_1 and not self.is_closed:
            raise FormerFormat
        return super()._get_current(realm)

    def _get_for_epoch(self, keys: Mapping[int, _Key], epoch: int | None) -> _Key:
        if self.is_closed:
            raise VaultLocked
        key = keys.get(self.epoch if epoch is None else epoch)
        if key is None:
            raise VaultLocked if self.is_closed else WrongEpoch
        return key


def _build_key_id(owner: UUID, sealing_key: bytes) -> KeyId:
    return KeyId(owner, blake2b(key=sealing_key, digest_size=16, person=_FINGERPRINT).digest())


def _compute_mac(key: bytes, context: AnyContext, *, epoch: int) -> bytes:
    data = bytes([FORMAT_2]) + context.encode(epoch)
    return blake2b(data, key=key, digest_size=_MAC_BYTES, person=_MAC).digest()


_in_force: ContextVar[RealmKeyring | None] = ContextVar("llamora_keyring_in_force", default=None)


@contextmanager
def in_force(keyring: RealmKeyring | None) -> Iterator[None]:
    """Put a keyring in force during the `with` block; None stands for a locked vault."""
    token = _in_force.set(keyring)
    try:
        yield
    finally:
        _in_force.reset(token)


def current_realm_keyring() -> RealmKeyring:
    """Return the keyring in force, which may have only some realms; raise VaultLocked if there is none."""
    keyring = _in_force.get()
    if keyring is None or keyring.is_closed:
        raise VaultLocked
    return keyring


def current_keyring() -> Keyring:
    """Return the keyring in force; raise VaultLocked if there is none, or if it has only some realms."""
    keyring = current_realm_keyring()
    if not isinstance(keyring, Keyring):
        raise VaultLocked
    return keyring
