"""Browser keys, which prove from which browser a draft was sent while the diary was locked.

All integers are unsigned and big-endian. A browser key is derived from the cookie half in the session cookie
(see `llamora.crypto.session`), so it changes at each unlock:

    browser key   BLAKE2b(key = cookie half, digest length 32, personalisation = "llamora.browser" (zeros to
                          16), data = the 16 bytes of the sign-in's id)

    draft key     the public key to which a draft of this browser is sealed (see `vault_keys`):
                      u8 format 1 | u32 epoch | public key 32 | MAC 32 of
                          "key" | owner 16 | u32 epoch | public key 32

    draft         the box that was sealed to the public key, and the MAC 32 of
                          "draft" | u32 length of context | context | box
                  where context is Context.encode(0) as in `llamora.crypto.context`

    MAC           BLAKE2b(key = browser key, digest length 32, personalisation = "llamora.bmac" (zeros to 16),
                          data = u8 format 1 | the above)

The prefixes "key" and "draft" separate the two uses of the MAC. The draft key is stored in the row of the
sign-in. Anyone who can write to the database could replace it there, but without the cookie they cannot
compute its MAC. The server derives the browser key from the cookie of a request. While the diary is unlocked,
it can also open a sealed copy of the browser key.
"""

from __future__ import annotations

import hmac
import struct
from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID

from llamora.crypto.context import Context
from llamora.crypto.entropy import KEY_BYTES
from llamora.crypto.envelope import NO_EPOCH
from llamora.crypto.errors import NotAuthentic, Truncated, UnknownFormat

_KEY_PERSON = b"llamora.browser"
_MAC_PERSON = b"llamora.bmac"
_FORMAT = b"\1"
_MAC_BYTES = 32
_DRAFT_KEY = struct.Struct(f">cI{KEY_BYTES}s{_MAC_BYTES}s")
_KEY_HEAD = struct.Struct(f">16sI{KEY_BYTES}s")
_U32 = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class DraftKey:
    """The public key to which a browser seals drafts, and the epoch of its key pair."""

    epoch: int
    public: bytes


def derive_browser_key(half: bytes, *, sign_in_id: UUID) -> bytes:
    """Derive the browser key from `half`, the secret in the session cookie, and from the sign-in's id."""
    if len(half) != KEY_BYTES:
        raise ValueError("A cookie half has 32 bytes.")
    return blake2b(sign_in_id.bytes, key=half, digest_size=KEY_BYTES, person=_KEY_PERSON).digest()


def encode_draft_key(key: DraftKey, *, browser_key: bytes, owner: UUID) -> bytes:
    """Return a draft key with its MAC, in the form in which the row of the sign-in stores it."""
    mac = _compute_key_mac(key, browser_key=browser_key, owner=owner)
    return _DRAFT_KEY.pack(_FORMAT, key.epoch, key.public, mac)


def open_draft_key(stored: bytes, *, browser_key: bytes, owner: UUID) -> DraftKey:
    """Return a stored draft key; raise an EnvelopeError if its MAC is of another browser or owner."""
    if stored[:1] != _FORMAT:
        raise UnknownFormat
    if len(stored) != _DRAFT_KEY.size:
        raise Truncated
    _, epoch, public, mac = _DRAFT_KEY.unpack(stored)
    key = DraftKey(epoch, public)
    if not hmac.compare_digest(mac, _compute_key_mac(key, browser_key=browser_key, owner=owner)):
        raise NotAuthentic
    return key


def compute_draft_mac(browser_key: bytes, *, box: bytes, context: Context) -> bytes:
    """Return the MAC of `box` (a sealed draft) and of its context."""
    encoded = context.encode(NO_EPOCH)
    return _compute_mac(browser_key, b"draft" + _U32.pack(len(encoded)) + encoded + box)


def check_draft_mac(browser_key: bytes, mac: bytes, *, box: bytes, context: Context) -> None:
    """Raise NotAuthentic unless this browser sent the sealed draft `box` in this context."""
    if not hmac.compare_digest(mac, compute_draft_mac(browser_key, box=box, context=context)):
        raise NotAuthentic


def _compute_key_mac(key: DraftKey, *, browser_key: bytes, owner: UUID) -> bytes:
    return _compute_mac(browser_key, b"key" + _KEY_HEAD.pack(owner.bytes, key.epoch, key.public))


def _compute_mac(browser_key: bytes, data: bytes) -> bytes:
    return blake2b(_FORMAT + data, key=browser_key, digest_size=_MAC_BYTES, person=_MAC_PERSON).digest()
