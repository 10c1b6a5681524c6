"""Sessions: the only code that creates, loads and ends SignIn rows (signed in) and Unlock rows (unlocked).

The data key in an Unlock row is sealed under a key of three parts: the cookie half in the browser, the salt
in the row, the run secret in memory. So an attacker needs both the disk and the browser to open a vault; once
the machine was switched off, even both are not enough. A row is also valid only if its unlock is in the
register in memory (`accounts.sessions.unlock_register`). `last_active` is written at most once per
`limits.get_touch_interval`.
"""

import hmac
import logging
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.errors import KeysDoNotMatch, StaleVault
from accounts.http.request import NOBODY, RequestVault
from accounts.keys import row_shapes
from accounts.keys.browser_keys import create_browser_key
from accounts.keys.key_checks import check_keys_match
from accounts.keys.keyrings import build_keyring
from accounts.keys.sealed_preferences import apply_preferences
from accounts.keys.vault_state import is_of_format_1
from accounts.models import Person, SignIn, Unlock, Vault
from accounts.sessions import limits, revocation_list
from accounts.sessions.cookies import COOKIE_HALF_LENGTH, SessionCookie
from accounts.sessions.registry import check_no_other_key, session_registry
from accounts.sessions.run_secret import get_run_secret
from accounts.sessions.sign_in_marks import build_sign_in_mark, find_sign_in_mark, list_sign_in_marks
from accounts.sessions.unlock_register import (
    RegisteredUnlock,
    is_registered,
    list_unlocks,
    record_activity,
    register_unlock,
    remove_unlocks,
)
from accounts.sessions.user_events import user_events
from accounts.signals import vault_locked, vault_opened
from llamora.clock.services import notice_step
from llamora.crypto import (
    CryptoError,
    EnvelopeError,
    Keyring,
    hash_half,
    in_force,
    secret_bytes,
    unwrap_dek,
    wrap_dek,
)
from llamora.database import CachedQuery, NotWritten, credential_register, write_transaction

MAX_DEVICE = 80
# Of one person: everybody's saves wait while many are ended at once.
MAX_SIGN_INS = 100
_log = logging.getLogger(__name__)


def create_session(
    *, person: Person, keyring: Keyring, is_persistent: bool, device: str, days: int | None = None
) -> SessionCookie:
    """Create the SignIn and Unlock rows of a browser after a key slot was opened; return its cookie.

    The cookie is persistent for `days`, or for the household's limit if that is shorter or `days` is None.
    Raise StaleVault if the key was replaced since the slot was opened.
    """
    half = secret_bytes(COOKIE_HALF_LENGTH)
    with write_transaction():
        row = SignIn.objects.create(
            person=person,
            half_hash=hash_half(half),
            is_persistent=is_persistent,
            ends_at=limits.get_end_time(days),
            device=device[:MAX_DEVICE],
        )
        credential_register.register_mark(build_sign_in_mark(row))
        _create_keys(row, half=half, keyring=keyring)
        _end_longest_unused(person.id)
    session_registry.add(row.id, keyring)
    return SessionCookie(row.id, half)


def _end_longest_unused(person_id: UUID) -> None:
    """Sign a person out of the browsers that they used longest ago, if there are more than MAX_SIGN_INS."""
    rows = SignIn.objects.filter(person_id=person_id).order_by("-last_active", "-id")
    for sign_in_id in list(rows.values_list("id", flat=True)[MAX_SIGN_INS:]):
        end_session(sign_in_id=sign_in_id, person_id=person_id)


def unlock_session(
    *, sign_in_id: UUID, keyring: Keyring, is_persistent: bool | None = None, days: int | None = None
) -> SessionCookie:
    """Unlock a signed-in browser and return its new cookie; the old cookie is no longer valid.

    If `is_persistent` is given, it and `days` change how long the browser stores its cookie. Raise StaleVault
    if the key was replaced since the slot was opened.
    """
    half = secret_bytes(COOKIE_HALF_LENGTH)
    with write_transaction():
        row = SignIn.objects.get(id=sign_in_id, person_id=keyring.owner)
        if not credential_register.is_registered(build_sign_in_mark(row)):
            # Changed since the request was looked at: what it says now must not be registered.
            raise SignIn.DoesNotExist
        _revoke_on_commit(SignIn.objects.filter(id=sign_in_id))
        credential_register.remove_marks_on_commit(list_sign_in_marks(sign_in_id=sign_in_id))
        row.half_hash, row.last_active = hash_half(half), timezone.now()
        if is_persistent is not None:
            row.is_persistent, row.ends_at = is_persistent, limits.get_end_time(days)
        row.save(update_fields=["half_hash", "last_active", "is_persistent", "ends_at"])
        credential_register.register_mark(build_sign_in_mark(row))
        Unlock.objects.filter(sign_in=row).delete()
        _create_keys(row, half=half, keyring=keyring)
    session_registry.add(row.id, keyring)
    return SessionCookie(row.id, half)


def get_cookie_age(sign_in_id: UUID) -> timedelta | None:
    """Return the lifetime of a browser's cookie, or None if it expires when the browser is closed."""
    row = SignIn.objects.filter(id=sign_in_id, is_persistent=True).first()
    return limits.get_time_left(row) if row else None


def _create_keys(row: SignIn, *, half: bytes, keyring: Keyring) -> None:
    """Create the Unlock row for a new cookie half, and the keys for drafts that are sent while locked."""
    # A rotation that signs everybody out must not miss a browser whose secret opened its slot just before.
    if not Vault.objects.filter(owner_id=keyring.owner, epoch=keyring.epoch).exists():
        raise StaleVault
    columns = _wrap_data_key(row, half=half, keyring=keyring)
    Unlock.objects.create(sign_in=row, **columns)
    _register_unlock(row, columns["salt"], keyring=keyring)
    _save_draft_key(row, half=half, keyring=keyring)


def _register_unlock(row: SignIn, salt: bytes, *, keyring: Keyring) -> None:
    """Register the unlock of a new row in its transaction, in place of earlier unlocks of the browser."""
    _remove_unlocks_on_commit(sign_in_id=row.id)
    register_unlock(RegisteredUnlock(keyring.owner, row.id, salt))


def _remove_unlocks_on_commit(*, sign_in_id: UUID | None = None, person_id: UUID | None = None) -> None:
    """Remove the unlocks that are registered now from the register after the commit, whatever rows exist."""
    unlocks = list_unlocks(sign_in_id=sign_in_id, person_id=person_id)
    transaction.on_commit(partial(remove_unlocks, unlocks))


def _save_draft_key(row: SignIn, *, half: bytes, keyring: Keyring) -> None:
    row.draft_key = create_browser_key(sign_in_id=row.id, half=half, keyring=keyring)
    row.save(update_fields=["draft_key"])


def _wrap_data_key(row: SignIn, *, half: bytes, keyring: Keyring) -> dict[str, Any]:
    """Return the columns of an Unlock row, with the keyring's data key sealed under a new salt."""
    salt = secret_bytes(16)
    wrapped = wrap_dek(
        dek=keyring.data_key(),
        half=half,
        salt=salt,
        run_secret=get_run_secret(),
        row=row.id,
        owner=keyring.owner,
        epoch=keyring.epoch,
    )
    return {"epoch": keyring.epoch, "salt": salt, "wrapped_dek": wrapped}


# --- Opening ------------------------------------------------------------------------------------


def open_session(cookie: SessionCookie | None, *, activity: bool = True) -> RequestVault:
    """Return the person and keyring of a cookie's session.

    A session that has expired is ended. A session that was idle for too long is locked. `activity` is False
    for requests that a person does not make themselves (sockets, polls): these do not reset the idle time. A
    damaged row is invalid: the person signs in again.
    """
    try:
        return _open_session(cookie, activity=activity)
    except row_shapes.ERRORS as error:
        if not row_shapes.is_caused_by_damage(error):
            raise
        return NOBODY


def _open_session(cookie: SessionCookie | None, *, activity: bool) -> RequestVault:
    notice_step()
    row = _find_sign_in(cookie) if cookie else None
    if row is None or cookie is None:
        return NOBODY
    now = timezone.now()
    if limits.is_expired(row, now):
        end_or_revoke(sign_in_id=row.id, person_id=row.person_id)
        return NOBODY
    keyring = None
    try:
        keyring = _load_keyring(row, half=cookie.half, now=now)
    except StaleVault:
        # Between the query and the check, the key was replaced; this session may have the new one.
        row = _find_sign_in(cookie) or row
        with suppress(StaleVault):
            keyring = _load_keyring(row, half=cookie.half, now=now)
    if activity and keyring is not None:
        _record_activity(row.unlock, row.person, now)
    return RequestVault(person=row.person, sign_in_id=row.id, held=keyring)


def find_person_id(cookie: SessionCookie | None) -> UUID | None:
    """Return the id of the person who is signed in with a cookie; changes nothing and opens no vault."""
    row = _find_sign_in(cookie) if cookie else None
    return row.person_id if row and not limits.is_expired(row, timezone.now()) else None


# Every request of every page runs this query.
_select_sign_in: CachedQuery[SignIn] = CachedQuery(
    lambda id: SignIn.objects.select_related("person__vault", "unlock").filter(id=id)  # noqa: A006 - the column's
)


def _read_mark(value: bytes | memoryview) -> bytes:
    """Return the hash or salt of a row, by which it can be revoked."""
    return row_shapes.read_bytes(value, longest=64)


def _find_sign_in(cookie: SessionCookie) -> SignIn | None:
    """Return the sign-in of a valid cookie; None if it is not in force or its person is not active."""
    row = next(iter(_select_sign_in(id=cookie.sign_in_id)), None)
    if row is None or not _matches_cookie(row, cookie):
        return None
    if not credential_register.is_registered(build_sign_in_mark(row)):
        return None
    return row if row.person.is_active and not revocation_list.is_revoked(_read_mark(row.half_hash)) else None


def _matches_cookie(row: SignIn, cookie: SessionCookie) -> bool:
    return hmac.compare_digest(_read_mark(row.half_hash), hash_half(cookie.half))


def _load_keyring(row: SignIn, *, half: bytes, now: datetime) -> Keyring | None:
    unlock: Unlock | None = getattr(row, "unlock", None)
    vault = getattr(row.person, "vault", None)
    if unlock is None or vault is None or revocation_list.is_revoked(_read_mark(unlock.salt)):
        return None
    if limits.is_idle(unlock, row.person, now) or unlock.epoch != vault.epoch or is_of_format_1(vault):
        lock_or_revoke(sign_in_id=row.id, person_id=row.person_id)
        return None
    if not is_registered(RegisteredUnlock(row.person_id, row.id, _read_mark(unlock.salt))):
        return None
    keyring = _unwrap_keyring(unlock, half=half, person=row.person)
    if keyring is not None and session_registry.find_key_id(row.id) != keyring.key_id:
        # Opened before this process started, or by another process: it is checked as at an unlock.
        try:
            check_keys_match(keyring, vault=vault)
            check_no_other_key(keyring)
        except StaleVault:
            keyring.close()
            raise
        except KeysDoNotMatch:
            keyring.close()
            return None
        session_registry.add(row.id, keyring)
        with in_force(keyring):
            vault_opened.send_robust(SignIn, person_id=row.person_id, keyring=keyring)
    return _check_preferences(row, keyring, now=now) if keyring is not None else None


def _check_preferences(row: SignIn, keyring: Keyring, *, now: datetime) -> Keyring | None:
    """Set the person's preferences to the sealed ones; return None if these do not open or lock the diary."""
    try:
        with in_force(keyring):
            apply_preferences(row.person, row.person.vault)
    except EnvelopeError:
        _log.error("The encrypted preferences of person %s can't be decrypted.", row.person_id)
    else:
        if not limits.is_idle(row.unlock, row.person, now):
            return keyring
        # The idle limit in the row, which an attacker may have raised, did not lock it.
        lock_or_revoke(sign_in_id=row.id, person_id=row.person_id)
    keyring.close()
    return None


def _unwrap_keyring(row: Unlock, *, half: bytes, person: Person) -> Keyring | None:
    try:
        dek = unwrap_dek(
            wrapped=row_shapes.read_bytes(row.wrapped_dek),
            half=half,
            salt=row_shapes.read_bytes(row.salt),
            run_secret=get_run_secret(),
            row=row.row,
            owner=person.id,
            epoch=row.epoch,
        )
    except (CryptoError, ValueError):
        # After the machine was switched off the run secret has changed: signed in, but locked.
        return None
    return build_keyring(dek=dek, vault=person.vault)


def _record_activity(row: Unlock, person: Person, now: datetime) -> None:
    if now - row.last_active < limits.get_touch_interval(person):
        return
    try:
        with write_transaction():
            SignIn.objects.filter(id=row.sign_in_id).update(last_active=now)
            Unlock.objects.filter(sign_in_id=row.sign_in_id).update(last_active=now)
        record_activity(RegisteredUnlock(person.id, row.sign_in_id, _read_mark(row.salt)), now)
    except NotWritten:
        return  # a full disk must not stop a person from reading; the idle limit is just not extended


# --- Ending -------------------------------------------------------------------------------------


def lock_session(*, sign_in_id: UUID, person_id: UUID) -> None:
    """Delete the Unlock row of one browser, which stays signed in."""
    with write_transaction():
        unlocks = Unlock.objects.filter(sign_in_id=sign_in_id, sign_in__person_id=person_id)
        _revoke_marks_on_commit(unlocks.values_list("salt", flat=True))
        _remove_unlocks_on_commit(sign_in_id=sign_in_id)
        unlocks.delete()
        _publish_on_commit(sign_in_id, person_id=person_id, kind="locked")


def end_session(*, sign_in_id: UUID, person_id: UUID) -> None:
    """Sign one browser out."""
    with write_transaction():
        rows = SignIn.objects.filter(id=sign_in_id, person_id=person_id)
        _revoke_on_commit(rows)
        credential_register.remove_marks_on_commit(list_sign_in_marks(sign_in_id=sign_in_id))
        _remove_unlocks_on_commit(sign_in_id=sign_in_id)
        rows.delete()
        _publish_on_commit(sign_in_id, person_id=person_id, kind="signed_out")


def end_sessions(*, person_id: UUID, except_id: UUID | None = None) -> int:
    """Sign a person out of all browsers except `except_id`; return how many."""
    with write_transaction():
        _end_unlocks_without_rows(person_id, except_id=except_id)
        credential_register.remove_marks_on_commit(
            list_sign_in_marks(person_id=person_id, except_id=except_id)
        )
        rows = SignIn.objects.filter(person_id=person_id).exclude(id__in=[except_id] if except_id else [])
        ids = list(rows.values_list("id", flat=True))
        _revoke_on_commit(rows)
        rows.delete()
        _publish_on_commit(*ids, person_id=person_id, kind="signed_out")
    return len(ids)


def _end_unlocks_without_rows(person_id: UUID, *, except_id: UUID | None = None) -> None:
    """Remove a person's unlocks from the register after the commit, including those whose rows are gone."""
    unlocks = {unlock for unlock in list_unlocks(person_id=person_id) if unlock.sign_in_id != except_id}
    transaction.on_commit(partial(remove_unlocks, unlocks))


def lock_sessions(*, person_id: UUID, except_id: UUID | None = None) -> None:
    """Lock a person's diary in every browser except `except_id`; they stay signed in."""
    with write_transaction():
        _end_unlocks_without_rows(person_id, except_id=except_id)
        rows = Unlock.objects.filter(sign_in__person_id=person_id)
        rows = rows.exclude(sign_in_id__in=[except_id] if except_id else [])
        ids = list(rows.values_list("sign_in_id", flat=True))
        _revoke_marks_on_commit(rows.values_list("salt", flat=True))
        rows.delete()
        _publish_on_commit(*ids, person_id=person_id, kind="locked")


def end_other_sessions_after_rotation(
    keyring: Keyring, *, current_cookie: SessionCookie | None, leaves_signed_in: bool = False
) -> None:
    """End a person's other sessions after a rotation, and reseal the current one.

    The Unlock row of `current_cookie` gets the new data key, so that this session stays unlocked. With
    `leaves_signed_in`, the others are only locked.
    """
    row = (
        SignIn.objects.filter(id=current_cookie.sign_in_id, person_id=keyring.owner).first()
        if current_cookie
        else None
    )
    if row is None or current_cookie is None or not _matches_cookie(row, current_cookie):
        row = None
    if leaves_signed_in:
        lock_sessions(person_id=keyring.owner, except_id=row.id if row else None)
    else:
        end_sessions(person_id=keyring.owner, except_id=row.id if row else None)
    if row is None or current_cookie is None:
        return
    columns = _wrap_data_key(row, half=current_cookie.half, keyring=keyring)
    Unlock.objects.filter(sign_in=row).update(**columns)
    _register_unlock(row, columns["salt"], keyring=keyring)
    _save_draft_key(row, half=current_cookie.half, keyring=keyring)
    transaction.on_commit(partial(session_registry.add, row.id, keyring))


def lock_or_revoke(*, sign_in_id: UUID, person_id: UUID) -> bool:
    """Lock the diary in one browser. Return False if its Unlock row was revoked instead of deleted.

    The row is revoked if it cannot be deleted: the disk may not be writable, or a trigger of an attacker may
    refuse to delete the row.
    """
    try:
        lock_session(sign_in_id=sign_in_id, person_id=person_id)
    except (NotWritten, DatabaseError):
        rows = Unlock.objects.filter(sign_in_id=sign_in_id, sign_in__person_id=person_id)
        _revoke(rows.values_list("salt", flat=True), sign_in_id, person_id, kind="locked")
        return False
    return True


def end_or_revoke(*, sign_in_id: UUID, person_id: UUID) -> bool:
    """Sign one browser out. Return False if its SignIn row was revoked instead of deleted.

    The row is revoked if it cannot be deleted; see `lock_or_revoke`.
    """
    try:
        end_session(sign_in_id=sign_in_id, person_id=person_id)
    except (NotWritten, DatabaseError):
        rows = SignIn.objects.filter(id=sign_in_id, person_id=person_id)
        _revoke(
            chain.from_iterable(rows.values_list("half_hash", "unlock__salt")),
            sign_in_id,
            person_id,
            kind="signed_out",
        )
        return False
    return True


def _revoke(
    marks: Iterable[bytes | memoryview | None], sign_in_id: UUID, person_id: UUID, *, kind: str
) -> None:
    remove_unlocks(list_unlocks(sign_in_id=sign_in_id))
    # The sum revokes every mark; `any` would stop at the first one.
    if sum(revocation_list.revoke(_read_mark(mark)) for mark in marks if mark is not None):
        _publish(sign_in_id, person_id=person_id, kind=kind)


def end_expired_sessions() -> int:
    """End all sign-ins that are expired or not registered, and lock all idle vaults; return their number."""
    row_shapes.delete_damaged_sessions()
    notice_step()
    now = timezone.now()
    ended = [*limits.get_expired_sign_ins(now).values_list("id", "person_id"), *_list_unregistered()]
    locked = [(row.sign_in_id, row.sign_in.person_id) for row in limits.list_idle_unlocks(now)]
    for sign_in_id, person_id in ended:
        end_or_revoke(sign_in_id=sign_in_id, person_id=person_id)
    for sign_in_id, person_id in locked:
        if (sign_in_id, person_id) not in ended:
            lock_or_revoke(sign_in_id=sign_in_id, person_id=person_id)
    _delete_revoked()
    _remove_unlocks_without_rows()
    _remove_marks_without_rows()
    return len({*ended, *locked})


def _delete_revoked() -> None:
    """Delete the rows that were revoked while the disk was not writable; raise NotWritten if that fails."""
    marks = revocation_list.list_revoked()
    if not marks:
        return
    with write_transaction():
        SignIn.objects.filter(half_hash__in=marks).delete()
        Unlock.objects.filter(salt__in=marks).delete()
    for mark in marks:
        revocation_list.clear_revoked(mark)


def _remove_unlocks_without_rows() -> None:
    """Remove unlocks without a row from the register, so that a row that is restored later opens nothing."""
    # Before the transaction: each of these has been written by then, or never will be.
    registered = list_unlocks()
    if not registered:
        return
    with suppress(NotWritten), write_transaction():
        rows = Unlock.objects.values_list("sign_in__person_id", "sign_in_id", "salt")
        existing = {RegisteredUnlock(person, sign_in, _read_mark(salt)) for person, sign_in, salt in rows}
        remove_unlocks(registered - existing)


def _list_unregistered() -> list[tuple[UUID, UUID]]:
    """Return the ids of sign-ins whose rows are not registered as they are now, and of their people."""
    with suppress(NotWritten), write_transaction():
        # In a transaction: a browser that is unlocked meanwhile would get another mark.
        registered = list_sign_in_marks()
        rows = SignIn.objects.all()
        return [(row.id, row.person_id) for row in rows if find_sign_in_mark(row) not in registered]
    return []


def _remove_marks_without_rows() -> None:
    """Remove sign-ins with a missing or changed row from the register, so that no restored row is valid."""
    # Before the transaction, as for the unlocks.
    registered = list_sign_in_marks()
    with suppress(NotWritten), write_transaction():
        credential_register.remove_marks(
            registered - {find_sign_in_mark(row) for row in SignIn.objects.all()}
        )


def _revoke_on_commit(rows: "QuerySet[SignIn]") -> None:
    """Revoke the present cookies and keys of sign-ins after the commit, in case their rows are restored."""
    _revoke_marks_on_commit(chain.from_iterable(rows.values_list("half_hash", "unlock__salt")))


def _revoke_marks_on_commit(marks: Iterable[bytes | memoryview | None]) -> None:
    for mark in marks:
        # A damaged mark opens nothing.
        with suppress(TypeError, ValueError):
            if mark is not None:
                transaction.on_commit(partial(revocation_list.revoke_for_good, _read_mark(mark)))


def _publish_on_commit(*sign_in_ids: UUID, person_id: UUID, kind: str) -> None:
    """Send signals and the events to open tabs after the commit, when the rows are really deleted."""
    transaction.on_commit(partial(_publish, *sign_in_ids, person_id=person_id, kind=kind))


def _publish(*sign_in_ids: UUID, person_id: UUID, kind: str) -> None:
    # All before it is asked which keys are still held: that asks the rows of each session that is left.
    key_ids = {sign_in_id: session_registry.remove(sign_in_id) for sign_in_id in sign_in_ids}
    last_of_key = {key_id: sign_in_id for sign_in_id, key_id in key_ids.items()}
    for sign_in_id, key_id in key_ids.items():
        is_last = (
            key_id is not None and last_of_key[key_id] == sign_in_id and not session_registry.is_held(key_id)
        )
        vault_locked.send_robust(
            SignIn, person_id=person_id, sign_in_id=sign_in_id, key_id=key_id, last=is_last
        )
        user_events.publish(person_id, {"type": kind, "sign_in": str(sign_in_id)})
