"""The envelope: the byte format of every sealed value.

    1 byte      format
    u32         epoch of the key, big-endian
    24 bytes    nonce, random, made inside `seal`
    the rest    ciphertext followed by its tag of 16 bytes

The format byte and the epoch are in the same place in every format, because fence triggers and rotations
read them from any envelope.

Formats 1 and 2
    algorithm   XChaCha20-Poly1305 IETF (draft-irtf-cfrg-xchacha-03), key of 32 bytes
    plaintext   padded as in `llamora.crypto.padding`, so at least 64 bytes
    AAD         the format byte, then `Context.encode(epoch)` as in `llamora.crypto.context`

The two formats differ in the keys of fields and in the columns that are bound. In format 1 the subkey
"llamora.content" (`llamora.crypto.subkeys`) seals every field; in format 2 it is the sealing key of the
label's realm (`llamora.crypto.realms`). A keyring accepts only one format in each epoch
(`llamora.crypto.keyring`); otherwise anyone who can write to the database could downgrade a row to an older
envelope of format 1. Slots and sessions are sealed under other keys. A rotation cannot reseal all of these
envelopes, so their keys open both formats. Their envelopes have epoch 0 (`NO_EPOCH`) if no data key is
involved, as for a slot's private key under its key-encrypting key.

The format byte, never a setting, decides how an envelope is opened. `seal` writes format 2. A later format
would get a new number, and an epoch from which only that format is accepted.
"""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

# `nacl.bindings` has a function for it, which checks and copies its arguments for twice as long as libsodium
# takes to decrypt a sentence. A list of facts or an export opens 100,000 of them.
from nacl._sodium import ffi as _ffi  # type: ignore[import-not-found]  # a compiled module
from nacl._sodium import lib as _sodium
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_encrypt as _encrypt,
)

from llamora.crypto.context import AnyContext, Context
from llamora.crypto.entropy import KEY_BYTES
from llamora.crypto.errors import NotAuthentic, Truncated, UnknownFormat
from llamora.crypto.padding import SMALLEST, pad, unpad

FORMAT_1, FORMAT_2 = 1, 2
FORMATS = frozenset({FORMAT_1, FORMAT_2})
NO_EPOCH = 0
NONCE_BYTES = 24
TAG_BYTES = 16

_HEADER = struct.Struct(">BI")
_BODY_AT = _HEADER.size + NONCE_BYTES
_SHORTEST = _BODY_AT + SMALLEST + TAG_BYTES


class Header(NamedTuple):
    """The header of an envelope, readable without a key."""

    format: int
    epoch: int


def encode_header(number: int, epoch: int) -> bytes:
    """Return the header of an envelope of format `number`, sealed in this epoch."""
    return _HEADER.pack(number, epoch)


def newest_header(epoch: int) -> bytes:
    """Return the header of the newest envelope format for an epoch. `seal` writes the same header."""
    return encode_header(FORMAT_2, epoch)


def read_header(envelope: bytes) -> Header:
    """Return the format and epoch of an envelope without opening it."""
    if not envelope:
        raise Truncated
    if envelope[0] not in FORMATS:
        raise UnknownFormat
    if len(envelope) < _HEADER.size:
        raise Truncated
    return Header(*_HEADER.unpack_from(envelope))


def seal(*, key: bytes, plaintext: bytes, context: Context, epoch: int) -> bytes:
    """Return an envelope of format 2 with the plaintext, bound to its context."""
    header = encode_header(FORMAT_2, epoch)
    nonce = os.urandom(NONCE_BYTES)
    return header + nonce + _encrypt(pad(plaintext), header[:1] + context.encode(epoch), nonce, key)


def unseal(*, key: bytes, envelope: bytes, context: AnyContext) -> bytes:
    """Return the plaintext; raise an EnvelopeError if key, context or bytes differ from those of `seal`."""
    if len(envelope) < _SHORTEST:
        read_header(envelope)
        raise Truncated
    number, epoch = _HEADER.unpack_from(envelope)
    if number not in FORMATS:
        raise UnknownFormat
    nonce = envelope[_HEADER.size : _BODY_AT]
    return unpad(_decrypt(envelope[_BODY_AT:], envelope[:1] + context.encode(epoch), nonce, key))


def _decrypt(ciphertext: bytes, additional: bytes, nonce: bytes, key: bytes) -> bytes:
    """Return the padded plaintext; raise NotAuthentic, or ValueError for a key of the wrong length."""
    # libsodium reads as many bytes of a key and a nonce as it needs, whatever their lengths.
    if len(key) != KEY_BYTES or len(nonce) != NONCE_BYTES:
        raise ValueError("A key has 32 bytes, and a nonce 24.")
    padded = _ffi.new("unsigned char[]", len(ciphertext) - TAG_BYTES)
    failed = _sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
        padded,
        _ffi.NULL,
        _ffi.NULL,
        ciphertext,
        len(ciphertext),
        additional,
        len(additional),
        nonce,
        key,
    )
    if failed:
        raise NotAuthentic
    opened: bytes = _ffi.buffer(padded)[:]
    return opened
