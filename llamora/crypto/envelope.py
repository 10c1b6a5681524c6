"""The envelope: the format of bytes in which every sealed value is stored.

    1 byte      format
    u32         epoch of the key, big-endian
    24 bytes    nonce, random, made inside `seal`
    the rest    ciphertext followed by its tag of 16 bytes

The format byte and the epoch are in the same place in every format, because fence triggers and rotations
read them from any envelope.

Format 1
    algorithm   XChaCha20-Poly1305 IETF (draft-irtf-cfrg-xchacha-03), key of 32 bytes
    plaintext   padded as in `llamora.crypto.padding`, so at least 64 bytes
    AAD         the format byte (1), then `Context.encode(epoch)` as in `llamora.crypto.context`

The format byte, never a setting, decides how an envelope is opened. A later format gets a number and an
entry in `FORMATS`, and `seal` writes the format with the highest number. Format 1 stays readable for ever,
and `reseal` rewrites rows in the newest format. Epoch 0 (`NO_EPOCH`) marks envelopes under keys that no
rotation replaces, such as a slot's private key under its key-encrypting key.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt as _decrypt,
)
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_encrypt as _encrypt,
)
from nacl.exceptions import CryptoError as _SodiumError

from llamora.crypto.context import Context
from llamora.crypto.errors import NotAuthentic, Truncated, UnknownFormat
from llamora.crypto.padding import SMALLEST, pad, unpad

FORMAT = 1
NO_EPOCH = 0
NONCE_BYTES = 24
TAG_BYTES = 16

_HEADER = struct.Struct(">BI")
_BODY_AT = _HEADER.size + NONCE_BYTES
_SHORTEST = _BODY_AT + SMALLEST + TAG_BYTES
_AAD_PREFIX = bytes([FORMAT])


@dataclass(frozen=True, slots=True)
class Format:
    """A format of envelopes: the functions that seal and unseal it, called like those of format 1."""

    seal: Callable[[bytes, bytes, Context, int], bytes]
    unseal: Callable[[bytes, bytes, Context], bytes]


class Header(NamedTuple):
    """The header of an envelope, readable without a key."""

    format: int
    epoch: int


def read_header(envelope: bytes) -> Header:
    """Return the format and epoch of an envelope without opening it."""
    if not envelope:
        raise Truncated
    if envelope[0] not in FORMATS:
        raise UnknownFormat
    if len(envelope) < _HEADER.size:
        raise Truncated
    return Header(*_HEADER.unpack_from(envelope))


def newest_format() -> int:
    """Return the number of the format that `seal` writes."""
    return max(FORMATS)


def newest_header(epoch: int) -> bytes:
    """Return the first bytes of every envelope that `seal` writes under a key of this epoch."""
    return _HEADER.pack(newest_format(), epoch)


def seal(*, key: bytes, plaintext: bytes, context: Context, epoch: int) -> bytes:
    """Return an envelope of the newest format with the plaintext, bound to its context."""
    return FORMATS[max(FORMATS)].seal(key, plaintext, context, epoch)


def unseal(*, key: bytes, envelope: bytes, context: Context) -> bytes:
    """Return the plaintext; raise an EnvelopeError if key, context or bytes differ from those at sealing."""
    found = FORMATS.get(envelope[0]) if envelope else None
    if found is None:
        raise UnknownFormat if envelope else Truncated
    return found.unseal(key, envelope, context)


def _seal_format_1(key: bytes, plaintext: bytes, context: Context, epoch: int) -> bytes:
    aad = _AAD_PREFIX + context.encode(epoch)
    nonce = os.urandom(NONCE_BYTES)
    return _HEADER.pack(FORMAT, epoch) + nonce + _encrypt(pad(plaintext), aad, nonce, key)


def _unseal_format_1(key: bytes, envelope: bytes, context: Context) -> bytes:
    if len(envelope) < _SHORTEST:
        raise Truncated
    epoch: int = _HEADER.unpack_from(envelope)[1]
    nonce = envelope[_HEADER.size : _BODY_AT]
    try:
        padded = _decrypt(envelope[_BODY_AT:], _AAD_PREFIX + context.encode(epoch), nonce, key)
    except _SodiumError:
        raise NotAuthentic from None
    return unpad(padded)


FORMATS: dict[int, Format] = {FORMAT: Format(seal=_seal_format_1, unseal=_unseal_format_1)}
