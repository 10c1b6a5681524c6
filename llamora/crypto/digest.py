"""BLAKE2 digests under a secret key, which show whether the source of a derived text has changed.

Without the key, a digest reveals nothing about the text.

    BLAKE2b(key = a digest key of 32 bytes, digest length 32,
            personalisation = "llamora.digest", zeros behind it up to 16 bytes,
            data = for each part: u64 big-endian length of the part | the part)

The length of each part is digested too, so ["ab", "c"] and ["a", "bc"] differ, as do [] and [""].
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from hashlib import blake2b

_PERSON = b"llamora.digest"
_U64 = struct.Struct(">Q")


def digest(key: bytes, parts: Iterable[bytes]) -> bytes:
    """Return the 32-byte digest of a sequence of parts under a person's digest key."""
    state = blake2b(key=key, digest_size=32, person=_PERSON)
    for part in parts:
        state.update(_U64.pack(len(part)))
        state.update(part)
    return state.digest()
