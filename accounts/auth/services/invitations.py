"""Invitations: links, each of which lets one person register, by default within seven days.

The token is 32 random bytes in base64url. The link contains the token, and the row only its SHA-256. So a
copy of the database contains no valid link, and a link can be shown only when it is created.
"""

import base64
import hashlib
from datetime import timedelta
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.errors import InvalidInvitation
from accounts.models import Invitation, Person
from llamora.clock.services import LEEWAY, get_cutoff
from llamora.crypto import secret_bytes
from llamora.database import write_transaction

DEFAULT_LIFETIME = timedelta(days=7)
# How long after its expiry an invitation stays in the list of the admin.
RETENTION = timedelta(days=90)
PARAMETER = "invite"


def create_invitation(
    *, by: Person | None = None, lasts: timedelta = DEFAULT_LIFETIME
) -> tuple[Invitation, str]:
    """Create an invitation, and return it with its token, which is not stored.

    Invitations that expired long ago are deleted.
    """
    token = base64.urlsafe_b64encode(secret_bytes(32)).decode("ascii").rstrip("=")
    now = timezone.now()
    with write_transaction():
        if before := get_cutoff(RETENTION):
            Invitation.objects.filter(expires_at__lt=before).delete()
        invitation = Invitation.objects.create(
            token_hash=_hash_token(token), made_by=by, created_at=now, expires_at=now + lasts
        )
    return invitation, token


def build_invitation_path(token: str) -> str:
    """Return the path of the registration page with this token."""
    return f"{reverse('register')}?{urlencode({PARAMETER: token})}"


def get_open_invitations() -> QuerySet[Invitation]:
    """Return the invitations that are neither used nor expired."""
    now = timezone.now()
    # One of the future was made while the clock was wrong, and would be valid for as long as it was.
    return Invitation.objects.filter(used_at=None, created_at__lte=now + LEEWAY, expires_at__gt=now)


def is_valid_invitation(token: str) -> bool:
    """Return whether the token belongs to an open invitation."""
    return get_open_invitations().filter(token_hash=_hash_token(token)).exists()


def redeem_invitation(token: str, *, person: Person) -> None:
    """Mark an invitation as used, in the transaction that creates the person; raise InvalidInvitation."""
    now = timezone.now()
    if not get_open_invitations().filter(token_hash=_hash_token(token)).update(used_at=now, used_by=person):
        raise InvalidInvitation


def withdraw_invitation(invitation: Invitation) -> bool:
    """Delete an open invitation; return False if it was already used."""
    with write_transaction():
        return bool(Invitation.objects.filter(id=invitation.id, used_at=None).delete()[0])


def _hash_token(token: str) -> bytes:
    # The token is 32 random bytes, so a plain hash of it cannot be reversed by guessing.
    return hashlib.sha256(token.encode()).digest()
