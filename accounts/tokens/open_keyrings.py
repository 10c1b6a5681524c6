"""Copies of the keyrings of people with an unlocked browser, used to check the access tokens of these people.

A program's request has no session cookie, so it cannot open the owner's keyring. While a browser of a person
who has tokens is unlocked, a copy of their keyring is held here. It is closed by the last lock, and used only
while a session with this key is not idle.

Each call of a program checks whether its token is on the vault's sealed list. The opened list is cached with
the keyring, and used only for the same envelope.
"""

import threading
from typing import Any
from uuid import UUID

from accounts.keys.keyrings import copy_with_former_keys
from accounts.keys.slot_list import load_listed_ids
from accounts.models import AccessToken
from accounts.sessions.registry import session_registry
from accounts.signals import data_key_rotated, person_deleted, vault_locked, vault_opened, vault_unlocked
from llamora.crypto import KeyId, Keyring, in_force
from llamora.fields import SealedValue


class OpenKeyring:
    """The keyring of a person with an unlocked browser, and a cache of the ids of their valid key slots."""

    def __init__(self, keyring: Keyring) -> None:
        self.keyring = keyring
        # One value, which other threads see whole.
        self._opened: tuple[UUID, SealedValue, frozenset[UUID]] | None = None

    def is_listed(self, token_id: UUID, *, vault_id: UUID, envelope: SealedValue) -> bool:
        """Return whether a token is on a vault's sealed list of slots; raise an EnvelopeError."""
        opened = self._opened
        if opened is None or opened[:2] != (vault_id, envelope):
            with in_force(self.keyring):
                found = load_listed_ids(envelope, vault_id=vault_id, owner_id=self.keyring.owner)
            opened = self._opened = (vault_id, envelope, found)
        return token_id in opened[2]


class OpenKeyrings:
    """Thread-safe collection of keyrings, one for each person. It closes every keyring that it removes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[UUID, OpenKeyring] = {}

    def add(self, keyring: Keyring) -> None:
        """Add a copy of a keyring, to check the access tokens of its owner.

        The copy includes the former keys. Do nothing if the owner has no tokens, or no session with the key
        of this keyring.
        """
        owner = keyring.owner
        has_tokens = AccessToken.objects.filter(owner_id=owner).exists()
        if not has_tokens or not session_registry.is_held(keyring.key_id):
            return
        copied = copy_with_former_keys(keyring)
        with self._lock:
            former = self._held.get(owner)
            self._held[owner] = OpenKeyring(copied)
        if former is not None:
            former.keyring.close()

    def find(self, owner: UUID) -> Keyring | None:
        """Return a person's keyring while a browser of theirs is unlocked and not idle, or None."""
        held = self.find_held(owner)
        return None if held is None else held.keyring

    def find_held(self, owner: UUID) -> OpenKeyring | None:
        """Return the keyring that `find` returns, together with the cached ids of the person's key slots."""
        with self._lock:
            held = self._held.get(owner)
        if held is None or held.keyring.is_closed or not session_registry.is_unlocked(held.keyring.key_id):
            return None
        return held

    def close(self, owner: UUID, *, key_id: KeyId | None = None) -> None:
        """Close a person's keyring; with `key_id`, only if the keyring has this key."""
        with self._lock:
            held = self._held.get(owner)
            if held is None or (key_id is not None and held.keyring.key_id != key_id):
                return
            del self._held[owner]
        held.keyring.close()

    def clear(self) -> None:
        """Close every keyring."""
        with self._lock:
            released, self._held = list(self._held.values()), {}
        for held in released:
            held.keyring.close()


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
