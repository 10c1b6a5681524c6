"""Errors of accounts: one small tree with stable codes.

    AccountsError
        WrongCredentials        wrong          unknown name, wrong password or wrong recovery code
        AccountDisabled         switched_off   the right secret of a person whose account is disabled
        DamagedSlot             damaged        its slot's row was changed on the disk
        CostlySlot              costly         the slot costs more to open than the server allows
        InvalidToken            invalid_token  no access token, or one that is unknown, revoked or expired
        TooManyTokens           many_tokens    the person has as many access tokens as are allowed
        IdempotencyKeyReused    key_reused     a program sent a key again, with something else
        KeysDoNotMatch          keys_differ    the right secret, but its key does not open the rows
            StaleVault                         the vault was rotated meanwhile: try again
        DiaryRolledBack         set_back       this browser saw a later key of this diary; has `day`
        RetryLater
            TooManyAttempts     too_soon       a delay after failures has not passed; has `retry_after`
            TooManyCalls        many_calls     a program calls more often than it may; has `retry_after`
            DerivationQueueFull busy           the derivation queue is full; has `retry_after`
        DerivationOutOfMemory   no_memory      the machine has no memory for the derivation
        UsernameTaken           name_taken     another person in the household has that name
        HouseholdAlreadySetUp   set_up_done    the set-up link was used
        InvalidInvitation       not_invited    the invitation is used, withdrawn, expired or unknown
        LastAdministrator       last_administrator    the only administrator would leave other people behind
        RecoveryCodeExpired     code_gone      a new recovery code can no longer be confirmed
        SignInEnded             signed_out     this browser's sign-in ended while its password was checked
        WrongPerson             other_person   the right secret, but of another person than the signed-in one

The messages for people are in `accounts.error_messages`.
"""

# The names say what happened, without the suffix Error; the code is the stable contract.
# ruff: noqa: N818

from datetime import date
from typing import ClassVar


class AccountsError(Exception):
    """Base class of all errors of accounts."""

    code: ClassVar[str] = "accounts"

    def __str__(self) -> str:
        return self.code


class WrongCredentials(AccountsError):
    """Raised when the name is unknown or the secret is wrong; the error does not say which."""

    code = "wrong"


class AccountDisabled(AccountsError):
    """Raised when the account is disabled, but only if the secret is right: strangers learn nothing."""

    code = "switched_off"


class DamagedSlot(AccountsError):
    """Raised when the slot was forged, changed or replaced earlier, or is of another epoch."""

    code = "damaged"


class CostlySlot(AccountsError):
    """Raised when opening the slot would cost more memory or time than settings and ceiling allow."""

    code = "costly"


class InvalidToken(AccountsError):
    """Raised when an access token opens nothing; the error does not say why."""

    code = "invalid_token"


class TooManyTokens(AccountsError):
    """Raised when a person who has many access tokens makes one more."""

    code = "many_tokens"


class IdempotencyKeyReused(AccountsError):
    """Raised when a program sends the idempotency key of an earlier call with another content."""

    code = "key_reused"


class KeysDoNotMatch(AccountsError):
    """Raised when a secret opens a slot, but the person's rows are not sealed with its key."""

    code = "keys_differ"


class StaleVault(KeysDoNotMatch):
    """Raised when a rotation replaced the data key after the vault's row was loaded; a retry helps."""


class DiaryRolledBack(AccountsError):
    """Raised when the diary was rolled back: this browser has seen a later data key of it.

    Once the person says that a backup was restored, it is not raised. `day` is the day of the newest row of
    the diary as it is now, or None.
    """

    code = "set_back"

    def __init__(self, day: date | None = None) -> None:
        super().__init__()
        self.day = day


class RetryLater(AccountsError):
    """Base class of errors after which the same request may succeed later."""

    code = "wait"

    def __init__(self, retry_after: float) -> None:
        super().__init__()
        self.retry_after = retry_after


class TooManyAttempts(RetryLater):
    """Raised while a delay after failed attempts lasts, before any key derivation."""

    code = "too_soon"


class TooManyCalls(RetryLater):
    """Raised when a program has used its access token as often as it may for now."""

    code = "many_calls"


class DerivationQueueFull(RetryLater):
    """Raised when the derivation queue accepts no more requests."""

    code = "busy"


class DerivationOutOfMemory(AccountsError):
    """Raised when Argon2 fails, most often because the machine lacks memory."""

    code = "no_memory"


class UsernameTaken(AccountsError):
    """Raised when another person has the same name."""

    code = "name_taken"


class HouseholdAlreadySetUp(AccountsError):
    """Raised when a second person uses the set-up link."""

    code = "set_up_done"


class InvalidInvitation(AccountsError):
    """Raised when an invitation link is not valid; the error does not say why."""

    code = "not_invited"


class LastAdministrator(AccountsError):
    """Raised when the household would lose its only administrator while other people remain."""

    code = "last_administrator"


class RecoveryCodeExpired(AccountsError):
    """Raised when a new recovery code is confirmed too late: the key of its token was deleted."""

    code = "code_gone"


class SignInEnded(AccountsError):
    """Raised when the sign-in of the browser to unlock was deleted."""

    code = "signed_out"


class WrongPerson(AccountsError):
    """Raised when a secret is right but belongs to another person than the signed-in one."""

    code = "other_person"
