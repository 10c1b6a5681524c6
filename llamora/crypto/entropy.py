"""Random bytes for keys, salts and nonces: the operating system's generator and nothing else."""

from __future__ import annotations

import os

KEY_BYTES = 32


def secret_bytes(length: int = KEY_BYTES) -> bytes:
    """Return fresh random bytes fit for a key."""
    return os.urandom(length)
