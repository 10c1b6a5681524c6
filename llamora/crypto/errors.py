"""The errors of cryptography: one small tree, each class with a stable `code`.

    CryptoError
        VaultLocked              locked                 no keyring in force, it was closed, or lacks the realm
        UnknownLabel             unknown_label          the label belongs to no realm
        FormerFormat             former_format          the key is of format 1, and must be rotated first
        EnvelopeError
            UnknownFormat        unknown_format         the first byte is not a known format
            Truncated            truncated              shorter than the shortest envelope of its format
            WrongEpoch           wrong_epoch            the keyring holds no key of that epoch
            DestroyedKey         destroyed_key          the key of that epoch was destroyed; nothing opens it
            NotAuthentic         not_authentic          changed, or moved to another row, label or owner
            BadPadding           bad_padding            authentic, but not padded by `padding.pad`
        SlotError                                       carries `slot_id`
            WrongSecret          wrong_secret           the secret does not open the slot
            ForgedSlot           forged_slot            box or public key not created by the slot's owner
            SlotBehind           slot_behind            the slot is of an earlier epoch than the vault
            SlotAhead            slot_ahead             the slot is of a later epoch than the vault
            UnknownAuthenticator unknown_authenticator  a rotation must not seal the new data key to this slot
            BadCost              bad_cost               derivation parameters below FLOOR or above CEILING
        BadRecoveryCode          bad_recovery_code      not a recovery code: length, letters or checksum
        TokenError
            NoToken              no_token               the text is not an access token at all
            DamagedToken         damaged_token          an access token with wrong or missing characters
        DerivationBusy           busy                   the queue is full
        DerivationFailed         derivation_failed      the machine could not derive (most often: no memory)

No error contains a secret, a key or plaintext, neither in its text nor in an attribute.
"""

# The names follow what happened ("vault locked"), as callers read them; the code is the contract.
# ruff: noqa: N818

from __future__ import annotations

from typing import ClassVar
from uuid import UUID


class CryptoError(Exception):
    """Base class of the errors of this package."""

    code: ClassVar[str] = "crypto"
    text: ClassVar[str] = "The cryptographic layer refused."

    def __str__(self) -> str:
        return self.text


class VaultLocked(CryptoError):
    """Raised when a key is needed but the vault is locked."""

    code = "locked"
    text = "The vault is locked."


class UnknownLabel(CryptoError):
    """Raised when a label belongs to no realm; it must be added to `llamora.crypto.realms`."""

    code = "unknown_label"
    text = "The label belongs to no realm."


class FormerFormat(CryptoError):
    """Raised when a key of encryption format 1 is used to seal; such a key may only open values."""

    code = "former_format"
    text = "The key is of a former format and must be replaced first."


class EnvelopeError(CryptoError):
    """Base class of errors in opening an envelope."""

    code = "envelope"
    text = "The envelope cannot be opened."


class UnknownFormat(EnvelopeError):
    """Raised when the first byte of an envelope is not that of a known format."""

    code = "unknown_format"
    text = "The envelope has a format this version does not know."


class Truncated(EnvelopeError):
    """Raised when there are too few bytes for an envelope."""

    code = "truncated"
    text = "The envelope is too short to be whole."


class WrongEpoch(EnvelopeError):
    """Raised when the keyring has no key of the envelope's epoch (version of the data key)."""

    code = "wrong_epoch"
    text = "The envelope belongs to an epoch whose key is not held."


class DestroyedKey(EnvelopeError):
    """Raised when the envelope's key was destroyed, at the end of the rotation that replaced the key."""

    code = "destroyed_key"
    text = "The key with which the envelope was sealed is destroyed."


class NotAuthentic(EnvelopeError):
    """Raised when the authentication tag does not match the key, the context and the bytes."""

    code = "not_authentic"
    text = "The envelope was changed, moved, or sealed for something else."


class BadPadding(EnvelopeError):
    """Raised when the padding inside an opened envelope is malformed."""

    code = "bad_padding"
    text = "The padding inside the envelope is malformed."


class SlotError(CryptoError):
    """Base class of errors in opening or renewing a key slot. `slot_id` is the slot's id, if known."""

    code = "slot"
    text = "The key slot is refused."

    def __init__(self, slot_id: UUID | None = None) -> None:
        super().__init__()
        self.slot_id = slot_id

    def __str__(self) -> str:
        return self.text if self.slot_id is None else f"{self.text} (slot {self.slot_id})"


class WrongSecret(SlotError):
    """Raised when the key derived from the secret does not open the slot."""

    code = "wrong_secret"
    text = "The secret does not open this key slot."


class ForgedSlot(SlotError):
    """Raised when a key slot's sealed box, public key or MAC was not created by the slot's owner."""

    code = "forged_slot"
    text = "The key slot's box or public key was not made by its owner."


class SlotBehind(SlotError):
    """Raised when a key slot contains the data key of an earlier epoch than that of the owner's vault."""

    code = "slot_behind"
    text = "The key slot is behind its owner's epoch."


class SlotAhead(SlotError):
    """Raised when a key slot contains the data key of a later epoch than that of the owner's vault."""

    code = "slot_ahead"
    text = "The key slot is ahead of its owner's epoch."


class UnknownAuthenticator(SlotError):
    """Raised by a rotation when the old data key does not open the MAC key (authenticator) of a key slot."""

    code = "unknown_authenticator"
    text = "The key slot's authenticator does not open; it is given nothing."


class BadCost(SlotError):
    """Raised when derivation parameters are below FLOOR or above CEILING (`llamora.crypto.kdf`)."""

    code = "bad_cost"
    text = "The derivation parameters lie outside what is allowed."


class BadRecoveryCode(CryptoError):
    """Raised when text is not a recovery code."""

    code = "bad_recovery_code"
    text = "That is not a recovery code."


class TokenError(CryptoError):
    """Base class of errors in the text of an access token."""

    code = "token"
    text = "The text is refused as an access token."


class NoToken(TokenError):
    """Raised when a text does not begin as an access token does."""

    code = "no_token"
    text = "That is not an access token: one begins with llamora_ and has 94 characters."


class DamagedToken(TokenError):
    """Raised when an access token was cut short or changed while it was copied."""

    code = "damaged_token"
    text = "Characters of the access token are wrong or missing; copy it again."


class DerivationBusy(CryptoError):
    """Raised at once when the derivation queue is full."""

    code = "busy"
    text = "A derivation is already waiting."


class DerivationFailed(CryptoError):
    """Raised when Argon2 itself fails, most often because the machine lacks memory."""

    code = "derivation_failed"
    text = "The key could not be derived on this machine."
