"""Key slots of access tokens: opened with the token's secret, but renewed by a rotation without the secret.

A token of the kind "ordinary" opens its realms (see `llamora.crypto.realms`) while its owner's diary is
unlocked, one of the kind "away" always. A "drop" token opens nothing: it seals texts to its owner.

All integers are unsigned and big-endian. A slot's row contains its id, owner, epoch and terms (`terms`), and

    public_key            32 bytes, X25519 (RFC 7748), for the kind "away"; empty for the others

    sealed_private        an envelope (see `llamora.crypto.envelope`) under the token's key-encrypting key
        plaintext         authenticator, 32 random bytes | private key, 32 bytes for the kind "away"
        epoch             0
        context           purpose "token", label "token.private", row = slot id, owner,
                          bound: the terms, and ("public_key", the bytes)

    sealed_authenticator  an envelope under the "llamora.slots" subkey of the data key of the slot's epoch
        plaintext         authenticator, 32 bytes
        epoch             the slot's
        context           purpose "token", label "token.authenticator", and as above

    box                   empty for the kind "ordinary"
        "drop"            u8 format 1 | owner 16 | slot id 16 | u32 epoch | public key of the vault 32
        "away"            libsodium's crypto_box_seal (see `llamora.crypto.slots`) to public_key, of
                          u8 format 1 | owner 16 | slot id 16 | u32 epoch | u16 number of keys, then for each
                          u32 epoch | u8 length of name | name of the realm, ASCII
                          | sealing key 32 | blinding key 32 | columns key 32

    mac                   BLAKE2b(key = authenticator, digest length 32, personalisation = "llamora.tokmac"
                                  (zeros to 16), data = Context.encode(epoch) | u32 length of box | box)
                          with the context of purpose "token", label "token.mac", and as above

A box of the kind "away" contains the keys of the current epoch and, while a rotation is unfinished, of former
epochs. They are ordered by epoch and then by the name of the realm.

When a token is presented, MAC and epoch are checked, and for each kind:

    ordinary   its authenticator equals the one in sealed_authenticator, which its owner's keyring opens;
               without that keyring the token opens nothing
    away       box and key pair match the slot; the box contains the keys of its realms
    drop       the box matches the slot; it contains the public key to which texts are sealed

A text that a program drops is a box, sealed to that public key in a context of the caller's (see
`llamora.crypto.locked_vaults.vault_keys`), and

    mac   BLAKE2b(key = authenticator, digest length 32, personalisation = "llamora.dropmac" (zeros to 16),
                  data = u32 length of context | context | box)
          where context is Context.encode(0) as in `llamora.crypto.context`

Anyone who knows the public key can create such a box. Only the program, and the unlocked owner, can compute
the MAC.

A program that can also write to the database could widen the terms in the row, in sealed_private and in the
MAC, because it knows the authenticator. Only the owner's keyring can create sealed_authenticator, so a
rotation renews a slot with the terms that sealed_authenticator is bound to.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from uuid import UUID

from nacl.bindings import (
    crypto_box_keypair,
    crypto_box_seal,
    crypto_box_seal_open,
)
from nacl.exceptions import CryptoError as _SodiumError

from llamora.crypto import envelope as envelopes
from llamora.crypto.access_tokens.terms import TokenKind, TokenTerms
from llamora.crypto.access_tokens.token_text import TokenText
from llamora.crypto.context import Context
from llamora.crypto.entropy import KEY_BYTES, secret_bytes
from llamora.crypto.errors import (
    EnvelopeError,
    ForgedSlot,
    NotAuthentic,
    SlotAhead,
    SlotBehind,
    UnknownAuthenticator,
    VaultLocked,
    WrongSecret,
)
from llamora.crypto.keyring import Keyring, RealmKeyring
from llamora.crypto.realms import Realm, RealmKeys

_BOX_FORMAT = 1
_BOX_HEAD = struct.Struct(">B16s16sI")
_COUNT = struct.Struct(">H")
_KEYS = struct.Struct(f">{KEY_BYTES}s{KEY_BYTES}s{KEY_BYTES}s")
_NAME_HEAD = struct.Struct(">IB")
_MAC_PERSON = b"llamora.tokmac"
_DROP_MAC_PERSON = b"llamora.dropmac"
_U32 = struct.Struct(">I")
_REALMS_BY_NAME = {realm.value.encode("ascii"): realm for realm in Realm if realm is not Realm.VAULT}

Bundle = Mapping[int, Mapping[Realm, RealmKeys]]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TokenSlot:
    """The key slot of an access token in its stored form."""

    id: UUID
    owner: UUID
    epoch: int
    terms: TokenTerms
    public_key: bytes
    sealed_private: bytes
    sealed_authenticator: bytes
    box: bytes
    mac: bytes

    def __repr__(self) -> str:
        return f"<TokenSlot {self.id} owner={self.owner} kind={self.terms.kind.value} epoch={self.epoch}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropKey:
    """The keys of a "drop" token, which can only send texts: one seals them, one authenticates them."""

    public: bytes
    authenticator: bytes = field(repr=False)


def create_token_slot(
    token: TokenText, *, terms: TokenTerms, keyring: Keyring, vault_public_key: bytes = b""
) -> TokenSlot:
    """Return the slot of a new token; a "drop" token needs the vault's public key."""
    public_key, private_key = crypto_box_keypair() if terms.kind is TokenKind.AWAY else (b"", b"")
    authenticator = secret_bytes(KEY_BYTES)
    slot = TokenSlot(
        id=token.id,
        owner=keyring.owner,
        epoch=keyring.epoch,
        terms=terms,
        public_key=public_key,
        sealed_private=b"",
        sealed_authenticator=b"",
        box=b"",
        mac=b"",
    )
    sealed_private = envelopes.seal(
        key=token.derive_key(),
        plaintext=authenticator + private_key,
        context=_build_context(slot, "token.private"),
        epoch=envelopes.NO_EPOCH,
    )
    return _seal_box(
        replace(slot, sealed_private=sealed_private),
        authenticator=authenticator,
        keyring=keyring,
        vault_public_key=vault_public_key,
    )


@dataclass(frozen=True, slots=True)
class OpenedTokenSlot:
    """The contents of an access token's key slot, after all checks.

    `inside` is empty for the kind "ordinary", the opened box for "away", and the public key and the
    authenticator for "drop".
    """

    slot: TokenSlot
    inside: bytes = field(repr=False)

    def build_keyring(self, *, owner_keyring: Keyring | None = None) -> RealmKeyring:
        """Return the keyring of the token's realms; the caller closes it.

        The kind "ordinary" needs its owner's keyring. Raise VaultLocked if that is missing or closed, and
        ForgedSlot if the box of the kind "away" lacks a realm of the terms or contains another one.
        """
        slot = self.slot
        if slot.terms.kind is TokenKind.AWAY:
            bundle: Bundle = _parse_bundle(slot, self.inside)
            if set(bundle.get(slot.epoch, ())) != slot.terms.realms:
                raise ForgedSlot(slot.id)
            oldest_epoch = min(bundle, default=slot.epoch)
        else:
            _check_kind(slot, TokenKind.ORDINARY)
            if owner_keyring is None:
                raise VaultLocked
            bundle, oldest_epoch = (
                owner_keyring.derive_keys_by_epoch(slot.terms.realms),
                owner_keyring.oldest_epoch,
            )
        return RealmKeyring(owner=slot.owner, epoch=slot.epoch, realm_keys=bundle, oldest_epoch=oldest_epoch)

    def build_drop_key(self) -> DropKey:
        """Return the key with which a "drop" token seals texts to its owner."""
        _check_kind(self.slot, TokenKind.DROP)
        return DropKey(public=self.inside[:KEY_BYTES], authenticator=self.inside[KEY_BYTES:])


def open_token_slot(
    slot: TokenSlot, token: TokenText, *, current_epoch: int, owner_keyring: Keyring | None = None
) -> OpenedTokenSlot:
    """Verify a slot of any kind with its token, and return its contents.

    If the owner's keyring is given, also check that the owner has set the terms. Raise WrongSecret,
    ForgedSlot, SlotBehind, SlotAhead, UnknownAuthenticator or VaultLocked.
    """
    authenticator, private_key = _open_private(slot, token)
    inside = b""
    match slot.terms.kind:
        case TokenKind.AWAY:
            inside = _open_box(slot, private_key)
        case TokenKind.DROP:
            inside = _read_public_key(slot) + authenticator
    _check_epoch(slot, current_epoch=current_epoch)
    if owner_keyring is not None:
        _check_terms(slot, authenticator, keyring=owner_keyring)
    return OpenedTokenSlot(slot, inside)


def check_secret(slot: TokenSlot, token: TokenText, *, current_epoch: int) -> None:
    """Raise a SlotError unless a token belongs to this slot and epoch; the keys of its realms stay sealed."""
    _open_private(slot, token)
    _check_epoch(slot, current_epoch=current_epoch)


def open_authenticator(slot: TokenSlot, *, keyring: Keyring) -> bytes:
    """Return the authenticator (the key of the MACs) of a slot. This needs the owner's keyring, but no token.

    Raise UnknownAuthenticator if the owner did not set these terms, ForgedSlot, or VaultLocked if the keyring
    was closed.
    """
    authenticator = _unseal_authenticator(slot, keyring=keyring)
    _check_mac(slot, authenticator=authenticator)
    return authenticator


def renew_token_slot(slot: TokenSlot, *, keyring: Keyring, vault_public_key: bytes = b"") -> TokenSlot:
    """Return a token's slot with the keys of the keyring's epoch; the token remains valid.

    The keyring must hold the data key of the slot's epoch, as its current or as a former one. Raise
    UnknownAuthenticator, ForgedSlot, SlotAhead or VaultLocked.
    """
    if slot.epoch > keyring.epoch:
        raise SlotAhead(slot.id)
    authenticator = open_authenticator(slot, keyring=keyring)
    return _seal_box(slot, authenticator=authenticator, keyring=keyring, vault_public_key=vault_public_key)


def compute_drop_mac(authenticator: bytes, *, box: bytes, context: Context) -> bytes:
    """Return the MAC of `context` and `box`, a text sealed with a token of the kind "drop"."""
    encoded = context.encode(envelopes.NO_EPOCH)
    data = _U32.pack(len(encoded)) + encoded + box
    return blake2b(data, key=authenticator, digest_size=32, person=_DROP_MAC_PERSON).digest()


def check_drop_mac(authenticator: bytes, mac: bytes, *, box: bytes, context: Context) -> None:
    """Raise NotAuthentic if `mac` is not the MAC of `box`, a text sealed with a token of the kind "drop".

    The key of the MAC is `authenticator`. The MAC is also computed from `context`.
    """
    if not hmac.compare_digest(mac, compute_drop_mac(authenticator, box=box, context=context)):
        raise NotAuthentic


def _seal_box(
    slot: TokenSlot, *, authenticator: bytes, keyring: Keyring, vault_public_key: bytes
) -> TokenSlot:
    """Return the slot of the keyring's epoch, with a matching box, MAC and sealed authenticator."""
    slot = replace(slot, epoch=keyring.epoch)
    slot = replace(slot, box=_build_box(slot, keyring=keyring, vault_public_key=vault_public_key))
    return replace(
        slot,
        mac=_compute_mac(slot, authenticator=authenticator),
        sealed_authenticator=envelopes.seal(
            key=keyring.slots_key(),
            plaintext=authenticator,
            context=_build_context(slot, "token.authenticator"),
            epoch=keyring.epoch,
        ),
    )


def _build_box(slot: TokenSlot, *, keyring: Keyring, vault_public_key: bytes) -> bytes:
    head = _encode_head(slot)
    match slot.terms.kind:
        case TokenKind.ORDINARY:
            return b""
        case TokenKind.DROP:
            if len(vault_public_key) != KEY_BYTES:
                raise ValueError("A token of the kind drop needs the public key of a vault.")
            return head + vault_public_key
        case TokenKind.AWAY:
            keys = list(_encode_keys(keyring.derive_keys_by_epoch(slot.terms.realms)))
            inside = head + _COUNT.pack(len(keys)) + b"".join(keys)
            return bytes(crypto_box_seal(inside, slot.public_key))


def _encode_keys(bundle: Bundle) -> Iterator[bytes]:
    for epoch in sorted(bundle):
        for realm in sorted(bundle[epoch], key=lambda realm: realm.value):
            name, keys = realm.value.encode("ascii"), bundle[epoch][realm]
            yield (
                _NAME_HEAD.pack(epoch, len(name))
                + name
                + _KEYS.pack(keys.sealing, keys.blinding, keys.columns)
            )


def _open_box(slot: TokenSlot, private_key: bytes) -> bytes:
    """Return what is in the box of the kind "away"; raise ForgedSlot if it is not a box of this slot."""
    try:
        inside = bytes(crypto_box_seal_open(slot.box, slot.public_key, private_key))
    except (_SodiumError, TypeError, ValueError):
        raise ForgedSlot(slot.id) from None
    _parse_bundle(slot, inside)
    return inside


def _read_public_key(slot: TokenSlot) -> bytes:
    """Return what is in the box of the kind "drop"; raise ForgedSlot if it is not a box of this slot."""
    head = _encode_head(slot)
    if len(slot.box) != len(head) + KEY_BYTES or not hmac.compare_digest(slot.box[: len(head)], head):
        raise ForgedSlot(slot.id)
    return slot.box[len(head) :]


def _parse_bundle(slot: TokenSlot, inside: bytes) -> dict[int, dict[Realm, RealmKeys]]:
    """Return the keys in an opened box; raise ForgedSlot if it is not a box of this slot and epoch."""
    head, found = _encode_head(slot), dict[int, dict[Realm, RealmKeys]]()
    if not hmac.compare_digest(inside[: len(head)], head):
        raise ForgedSlot(slot.id)
    try:
        (count,) = _COUNT.unpack_from(inside, len(head))
        at = len(head) + _COUNT.size
        for _ in range(count):
            epoch, length = _NAME_HEAD.unpack_from(inside, at)
            at += _NAME_HEAD.size
            realm = _REALMS_BY_NAME[inside[at : at + length]]
            at += length
            found.setdefault(epoch, {})[realm] = RealmKeys(*_KEYS.unpack_from(inside, at))
            at += _KEYS.size
    except (struct.error, KeyError):
        raise ForgedSlot(slot.id) from None
    if at != len(inside):
        raise ForgedSlot(slot.id)
    return found


def _check_kind(slot: TokenSlot, kind: TokenKind) -> None:
    if slot.terms.kind is not kind:
        raise ValueError(f"The token is of the kind {slot.terms.kind.value}.")


def _check_terms(slot: TokenSlot, authenticator: bytes, *, keyring: Keyring) -> None:
    """Raise UnknownAuthenticator if the owner did not create a token with these terms.

    Pass the authenticator with which the slot's MAC was checked. Raise VaultLocked if the keyring was closed.
    """
    if not hmac.compare_digest(authenticator, _unseal_authenticator(slot, keyring=keyring)):
        raise UnknownAuthenticator(slot.id)


def _unseal_authenticator(slot: TokenSlot, *, keyring: Keyring) -> bytes:
    try:
        return envelopes.unseal(
            key=keyring.slots_key(slot.epoch),
            envelope=slot.sealed_authenticator,
            context=_build_context(slot, "token.authenticator"),
        )
    except EnvelopeError:
        raise UnknownAuthenticator(slot.id) from None


def _check_epoch(slot: TokenSlot, *, current_epoch: int) -> None:
    if slot.epoch < current_epoch:
        raise SlotBehind(slot.id)
    if slot.epoch > current_epoch:
        raise SlotAhead(slot.id)


def _open_private(slot: TokenSlot, token: TokenText) -> tuple[bytes, bytes]:
    """Return authenticator and private key, after checking the MAC; raise WrongSecret or ForgedSlot."""
    try:
        opened = envelopes.unseal(
            key=token.derive_key(),
            envelope=slot.sealed_private,
            context=_build_context(slot, "token.private"),
        )
    except NotAuthentic:
        raise WrongSecret(slot.id) from None
    except EnvelopeError:
        raise ForgedSlot(slot.id) from None
    authenticator, private_key = opened[:KEY_BYTES], opened[KEY_BYTES:]
    if len(private_key) != len(slot.public_key):
        raise ForgedSlot(slot.id)
    _check_mac(slot, authenticator=authenticator)
    return authenticator, private_key


def _check_mac(slot: TokenSlot, *, authenticator: bytes) -> None:
    if not hmac.compare_digest(_compute_mac(slot, authenticator=authenticator), slot.mac):
        raise ForgedSlot(slot.id)


def _compute_mac(slot: TokenSlot, *, authenticator: bytes) -> bytes:
    data = _build_context(slot, "token.mac").encode(slot.epoch) + _U32.pack(len(slot.box)) + slot.box
    return blake2b(data, key=authenticator, digest_size=32, person=_MAC_PERSON).digest()


def _encode_head(slot: TokenSlot) -> bytes:
    return _BOX_HEAD.pack(_BOX_FORMAT, slot.owner.bytes, slot.id.bytes, slot.epoch)


def _build_context(slot: TokenSlot, label: str) -> Context:
    bound = (*slot.terms.bound, ("public_key", slot.public_key))
    return Context(purpose="token", label=label, row=slot.id, owner=slot.owner, bound=bound)
