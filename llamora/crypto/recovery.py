"""Recovery codes: 160 random bits that a person writes on paper; common typing differences are accepted.

    code       36 characters in 9 groups of 4, joined by "-"
    letters    Crockford's base32: 0123456789ABCDEFGHJKMNPQRSTVWXYZ, 5 bits each, most significant first
    first 32   the 160 random bits; upper case and without dashes they are the secret for Argon2id
    last 4     checksum: the first 20 bits, most significant first, of
               BLAKE2b(data = the first 32 characters in ASCII, digest length 32, no key,
                       personalisation = "llamora.recovery")

Accepted: upper or lower case, wide forms (NFKC), any spaces and dashes anywhere, O for 0, I and L for 1. A
code with one wrong character passes the checksum once in a million times; it then does not open the slot.
"""

from __future__ import annotations

import unicodedata
from hashlib import blake2b

from llamora.crypto.entropy import secret_bytes
from llamora.crypto.errors import BadRecoveryCode

GROUP = 4
GROUPS = 9

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SECRET_BITS = 160
_SECRET_LETTERS = 32
_CHECK_LETTERS = 4
_PERSON = b"llamora.recovery"
_LOOKALIKES = str.maketrans("OIL", "011")


def new_code() -> str:
    """Return a new code in the form in which it is shown: groups joined by dashes."""
    secret = _encode_base32(int.from_bytes(secret_bytes(_SECRET_BITS // 8), "big"), length=_SECRET_LETTERS)
    whole = secret + _compute_checksum(secret)
    return "-".join(whole[at : at + GROUP] for at in range(0, len(whole), GROUP))


def groups(code: str) -> list[str]:
    """Return the groups of four characters of a code."""
    return code.split("-")


def parse(text: str) -> str:
    """Return the secret of a typed code; raise BadRecoveryCode if it is not a recovery code."""
    typed = normalize(text)
    secret, check = typed[:_SECRET_LETTERS], typed[_SECRET_LETTERS:]
    if len(typed) != GROUP * GROUPS or not set(typed) <= set(_LETTERS) or check != _compute_checksum(secret):
        raise BadRecoveryCode
    return secret


def normalize(text: str) -> str:
    """Return a typed code, or a part of one, in upper case without spaces and dashes."""
    return "".join(filter(_is_code_character, unicodedata.normalize("NFKC", text).upper())).translate(
        _LOOKALIKES
    )


def _is_code_character(character: str) -> bool:
    """Return False for a space, a dash or an invisible character, else True."""
    return not character.isspace() and unicodedata.category(character) not in ("Pd", "Cf", "Cc")


def _compute_checksum(secret: str) -> str:
    digest = blake2b(secret.encode("ascii"), digest_size=32, person=_PERSON).digest()
    bits = 5 * _CHECK_LETTERS
    return _encode_base32(int.from_bytes(digest[:4], "big") >> (32 - bits), length=_CHECK_LETTERS)


def _encode_base32(number: int, *, length: int) -> str:
    return "".join(_LETTERS[number >> 5 * at & 31] for at in reversed(range(length)))
