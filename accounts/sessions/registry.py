"""Registry of the unlocked sessions of this process: it maps each session to the id of its data key.

Anyone who can write to the database could create session rows for another person. So decrypted data in memory
belongs to key ids, not to owners, and this registry decides whether a session is the last one of a key. The
session rows are only asked whether they still exist.

A session that was opened before this process started is added at its first request.
"""

import logging
import threading
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.errors import KeysDoNotMatch
from accounts.keys.row_shapes import read_bytes
from accounts.models import SignIn, Unlock
from accounts.sessions import revocation_list
from accounts.sessions.unlock_register import RegisteredUnlock, find_last_activity
from accounts.signals import vault_locked
from llamora.clock.services import LEEWAY
from llamora.crypto import KeyId, Keyring, Realm, RealmKeyring
from llamora.database import CachedQuery

_log = logging.getLogger(__name__)

# Sign-ins that end without this process, as by a command, are dropped when the registry grows beyond this.
_TIDY_ABOVE = 256


# Each call of a program asks these.
_select_salt: CachedQuery[bytes] = CachedQuery(
    lambda id: Unlock.objects.filter(sign_in_id=id).values_list("salt", flat=True)  # noqa: A006 - the column's
)
_select_salt_of_active: CachedQuery[bytes] = CachedQuery(
    lambda id, since, until: Unlock.objects.filter(  # noqa: A006 - the column's
        sign_in_id=id, last_active__gt=since, last_active__lte=until
    ).values_list("salt", flat=True)
)


def _is_valid(salt: bytes) -> bool:
    return not revocation_list.is_revoked(read_bytes(salt))


def _is_active(owner: UUID, sign_in_id: UUID, salt: bytes, *, since: datetime) -> bool:
    """Return whether a browser was used since then, whatever its row says."""
    activity = find_last_activity(RegisteredUnlock(owner, sign_in_id, read_bytes(salt)))
    return activity is not None and activity > since


class SessionRegistry:
    """Thread-safe registry of unlocked sessions: it maps the id of each sign-in to the id of its data key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key_ids: dict[UUID, KeyId] = {}
        # The identity of the keys of each realm, by that of the key they are derived from.
        self._realm_ids: dict[KeyId, dict[Realm, KeyId]] = {}

    def add(self, sign_in_id: UUID, keyring: Keyring) -> None:
        """Register a session with its key, or replace the key of a registered one."""
        key_id, realm_ids = keyring.key_id, {realm: keyring.get_key_id(realm) for realm in Realm}
        with self._lock:
            self._key_ids[sign_in_id] = key_id
            held = set(self._key_ids.values())
            self._realm_ids = {each: ids for each, ids in self._realm_ids.items() if each in held}
            self._realm_ids[key_id] = realm_ids
            is_large = len(self._key_ids) > _TIDY_ABOVE
        if is_large:
            self._remove_ended()

    def remove(self, sign_in_id: UUID) -> KeyId | None:
        """Remove a session, and return its key id."""
        with self._lock:
            return self._key_ids.pop(sign_in_id, None)

    def find_key_id(self, sign_in_id: UUID) -> KeyId | None:
        """Return the key id of a session, or None if it is not registered."""
        with self._lock:
            return self._key_ids.get(sign_in_id)

    def is_unlocked(self, key_id: KeyId) -> bool:
        """Return whether any session with this key exists and is within the household's idle limit."""
        now = timezone.now()
        since, until = now - timedelta(minutes=settings.IDLE_MINUTES), now + LEEWAY
        ids = self._list_sessions(key_id)
        return any(
            _is_valid(salt) and _is_active(key_id.owner, id_, salt, since=since)
            for id_ in ids
            for salt in _select_salt_of_active(id=id_, since=since, until=until)
        )

    def is_held(self, key_id: KeyId) -> bool:
        """Return whether any session with this key exists, idle or not."""
        return any(_is_valid(salt) for id_ in self._list_sessions(key_id) for salt in _select_salt(id=id_))

    def list_differing_keys(self, keyring: RealmKeyring, realms: Collection[Realm]) -> set[KeyId]:
        """Return the key ids of sessions whose key for at least one of `realms` is not that of `keyring`.

        Only sessions of the keyring's owner are compared.
        """
        with self._lock:
            mine = {key_id for key_id in self._key_ids.values() if key_id.owner == keyring.owner}
            return {
                key_id
                for key_id in mine
                if any(self._realm_ids[key_id][realm] != keyring.get_key_id(realm) for realm in realms)
            }

    def list_other_keys(self, key_id: KeyId) -> set[KeyId]:
        """Return the key ids of all sessions of the same owner, except `key_id` itself."""
        with self._lock:
            return {other for other in self._key_ids.values() if other.owner == key_id.owner} - {key_id}

    def drop_key(self, key_id: KeyId) -> None:
        """Remove every session whose key has the id `key_id`."""
        with self._lock:
            self._key_ids = {id_: other for id_, other in self._key_ids.items() if other != key_id}

    def clear(self) -> None:
        """Remove every session."""
        with self._lock:
            self._key_ids = {}

    def _list_sessions(self, key_id: KeyId) -> list[UUID]:
        with self._lock:
            return [sign_in_id for sign_in_id, other in self._key_ids.items() if other == key_id]

    def _remove_ended(self) -> None:
        with self._lock:
            known = list(self._key_ids)
        existing = set(SignIn.objects.filter(id__in=known).values_list("id", flat=True))
        for sign_in_id in known:
            if sign_in_id not in existing:
                self.remove(sign_in_id)


session_registry = SessionRegistry()


def check_no_other_realm_keys(keyring: RealmKeyring, realms: Collection[Realm]) -> None:
    """Raise KeysDoNotMatch if a session of the owner holds other keys of these realms."""
    for other in session_registry.list_differing_keys(keyring, realms):
        _check_not_held(other)


def check_no_other_key(keyring: Keyring) -> None:
    """Raise KeysDoNotMatch if a session of the same owner holds another key.

    Text of a person is in memory under one key at a time: of two keys, one is not the owner's. A session
    without a row does not count; what is in memory for it is dropped.
    """
    for other in session_registry.list_other_keys(keyring.key_id):
        _check_not_held(other)


def _check_not_held(other: KeyId) -> None:
    """Raise KeysDoNotMatch if a session still holds this key; otherwise remove the key from the registry."""
    if session_registry.is_held(other):
        _log.error("A key of person %s was refused: another one is in use.", other.owner)
        raise KeysDoNotMatch
    session_registry.drop_key(other)
    vault_locked.send_robust(SignIn, person_id=other.owner, sign_in_id=None, key_id=other, last=True)
