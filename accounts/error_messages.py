"""Messages for people about the errors of accounts: full sentences for each code, and only here."""

from accounts.errors import AccountsError, RetryLater
from llamora.database import NotWritten

_MESSAGES = {
    "wrong": "The name and the password do not belong together.",
    "switched_off": "The keeper of the household has switched this diary off. It is still there; ask them.",
    "damaged": (
        "Your password is right, but what it opens has been changed on the disk, so it was not used. "
        "Ask the keeper of the household to put back a backup."
    ),
    "no_memory": "The machine has no memory to spare for opening a diary just now. Try again in a moment.",
    "name_taken": "Somebody in the household has this name already. Choose another.",
    "set_up_done": "Somebody has set this household up already. Sign in, or ask them to let you in.",
    "not_invited": (
        "This invitation is not good any more: each lets one person in, within seven days. Ask the keeper of "
        "the household for another."
    ),
    "last_keeper": (
        "You are the only keeper, and others have diaries here. Make one of them a keeper first, under "
        "People in the household's pages."
    ),
    "code_gone": (
        "This page has waited too long, or Llamora was started anew meanwhile, so the code cannot be "
        "compared any more. If you have kept it, go on; it is good. If not, make a new one under You."
    ),
    "signed_out": "You were signed out here meanwhile. Sign in again.",
    "other_person": "This is not the password of the person who is signed in here.",
}
_WRONG_CODE = "The name and the recovery code do not belong together."
_NOT_WRITTEN = {
    "disk_full": "The disk is full, so nothing was saved. Make room on the machine, then try again.",
    "read_only": "The data folder cannot be written to, so nothing was saved. Ask the keeper of the house.",
    "busy": "Something else is writing just now, so nothing was saved. Try again in a moment.",
    "io": "The disk did not answer, so nothing was saved. Ask the keeper of the household to look at it.",
    "fence": "Your diary got a new key meanwhile, so nothing was saved. Unlock it, then try again.",
}
REAUTHENTICATION_FAILED = "This is not the password of this diary."
DAMAGED = (
    "Something sealed here does not open: its bytes were changed on the disk. Nothing was written over it; a "
    "backup may still hold it whole."
)
LOCKED_IN_MEMORY = (
    "Your diary is locked here. The disk takes no writing just now, so it opens again once it does. "
    "Ask the keeper of the household to look at it."
)
SIGNED_OUT_IN_MEMORY = (
    "You are signed out of this browser. The disk takes no writing just now, so the note of your sign-in is "
    "still on it; it opens nothing, and goes once the disk can be written to."
)
ENDED_IN_MEMORY = (
    "Signed out there. The disk takes no writing just now, so the browser stays on this list until it does; "
    "it opens nothing any more."
)
TEXT_STAYS = "What you typed is still here."
REGISTRATION_CLOSED = (
    "Nobody can make a diary here by themselves. Ask the keeper of the household, or, if nobody has set "
    "it up yet, open the link that was printed when Llamora was started."
)


def get_error_message(error: AccountsError, *, is_recovery: bool = False) -> str:
    """Return the message for an error; `is_recovery` if a recovery code was typed and not a password."""
    if isinstance(error, RetryLater):
        return f"That was very often in a short time. Try again {_format_delay(error.retry_after)}."
    if is_recovery and error.code == "wrong":
        return _WRONG_CODE
    return _MESSAGES[error.code]


def get_not_written_message(error: NotWritten) -> str:
    """Return the message for a failed write: why nothing was saved, and what to do."""
    return _NOT_WRITTEN[error.code]


def _format_delay(seconds: float) -> str:
    if seconds < 1.5:
        return "in a second"
    if seconds < 100:
        return f"in {round(seconds)} seconds"
    return f"in {round(seconds / 60)} minutes"
