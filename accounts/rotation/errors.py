"""Errors of a rotation that cannot begin or cannot be finished.

RotationError
    RotationUnfinished   unfinished      the previous rotation is not finished
    StaleKeyring         stale_keyring   the keyring is not of the vault's current epoch
    OpenedSlotRefused    opened_slot_refused   the slot of the typed secret cannot get the next data key
    DamagedVault         damaged_vault   a column of the vault does not open
    DamagedRows          damaged_rows    rows do not open, so the former key stays; has their number
    RotationStopped      stopped         the thread had to stop; the next unlock resumes the rotation
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
    """Raised before anything is written if the slot of the typed secret cannot get the new data key."""

    code = "opened_slot_refused"


class DamagedVault(RotationError):
    """Raised before anything is written if columns of the vault do not open."""

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
