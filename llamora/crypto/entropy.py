"""Random bytes for keys, salts and nonces, from the operating system's generator."""

from __future__ import annotations

import os

KEY_BYTES = 32


def secret_bytes(length: int = KEY_BYTES) -> bytes:
    """Return new random bytes that may be used as a key."""
    return os.urandom(length)
