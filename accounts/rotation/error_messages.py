"""Messages for people about the errors of a rotation, by code."""

from accounts import error_messages
from accounts.errors import AccountsError
from accounts.rotation.epoch_change import RefusedSlot
from accounts.rotation.errors import DamagedRows, RotationError

_MESSAGES = {
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
_SLOT_REASONS = {
    "not_listed": "it was put there by somebody else, or put back after it had been replaced",
    "planted_box": "its box was not made by its owner",
    "unknown_authenticator": "it belongs to an older key, or was changed on the disk",
}


def get_rotation_error_message(error: AccountsError) -> str:
    """Return the message for a rotation that did not begin or end."""
    if isinstance(error, DamagedRows):
        return (
            f"{error.count:,} rows do not open, so the old key is kept for them. Put back a backup, or give "
            "those rows up with --leave-damaged."
        )
    if isinstance(error, RotationError):
        return _MESSAGES[error.code]
    return error_messages.get_error_message(error)


def get_refused_slot_message(slot: RefusedSlot) -> str:
    """Return the message about a key slot that did not receive the next data key."""
    reason = _SLOT_REASONS.get(slot.code, "its row was changed on the disk")
    return f"The {slot.kind} slot {slot.slot_id} was given nothing: {reason}. It opens nothing any more."
