"""Key slots: each stores the data key so that one secret (a password, a recovery code) opens it.

All integers are unsigned and big-endian. Each slot has its own key pair. Its row
contains, besides id, owner, kind, epoch, salt and cost:

    public_key            32 bytes, X25519 (RFC 7748)

    sealed_private        an envelope (see `llamora.crypto.envelope`) under the KEK derived from the secret
        plaintext         private key, 32 bytes | authenticator, 32 random bytes
        epoch             0
        context           purpose "slot", label "slot.private", row = slot id, owner,
                          bound: ("kind", the kind in UTF-8)

    sealed_authenticator  an envelope under the "llamora.slots" subkey of the data key of the slot's epoch
        plaintext         authenticator, 32 bytes
        epoch             the slot's
        context           purpose "slot", label "slot.authenticator", row = slot id, owner,
                          bound: ("kind", the kind in UTF-8), ("public_key", the 32 bytes)

    box                   libsodium's crypto_box_seal to public_key: an ephemeral X25519 public key of
                          32 bytes, then crypto_box (X25519, XSalsa20-Poly1305; nonce = BLAKE2b of 24
                          bytes over ephemeral key | public_key; tag of 16 bytes first) of 69 bytes:
                          u8 format 1 | owner 16 | slot id 16 | u32 epoch | data key 32

    mac                   BLAKE2b(key = authenticator, digest length 32, personalisation = "llamora.slot.mac",
                          data = owner 16 | slot id 16 | u32 epoch | public_key 32
                                 | u16 length of kind | kind, UTF-8 | u32 length of box | box)

Opening: derive the KEK, open sealed_private, check the MAC, check that public_key belongs to the private
key, open the box, compare its content with the row, compare the epoch with the owner's vault. A sealed box
does not prove its author, so without the MAC anyone who can write to the database could insert a data key of
their own.

Renewing a slot after a rotation needs no secret: the old data key opens the authenticator, which is the key
of the MAC of a new box to the same public key. The private key, which opens the box, is not sealed under a
data key; otherwise an old data key would open the next one.
"""

from __future__ import annotations

import hmac
import struct
from dataclasses import dataclass, replace
from hashlib import blake2b
from uuid import UUID

from nacl.bindings import (
    crypto_box_keypair,
    crypto_box_seal,
    crypto_box_seal_open,
    crypto_scalarmult_base,
)
from nacl.exceptions import CryptoError as _SodiumError

from llamora.crypto import envelope as envelopes
from llamora.crypto.context import Context
from llamora.crypto.entropy import KEY_BYTES, secret_bytes
from llamora.crypto.errors import (
    EnvelopeError,
    ForgedSlot,
    NotAuthentic,
    SlotAhead,
    SlotBehind,
    UnknownAuthenticator,
    WrongSecret,
)
from llamora.crypto.kdf import HIGHEST, Cost, check_cost
from llamora.crypto.subkeys import SubkeyUse, subkey

_BOX_FORMAT = 1
_BOX = struct.Struct(">B16s16sI32s")
_MAC_HEAD = struct.Struct(">16s16sI32s")
_MAC_PERSON = b"llamora.slot.mac"
_U16 = struct.Struct(">H")
_U32 = struct.Struct(">I")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Slot:
    """A key slot in its stored form."""

    id: UUID
    owner: UUID
    kind: str
    epoch: int
    salt: bytes
    cost: Cost
    public_key: bytes
    sealed_private: bytes
    sealed_authenticator: bytes
    box: bytes
    mac: bytes

    def __repr__(self) -> str:
        return f"<Slot {self.id} owner={self.owner} kind={self.kind} epoch={self.epoch}>"


def create(
    *, kek: bytes, salt: bytes, cost: Cost, dek: bytes, epoch: int, owner: UUID, kind: str, slot_id: UUID
) -> Slot:
    """Return a new key slot that contains the sealed data key, a new key pair and a new MAC key.

    The private key and the MAC key (the authenticator) are sealed, too.
    """
    check_cost(cost, ceiling=HIGHEST)
    public_key, private_key = crypto_box_keypair()
    authenticator = secret_bytes(KEY_BYTES)
    sealed_private = envelopes.seal(
        key=kek,
        plaintext=private_key + authenticator,
        context=_build_private_context(slot_id=slot_id, owner=owner, kind=kind),
        epoch=envelopes.NO_EPOCH,
    )
    slot = Slot(
        id=slot_id,
        owner=owner,
        kind=kind,
        epoch=epoch,
        salt=salt,
        cost=cost,
        public_key=public_key,
        sealed_private=sealed_private,
        sealed_authenticator=b"",
        box=b"",
        mac=b"",
    )
    return _seal_data_key(slot, dek=dek, epoch=epoch, authenticator=authenticator)


def open_slot(slot: Slot, *, kek: bytes, current_epoch: int) -> bytes:
    """Return the slot's data key; raise WrongSecret, ForgedSlot, SlotBehind or SlotAhead."""
    private_key, authenticator = _open_private(slot, kek=kek)
    _check_mac(slot, authenticator=authenticator)
    if crypto_scalarmult_base(private_key) != slot.public_key:
        raise ForgedSlot(slot.id)
    dek = _open_box(slot, private_key=private_key)
    if slot.epoch < current_epoch:
        raise SlotBehind(slot.id)
    if slot.epoch > current_epoch:
        raise SlotAhead(slot.id)
    return dek


def renew(slot: Slot, *, old_dek: bytes, new_dek: bytes, new_epoch: int) -> Slot:
    """Return the slot with the next epoch's data key; needs the old data key and not the slot's secret."""
    try:
        authenticator = envelopes.unseal(
            key=subkey(old_dek, SubkeyUse.SLOTS),
            envelope=slot.sealed_authenticator,
            context=_build_authenticator_context(slot),
        )
    except EnvelopeError:
        raise UnknownAuthenticator(slot.id) from None
    _check_mac(slot, authenticator=authenticator)
    if new_epoch <= slot.epoch:
        raise SlotAhead(slot.id)
    return _seal_data_key(slot, dek=new_dek, epoch=new_epoch, authenticator=authenticator)


def _seal_data_key(slot: Slot, *, dek: bytes, epoch: int, authenticator: bytes) -> Slot:
    """Return the slot with a data key sealed in its box, and a matching MAC and sealed authenticator."""
    inside = _BOX.pack(_BOX_FORMAT, slot.owner.bytes, slot.id.bytes, epoch, dek)
    boxed = replace(slot, epoch=epoch, box=crypto_box_seal(inside, slot.public_key))
    return replace(
        boxed,
        mac=_compute_mac(boxed, authenticator=authenticator),
        sealed_authenticator=envelopes.seal(
            key=subkey(dek, SubkeyUse.SLOTS),
            plaintext=authenticator,
            context=_build_authenticator_context(boxed),
            epoch=epoch,
        ),
    )


def _open_private(slot: Slot, *, kek: bytes) -> tuple[bytes, bytes]:
    context = _build_private_context(slot_id=slot.id, owner=slot.owner, kind=slot.kind)
    try:
        opened = envelopes.unseal(key=kek, envelope=slot.sealed_private, context=context)
    except NotAuthentic:
        raise WrongSecret(slot.id) from None
    return opened[:KEY_BYTES], opened[KEY_BYTES:]


def _open_box(slot: Slot, *, private_key: bytes) -> bytes:
    """Return the data key in the box; raise ForgedSlot if the rest of the box differs from the row."""
    try:
        inside = crypto_box_seal_open(slot.box, slot.public_key, private_key)
    except _SodiumError:
        raise ForgedSlot(slot.id) from None
    head = _BOX.pack(_BOX_FORMAT, slot.owner.bytes, slot.id.bytes, slot.epoch, bytes(KEY_BYTES))[:-KEY_BYTES]
    if len(inside) != _BOX.size or not hmac.compare_digest(inside[:-KEY_BYTES], head):
        raise ForgedSlot(slot.id)
    return inside[-KEY_BYTES:]


def _check_mac(slot: Slot, *, authenticator: bytes) -> None:
    if not hmac.compare_digest(_compute_mac(slot, authenticator=authenticator), slot.mac):
        raise ForgedSlot(slot.id)


def _compute_mac(slot: Slot, *, authenticator: bytes) -> bytes:
    if len(slot.public_key) != KEY_BYTES:
        raise ForgedSlot(slot.id)
    kind = slot.kind.encode()
    data = (
        _MAC_HEAD.pack(slot.owner.bytes, slot.id.bytes, slot.epoch, slot.public_key)
        + _U16.pack(len(kind))
        + kind
        + _U32.pack(len(slot.box))
        + slot.box
    )
    return blake2b(data, key=authenticator, digest_size=32, person=_MAC_PERSON).digest()


def _build_private_context(*, slot_id: UUID, owner: UUID, kind: str) -> Context:
    bound = (("kind", kind.encode()),)
    return Context(purpose="slot", label="slot.private", row=slot_id, owner=owner, bound=bound)


def _build_authenticator_context(slot: Slot) -> Context:
    bound = (("kind", slot.kind.encode()), ("public_key", slot.public_key))
    return Context(purpose="slot", label="slot.authenticator", row=slot.id, owner=slot.owner, bound=bound)
