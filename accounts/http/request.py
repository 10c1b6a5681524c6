"""The request as our views know it."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import Person
from llamora.crypto import Keyring, VaultLocked

# MERGED accounts.vault: What a request knows of its person's vault: nobody, signed in but locked, or
# unlocked.


@dataclass(frozen=True)
class RequestVault:
    """Who a request comes from, and the keyring where their vault is unlocked."""

    person: Person | None = None
    sign_in_id: UUID | None = None
    held: Keyring | None = None

    @property
    def is_unlocked(self) -> bool:
        """Return whether the data key is at hand."""
        return self.held is not None and not self.held.is_closed

    @property
    def keyring(self) -> Keyring:
        """Return the keyring; raise VaultLocked without one."""
        if self.held is None:
            raise VaultLocked
        return self.held

    def __repr__(self) -> str:
        return f"<RequestVault {'unlocked' if self.is_unlocked else 'locked'}>"


NOBODY = RequestVault()


class HouseholdRequest(HttpRequest):
    """A request that passed the vault middleware; `user` is a Person where a gate asked for one."""

    user: Person
    vault: RequestVault
    htmx: HtmxDetails
