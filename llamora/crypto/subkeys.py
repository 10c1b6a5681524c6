"""Subkeys of a data key, one for each use.

    subkey = BLAKE2b(data = empty, key = data key (32 bytes), digest length 32, no salt,
                     personalisation = the ASCII label below, zeros behind it up to 16 bytes)

    llamora.content     sealed all fields in format 1; in format 2 keys of realms do (`llamora.crypto.realms`)
    llamora.snapshot    seals snapshots of search indexes
    llamora.slots       seals the authenticators of key slots

BLAKE2b as in RFC 7693; the personalisation is the parameter block's last 16 bytes.
"""

from __future__ import annotations

from enum import Enum
from hashlib import blake2b

from llamora.crypto.entropy import KEY_BYTES


class SubkeyUse(Enum):
    """The use of a subkey; the value is its frozen label."""

    CONTENT = b"llamora.content"
    SNAPSHOT = b"llamora.snapshot"
    SLOTS = b"llamora.slots"


def subkey(data_key: bytes | bytearray, use: SubkeyUse) -> bytes:
    """Return the 32-byte subkey of a data key for a use."""
    if len(data_key) != KEY_BYTES:
        raise ValueError("A data key has 32 bytes.")
    return blake2b(key=data_key, digest_size=KEY_BYTES, person=use.value).digest()
