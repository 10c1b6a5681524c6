"""Why somebody does not get in, or something is not changed: one small tree with stable codes.

    AccountsError
        WrongSecret      wrong           unknown name, wrong password or wrong code: never told apart
        SwitchedOff      switched_off    the right secret of a person whom the keeper has switched off
        DamagedSlot      damaged         the right secret, but the slot's row is not as its owner made it
        TooSoon          too_soon        a growing delay has not passed; carries `retry_after`
        Busy             busy            the derivation queue takes no more just now; carries `retry_after`
        NoMemory         no_memory       the machine could not derive
        NameTaken        name_taken      somebody in the household has that name already
        SetUpDone        set_up_done     the set-up link has been used
        NotInvited       not_invited     the invitation is used, withdrawn, past its time or none at all
        LastKeeper       last_keeper     the only keeper would leave housemates behind
        SignedOut        signed_out      this browser's sign-in ended while its password was being checked
        OtherPerson      other_person    the secret is right, but not that of the person signed in here

The sentences for people are in `accounts.sentences`.
"""

# The names follow what happened, as callers read them; the code is the contract.
# ruff: noqa: N818

from typing import ClassVar


class AccountsError(Exception):
    """Base of everything this app refuses on purpose."""

    code: ClassVar[str] = "accounts"

    def __str__(self) -> str:
        return self.code


class WrongCredentials(AccountsError):
    """Raised for an unknown name and for a wrong secret alike."""

    code = "wrong"


class AccountDisabled(AccountsError):
    """Raised once the secret was right, so that it tells a stranger nothing."""

    code = "switched_off"


class DamagedSlot(AccountsError):
    """Raised when a slot opens but is not as its owner made it: planted, behind or ahead of the epoch."""

    code = "damaged"


class RetryLater(AccountsError):
    """Base of the refusals that pass by themselves."""

    code = "wait"

    def __init__(self, retry_after: float) -> None:
        super().__init__()
        self.retry_after = retry_after


class TooManyAttempts(RetryLater):
    """Raised before anything is derived, while a growing delay lasts."""

    code = "too_soon"


class DerivationQueueFull(RetryLater):
    """Raised when one more derivation may not wait."""

    code = "busy"


class DerivationOutOfMemory(AccountsError):
    """Raised when Argon2 itself fails."""

    code = "no_memory"


class UsernameTaken(AccountsError):
    """Raised when two people would have one name."""

    code = "name_taken"


class HouseholdAlreadySetUp(AccountsError):
    """Raised when a second person comes with the set-up link."""

    code = "set_up_done"


class InvalidInvitation(AccountsError):
    """Raised for every link that lets nobody in, without telling them apart."""

    code = "not_invited"


class LastAdministrator(AccountsError):
    """Raised when the only keeper would leave housemates behind without one."""

    code = "last_keeper"


class RecoveryCodeExpired(AccountsError):
    """Raised when the recovery code of a page cannot be compared with what was typed any more."""

    code = "code_gone"


class SignInEnded(AccountsError):
    """Raised when the sign-in to unlock is gone."""

    code = "signed_out"


class WrongPerson(AccountsError):
    """Raised when a keyring is not that of the person signed in."""

    code = "other_person"
