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

from accounts.errors import CodeGone
from llamora.crypto import NO_EPOCH, Context, EnvelopeError, seal, secret_bytes, unseal

LASTS = 8 * 3600.0
# Somebody who presses the button twice has the second press answered like the first.
LASTS_KEPT = 60.0


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A code on somebody's page, which of its groups are asked for, and the page after it."""

    code: str = field(repr=False)
    asked: list[int]
    following: str


@dataclass(frozen=True)
class _Key:
    secret: bytes = field(repr=False)
    until: float


_guard = threading.Lock()
_keys: dict[UUID, _Key] = {}


def carry(shown: Shown, *, owner: UUID) -> str:
    """Return what the page of a code brings along."""
    showing, key = uuid4(), secret_bytes()
    sealed = seal(
        key=key,
        plaintext=json.dumps(asdict(shown)).encode(),
        context=_context(showing, owner=owner),
        epoch=NO_EPOCH,
    )
    _remember(showing, key, lasts=LASTS)
    return f"{showing.hex}.{base64.urlsafe_b64encode(sealed).decode('ascii')}"


def brought(carried: str, *, owner: UUID) -> Shown:
    """Return what a page brought along; raise CodeGone where it cannot be opened any more."""
    showing = _showing(carried)
    key = _keys.get(showing)
    if key is None or key.until <= time.monotonic():
        raise CodeGone
    try:
        sealed = base64.b64decode(carried.partition(".")[2], altchars=b"-_", validate=True)
        opened = unseal(key=key.secret, envelope=sealed, context=_context(showing, owner=owner))
    except (ValueError, EnvelopeError):
        raise CodeGone from None
    return Shown(**json.loads(opened))


def kept(carried: str) -> None:
    """Forget the key of a code that its owner has kept."""
    showing = _showing(carried)
    if key := _keys.get(showing):
        _remember(showing, key.secret, lasts=LASTS_KEPT)


def _showing(carried: str) -> UUID:
    try:
        return UUID(hex=carried.partition(".")[0])
    except ValueError:
        raise CodeGone from None


def _remember(showing: UUID, secret: bytes, *, lasts: float) -> None:
    now = time.monotonic()
    with _guard:
        for old in [each for each, key in _keys.items() if key.until <= now]:
            del _keys[old]
        _keys[showing] = _Key(secret, until=now + lasts)


def _context(showing: UUID, *, owner: UUID) -> Context:
    return Context(purpose="page", label="accounts.shown_code", row=showing, owner=owner)
