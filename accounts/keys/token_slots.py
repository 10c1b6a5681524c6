"""Key slots of access tokens: conversion from and to rows, renewal in rotations, confirmation by the owner.

The sealed list of a vault contains its tokens beside its other slots (`accounts.keys.slot_list`). A rotation
renews a token only if it is on the list and its owner's former key opens its authenticator; the new box is
made for the terms that the authenticator is bound to. Other tokens get no new keys.

A token is used only while its row has a confirmation, which its owner's page writes:

    HMAC-SHA256(SHA-256("llamora.token_confirmation" | secret key of the server),
                owner | id | u32 length of value | value for each of its terms)

Someone who only has the database cannot compute a confirmation, neither for a new token nor for other terms.
It is also registered beside the database (`llamora.database.credential_register`) until the token is revoked
or expires, so that restoring a deleted row does not restore the token. A restore of a backup deletes all
confirmations, because some tokens may have been revoked since the backup.

Texts that a token sends while its owner is locked are accepted at the next unlock. So a token that expires is
registered as expired until then: the texts that it sent in time are still accepted, and later ones are not.
"""

import hmac
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.utils.encoding import force_bytes

from accounts.keys.key_slots import RefusedSlot
from accounts.keys.row_shapes import list_sound_ids, read_bytes
from accounts.keys.slot_list import TOKEN_KIND, SlotList
from accounts.models import AccessToken
from llamora import crypto
from llamora.crypto import ForgedSlot, Keyring, SlotError, TokenKind, TokenSlot, TokenTerms
from llamora.database import credential_register, write_transaction
from llamora.fields import SealedValue

NOT_LISTED = "not_listed"
MARK_KIND = "token"
EXPIRED_KIND = "expired"
_SALT = b"llamora.token_confirmation"


class StoredToken(NamedTuple):
    """The columns by which a token is checked: those of the token, of its owner, and of the owner's vault."""

    id: UUID
    owner_id: UUID
    kind: str
    scopes: str
    created_at: datetime
    created_epoch: int
    lifetime_days: int
    writes_own_text: bool
    reads_untrusted: bool
    epoch: int
    public_key: bytes
    sealed_private: bytes
    sealed_authenticator: bytes
    box: bytes
    mac: bytes
    confirmation: bytes | None
    is_expired: bool
    owner__is_active: bool
    owner__vault__id: UUID | None
    owner__vault__epoch: int | None
    owner__vault__ways_in: SealedValue | None


def slot_from_row(row: AccessToken | StoredToken) -> TokenSlot:
    """Return the slot of a row, as the type in `llamora.crypto`; raise ForgedSlot for an invalid value."""
    try:
        terms = TokenTerms(
            kind=TokenKind(row.kind),
            scopes=frozenset(row.scopes.split()),
            created_at=int(row.created_at.timestamp()),
            created_epoch=row.created_epoch,
            lifetime_days=row.lifetime_days,
            writes_own_text=row.writes_own_text,
            reads_untrusted=row.reads_untrusted,
        )
        return TokenSlot(
            id=row.id,
            owner=row.owner_id,
            epoch=row.epoch,
            terms=terms,
            public_key=read_bytes(row.public_key),
            sealed_private=read_bytes(row.sealed_private),
            sealed_authenticator=read_bytes(row.sealed_authenticator),
            box=read_bytes(row.box),
            mac=read_bytes(row.mac),
        )
    except (TypeError, ValueError, AttributeError):
        raise ForgedSlot(row.id) from None


def row_from_slot(slot: TokenSlot, *, name: str) -> AccessToken:
    """Return an unsaved row for a slot."""
    terms = slot.terms
    return AccessToken(
        id=slot.id,
        owner_id=slot.owner,
        name=name,
        kind=terms.kind.value,
        scopes=" ".join(sorted(terms.scopes)),
        created_at=datetime.fromtimestamp(terms.created_at, tz=UTC),
        created_epoch=terms.created_epoch,
        lifetime_days=terms.lifetime_days,
        writes_own_text=terms.writes_own_text,
        reads_untrusted=terms.reads_untrusted,
        epoch=slot.epoch,
        public_key=slot.public_key,
        sealed_private=slot.sealed_private,
        sealed_authenticator=slot.sealed_authenticator,
        box=slot.box,
        mac=slot.mac,
    )


def renew_tokens(
    keyring: Keyring, *, listed: SlotList, vault_public_key: bytes
) -> tuple[list[TokenSlot], list[RefusedSlot]]:
    """Return the renewed tokens of a person, and the tokens that cannot be renewed, with reasons.

    A renewed token has the keys of the keyring's epoch. Only tokens in `listed` can be renewed. The keyring
    must also hold the data key of the previous epoch. Nothing is written.
    """
    renewed, refused = [], []
    sound_ids = list_sound_ids(AccessToken, keyring.owner)
    for row in AccessToken.objects.filter(id__in=sound_ids).order_by("id"):
        code = NOT_LISTED
        if row.id in listed and listed[row.id].kind == TOKEN_KIND:
            try:
                renewed.append(
                    crypto.renew_token_slot(
                        slot_from_row(row), keyring=keyring, vault_public_key=vault_public_key
                    )
                )
                continue
            except SlotError as error:
                code = error.code
        refused.append(RefusedSlot(slot_id=row.id, kind=TOKEN_KIND, code=code))
    return renewed, refused


def update_tokens(slots: Iterable[TokenSlot]) -> None:
    """Write the renewed tokens of a rotation."""
    for slot in slots:
        AccessToken.objects.filter(id=slot.id).update(
            epoch=slot.epoch, sealed_authenticator=slot.sealed_authenticator, box=slot.box, mac=slot.mac
        )


def remove_former_keys_from_tokens(keyring: Keyring) -> None:
    """Remove former keys from the column `box` of access tokens, which stores sealed keys.

    Keys of the epochs in `keyring` remain. Call in the transaction that destroys the former keys.
    """
    sound_ids = list_sound_ids(AccessToken, keyring.owner)
    rows = AccessToken.objects.filter(id__in=sound_ids, kind=TokenKind.AWAY.value, epoch=keyring.epoch)
    shortened = []
    for row in rows:
        # If its authenticator does not open, the row was changed, and the rotation refused the token.
        try:
            shortened.append(crypto.renew_token_slot(slot_from_row(row), keyring=keyring))
        except SlotError:
            continue
    update_tokens(shortened)


def compute_confirmation(slot: TokenSlot) -> bytes:
    """Return the confirmation of a token, a MAC of its owner, id and terms."""
    data = slot.owner.bytes + slot.id.bytes
    data += b"".join([len(value).to_bytes(4, "big") + value for _, value in slot.terms.bound])
    # As `django.utils.crypto.salted_hmac` does, in a fifth of its time.
    key = sha256(_SALT + force_bytes(settings.SECRET_KEY)).digest()
    return hmac.digest(key, data, "sha256")


def is_confirmed(row: AccessToken | StoredToken, slot: TokenSlot) -> bool:
    """Return whether the owner confirmed a token, and it is neither expired nor revoked.

    `slot` contains the terms of the token, which must be the confirmed ones.
    """
    return _is_registered(row, slot, kinds=(MARK_KIND,))


def is_sender(row: AccessToken | StoredToken, slot: TokenSlot) -> bool:
    """Return whether a token is a sender. Texts from a sender are accepted; texts from other tokens are not.

    A sender is a token that its owner confirmed and has not revoked. The token may have expired since. `slot`
    contains the terms of the token, which must be the confirmed ones.
    """
    return _is_registered(row, slot, kinds=(MARK_KIND, EXPIRED_KIND))


def _is_registered(row: AccessToken | StoredToken, slot: TokenSlot, *, kinds: Iterable[str]) -> bool:
    if row.confirmation is None:
        return False
    confirmation = read_bytes(row.confirmation)
    return hmac.compare_digest(confirmation, compute_confirmation(slot)) and any(
        credential_register.is_registered(_build_mark(row, confirmation, kind=kind)) for kind in kinds
    )


def register_confirmation(row: AccessToken) -> bytes:
    """Register the confirmation of a token: a MAC of the token's owner, id and terms. Return this MAC.

    The MAC is stored in the token's row. Call this function in the transaction that writes the row.
    """
    confirmation = compute_confirmation(slot_from_row(row))
    credential_register.register_mark(_build_mark(row, confirmation, kind=MARK_KIND))
    return confirmation


def count_suspended() -> int:
    """Return how many tokens wait for their owners to confirm them."""
    confirmed = AccessToken.objects.filter(confirmation__isnull=False, is_expired=False).count()
    without = AccessToken.objects.filter(confirmation__isnull=True).count()
    return without + max(0, confirmed - len(credential_register.list_marks(MARK_KIND)))


def remove_confirmation_on_commit(token_id: UUID) -> None:
    """After the commit that revokes a token, remove the token's confirmation from the register.

    A confirmation is a file. The row of the token may be damaged.
    """
    for kind in (MARK_KIND, EXPIRED_KIND):
        credential_register.remove_marks_on_commit(credential_register.list_marks(kind, row_id=token_id))


def remove_all_confirmations_on_commit(owner: UUID | None) -> None:
    """Remove all tokens of a person, or of everyone, from the register after the commit.

    Tokens whose rows are hidden at that moment are removed too.
    """
    for kind in (MARK_KIND, EXPIRED_KIND):
        credential_register.remove_marks_on_commit(credential_register.list_marks(kind, owner=owner))


def expire_confirmations(token_ids: Iterable[UUID]) -> None:
    """End the owners' confirmations of tokens: mark the tokens as expired, so that they are refused.

    Call it in the transaction that expires them.
    """
    for token_id in token_ids:
        marks = credential_register.list_marks(MARK_KIND, row_id=token_id)
        for mark in marks:
            credential_register.register_mark(EXPIRED_KIND + mark.removeprefix(MARK_KIND))
        credential_register.remove_marks_on_commit(marks)


def forget_expired(owner: UUID, *, spared: Iterable[UUID]) -> None:
    """Remove a person's expired tokens, except `spared`, from the register.

    From then on, texts that these tokens sent are refused.
    """
    marks = credential_register.list_marks(EXPIRED_KIND, owner=owner)
    for token_id in spared if marks else ():
        marks -= credential_register.list_marks(EXPIRED_KIND, row_id=token_id)
    credential_register.remove_marks(marks)


def remove_confirmations_without_rows() -> None:
    """If a token has no row in the database, remove the token's confirmation from the register.

    A confirmation is a file. Without it, restoring the row of a token does not make the token valid.
    """
    # Before the transaction: the row of each has been written by then, or never will be.
    registered = credential_register.list_marks(MARK_KIND) | credential_register.list_marks(EXPIRED_KIND)
    if registered:
        with write_transaction():
            rows = AccessToken.objects.only("owner_id", "confirmation", "is_expired")
            credential_register.remove_marks(
                registered
                - {find_mark(row, kind=EXPIRED_KIND if row.is_expired else MARK_KIND) for row in rows}
            )


def find_mark(row: AccessToken | StoredToken, *, kind: str = MARK_KIND) -> str | None:
    """Return the mark of a token: the name of the file that registers the token.

    Return None if the token is suspended or its row is damaged.
    """
    try:
        return None if row.confirmation is None else _build_mark(row, read_bytes(row.confirmation), kind=kind)
    except (AttributeError, TypeError):
        return None


def _build_mark(row: AccessToken | StoredToken, confirmation: bytes, *, kind: str) -> str:
    return credential_register.build_mark(kind, owner=row.owner_id, row_id=row.id, values=[confirmation])


def suspend_tokens(owner: UUID | None = None) -> int:
    """Suspend the tokens of one person, or of all, until their owners confirm them; return the number."""
    rows = AccessToken.objects.filter(confirmation__isnull=False)
    if owner is not None:
        rows = rows.filter(owner_id=owner)
    with write_transaction():
        remove_all_confirmations_on_commit(owner)
        return rows.update(confirmation=None)
