"""The request type of views, with the person and their vault, which the middleware sets."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import Person
from llamora.crypto import Keyring, VaultLocked


@dataclass(frozen=True)
class RequestVault:
    """The signed-in person of a request, if any, and their keyring, if their vault is unlocked."""

    person: Person | None = None
    sign_in_id: UUID | None = None
    held: Keyring | None = None

    @property
    def is_unlocked(self) -> bool:
        """Whether the keyring is available."""
        return self.held is not None and not self.held.is_closed

    @property
    def keyring(self) -> Keyring:
        """The keyring; raises VaultLocked if the vault is locked."""
        if self.held is None:
            raise VaultLocked
        return self.held

    def __repr__(self) -> str:
        return f"<RequestVault {'unlocked' if self.is_unlocked else 'locked'}>"


NOBODY = RequestVault()


class HouseholdRequest(HttpRequest):
    """Type of requests after VaultMiddleware. In views that require a sign-in, `user` is a Person."""

    user: Person
    vault: RequestVault
    htmx: HtmxDetails
