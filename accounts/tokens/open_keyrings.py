"""Keyrings of people with an unlocked browser, with which their access tokens are checked.

A program's request has no cookie, so no key of the owner. While a browser of theirs is unlocked, a copy of
their keyring is held here, but only if they have a token. It is closed with the last lock, and used only
while a session that opened this key is not idle.
"""

import threading
from typing import Any
from uuid import UUID

from accounts.keys.keyrings import copy_with_former_keys
from accounts.models import AccessToken
from accounts.sessions.registry import session_registry
from accounts.signals import data_key_rotated, person_deleted, vault_locked, vault_opened, vault_unlocked
from llamora.crypto import KeyId, Keyring


class OpenKeyrings:
    """Thread-safe register of keyrings, one for each person; it closes what it holds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keyrings: dict[UUID, Keyring] = {}

    def add(self, keyring: Keyring) -> None:
        """Hold a copy of a keyring if its owner has tokens; the copy has former keys too."""
        owner = keyring.owner
        has_tokens = AccessToken.objects.filter(owner_id=owner).exists()
        if not has_tokens or not session_registry.is_held(keyring.key_id):
            return
        copied = copy_with_former_keys(keyring)
        with self._lock:
            former = self._keyrings.get(owner)
            self._keyrings[owner] = copied
        if former is not None:
            former.close()

    def find(self, owner: UUID) -> Keyring | None:
        """Return a person's keyring while a browser of theirs is unlocked and not idle, or None."""
        with self._lock:
            keyring = self._keyrings.get(owner)
        if keyring is None or keyring.is_closed or not session_registry.is_unlocked(keyring.key_id):
            return None
        return keyring

    def close(self, owner: UUID, *, key_id: KeyId | None = None) -> None:
        """Close a person's keyring; with `key_id`, only if it is of this key."""
        with self._lock:
            keyring = self._keyrings.get(owner)
            if keyring is None or (key_id is not None and keyring.key_id != key_id):
                return
            del self._keyrings[owner]
        keyring.close()

    def clear(self) -> None:
        """Close every keyring."""
        with self._lock:
            held, self._keyrings = list(self._keyrings.values()), {}
        for keyring in held:
            keyring.close()


open_keyrings = OpenKeyrings()


def _add_keyring(sender: object, *, keyring: Keyring, **_: Any) -> None:
    del sender
    open_keyrings.add(keyring)


def _replace_keyring(sender: object, *, person_id: UUID, keyring: Keyring, **_: Any) -> None:
    del sender
    open_keyrings.close(person_id)
    open_keyrings.add(keyring)


def _close_after_last_lock(
    sender: object, *, person_id: UUID, key_id: KeyId | None, last: bool, **_: Any
) -> None:
    del sender
    if last:
        open_keyrings.close(person_id, key_id=key_id)


def _close_of_person(sender: object, *, person_id: UUID, **_: Any) -> None:
    del sender
    open_keyrings.close(person_id)


def connect() -> None:
    """Connect the receivers; called once from `AppConfig.ready`."""
    vault_unlocked.connect(_add_keyring, dispatch_uid="accounts.tokens.unlocked")
    vault_opened.connect(_add_keyring, dispatch_uid="accounts.tokens.opened")
    data_key_rotated.connect(_replace_keyring, dispatch_uid="accounts.tokens.rotated")
    vault_locked.connect(_close_after_last_lock, dispatch_uid="accounts.tokens.locked")
    person_deleted.connect(_close_of_person, dispatch_uid="accounts.tokens.deleted")
