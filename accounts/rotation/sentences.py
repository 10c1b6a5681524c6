"""What a rotation says to people, by code."""

from accounts import sentences
from accounts.errors import AccountsError
from accounts.rotation.errors import Damaged, RotationError
from accounts.rotation.turning import RefusedSlot

_REFUSED = {
    "unfinished": "The last rotation is not finished yet. It goes on by itself while the diary is unlocked.",
    "stale_keyring": "This diary got a new key meanwhile. Open it again, then try again.",
    "no_way_in": (
        "The way in that was just used could not be given a new key: its row has been changed on the disk. "
        "Nothing was done. Ask the keeper of the household to put back a backup."
    ),
    "damaged_vault": (
        "What the vault holds has been changed on the disk. Nothing was done. Ask the keeper of the "
        "household to put back a backup."
    ),
    "stopped": "It was stopped half way. It goes on at the next unlock; until then everything is readable.",
}
_SLOTS = {
    "not_listed": "it was put there by somebody else, or put back after it had been replaced",
    "planted_box": "its box was not made by its owner",
    "unknown_authenticator": "it belongs to an older key, or was changed on the disk",
}


def refusal(error: AccountsError) -> str:
    """Return what to tell somebody whose rotation did not begin or end."""
    if isinstance(error, Damaged):
        return (
            f"{error.count:,} rows do not open, so the old key is kept for them. Put back a backup, or give "
            "those rows up with --leave-damaged."
        )
    if isinstance(error, RotationError):
        return _REFUSED[error.code]
    return sentences.refusal(error)


def refused_slot(slot: RefusedSlot) -> str:
    """Return what to tell about a slot that was given nothing, and what to do."""
    why = _SLOTS.get(slot.code, "its row was changed on the disk")
    return f"The {slot.kind} slot {slot.slot_id} was given nothing: {why}. It opens nothing any more."
