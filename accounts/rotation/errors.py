"""Why a rotation does not begin, or does not end yet.

RotationError
    Unfinished     unfinished      the rotation before is not finished
    StaleKeyring   stale_keyring   the keyring is not of the vault's current epoch (any more)
    NoWayIn        no_way_in       the slot just opened could not be given the next key
    DamagedVault   damaged_vault   what the vault holds does not open
    Damaged        damaged_rows    rows do not open, so the former key is kept; carries how many
    Stopped        stopped         asked to stop; goes on at the next unlock
"""

# The names follow what happened, as callers read them; the code is the contract.
# ruff: noqa: N818

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from accounts.errors import AccountsError


@dataclass(frozen=True)
class DamagedEnvelope:
    """An envelope that does not open: where it is and why, by code."""

    label: str
    row: UUID
    code: str


class RotationError(AccountsError):
    """Base of everything a rotation refuses."""

    code: ClassVar[str] = "rotation"


class RotationUnfinished(RotationError):
    """Raised when a rotation is asked for before the last one has ended."""

    code = "unfinished"


class StaleKeyring(RotationError):
    """Raised when somebody else has turned the key meanwhile."""

    code = "stale_keyring"


class OpenedSlotRefused(RotationError):
    """Raised before anything is written: the person would be locked out by the secret they just gave."""

    code = "no_way_in"


class DamagedVault(RotationError):
    """Raised before anything is written."""

    code = "damaged_vault"


class DamagedRows(RotationError):
    """Raised when envelopes of an earlier epoch are left because they do not open."""

    code = "damaged_rows"

    def __init__(self, count: int, *, where: Sequence[DamagedEnvelope] = ()) -> None:
        super().__init__()
        self.count, self.where = count, tuple(where)


class RotationStopped(RotationError):
    """Raised between two batches."""

    code = "stopped"
