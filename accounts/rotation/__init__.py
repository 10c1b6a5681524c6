"""Turning a person's data key: a new one for everything, the old one destroyed, the diary open meanwhile.

    1  turning.py    one transaction: next epoch, former key kept under the new one, slots, vault, sessions
    2  moving.py     batches: every envelope that is not of the newest format and epoch is sealed anew
    3  finishing.py  one transaction: no envelope of the epoch before is left, so the former key goes

    columns.py        every sealed column, found by introspection
    blind_indexes.py  columns of other apps that step 1 makes anew
    verifying.py      opens everything
    background.py     goes on with an unfinished rotation at its owner's next unlock

Killed anywhere, a rotation is either not begun or goes on from what the database says: the former key's
row is there exactly while it is unfinished. Until then readers hold both keys (`accounts.keyrings`), and
the fence in the database refuses whatever is still sealed under the former one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.keyrings import former_key_of, with_former
from accounts.rotation.columns import other_epochs
from accounts.rotation.errors import (
    Damaged,
    DamagedEnvelope,
    DamagedVault,
    NoWayIn,
    RotationError,
    StaleKeyring,
    Stopped,
    Unfinished,
)
from accounts.rotation.finishing import destroy_former_key, empty_write_ahead_log
from accounts.rotation.moving import Moved, move_all, never
from accounts.rotation.turning import RefusedSlot, Turned, data_key_turned, data_key_turning, turn
from accounts.rotation.verifying import Verified, verify
from llamora.crypto import Keyring

__all__ = [
    "Damaged",
    "DamagedEnvelope",
    "DamagedVault",
    "Moved",
    "NoWayIn",
    "RefusedSlot",
    "RotationError",
    "StaleKeyring",
    "Standing",
    "Stopped",
    "Turned",
    "Unfinished",
    "Verified",
    "data_key_turned",
    "data_key_turning",
    "go_on",
    "is_unfinished",
    "reseal",
    "standing",
    "turn",
    "verify",
]


def is_unfinished(keyring: Keyring) -> bool:
    """Return whether rows of the keyring's owner still wait to be moved."""
    return former_key_of(keyring.owner) is not None


@dataclass(frozen=True)
class Standing:
    """How far an unfinished rotation has come, for a page; needs no key."""

    begun_at: datetime
    rows_left: int


def standing(owner: UUID) -> Standing | None:
    """Return where an owner's rotation stands, or None where there is none."""
    former = former_key_of(owner)
    if former is None:
        return None
    return Standing(begun_at=former.begun_at, rows_left=other_epochs(owner, former.epoch + 1))


def go_on(
    keyring: Keyring,
    *,
    progress: Callable[[int], None] | None = None,
    stop: Callable[[], bool] = never,
    leave_damaged: bool = False,
) -> Moved:
    """Do the second and third step of a rotation that has begun, from wherever it stands.

    Raise Damaged where rows do not open and are not to be given up: the former key is kept for them.
    """
    both = with_former(keyring)
    try:
        moved = move_all(both, progress=progress, stop=stop)
        try:
            destroy_former_key(both, leave_damaged=leave_damaged)
        except Damaged as error:
            raise Damaged(error.count, where=moved.damaged) from None
    finally:
        both.close()
    return moved


def reseal(
    keyring: Keyring, *, progress: Callable[[int], None] | None = None, stop: Callable[[], bool] = never
) -> Moved:
    """Move what is in an older envelope format to the newest one; an unfinished rotation is not finished."""
    both = with_former(keyring)
    try:
        return move_all(both, progress=progress, stop=stop)
    finally:
        both.close()
        empty_write_ahead_log()
