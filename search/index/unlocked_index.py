"""The index of a person who has unlocked their diary, for what has a keyring of some realms only."""

from accounts.sessions.registry import session_registry
from accounts.tokens.open_keyrings import open_keyrings
from llamora.crypto import Keyring, RealmKeyring, VaultLocked
from search.errors import IndexClosed
from search.index.person_index import PersonIndex
from search.index.registry import indexes


def find_unlocked_index(keyring: RealmKeyring) -> PersonIndex:
    """Return the index that the owner's unlocked browser opened, or open it with the keys of that browser.

    Raise VaultLocked while no browser of theirs is unlocked, or only idle ones: a program that works at any
    time has no index of its own, and must not find in one what its owner's browser may no longer.
    """
    if not session_registry.is_unlocked(keyring.key_id):
        raise VaultLocked
    if (index := indexes.get(keyring.key_id)) is not None:
        return index
    # Closed to free memory, or not opened since the last restart.
    held = keyring if isinstance(keyring, Keyring) else open_keyrings.find(keyring.owner)
    if held is None or held.key_id != keyring.key_id:
        raise VaultLocked
    try:
        return indexes.for_owner(held)
    except IndexClosed:
        raise VaultLocked from None
