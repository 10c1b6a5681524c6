"""Terms of an access token: what its owner decided when creating it; they never change.

    kind            "ordinary"   opens its realms while its owner has unlocked their diary in a browser
                    "away"       opens its realms always
                    "drop"       opens nothing, and seals texts to its owner always
    scopes          names of SCOPES; a token of the kind "drop" has "drop" alone, and no other has it
    created_at      the moment by the wall clock, in whole seconds
    lifetime_days   how long it is valid, or 0 without limit
    created_epoch   the epoch in which it was created
    writes_own_text whether its texts count as typed by its owner
    reads_untrusted whether it also reads texts that its owner did not write

The kinds and the names of scopes are frozen. Access to realms is enforced by keys, since a token has only the
keys of the realms of its scopes. Within a realm, the server enforces which scopes may read and which may
write.

Each term is bound to the slot (`token_slots`) under its name above, encoded as:

    kind                                 UTF-8
    scopes                               the names in the order of their bytes, joined by spaces, UTF-8
    created_at                           u64, seconds since 1970
    lifetime_days, created_epoch         u32
    writes_own_text, reads_untrusted     one byte, 1 or 0
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import Enum

from llamora.crypto.realms import Realm

_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")

# Never `vault`: what opens there opens everything.
SCOPES: dict[str, frozenset[Realm]] = {
    "drop": frozenset(),
    "facts:read": frozenset({Realm.FACTS}),
    "facts:propose": frozenset({Realm.FACTS}),
    "facts:write": frozenset({Realm.FACTS}),
    "diary:read": frozenset({Realm.CONTENT}),
    "diary:write": frozenset({Realm.CONTENT}),
    "notes": frozenset({Realm.NOTES}),
    "chat": frozenset({Realm.CONTENT, Realm.FACTS, Realm.NOTES}),
    "export": frozenset({Realm.CONTENT, Realm.FACTS, Realm.NOTES}),
}
_DROP_SCOPES = frozenset({"drop"})


class TokenKind(Enum):
    """A kind of access token; the value is its frozen name."""

    ORDINARY = "ordinary"
    AWAY = "away"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTerms:
    """The terms of an access token: its kind, scopes, creation, lifetime and rights.

    Raises ValueError for numbers that are out of range, or scopes that do not fit the kind. `bound` contains
    the terms, encoded as the values to which envelopes are bound.
    """

    kind: TokenKind
    scopes: frozenset[str]
    created_at: int
    created_epoch: int
    lifetime_days: int = 0
    writes_own_text: bool = False
    reads_untrusted: bool = False
    bound: tuple[tuple[str, bytes], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.scopes or not self.scopes <= SCOPES.keys():
            raise ValueError("A token has one or more known scopes.")
        if (self.kind is TokenKind.DROP) != (self.scopes == _DROP_SCOPES) or (
            self.kind is not TokenKind.DROP and "drop" in self.scopes
        ):
            raise ValueError("The scope drop belongs to the kind drop alone.")
        # Once: each check of a token needs it several times.
        object.__setattr__(self, "bound", self._encode_bound_values())

    @property
    def realms(self) -> frozenset[Realm]:
        """The realms that the scopes need."""
        return frozenset[Realm]().union(*(SCOPES[scope] for scope in self.scopes))

    def _encode_bound_values(self) -> tuple[tuple[str, bytes], ...]:
        try:
            return (
                ("kind", self.kind.value.encode()),
                ("scopes", " ".join(sorted(self.scopes)).encode()),
                ("created_at", _U64.pack(self.created_at)),
                ("lifetime_days", _U32.pack(self.lifetime_days)),
                ("created_epoch", _U32.pack(self.created_epoch)),
                ("writes_own_text", bytes([self.writes_own_text])),
                ("reads_untrusted", bytes([self.reads_untrusted])),
            )
        except struct.error:
            raise ValueError("A number of a token is out of range.") from None
