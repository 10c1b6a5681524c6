"""The text of an access token, which the program stores and the server does not.

    token    "llamora_" | id, 26 letters | "_" | secret, 52 letters | "_" | check, 6 letters
    letters  Crockford's base32 in lower case, 0123456789abcdefghjkmnpqrstvwxyz, 5 bits each: the number in
             big-endian order, with zero bits before it
    id       16 bytes, the UUID of the token's row
    secret   32 random bytes
    check    the first 30 bits, most significant first, of
             BLAKE2b(data = everything before the last "_" in ASCII, digest length 32, no key,
                     personalisation = "llamora.tokcheck")

A token has one spelling. It is copied and not typed, so only white space around it is removed. The check
distinguishes a damaged copy from a revoked token; it is not secret.

    key-encrypting key   BLAKE2b(key = secret, data = id, digest length 32,
                                 personalisation = "llamora.token", zeros behind it up to 16 bytes)

    idempotency digest   BLAKE2b(key = secret, digest length 32, personalisation = "llamora.tokcall",
                                 data = u16 big-endian length of the purpose | purpose, ASCII | the value)

No Argon2: 256 random bits cannot be guessed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from hashlib import blake2b
from uuid import UUID

from llamora.crypto.entropy import KEY_BYTES, secret_bytes
from llamora.crypto.errors import DamagedToken, NoToken

PREFIX = "llamora_"

_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
# To the digits of Python's numbers in base 32.
_TO_DIGITS = str.maketrans(_LETTERS, "0123456789abcdefghijklmnopqrstuv")
_ID_LETTERS, _SECRET_LETTERS, _CHECK_LETTERS = 26, 52, 6
_LENGTH = len(PREFIX) + _ID_LETTERS + 1 + _SECRET_LETTERS + 1 + _CHECK_LETTERS
_CHECK_PERSON = b"llamora.tokcheck"
_KEY_PERSON = b"llamora.token"
_CALL_PERSON = b"llamora.tokcall"
_U16 = struct.Struct(">H")


@dataclass(frozen=True, slots=True)
class TokenText:
    """The id and the secret of an access token."""

    id: UUID
    secret: bytes = field(repr=False)

    def encode(self) -> str:
        """Return the text of the token, with its secret."""
        text = f"{PREFIX}{_encode(self.id.bytes, _ID_LETTERS)}_{_encode(self.secret, _SECRET_LETTERS)}"
        return f"{text}_{_compute_check(text)}"

    def derive_key(self) -> bytes:
        """Return the key-encrypting key of the token's slot."""
        return blake2b(self.id.bytes, key=self.secret, digest_size=KEY_BYTES, person=_KEY_PERSON).digest()

    def compute_digest(self, purpose: str, data: bytes) -> bytes:
        """Return a digest of 32 bytes that only the token's holder can compute; the same in every epoch."""
        name = purpose.encode("ascii")
        said = _U16.pack(len(name)) + name + data
        return blake2b(said, key=self.secret, digest_size=32, person=_CALL_PERSON).digest()


def new_token(token_id: UUID) -> TokenText:
    """Return a new token with this id."""
    return TokenText(token_id, secret_bytes(KEY_BYTES))


def parse_token(text: str) -> TokenText:
    """Return the parsed token; raise NoToken, or DamagedToken if characters are wrong or missing."""
    text = text.strip()
    if not text.startswith(PREFIX):
        raise NoToken
    body, _, check = text.rpartition("_")
    token_id, _, secret = body[len(PREFIX) :].partition("_")
    if len(text) != _LENGTH or len(token_id) != _ID_LETTERS or check != _compute_check(body):
        raise DamagedToken
    return TokenText(UUID(bytes=_decode(token_id, length=16)), _decode(secret, length=KEY_BYTES))


def _encode(data: bytes, letters: int) -> str:
    number = int.from_bytes(data, "big")
    return "".join(_LETTERS[number >> 5 * at & 31] for at in reversed(range(letters)))


def _decode(text: str, *, length: int) -> bytes:
    # `int` alone would take signs, spaces, capitals, and digits of other scripts.
    if not text or text.strip(_LETTERS):
        raise DamagedToken
    try:
        return int(text.translate(_TO_DIGITS), 32).to_bytes(length, "big")
    except OverflowError:
        raise DamagedToken from None


def _compute_check(text: str) -> str:
    digest = blake2b(text.encode("utf-8", "replace"), digest_size=32, person=_CHECK_PERSON).digest()
    bits = 5 * _CHECK_LETTERS
    number = int.from_bytes(digest[:4], "big") >> (32 - bits)
    return "".join(_LETTERS[number >> 5 * at & 31] for at in reversed(range(_CHECK_LETTERS)))
