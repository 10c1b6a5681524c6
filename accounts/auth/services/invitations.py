"""Links that let somebody new in: each good for one person and for seven days.

The token is 32 random bytes in base64url, in the link alone; the row keeps its SHA-256. A copy of the
database therefore invites nobody, and the keeper can show a link once, when it is made.
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
from llamora.crypto import secret_bytes
from llamora.database import write_transaction

DEFAULT_LIFETIME = timedelta(days=7)
# How long the keeper can still see what became of one.
RETENTION = timedelta(days=90)
PARAMETER = "invite"


def create_invitation(
    *, by: Person | None = None, lasts: timedelta = DEFAULT_LIFETIME
) -> tuple[Invitation, str]:
    """Make an invitation; return it with its token, which is stored nowhere. Old ones are forgotten."""
    token = base64.urlsafe_b64encode(secret_bytes(32)).decode("ascii").rstrip("=")
    now = timezone.now()
    with write_transaction():
        Invitation.objects.filter(expires_at__lt=now - RETENTION).delete()
        made = Invitation.objects.create(
            token_hash=_hash_token(token), made_by=by, created_at=now, expires_at=now + lasts
        )
    return made, token


def build_invitation_path(token: str) -> str:
    """Return the path of the page an invitation opens."""
    return f"{reverse('register')}?{urlencode({PARAMETER: token})}"


def get_open_invitations() -> QuerySet[Invitation]:
    """Return the invitations that still let somebody in."""
    return Invitation.objects.filter(used_at=None, expires_at__gt=timezone.now())


def is_valid_invitation(token: str) -> bool:
    """Return whether a token lets somebody in now."""
    return get_open_invitations().filter(token_hash=_hash_token(token)).exists()


def redeem_invitation(token: str, *, person: Person) -> None:
    """Let a person in by a token, in the transaction that makes them; raise NotInvited."""
    now = timezone.now()
    if not get_open_invitations().filter(token_hash=_hash_token(token)).update(used_at=now, used_by=person):
        raise InvalidInvitation


def withdraw_invitation(invitation: Invitation) -> bool:
    """Make a link worthless; return False where somebody has used it already."""
    with write_transaction():
        return bool(Invitation.objects.filter(id=invitation.id, used_at=None).delete()[0])


def _hash_token(token: str) -> bytes:
    # Of 32 random bytes, so a plain hash cannot be guessed backwards.
    return hashlib.sha256(token.encode()).digest()
