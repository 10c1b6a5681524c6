"""Access tokens: create, list, confirm and revoke.

A token that works while its owner is away contains keys. So revoking it requires a rotation, which also locks
other browsers. After that, whoever has the token cannot read later texts, but can still read an earlier copy
of the database. Other tokens contain no keys: their rows are deleted, and they are taken off the list of key
slots.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.auth.services.reauth import Reauthentication, reauthenticate
from accounts.errors import StaleVault, TooManyTokens
from accounts.keys import key_pairs, key_slots, row_shapes, token_slots
from accounts.keys.slot_list import TOKEN_KIND, ListedSlot, SlotList, change_slot_list, load_slot_list
from accounts.models import AccessToken, AccessTokenKind, KeySlot, Person, SlotKind, Vault
from accounts.rotation import background
from accounts.rotation.epoch_change import OtherBrowsers, begin_rotation
from accounts.sessions import revocation_list
from accounts.sessions.cookies import SessionCookie
from accounts.signals import token_revoking
from accounts.tokens.open_keyrings import open_keyrings
from accounts.tokens.recent_checks import recent_checks
from llamora import crypto
from llamora.clock.services import get_cutoff
from llamora.crypto import Keyring, SlotError, TokenKind, TokenTerms, in_force
from llamora.database import CachedQuery, truncate_wal, write_transaction
from llamora.fields import new_id

MOST_TOKENS = 50


@dataclass(frozen=True, kw_only=True)
class TokenRequest:
    """A request for a new token: its name, kind, scopes, lifetime and rights."""

    name: str
    kind: TokenKind
    scopes: frozenset[str]
    lifetime_days: int = 0
    writes_own_text: bool = False
    reads_untrusted: bool = False


@dataclass(frozen=True, kw_only=True)
class ListedToken:
    """A token in a list, with its name and state: valid, waiting for confirmation, or no longer valid."""

    row: AccessToken
    name: str
    is_valid: bool
    is_suspended: bool

    @property
    def scopes(self) -> list[str]:
        """The names of the token's scopes."""
        return self.row.scopes.split()


@dataclass(frozen=True, kw_only=True)
class DropSender:
    """A "drop" token, which can only send texts: its id, its name, and the MAC key of its texts."""

    id: UUID
    name: str
    authenticator: bytes = field(repr=False)


def create_token(keyring: Keyring, request: TokenRequest) -> str:
    """Create a token that contains no keys, and return its text, which is not stored.

    Raise TooManyTokens, StaleVault or NotWritten. The page uses this only for "drop" tokens: other kinds
    outlive the session, whose cookie may have been stolen, so they require the password.
    """
    if request.kind is TokenKind.AWAY:
        raise ValueError("A token for while its owner is away is made with their password.")
    return _create_token(keyring, request)


def create_token_with_password(reauthentication: Reauthentication, request: TokenRequest) -> str:
    """Create a token of any kind after re-authentication.

    Raise the errors of `create_token` and of `reauthenticate`.
    """
    with reauthenticate(reauthentication) as opened:
        return _create_token(opened.keyring, request)


def _create_token(keyring: Keyring, request: TokenRequest) -> str:
    token = crypto.new_token(new_id())
    terms = TokenTerms(
        kind=request.kind,
        scopes=request.scopes,
        created_at=int(timezone.now().timestamp()),
        created_epoch=keyring.epoch,
        lifetime_days=request.lifetime_days,
        writes_own_text=request.writes_own_text,
        reads_untrusted=request.reads_untrusted,
    )
    with write_transaction(), in_force(keyring):
        if AccessToken.objects.filter(owner_id=keyring.owner).count() >= MOST_TOKENS:
            raise TooManyTokens
        public_key = key_pairs.find_public_key(keyring)
        if public_key is None:
            raise StaleVault
        slot = crypto.create_token_slot(token, terms=terms, keyring=keyring, vault_public_key=public_key)
        row = token_slots.row_from_slot(slot, name=request.name)
        row.confirmation = token_slots.register_confirmation(row)
        row.save(force_insert=True)
        change_slot_list(keyring, partial(_add_to_list, token_id=token.id))
    open_keyrings.add(keyring)
    return token.encode()


def _add_to_list(listed: SlotList, *, token_id: UUID) -> None:
    added = timezone.now().isoformat(timespec="seconds")
    listed[token_id] = ListedSlot(id=token_id, kind=TOKEN_KIND, added=added)


def list_tokens(keyring: Keyring) -> list[ListedToken]:
    """Return a person's tokens, newest first."""
    with in_force(keyring):
        vault = Vault.objects.get(owner_id=keyring.owner)
        listed = load_slot_list(vault) or {}
        sound_ids = row_shapes.list_sound_ids(AccessToken, keyring.owner)
        rows = AccessToken.objects.filter(id__in=sound_ids).order_by("-id")
        return [_describe(row, keyring, listed=listed) for row in rows]


# Each text that a program writes has its name.
_named_query: CachedQuery[AccessToken] = CachedQuery(
    lambda owner_id, id: AccessToken.objects.filter(owner_id=owner_id, id=id).only("owner_id", "name")  # noqa: A006
)


def find_token_name(keyring: Keyring, *, token_id: UUID) -> str:
    """Return the name of a token, or "" if it is unreadable."""
    row = next(iter(_named_query(owner_id=keyring.owner, id=token_id)), None)
    with in_force(keyring):
        return str(row.open_or("name", "")) if row is not None else ""


def _describe(row: AccessToken, keyring: Keyring, *, listed: SlotList) -> ListedToken:
    is_genuine = row.id in listed and row.epoch == keyring.epoch and _is_authentic(row, keyring)
    is_valid = is_genuine and not row.is_expired
    is_suspended = is_valid and not token_slots.is_confirmed(row, token_slots.slot_from_row(row))
    name = row.open_or("name", "") or ""
    return ListedToken(row=row, name=name, is_valid=is_valid, is_suspended=is_suspended)


def _is_authentic(row: AccessToken, keyring: Keyring) -> bool:
    try:
        crypto.open_authenticator(token_slots.slot_from_row(row), keyring=keyring)
    except SlotError:
        return False
    return True


def list_drop_senders(keyring: Keyring) -> list[DropSender]:
    """Return the "drop" tokens of a person, even expired ones. These tokens can only send texts.

    Tokens that the person did not create, or has revoked, are left out. Tokens that wait to be confirmed are
    left out: they may have been revoked since the backup that was restored, in which both the row and the
    vault's list still have them.
    """
    with in_force(keyring):
        listed = load_slot_list(Vault.objects.get(owner_id=keyring.owner)) or {}
        sound_ids = row_shapes.list_sound_ids(AccessToken, keyring.owner)
        rows = AccessToken.objects.filter(id__in=sound_ids, kind=AccessTokenKind.DROP).order_by("id")
        senders = [_load_sender(row, keyring) for row in rows if row.id in listed]
    return [sender for sender in senders if sender is not None]


def _load_sender(row: AccessToken, keyring: Keyring) -> DropSender | None:
    try:
        slot = token_slots.slot_from_row(row)
        authenticator = crypto.open_authenticator(slot, keyring=keyring)
    except SlotError:
        return None
    if not token_slots.is_sender(row, slot):
        return None
    return DropSender(id=row.id, name=row.open_or("name", "") or "", authenticator=authenticator)


def confirm_token(keyring: Keyring, *, token_id: UUID) -> bool:
    """Let a suspended token work again; return False if its owner did not create it.

    Raise AccessToken.DoesNotExist or NotWritten.
    """
    with write_transaction(), in_force(keyring):
        row = AccessToken.objects.get(id=token_id, owner_id=keyring.owner)
        listed = load_slot_list(Vault.objects.get(owner_id=keyring.owner)) or {}
        if not _describe(row, keyring, listed=listed).is_valid:
            return False
        row.confirmation = token_slots.register_confirmation(row)
        row.save(update_fields=["confirmation"])
    return True


def revoke_token(keyring: Keyring, *, person: Person, token_id: UUID, cookie: SessionCookie) -> bool:
    """Revoke a token at once; return whether this required a rotation, which locks other browsers.

    Raise AccessToken.DoesNotExist, NotWritten, or an error of `begin_rotation`.
    """
    row = AccessToken.objects.defer("name").get(id=token_id, owner_id=person.id)
    with in_force(keyring):
        listed = load_slot_list(Vault.objects.get(owner_id=person.id)) or {}
        token_revoking.send_robust(AccessToken, person_id=person.id, keyring=keyring)
    # Neither the row nor the list decides that there is no rotation: an attacker could change the row, and
    # restore a list of this epoch from before the token was created. Its keys would open all later texts.
    if not _holds_no_keys(row, keyring):
        _revoke_with_rotation(keyring, person=person, token_id=token_id, cookie=cookie)
        return True
    with write_transaction():
        _revoke_on_commit(token_id)
        AccessToken.objects.filter(id=token_id, owner_id=person.id).delete()
        if token_id in listed:
            change_slot_list(keyring, lambda current: _remove_from_list(current, token_id=token_id))
    return False


def _holds_no_keys(row: AccessToken, keyring: Keyring) -> bool:
    return row.kind != AccessTokenKind.AWAY and _is_authentic(row, keyring)


def _remove_from_list(listed: SlotList, *, token_id: UUID) -> None:
    listed.pop(token_id, None)


def _revoke_with_rotation(keyring: Keyring, *, person: Person, token_id: UUID, cookie: SessionCookie) -> None:
    password_slot = KeySlot.objects.get(owner_id=person.id, kind=SlotKind.PASSWORD)
    opened = key_slots.OpenedSlot(person=person, slot=key_slots.slot_from_row(password_slot), keyring=keyring)
    with write_transaction():
        _revoke_on_commit(token_id)
        begun = begin_rotation(
            opened, current_cookie=cookie, others=OtherBrowsers.LOCK, removed_tokens=[token_id]
        )
    truncate_wal()
    background.start_rotation_thread(begun.keyring)
    begun.keyring.close()


def end_expired_tokens() -> int:
    """End the expired tokens, and return their number.

    While the clock may be wrong, only tokens that have certainly expired are ended. Tokens without a row are
    removed from the register. Raise NotWritten.
    """
    rows = AccessToken.objects.filter(is_expired=False, lifetime_days__gt=0).only(
        "lifetime_days", "created_at"
    )
    cutoffs = {days: get_cutoff(timedelta(days=days)) for days in {row.lifetime_days for row in rows}}
    expired = [row.id for row in rows if (cutoff := cutoffs[row.lifetime_days]) and row.created_at < cutoff]
    if expired:
        with write_transaction():
            token_slots.expire_confirmations(expired)
            AccessToken.objects.filter(id__in=expired).update(is_expired=True)
    token_slots.remove_confirmations_without_rows()
    return len(expired)


def _revoke_on_commit(token_id: UUID) -> None:
    """Revoke a token after the commit that deletes its row, in case the row is restored."""
    token_slots.remove_confirmation_on_commit(token_id)
    transaction.on_commit(partial(revocation_list.revoke_for_good, token_id.bytes))
    transaction.on_commit(partial(recent_checks.remove, token_id))
