"""Cache of opened token slots, sealed under the token's secret, so that each call is checked at less cost.

The contents of a slot are cached in memory in sealed form, under a key that is derived from the token's
secret. So the cache opens only when the right token is presented again.

    key     BLAKE2b(key = secret of the token, digest length 32, personalisation = "llamora.tokmem"
                    (zeros to 16), data = 32 random bytes of this process)
    sealed  24 bytes nonce | XSalsa20-Poly1305 (libsodium's crypto_secretbox) of the contents

Nothing of this is stored. The caller checks that the slot has not changed since.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b

from nacl.bindings import crypto_secretbox, crypto_secretbox_open
from nacl.exceptions import CryptoError as _SodiumError

from llamora.crypto.access_tokens.token_slots import OpenedTokenSlot, TokenSlot
from llamora.crypto.access_tokens.token_text import TokenText
from llamora.crypto.entropy import KEY_BYTES, secret_bytes
from llamora.crypto.errors import WrongSecret

_PERSON = b"llamora.tokmem"
_NONCE_BYTES = 24
_of_this_process = secret_bytes(KEY_BYTES)


@dataclass(frozen=True, slots=True)
class RememberedTokenSlot:
    """A cached key slot of an access token. Its contents are encrypted, and only the token opens them."""

    slot: TokenSlot
    _sealed: bytes = field(repr=False)

    def open(self, token: TokenText) -> OpenedTokenSlot:
        """Return the slot and its contents; raise WrongSecret if this is the token of another slot."""
        nonce, box = self._sealed[:_NONCE_BYTES], self._sealed[_NONCE_BYTES:]
        try:
            return OpenedTokenSlot(self.slot, bytes(crypto_secretbox_open(box, nonce, _derive_key(token))))
        except _SodiumError:
            raise WrongSecret(self.slot.id) from None


def remember_token_slot(opened: OpenedTokenSlot, token: TokenText) -> RememberedTokenSlot:
    """Return a token slot for the cache, with its contents sealed under the token's secret."""
    nonce = secret_bytes(_NONCE_BYTES)
    return RememberedTokenSlot(
        opened.slot, nonce + crypto_secretbox(opened.inside, nonce, _derive_key(token))
    )


def _derive_key(token: TokenText) -> bytes:
    return blake2b(_of_this_process, key=token.secret, digest_size=KEY_BYTES, person=_PERSON).digest()
