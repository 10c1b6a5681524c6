"""The data key of a session, sealed under a key that is derived from three separately stored parts.

    half         32 random bytes, only in the browser's cookie
    salt         16 to 64 random bytes, in the session's row
    run secret   32 random bytes, in memory of the running machine

    key     = BLAKE2b(key = half, digest length 32, personalisation = "llamora.session" (zeros to 16),
                      data = u16 big-endian length of salt | salt | run secret)
    wrapped = an envelope (see `llamora.crypto.envelope`) of the data key's 32 bytes under that key,
              with its epoch and context purpose "session", label "session.dek",
              row = the session row's id, owner, nothing bound
    hash    = BLAKE2b(data = half, digest length 32, no key, personalisation = "llamora.half" (zeros to 16))

The row holds wrapped and hash. The hash needs no salt and no cost: 256 random bits cannot be guessed.
"""

from __future__ import annotations

import struct
from hashlib import blake2b
from uuid import UUID

from llamora.crypto import envelope as envelopes
from llamora.crypto.context import Context
from llamora.crypto.entropy import KEY_BYTES
from llamora.crypto.errors import WrongEpoch

_KEY_PERSON = b"llamora.session"
_HASH_PERSON = b"llamora.half"
_SHORTEST_SALT = 16
_LONGEST_SALT = 64
_U16 = struct.Struct(">H")


def wrap_dek(
    *, dek: bytes, half: bytes, salt: bytes, run_secret: bytes, row: UUID, owner: UUID, epoch: int
) -> bytes:
    """Return the data key sealed for one session row."""
    key = _derive_session_key(half=half, salt=salt, run_secret=run_secret)
    return envelopes.seal(key=key, plaintext=dek, context=_build_context(row=row, owner=owner), epoch=epoch)


def unwrap_dek(
    *, wrapped: bytes, half: bytes, salt: bytes, run_secret: bytes, row: UUID, owner: UUID, epoch: int
) -> bytes:
    """Return the data key of a session row; raise an EnvelopeError if an argument belongs to another row."""
    if envelopes.read_header(wrapped).epoch != epoch:
        raise WrongEpoch
    key = _derive_session_key(half=half, salt=salt, run_secret=run_secret)
    return envelopes.unseal(key=key, envelope=wrapped, context=_build_context(row=row, owner=owner))


def hash_half(half: bytes) -> bytes:
    """Return the BLAKE2 hash of `half`, the part of a session's secrets that only the cookie contains.

    The session's row stores this hash, but not `half`.
    """
    return blake2b(half, digest_size=32, person=_HASH_PERSON).digest()


def _derive_session_key(*, half: bytes, salt: bytes, run_secret: bytes) -> bytes:
    if len(half) != KEY_BYTES or len(run_secret) != KEY_BYTES:
        raise ValueError("A cookie half and a run secret have 32 bytes each.")
    if not _SHORTEST_SALT <= len(salt) <= _LONGEST_SALT:
        raise ValueError("A session's salt has 16 to 64 bytes.")
    data = _U16.pack(len(salt)) + salt + run_secret
    return blake2b(data, key=half, digest_size=KEY_BYTES, person=_KEY_PERSON).digest()


def _build_context(*, row: UUID, owner: UUID) -> Context:
    return Context(purpose="session", label="session.dek", row=row, owner=owner)
