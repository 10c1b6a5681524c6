"""Errors of a rotation: why it cannot begin or is not finished yet.

RotationError
    RotationUnfinished   unfinished      the previous rotation is not finished
    StaleKeyring         stale_keyring   the keyring is not of the vault's current epoch (any more)
    OpenedSlotRefused    no_way_in       the slot just opened could not receive the next data key
    DamagedVault         damaged_vault   a column of the vault does not open
    DamagedRows          damaged_rows    rows do not open, so the former key is not deleted; carries how many
    RotationStopped      stopped         the thread was asked to stop; the next unlock resumes the rotation
"""

# The names say what happened, without the suffix Error; the code is the stable contract.
# ruff: noqa: N818

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from accounts.errors import AccountsError


@dataclass(frozen=True)
class DamagedEnvelope:
    """The row and label of an envelope that does not open, and a code for the reason."""

    label: str
    row: UUID
    code: str


class RotationError(AccountsError):
    """Base class of the errors of a rotation."""

    code: ClassVar[str] = "rotation"


class RotationUnfinished(RotationError):
    """Raised when a rotation begins before the previous one is finished."""

    code = "unfinished"


class StaleKeyring(RotationError):
    """Raised when the data key was rotated after the keyring was created."""

    code = "stale_keyring"


class OpenedSlotRefused(RotationError):
    """Raised before anything is written: the slot of the secret just typed cannot take the new data key."""

    code = "no_way_in"


class DamagedVault(RotationError):
    """Raised before anything is written, because columns of the vault were changed on the disk."""

    code = "damaged_vault"


class DamagedRows(RotationError):
    """Raised when envelopes of a former epoch remain because they do not open."""

    code = "damaged_rows"

    def __init__(self, count: int, *, where: Sequence[DamagedEnvelope] = ()) -> None:
        super().__init__()
        self.count, self.where = count, tuple(where)


class RotationStopped(RotationError):
    """Raised between two batches when the rotation was asked to stop."""

    code = "stopped"
