"""A person's vault key pair: values are sealed to its public key while the vault is locked.

    key pair   X25519, 32 bytes each; the caller seals the private key under the data key
    sealed     u8 format 1 | crypto_box_seal to the public key (see `llamora.crypto.slots`) of
                   binding 32 | the plaintext padded as in `llamora.crypto.padding`
    binding    BLAKE2b(data = u8 1 | Context.encode(0), or nothing when there is no context,
                       digest length 32, no key, personalisation = "llamora.sealto" (zeros to 16))

A sealed value is bound to its context, but it does not prove its author, because anyone who knows the public
key can create one. A public key from the database could also be another person's. The MACs of `browser_keys`
prove the author of a draft and the owner of the public key.
"""

from __future__ import annotations

import hmac
from hashlib import blake2b

from nacl.bindings import crypto_box_keypair, crypto_box_seal, crypto_box_seal_open, crypto_box_SEALBYTES
from nacl.exceptions import CryptoError as _SodiumError

from llamora.crypto.context import Context
from llamora.crypto.envelope import NO_EPOCH
from llamora.crypto.errors import NotAuthentic, Truncated, UnknownFormat
from llamora.crypto.padding import SMALLEST, pad, unpad

_FORMAT = b"\1"
_BINDING_BYTES = 32
_PERSON = b"llamora.sealto"
_SHORTEST = 1 + crypto_box_SEALBYTES + _BINDING_BYTES + SMALLEST


def new_vault_keys() -> tuple[bytes, bytes]:
    """Return the private and the public key of a new key pair."""
    public, private = crypto_box_keypair()
    return private, public


def seal_to(public: bytes, plaintext: bytes, *, context: Context | None = None) -> bytes:
    """Return the plaintext sealed to a public key; only the private key opens it."""
    return _FORMAT + crypto_box_seal(_compute_binding(context) + pad(plaintext), public)


def open_sealed(private: bytes, public: bytes, sealed: bytes, *, context: Context | None = None) -> bytes:
    """Return the plaintext of a sealed value; raise an EnvelopeError if this key pair does not open it."""
    if not sealed:
        raise Truncated
    if sealed[:1] != _FORMAT:
        raise UnknownFormat
    if len(sealed) < _SHORTEST:
        raise Truncated
    try:
        opened = crypto_box_seal_open(sealed[1:], public, private)
    except _SodiumError:
        raise NotAuthentic from None
    if not hmac.compare_digest(opened[:_BINDING_BYTES], _compute_binding(context)):
        raise NotAuthentic
    return unpad(opened[_BINDING_BYTES:])


def _compute_binding(context: Context | None) -> bytes:
    data = b"" if context is None else _FORMAT + context.encode(NO_EPOCH)
    return blake2b(data, digest_size=_BINDING_BYTES, person=_PERSON).digest()
