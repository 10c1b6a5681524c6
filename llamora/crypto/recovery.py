"""Recovery codes: 160 random bits to write on paper, typed back leniently.

    code       36 characters in 9 groups of 4, joined by "-"
    letters    Crockford's base32: 0123456789ABCDEFGHJKMNPQRSTVWXYZ, 5 bits each, most significant first
    first 32   the 160 random bits; upper case and without dashes they are the secret that Argon2id is given
    last 4     checksum: the first 20 bits, most significant first, of
               BLAKE2b(data = the first 32 characters in ASCII, digest length 32, no key,
                       personalisation = "llamora.recovery")

Typing: upper or lower case, wide forms (NFKC), any spaces and dashes anywhere, O for 0, I and L for 1. One
wrong character passes the checksum once in a million times; what it then yields does not open the slot.
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
    """Return a new code as it is shown: groups joined by dashes."""
    secret = _base32(int.from_bytes(secret_bytes(_SECRET_BITS // 8), "big"), length=_SECRET_LETTERS)
    whole = secret + _checksum(secret)
    return "-".join(whole[at : at + GROUP] for at in range(0, len(whole), GROUP))


def groups(code: str) -> list[str]:
    """Return the groups of a code as it is shown."""
    return code.split("-")


def parse(text: str) -> str:
    """Return the secret of a code however it was typed; raise BadRecoveryCode if it is none."""
    typed = letters(text)
    secret, check = typed[:_SECRET_LETTERS], typed[_SECRET_LETTERS:]
    if len(typed) != GROUP * GROUPS or not set(typed) <= set(_LETTERS) or check != _checksum(secret):
        raise BadRecoveryCode
    return secret


def letters(text: str) -> str:
    """Return what somebody typed, a code or a part of one, in the letters that codes are made of."""
    return "".join(filter(_counts, unicodedata.normalize("NFKC", text).upper())).translate(_LOOKALIKES)


def _counts(character: str) -> bool:
    """Tell whether a character is more than a space, a dash or an invisible mark."""
    return not character.isspace() and unicodedata.category(character) not in ("Pd", "Cf", "Cc")


def _checksum(secret: str) -> str:
    digest = blake2b(secret.encode("ascii"), digest_size=32, person=_PERSON).digest()
    bits = 5 * _CHECK_LETTERS
    return _base32(int.from_bytes(digest[:4], "big") >> (32 - bits), length=_CHECK_LETTERS)


def _base32(number: int, *, length: int) -> str:
    return "".join(_LETTERS[number >> 5 * at & 31] for at in reversed(range(length)))
