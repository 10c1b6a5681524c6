"""Errors of a rotation that cannot begin or cannot be finished.

RotationError
    StaleKeyring         stale_keyring   the keyring is not of the vault's current epoch
    OpenedSlotRefused    opened_slot_refused   the slot of the typed secret cannot get the next data key
    DamagedVault         damaged_vault   a column of the vault does not open
    UnreadableFormerKey  unreadable_former_key   rows need a former key that is unreadable
    LateRows             late_rows       rows were written under a former key meanwhile; reseal them
    RotationStopped      stopped         the thread had to stop; the next unlock resumes the rotation
"""

# The names say what happened, without the suffix Error; the code is the stable contract.
# ruff: noqa: N818

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from accounts.errors import AccountsError, DamagedSlot, DerivationQueueFull

_RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class DamagedEnvelope:
    """The row and label of an envelope that does not open, and a code for the reason."""

    label: str
    row: UUID | int
    code: str


class RotationError(AccountsError):
    """Base class of the errors of a rotation."""

    code: ClassVar[str] = "rotation"


class StaleKeyring(RotationError):
    """Raised when the data key was rotated after the keyring was created."""

    code = "stale_keyring"


class OpenedSlotRefused(RotationError):
    """Raised if the next data key cannot be sealed in the key slot that the typed secret opened.

    Nothing was written then.
    """

    code = "opened_slot_refused"


class DamagedVault(RotationError):
    """Raised when a column of the vault is missing or does not open; the rotation's step writes nothing."""

    code = "damaged_vault"


class UnreadableFormerKey(RotationError):
    """Raised when rows of a former epoch remain, but the key of that epoch is unreadable or missing."""

    code = "unreadable_former_key"

    def __init__(self, count: int, *, where: Sequence[DamagedEnvelope] = ()) -> None:
        super().__init__()
        self.count, self.where = count, tuple(where)


class LateRows(RotationError):
    """Raised when another program wrote rows with a former key while the rotation was running."""

    code = "late_rows"


class RotationStopped(RotationError):
    """Raised between two batches when the rotation was asked to stop."""

    code = "stopped"


@contextmanager
def refuse_failed_rotation() -> Iterator[None]:
    """If a rotation fails in the `with` block, raise an error that refuses the sign-in or recovery.

    The error is DamagedSlot. If another browser began the same rotation at the same moment, it is
    DerivationQueueFull, which asks the person to try again.
    """
    try:
        yield
    except StaleKeyring:
        raise DerivationQueueFull(_RETRY_SECONDS) from None
    except RotationError:
        raise DamagedSlot from None
