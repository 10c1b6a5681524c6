"""Recovery codes on the pages that show them, until two of their groups were typed back.

A code is stored nowhere, so the page has to bring it along, or a wrong group would lose it. It brings it
sealed, under a key of this showing that is in this process alone: a browser writes the form that led to a
page into its session files (seen in Chromium), and there a code in clear would outlive everything. The key is
forgotten once the code is kept, after eight hours, or with the process.

    carried    id of the showing in hex | "." | an envelope (see `llamora.crypto.envelope`) in base64url of
               JSON: the code, the two groups that are asked for, where to go on to
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
# Somebody who presses the button twice has the second press answered like the first.
LIFETIME_CONFIRMED = 60.0


@dataclass(frozen=True, kw_only=True)
class PendingCode:
    """A code on somebody's page, which of its groups are asked for, and the page after it."""

    code: str = field(repr=False)
    asked: list[int]
    following: str


@dataclass(frozen=True)
class _PendingCodeKey:
    secret: bytes = field(repr=False)
    until: float


_guard = threading.Lock()
_keys: dict[UUID, _PendingCodeKey] = {}


def to_token(shown: PendingCode, *, owner: UUID) -> str:
    """Return what the page of a code brings along."""
    showing, key = uuid4(), secret_bytes()
    sealed = seal(
        key=key,
        plaintext=json.dumps(asdict(shown)).encode(),
        context=_build_context(showing, owner=owner),
        epoch=NO_EPOCH,
    )
    _store_key(showing, key, lasts=LIFETIME)
    return f"{showing.hex}.{base64.urlsafe_b64encode(sealed).decode('ascii')}"


def from_token(carried: str, *, owner: UUID) -> PendingCode:
    """Return what a page brought along; raise CodeGone where it cannot be opened any more."""
    showing = _parse_token_id(carried)
    key = _keys.get(showing)
    if key is None or key.until <= time.monotonic():
        raise RecoveryCodeExpired
    try:
        sealed = base64.b64decode(carried.partition(".")[2], altchars=b"-_", validate=True)
        opened = unseal(key=key.secret, envelope=sealed, context=_build_context(showing, owner=owner))
    except (ValueError, EnvelopeError):
        raise RecoveryCodeExpired from None
    return PendingCode(**json.loads(opened))


def confirm_code(carried: str) -> None:
    """Forget the key of a code that its owner has kept."""
    showing = _parse_token_id(carried)
    if key := _keys.get(showing):
        _store_key(showing, key.secret, lasts=LIFETIME_CONFIRMED)


def _parse_token_id(carried: str) -> UUID:
    try:
        return UUID(hex=carried.partition(".")[0])
    except ValueError:
        raise RecoveryCodeExpired from None


def _store_key(showing: UUID, secret: bytes, *, lasts: float) -> None:
    now = time.monotonic()
    with _guard:
        for old in [each for each, key in _keys.items() if key.until <= now]:
            del _keys[old]
        _keys[showing] = _PendingCodeKey(secret, until=now + lasts)


def _build_context(showing: UUID, *, owner: UUID) -> Context:
    return Context(purpose="page", label="accounts.shown_code", row=showing, owner=owner)
