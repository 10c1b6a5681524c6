"""All messages that the app `accounts` shows to people: one for each error code, and notices."""

from collections.abc import Iterable

from accounts.errors import AccountsError, DerivationQueueFull, DiaryRolledBack, RetryLater
from llamora.database import NotWritten

_MESSAGES = {
    "wrong": "Wrong name or password.",
    "switched_off": "This account is turned off. Your diary is still there; ask the administrator.",
    "damaged": (
        "Your diary's key was changed on the disk, so it was not used. "
        "Ask the administrator to restore a backup."
    ),
    "costly": (
        "Opening your diary would take more memory or time than this server allows. "
        "Ask the administrator to run the command doctor, which says what to do."
    ),
    "key_reused": "This program sent something else under a key that it has used before. Nothing was saved.",
    "keys_differ": (
        "The keys of this diary do not match what is written in it. Nothing was opened. The administrator "
        "finds the reason with manage.py doctor."
    ),
    "invalid_token": "This access token is not valid. Make another one in Settings, Programs.",
    "many_tokens": "You have many access tokens. Revoke one that you no longer need, then make another.",
    "no_memory": "The server is short of memory, so it can't unlock a diary. Try again in a moment.",
    "name_taken": "This name is taken. Choose another.",
    "set_up_done": "This Llamora is already set up. Sign in, or ask the administrator for an invitation.",
    "not_invited": (
        "This invitation has expired or was already used. Ask the administrator for a new one; each is for "
        "one person."
    ),
    "last_administrator": (
        "You are the only administrator, and other people have diaries here. Make one of them an "
        "administrator first: Settings, Administration, People."
    ),
    "code_gone": (
        "This page was open too long, or Llamora was restarted, so your copy can't be checked. If you wrote "
        "the code down, continue: it is valid. If not, create a new one in Settings."
    ),
    "signed_out": "You have been signed out. Sign in again.",
    "other_person": "This is not the password of the person who is signed in here.",
}
_WRONG_CODE = "Wrong name or recovery code."
_NOT_WRITTEN = {
    "disk_full": "The disk is full, so nothing was saved. Free some space on the server, then try again.",
    "read_only": "The data folder is read-only, so nothing was saved. Ask the administrator.",
    "busy": "The database is busy, so nothing was saved. Try again in a moment.",
    "io": "The disk reported an error, so nothing was saved. Ask the administrator to check it.",
    "fence": "Your diary has a new key, so nothing was saved. Unlock your diary, then try again.",
}
REAUTHENTICATION_FAILED = "Wrong password."
DAMAGED = (
    "This can't be opened: its data was changed on the disk. Nothing was overwritten. A backup from before "
    "that may still contain it."
)
DATABASE_DAMAGED_TITLE = "The database is damaged"
DATABASE_DAMAGED = (
    "The database file is damaged, so nothing was shown or saved. Copy what you typed elsewhere. Ask the "
    "administrator to stop Llamora and to run manage.py doctor, which says what can be restored."
)
NOT_NOTED = "That you have read this could not be saved, so it is shown again when you next unlock."
LOCKED_IN_MEMORY = (
    "Your diary is locked. The disk can't be written to now, so you can't unlock it until that is fixed. "
    "Ask the administrator to check the disk."
)
SIGNED_OUT_IN_MEMORY = (
    "You are signed out of this browser. The disk can't be written to now, so the record of this sign-in is "
    "still on it. It can't be used any more, and is deleted as soon as the disk works again."
)
ENDED_IN_MEMORY = (
    "That browser is signed out. The disk can't be written to now, so it stays on this list until the disk "
    "works again."
)
TEXT_STAYS = "What you typed is still here."
REGISTRATION_CLOSED = (
    "New diaries are by invitation. Ask whoever runs this Llamora; if you have just installed it, open the "
    "set-up link shown in the terminal."
)

NOT_SAVED = "Not saved"
OTHER_PERSONS_PAGE_TITLE = "Someone else's page"
OTHER_PERSONS_PAGE = (
    "This page belongs to another person, so nothing was saved. What you typed is still here: copy it, then "
    "open your own diary."
)
LOCKED = "Your diary is locked, so nothing was saved. What you typed is still here: copy it, then continue."
NOT_ALLOWED_TITLE = "This is not allowed"
NOT_ALLOWED = "Your account can't do this here. Nothing was changed."
EXPIRED_TITLE = "This page has expired"
EXPIRED = "This page was open too long, so nothing was saved. Reload it and try again."
UNKNOWN_ADDRESS_TITLE = "Llamora does not know this address"
UNKNOWN_HOST = (
    "Nothing was changed. If this is your Llamora, whoever runs it adds the name in your browser's address "
    "bar to LLAMORA_HOSTS and starts it again. Behind a proxy, LLAMORA_TRUSTED_ORIGINS needs it too, with "
    "https://."
)
UNKNOWN_ORIGIN = (
    "Nothing was saved, because this page came from an address that Llamora does not trust. If this is your "
    "Llamora, whoever runs it sets LLAMORA_TRUSTED_ORIGINS to the beginning of the address in your browser, "
    "such as https://diary.home, and starts it again."
)
FAULT_TITLE = "Something went wrong"
FAULT = (
    "This is a fault in Llamora, not in what you did. What you saved before is safe, but this text was not "
    "saved. Copy it, and try again in a moment."
)
FAULT_ALONE = "Something went wrong on the server. What you saved before is safe."
DAMAGED_TITLE = "This can't be opened"
BUSY_TITLE, TOO_MANY_TITLE = "Llamora is busy", "Too many tries"
REGISTRATION_CLOSED_TITLE = "By invitation"
CODE_GONE_TITLE = "Not checked"
SIGNED_OUT_TITLE = "Signed out"

NEW_PASSWORD_SAVED = "Your password is changed, and your other browsers are signed out."  # noqa: S105 - a sentence
KEY_ROTATED = "Your diary has a new encryption key, and your other browsers are signed out."
BROWSER_SIGNED_OUT = "That browser is signed out."
PROGRAM_REVOKED = "The token is revoked. The program can do nothing with it any more."
PROGRAM_REVOKED_WITH_KEY = (
    "The token is revoked, your diary has a new encryption key, and your other browsers are locked."
)
PROGRAM_CONFIRMED = "The token works again."
PROGRAM_NOT_CONFIRMED = (
    "This token can't work again: it has expired, or it was changed on the disk. Revoke it and make another."
)


def get_error_message(error: AccountsError, *, is_recovery: bool = False) -> str:
    """Return the message for an error; `is_recovery` says that a recovery code was typed, not a password."""
    if isinstance(error, RetryLater):
        reason = "Llamora is busy" if isinstance(error, DerivationQueueFull) else "Too many tries"
        return f"{reason}. Wait {_format_delay(error.retry_after)}, then try again."
    if isinstance(error, DiaryRolledBack):
        return _get_rolled_back_message(error)
    if is_recovery and error.code == "wrong":
        return _WRONG_CODE
    return _MESSAGES[error.code]


def _get_rolled_back_message(error: DiaryRolledBack) -> str:
    then = f"on {error.day.day} {error.day:%B %Y}" if error.day else "earlier"
    return (
        f"This diary was set back to how it was {then}: this browser has seen a later key of it. "
        "Was a backup restored? If so, tick the box, and enter the password of that time. If not, "
        "don't unlock it, and ask the administrator."
    )


def get_not_written_message(error: NotWritten) -> str:
    """Return the message for a failed write: the reason, and a remedy."""
    return _NOT_WRITTEN[error.code]


def get_signed_out_message(count: int) -> str:
    """Return the message after other browsers were signed out."""
    return "1 other browser is signed out." if count == 1 else f"{count} other browsers are signed out."


def describe_withdrawn_hosts(names: Iterable[str], *, with_key: Iterable[str]) -> str:
    """Return the message after all consents were withdrawn; `with_key` are the hosts with an API key."""
    sentence = f"Nothing of yours is sent to {' or '.join(names)} any more, until you agree again."
    keys = " and ".join(with_key)
    if not keys:
        return sentence
    return (
        f"{sentence} Your own API key for {keys} is deleted here. Revoke it at its service too, since it may "
        "have been copied."
    )


def _format_delay(seconds: float) -> str:
    if seconds < 1.5:
        return "a second"
    if seconds < 100:
        return f"{round(seconds)} seconds"
    return f"{round(seconds / 60)} minutes"
