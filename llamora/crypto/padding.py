"""Padding that hides the length of a plaintext: the Padme scheme, with at least 64 bytes.

    u32 big-endian   n, the length of the plaintext in bytes
    n bytes          the plaintext
    z bytes          zeros, so that the whole is padded_size(n) bytes long

With L = max(64, 4 + n): E = floor(log2 L), S = floor(log2 E) + 1, and padded_size is L rounded up to a
multiple of 2 ** (E - S). At most 12 % is added to L, and a length reveals O(log log L) bits instead of log L.
Source: Nikitin, Barman, Lueks, Underwood, Hubaux, Ford: "Reducing Metadata Leakage from Encrypted Files and
Communication with PURBs", PoPETs 2019, section 4.

`unpad` accepts only output of `pad`, so each plaintext has exactly one padded form.
"""

from __future__ import annotations

import struct
from functools import lru_cache

from llamora.crypto.errors import BadPadding

SMALLEST = 64
_LENGTH = struct.Struct(">I")
_MAX_PLAINTEXT = 2**32 - 1


@lru_cache(maxsize=4096)
def padded_size(length: int) -> int:
    """Return the length in bytes that a plaintext of this length has after padding."""
    total = max(SMALLEST, _LENGTH.size + length)
    exponent = total.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (total + mask) & ~mask


def pad(plaintext: bytes) -> bytes:
    """Return the plaintext with its length before it and zeros after it."""
    length = len(plaintext)
    if length > _MAX_PLAINTEXT:
        raise ValueError("A plaintext is shorter than 4 GiB.")
    return (_LENGTH.pack(length) + plaintext).ljust(padded_size(length), b"\0")


def unpad(padded: bytes) -> bytes:
    """Return the plaintext; raise BadPadding if `padded` is not an output of `pad`."""
    if len(padded) < SMALLEST:
        raise BadPadding
    (length,) = _LENGTH.unpack_from(padded)
    end = _LENGTH.size + length
    if len(padded) != padded_size(length) or padded.count(0, end) != len(padded) - end:
        raise BadPadding
    return padded[_LENGTH.size : end]
