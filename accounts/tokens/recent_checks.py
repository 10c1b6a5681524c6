"""Cache of token checks, so that repeated calls of a program are checked at less cost.

A cached check is valid only while the rows of the token, its person and their vault are identical, byte by
byte, and the owner's keyring in memory is the same, or still missing. So a change of any column, a rotation
and a lock invalidate it. Conditions outside these rows are checked at every call: the list of revoked tokens,
the register of credentials, the clock, the owner's browsers, and the rate limits.

The contents of a token's slot are cached under the token's secret (`RememberedTokenSlot`). They are dropped
when the owner's key is replaced or locked, or the token is revoked.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from accounts.signals import data_key_rotated, person_deleted, vault_locked
from accounts.tokens.open_keyrings import OpenKeyring
from llamora.crypto import RememberedTokenSlot
from llamora.database.cached_sql import StoredRow

_MOST: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentCheck:
    """The data of a successful check of a token: the token's row and slot, and the owner's keyring.

    `held` is None if the owner's keyring is not in memory.
    """

    stored: StoredRow = field(repr=False)
    held: OpenKeyring | None
    slot: RememberedTokenSlot
    created_at: datetime
    # What the token is registered as.
    mark: str


class RecentChecks:
    """Thread-safe cache of the last check of each token."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._checks: OrderedDict[UUID, RecentCheck] = OrderedDict()

    def find(self, token_id: UUID, *, stored: StoredRow) -> RecentCheck | None:
        """Return the result of a token's last verification, if the row of the token still equals `stored`.

        If the row has changed, drop the result and return None.
        """
        with self._lock:
            check = self._checks.get(token_id)
            if check is not None and check.stored != stored:
                del self._checks[token_id]
                return None
        return check

    def add(self, token_id: UUID, check: RecentCheck) -> None:
        """Store the result of a token's verification in place of the previous one."""
        with self._lock:
            self._checks[token_id] = check
            self._checks.move_to_end(token_id)
            while len(self._checks) > _MOST:
                self._checks.popitem(last=False)

    def remove(self, token_id: UUID) -> None:
        """Drop the verification result of a token, if there is one."""
        with self._lock:
            self._checks.pop(token_id, None)

    def remove_of_owner(self, owner: UUID) -> None:
        """Drop the verification results of all tokens of a person."""
        with self._lock:
            self._checks = OrderedDict(
                (id_, check) for id_, check in self._checks.items() if check.slot.slot.owner != owner
            )

    def __len__(self) -> int:
        return len(self._checks)

    def clear(self) -> None:
        """Drop all verification results."""
        with self._lock:
            self._checks.clear()


recent_checks = RecentChecks()


def _forget_of_person(sender: object, *, person_id: UUID, **_: Any) -> None:
    del sender
    recent_checks.remove_of_owner(person_id)


def connect() -> None:
    """Connect the receivers; called once from `AppConfig.ready`."""
    for number, signal in enumerate((data_key_rotated, vault_locked, person_deleted)):
        signal.connect(_forget_of_person, dispatch_uid=f"accounts.tokens.forget_checks.{number}")
