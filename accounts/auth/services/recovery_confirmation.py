"""Confirmation of a new recovery code: the person enters two of its groups before they can continue.

The server does not store the code, but after a wrong group it must show the code again. So a hidden field of
the form contains the code. It is sealed, because browsers write form fields to session files on the disk
(observed in Chromium). Each page that shows a code has its own key, which exists only in the memory of this
process. The key is deleted one minute after the confirmation, after eight hours, or when the process ends.

    token      id of the key in hex | "." | an envelope (see `llamora.crypto.envelope`) in base64url of
               JSON: the code, the two groups to type, the URL of the next page
"""

import base64
import json
import threading
import time
from dataclasses import asdict, dataclass, field
from uuid import UUID, uuid4

from accounts.errors import RecoveryCodeExpired
from llamora.crypto import NO_EPOCH, Context, EnvelopeError, seal, secret_bytes, unseal

LIFETIME = 8 * 3600.0
# A button pressed twice gets the same answer twice.
LIFETIME_CONFIRMED = 60.0


@dataclass(frozen=True, kw_only=True)
class PendingCode:
    """A recovery code that its owner must confirm by typing some of its groups of characters.

    `asked` contains the indexes of the groups to type, and `following` is the URL of the next page.
    """

    code: str = field(repr=False)
    asked: list[int]
    following: str


@dataclass(frozen=True)
class _PendingCodeKey:
    """The key of an unconfirmed recovery code, which is deleted at `until`."""

    secret: bytes = field(repr=False)
    until: float


_guard = threading.Lock()
_keys: dict[UUID, _PendingCodeKey] = {}


def create_token(pending: PendingCode, *, owner: UUID) -> str:
    """Return a token for a hidden form field; the token contains the sealed recovery code."""
    key_id, key = uuid4(), secret_bytes()
    sealed = seal(
        key=key,
        plaintext=json.dumps(asdict(pending)).encode(),
        context=_build_context(key_id, owner=owner),
        epoch=NO_EPOCH,
    )
    _store_key(key_id, key, lasts=LIFETIME)
    return f"{key_id.hex}.{base64.urlsafe_b64encode(sealed).decode('ascii')}"


def open_token(token: str, *, owner: UUID) -> PendingCode:
    """Open the token of a hidden form field, and return the recovery code that it contains.

    Raise RecoveryCodeExpired if the token is invalid, or if the key that opens it was deleted.
    """
    key_id = _parse_token_id(token)
    key = _keys.get(key_id)
    if key is None or key.until <= time.monotonic():
        raise RecoveryCodeExpired
    try:
        sealed = base64.b64decode(token.partition(".")[2], altchars=b"-_", validate=True)
        opened = unseal(key=key.secret, envelope=sealed, context=_build_context(key_id, owner=owner))
    except (ValueError, EnvelopeError):
        raise RecoveryCodeExpired from None
    return PendingCode(**json.loads(opened))


def confirm_code(token: str) -> None:
    """Record that the person confirmed the recovery code in `token`. One minute later, `token` expires.

    `token` is the value of a hidden form field. When it expires, the key that opens it is deleted.
    """
    key_id = _parse_token_id(token)
    if key := _keys.get(key_id):
        _store_key(key_id, key.secret, lasts=LIFETIME_CONFIRMED)


def _parse_token_id(token: str) -> UUID:
    try:
        return UUID(hex=token.partition(".")[0])
    except ValueError:
        raise RecoveryCodeExpired from None


def _store_key(key_id: UUID, secret: bytes, *, lasts: float) -> None:
    now = time.monotonic()
    with _guard:
        for old in [each for each, key in _keys.items() if key.until <= now]:
            del _keys[old]
        _keys[key_id] = _PendingCodeKey(secret, until=now + lasts)


def _build_context(key_id: UUID, *, owner: UUID) -> Context:
    return Context(purpose="page", label="accounts.shown_code", row=key_id, owner=owner)
