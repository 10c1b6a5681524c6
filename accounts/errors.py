"""Errors of accounts: one small tree with stable codes.

    AccountsError
        WrongCredentials        wrong          unknown name, wrong password or wrong code: never told apart
        AccountDisabled         switched_off   the right secret of a person whose account is disabled
        DamagedSlot             damaged        the right secret, but its slot's row was changed on the disk
        RetryLater
            TooManyAttempts     too_soon       a growing delay has not passed; carries `retry_after`
            DerivationQueueFull busy           the derivation queue is full; carries `retry_after`
        DerivationOutOfMemory   no_memory      the machine has no memory for the derivation
        UsernameTaken           name_taken     somebody in the household has that name already
        HouseholdAlreadySetUp   set_up_done    the set-up link was used
        InvalidInvitation       not_invited    the invitation is used, withdrawn, expired or none at all
        LastAdministrator       last_administrator    the only administrator would leave housemates behind
        RecoveryCodeExpired     code_gone      a page's recovery code can no longer be compared
        SignInEnded             signed_out     this browser's sign-in ended while its password was checked
        WrongPerson             other_person   the right secret, but not of the person signed in here

The messages for people are in `accounts.error_messages`.
"""

# The names say what happened, without the suffix Error; the code is the stable contract.
# ruff: noqa: N818

from typing import ClassVar


class AccountsError(Exception):
    """Base of all errors that this app raises on purpose."""

    code: ClassVar[str] = "accounts"

    def __str__(self) -> str:
        return self.code


class WrongCredentials(AccountsError):
    """Raised for an unknown name and for a wrong secret alike."""

    code = "wrong"


class AccountDisabled(AccountsError):
    """Raised only after the secret was right, so that it tells a stranger nothing."""

    code = "switched_off"


class DamagedSlot(AccountsError):
    """Raised when a slot opens but is not as its owner wrote it: planted, behind or ahead of the epoch."""

    code = "damaged"


class RetryLater(AccountsError):
    """Base of the errors that pass with time."""

    code = "wait"

    def __init__(self, retry_after: float) -> None:
        super().__init__()
        self.retry_after = retry_after


class TooManyAttempts(RetryLater):
    """Raised before any derivation, while a growing delay lasts."""

    code = "too_soon"


class DerivationQueueFull(RetryLater):
    """Raised when no more derivations may wait."""

    code = "busy"


class DerivationOutOfMemory(AccountsError):
    """Raised when Argon2 fails, most often for want of memory."""

    code = "no_memory"


class UsernameTaken(AccountsError):
    """Raised when two people would have the same name."""

    code = "name_taken"


class HouseholdAlreadySetUp(AccountsError):
    """Raised when a second person uses the set-up link."""

    code = "set_up_done"


class InvalidInvitation(AccountsError):
    """Raised for every link that is not valid, without telling the reasons apart."""

    code = "not_invited"


class LastAdministrator(AccountsError):
    """Raised when the only administrator would leave the household without one."""

    code = "last_administrator"


class RecoveryCodeExpired(AccountsError):
    """Raised when the recovery code of a page can no longer be compared with what was typed."""

    code = "code_gone"


class SignInEnded(AccountsError):
    """Raised when the sign-in to unlock was deleted."""

    code = "signed_out"


class WrongPerson(AccountsError):
    """Raised when a secret opens another diary than that of the person signed in."""

    code = "other_person"
