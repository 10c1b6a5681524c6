"""Key derivation with Argon2id: turns a person's password or recovery code into a key-encrypting key.

    KEK = Argon2id(password = the secret, NFKC normalised, as UTF-8 ("surrogatepass"),
                   salt = the slot's salt, 16 to 64 bytes,
                   m = memory_kib KiB, t = time, p = lanes, version 0x13 (19),
                   no key, no associated data, tag length 32)

Source: RFC 9106. The parameters are stored in the database, where an attacker may change them. So they must
be at least FLOOR (with less, a secret would be cheap to guess) and at most CEILING (with more, a sign-in
could need 64 GiB). The household's settings, which are not in the database, can set a higher cost, up to
HIGHEST.
"""

from __future__ import annotations

import unicodedata
from dataclasses import astuple, dataclass

from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw

from llamora.crypto.entropy import KEY_BYTES, secret_bytes
from llamora.crypto.errors import BadCost, DerivationFailed

SALT_BYTES = 16
MAX_SALT_BYTES = 64
_VERSION = 19


@dataclass(frozen=True, slots=True, order=False)
class Cost:
    """Cost of one derivation: KiB of memory, passes over the memory, parallel lanes."""

    memory_kib: int
    time: int
    lanes: int

    def __post_init__(self) -> None:
        if not all(type(part) is int and part >= 1 for part in astuple(self)):
            raise BadCost

    def is_within(self, *, floor: Cost, ceiling: Cost) -> bool:
        """Return whether each parameter is between the parameters of `floor` and `ceiling`."""
        return all(
            low <= part <= high
            for low, part, high in zip(astuple(floor), astuple(self), astuple(ceiling), strict=True)
        )


# RFC 9106, section 4: the second recommended choice.
DEFAULT_COST = Cost(memory_kib=64 * 1024, time=3, lanes=4)
# Read at each check, from this module, and by no setting: only a test-suite may put a lower one here.
FLOOR = Cost(memory_kib=64 * 1024, time=3, lanes=1)
# About two seconds of one processor: what a changed row can cost at most.
CEILING = Cost(memory_kib=256 * 1024, time=6, lanes=16)
HIGHEST = Cost(memory_kib=1024 * 1024, time=12, lanes=16)


def check_cost(cost: Cost, *, floor: Cost | None = None, ceiling: Cost | None = None) -> None:
    """Raise BadCost unless each parameter is between floor and ceiling, by default FLOOR and CEILING."""
    if not cost.is_within(floor=floor or FLOOR, ceiling=ceiling or CEILING):
        raise BadCost
    # RFC 9106, section 3.1: at least 8 KiB a lane.
    if cost.memory_kib < 8 * cost.lanes:
        raise BadCost


def new_salt() -> bytes:
    """Return a new random salt."""
    return secret_bytes(SALT_BYTES)


def derive(*, secret: str, salt: bytes, cost: Cost) -> bytes:
    """Return the 32-byte key of a secret; deliberately slow, so call it through a `DerivationQueue`."""
    check_cost(cost, ceiling=HIGHEST)
    if not SALT_BYTES <= len(salt) <= MAX_SALT_BYTES:
        raise ValueError("A salt has 16 to 64 bytes.")
    try:
        return hash_secret_raw(
            secret=unicodedata.normalize("NFKC", secret).encode("utf-8", "surrogatepass"),
            salt=salt,
            time_cost=cost.time,
            memory_cost=cost.memory_kib,
            parallelism=cost.lanes,
            hash_len=KEY_BYTES,
            type=Type.ID,
            version=_VERSION,
        )
    except HashingError:
        raise DerivationFailed from None
