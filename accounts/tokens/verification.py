"""Verification of an access token that a program presents.

Whatever is wrong with a token, the error is InvalidToken, after REFUSAL_SECONDS at the earliest, so that
nobody learns which tokens exist or existed. Failures are counted by address. An address with too many of
them gets TooManyAttempts instead.

If the row of the token and the keyring of its owner are unchanged, a cached check is used (`recent_checks`).

A token that works while its owner is away contains keys. At its first use, and when its slot has changed,
these are checked like an unlocked data key: by the rules of `accounts.keys.key_checks`, and against the keys
of the sessions in this process. While its owner is unlocked, its terms are also verified with the owner's
keyring.
"""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.errors import InvalidToken
from accounts.keys import token_slots
from accounts.keys.key_checks import check_realm_keys_match
from accounts.keys.row_shapes import ERRORS, is_caused_by_damage
from accounts.keys.token_slots import StoredToken
from accounts.models import AccessToken, Vault
from accounts.sessions import revocation_list
from accounts.sessions.registry import check_no_other_realm_keys
from accounts.throttling.throttle import throttle
from accounts.tokens.call_limits import call_limits
from accounts.tokens.open_keyrings import OpenKeyring, open_keyrings
from accounts.tokens.recent_checks import RecentCheck, recent_checks
from accounts.tokens.token_uses import token_uses
from llamora import crypto
from llamora.clock import services as clock
from llamora.crypto import (
    DropKey,
    EnvelopeError,
    Keyring,
    OpenedTokenSlot,
    RealmKeyring,
    SlotError,
    TokenError,
    TokenKind,
    TokenSlot,
    TokenTerms,
    TokenText,
)
from llamora.database import CachedQuery, NotWritten, credential_register, write_transaction
from llamora.database.cached_sql import StoredRow
from llamora.threads import yield_turn

REFUSAL_SECONDS = 0.02
# How long a cut-off of an age is used before the clock is asked again.
CUTOFF_SECONDS = 60.0
_MOST_ADMITTED = 1024

# Each call of a program runs it. Models of a token, a person and a vault would take longer than all else.
_select_token: CachedQuery[tuple[Any, ...]] = CachedQuery(
    lambda id: AccessToken.objects.filter(id=id).values_list(*StoredToken._fields)  # noqa: A006 - the column's
)


@dataclass(frozen=True, kw_only=True)
class OpenedToken:
    """A valid token: its owner, its terms, and the keys that it opened.

    A token that can only send texts has a `drop` key, any other a `keyring`. The caller closes the keyring.
    `owner_keyring` is the keyring of the owner's unlocked browser; it may be closed by others at any time,
    and the caller must not close it.
    """

    token: TokenText = field(repr=False)
    owner: UUID
    terms: TokenTerms
    keyring: RealmKeyring | None = None
    drop: DropKey | None = None
    owner_keyring: Keyring | None = field(default=None, repr=False)

    @property
    def id(self) -> UUID:
        """The id of the token's row."""
        return self.token.id


class _Admissions:
    """Record of the "away" slots whose keys this process has checked: the MAC of each, by slot id.

    A slot with another MAC is checked again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._macs: OrderedDict[UUID, bytes] = OrderedDict()

    def is_admitted(self, slot: TokenSlot) -> bool:
        """Return whether this process has checked the keys of a slot, and the slot is unchanged since.

        A slot is unchanged if its MAC is the recorded one.
        """
        with self._lock:
            return self._macs.get(slot.id) == slot.mac

    def admit(self, slot: TokenSlot) -> None:
        """Record that this process has checked the keys of a slot.

        The record is the present MAC of the slot. A slot with another MAC is checked again.
        """
        with self._lock:
            self._macs[slot.id] = slot.mac
            while len(self._macs) > _MOST_ADMITTED:
                self._macs.popitem(last=False)

    def clear(self) -> None:
        """Forget all slots whose keys were checked."""
        with self._lock:
            self._macs.clear()


class _Cutoffs:
    """Cut-off times by lifetime of tokens: a token that was created before the cut-off time has expired.

    The times are computed again once a minute.
    """

    def __init__(self) -> None:
        self._found: dict[int, tuple[float, datetime | None]] = {}

    def find(self, days: int) -> datetime | None:
        """Return the cut-off time: tokens that last `days` days have expired if created before this time.

        Return None if the cut-off time is unknown.
        """
        now = clock.read_seconds()
        asked, cutoff = self._found.get(days, (-CUTOFF_SECONDS, None))
        if not 0 <= now - asked < CUTOFF_SECONDS:
            cutoff = clock.get_cutoff(timedelta(days=days))
            self._found[days] = now, cutoff
        return cutoff

    def clear(self) -> None:
        """Forget the computed times that decide which tokens have expired."""
        self._found.clear()


admissions = _Admissions()
cutoffs = _Cutoffs()


def verify_token(text: str, *, address: str) -> OpenedToken:
    """Verify a token that a program presents, and return it with its owner, terms and keys.

    For an invalid token raise InvalidToken, or TooManyAttempts while the address is delayed. For a valid one
    raise VaultLocked if its owner must unlock first, KeysDoNotMatch if its keys are not accepted, or
    TooManyCalls.
    """
    started = time.monotonic()
    try:
        opened = _open_token(text)
    except InvalidToken:
        _count_failure(address, started=started)
        raise
    token_uses.record(opened.id)
    return opened


def _count_failure(address: str, *, started: float) -> None:
    """Count an invalid token of an address, and wait; raise TooManyAttempts while the address is delayed.

    A call with a valid token is not counted, even if its owner is locked or it calls too often: it is no
    guess, and must not delay other programs and people at the same address.
    """
    with throttle.attempt("token", address=address) as attempt:
        attempt.fail()
        with yield_turn():
            time.sleep(max(0.0, started + REFUSAL_SECONDS - time.monotonic()))


def find_token_owner(text: str) -> UUID | None:
    """Return the id of the person who owns a confirmed access token, or None for any other text.

    The person's diary may be locked. This does not count as a use of the token.
    """
    try:
        token = crypto.parse_token(text)
        row = next((StoredToken(*values) for values in _select_token(id=token.id)), None)
        if row is None or _is_ended(row) or row.owner__vault__epoch is None:
            return None
        slot = token_slots.slot_from_row(row)
        crypto.check_secret(slot, token, current_epoch=row.owner__vault__epoch)
        if not token_slots.is_confirmed(row, slot):
            return None
    except (TokenError, SlotError):
        return None
    except ERRORS as error:
        if not is_caused_by_damage(error):
            raise
        return None
    return slot.owner


def _open_token(text: str) -> OpenedToken:
    try:
        token = crypto.parse_token(text)
        stored = next(iter(_select_token.fetch_stored(id=token.id)), None)
        if stored is None:
            recent_checks.remove(token.id)
            raise InvalidToken
        check = recent_checks.find(token.id, stored=stored)
        opened = None if check is None else _open_again(check, token)
        if opened is None:
            opened = _check_in_full(token, stored)
    except (TokenError, SlotError, Vault.DoesNotExist):
        raise InvalidToken from None
    except ERRORS as error:
        if not is_caused_by_damage(error):
            raise
        raise InvalidToken from None
    return opened


def _open_again(check: RecentCheck, token: TokenText) -> OpenedToken | None:
    """Return what a token opens by its cached check, or None if the check does not apply any more."""
    slot = check.slot.slot
    held = _find_held(slot.owner, epoch=slot.epoch)
    if held is not check.held or (slot.terms.kind is TokenKind.AWAY and not admissions.is_admitted(slot)):
        return None
    if revocation_list.is_revoked(slot.id.bytes) or _is_outlived(slot, created_at=check.created_at):
        return None
    if not credential_register.is_registered(check.mark):
        return None
    found = check.slot.open(token)
    call_limits.count(slot.id)
    return _build_opened(found, token, held=held)


def _check_in_full(token: TokenText, stored: StoredRow) -> OpenedToken:
    (values,) = _select_token.convert([stored], id=token.id)
    row = StoredToken(*values)
    if _is_ended(row):
        raise InvalidToken
    slot = token_slots.slot_from_row(row)
    epoch = row.owner__vault__epoch
    if epoch is None:
        raise InvalidToken
    held = _find_held(row.owner_id, epoch=epoch)
    # The secret is checked first: without it, nobody learns anything else about a token.
    found = crypto.open_token_slot(
        slot, token, current_epoch=epoch, owner_keyring=None if held is None else held.keyring
    )
    _check_valid(row, slot)
    if held is not None:
        _check_listed(row, held)
    opened = _build_opened(found, token, held=held)
    try:
        _check_admitted(slot, opened.keyring)
        call_limits.count(row.id)
    except BaseException:
        if opened.keyring is not None:
            opened.keyring.close()
        raise
    remembered = crypto.remember_token_slot(found, token)
    recent_checks.add(
        slot.id,
        RecentCheck(
            stored=stored,
            held=held,
            slot=remembered,
            created_at=row.created_at,
            mark=token_slots.find_mark(row) or "",
        ),
    )
    return opened


def _find_held(owner: UUID, *, epoch: int) -> OpenKeyring | None:
    held = open_keyrings.find_held(owner)
    return None if held is None or held.keyring.epoch != epoch else held


def _build_opened(found: OpenedTokenSlot, token: TokenText, *, held: OpenKeyring | None) -> OpenedToken:
    """Return what a checked token opens; raise VaultLocked if its owner must be unlocked for it."""
    terms, drop, keyring = found.slot.terms, None, None
    owners = None if held is None else held.keyring
    if terms.kind is TokenKind.DROP:
        drop = found.build_drop_key()
    else:
        keyring = found.build_keyring(owner_keyring=owners)
    return OpenedToken(
        token=token, owner=found.slot.owner, terms=terms, keyring=keyring, drop=drop, owner_keyring=owners
    )


def _is_ended(row: StoredToken) -> bool:
    return not row.owner__is_active or row.is_expired or revocation_list.is_revoked(row.id.bytes)


def _check_admitted(slot: TokenSlot, keyring: RealmKeyring | None) -> None:
    """Check the keys in an "away" token unless this process did so before; raise KeysDoNotMatch."""
    if slot.terms.kind is TokenKind.AWAY and keyring is not None and not admissions.is_admitted(slot):
        realms = slot.terms.realms
        check_realm_keys_match(keyring, vault=Vault.objects.get(owner_id=slot.owner), realms=realms)
        check_no_other_realm_keys(keyring, realms)
        admissions.admit(slot)


def _check_valid(row: StoredToken, slot: TokenSlot) -> None:
    """Raise InvalidToken if a token has expired, or was not confirmed by its owner with these terms."""
    if not token_slots.is_confirmed(row, slot):
        raise InvalidToken
    if _is_outlived(slot, created_at=row.created_at):
        _mark_expired(row)
        raise InvalidToken


def _is_outlived(slot: TokenSlot, *, created_at: datetime) -> bool:
    days = slot.terms.lifetime_days
    cutoff = cutoffs.find(days) if days else None
    return cutoff is not None and created_at < cutoff


def _mark_expired(row: StoredToken) -> None:
    try:
        with write_transaction():
            token_slots.expire_confirmations([row.id])
            AccessToken.objects.filter(id=row.id).update(is_expired=True)
    except NotWritten:
        return  # refused all the same, as long as the clock says so


def _check_listed(row: StoredToken, held: OpenKeyring) -> None:
    """Raise InvalidToken if a token is not on its owner's sealed list of key slots."""
    vault_id, envelope = row.owner__vault__id, row.owner__vault__ways_in
    if vault_id is None or envelope is None:
        raise InvalidToken
    try:
        is_listed = held.is_listed(row.id, vault_id=vault_id, envelope=envelope)
    except EnvelopeError:
        raise InvalidToken from None
    if not is_listed:
        raise InvalidToken
