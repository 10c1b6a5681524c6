"""Hierarchy of the errors of the app `accounts`, with stable codes.

    AccountsError
        WrongCredentials        wrong          unknown name, wrong password or wrong recovery code
        AccountDisabled         switched_off   the right secret of a person whose account is disabled
        DamagedSlot             damaged        the row of the key slot was changed on the disk
        CostlySlot              costly         the slot costs more to open than the server allows
        InvalidToken            invalid_token  no access token, or one that is unknown, revoked or expired
        TooManyTokens           many_tokens    the person has as many access tokens as are allowed
        IdempotencyKeyReused    key_reused     a program sent the same key with other content
        KeysDoNotMatch          keys_differ    the secret opens the slot, but its key does not open the rows
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
        WrongPerson             other_person   nobody is signed in, or the secret is of another person

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
    """Raised when the account is disabled, only after the right secret, so that strangers learn nothing."""

    code = "switched_off"


class DamagedSlot(AccountsError):
    """Raised when a key slot is damaged, forged, of another epoch, or restored from an earlier state."""

    code = "damaged"


class CostlySlot(AccountsError):
    """Raised when opening the slot would cost more memory or time than the server allows."""

    code = "costly"


class InvalidToken(AccountsError):
    """Raised when an access token is not valid; the error does not say why."""

    code = "invalid_token"


class TooManyTokens(AccountsError):
    """Raised when a person with the maximum number of access tokens creates another one."""

    code = "many_tokens"


class IdempotencyKeyReused(AccountsError):
    """Raised when a program repeats the idempotency key of an earlier call with other content."""

    code = "key_reused"


class KeysDoNotMatch(AccountsError):
    """Raised when a secret opens a key slot, but the slot's key does not open the person's rows."""

    code = "keys_differ"


class StaleVault(KeysDoNotMatch):
    """Raised when a rotation replaced the data key after the vault's row was loaded; try again."""


class DiaryRolledBack(AccountsError):
    """Raised when this browser has seen a later data key of the diary, so the database was rolled back.

    Not raised after the person says that a backup was restored. `day` is the day of the newest row in the
    diary, or None.
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
    """Raised before the key derivation, while a delay after failed attempts lasts."""

    code = "too_soon"


class TooManyCalls(RetryLater):
    """Raised when a program exceeds the rate limit of its access token."""

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
    """Raised when a new recovery code is confirmed too late, or if the page's hidden token is invalid."""

    code = "code_gone"


class SignInEnded(AccountsError):
    """Raised when the sign-in of the browser was ended before the unlock."""

    code = "signed_out"


class WrongPerson(AccountsError):
    """Raised when nobody is signed in, or when the secret is not that of the signed-in person."""

    code = "other_person"
