"""Messages for people about the errors of a rotation, one for each code."""

from accounts import error_messages
from accounts.errors import AccountsError
from accounts.keys.key_slots import RefusedSlot
from accounts.rotation.errors import RotationError, UnreadableFormerKey
from llamora.pluralize import pluralize

_MESSAGES = {
    "stale_keyring": "This diary has a new key. Unlock it again, then try again.",
    "opened_slot_refused": (
        "The password or code you used could not be given the new key: its data was changed on the disk. "
        "No new key was created. Ask the administrator to restore a backup."
    ),
    "damaged_vault": (
        "The keys of this diary were changed on the disk, so no new key was created. Ask the administrator "
        "to restore a backup."
    ),
    "late_rows": (
        "Something was encrypted with the old key meanwhile, so it was not destroyed. Everything stays "
        "readable. Close other programs that use this diary, then try again."
    ),
    "stopped": "The key change was stopped. It continues at the next unlock; everything stays readable.",
}
_SLOT_REASONS = {
    "not_listed": "it was added by someone else, or restored after it had been replaced",
    "forged_slot": "its encrypted key was made by someone else",
    "unknown_authenticator": "it belongs to an older key, or was changed on the disk",
}


def get_rotation_error_message(error: AccountsError) -> str:
    """Return the message for a rotation that could not begin or could not be finished."""
    if isinstance(error, UnreadableFormerKey):
        return (
            f"{pluralize(error.count, 'row needs', 'rows need')} an old key that can't be read, so it was "
            "not destroyed. Restore a backup, or lose what is in them with --leave-damaged."
        )
    if isinstance(error, RotationError):
        return _MESSAGES[error.code]
    return error_messages.get_error_message(error)


def get_refused_slot_message(slot: RefusedSlot) -> str:
    """Return the message about a key slot that did not get the next data key."""
    reason = _SLOT_REASONS.get(slot.code, "its row was changed on the disk")
    name = f"{slot.kind}, {slot.slot_id}"
    return f"A way to unlock ({name}) no longer works. It did not get the new key: {reason}."
