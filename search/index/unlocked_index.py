"""The index of an unlocked owner, for callers whose keyring has only some realms, such as programs."""

from accounts.sessions.registry import session_registry
from accounts.tokens.open_keyrings import open_keyrings
from llamora.crypto import KeyId, Keyring, Realm, RealmKeyring, VaultLocked
from search.errors import IndexClosed
from search.index.person_index import PersonIndex
from search.index.registry import indexes


def find_unlocked_index(keyring: RealmKeyring) -> PersonIndex:
    """Return the index that the owner's unlocked browser opened, or open it with that browser's keys.

    Raise VaultLocked while no browser of theirs is unlocked, or only idle ones: a program that works at any
    time has no index of its own, and must not find in one what its owner's browser may no longer.
    """
    key_id = _find_key_id(keyring)
    if not session_registry.is_unlocked(key_id):
        raise VaultLocked
    if (index := indexes.get(key_id)) is not None:
        return index
    # Closed to free memory, or not opened since the last restart.
    held = keyring if isinstance(keyring, Keyring) else open_keyrings.find(keyring.owner)
    if held is None or held.key_id != key_id:
        raise VaultLocked
    try:
        return indexes.for_owner(held)
    except IndexClosed:
        raise VaultLocked from None


def _find_key_id(keyring: RealmKeyring) -> KeyId:
    """Return the identity of the key that an index is opened with; raise VaultLocked.

    It is that of the realm `content`, also for a keyring of facts alone: which one belongs to these, the
    keyring of the owner's unlocked browser says.
    """
    if keyring.has_realm(Realm.CONTENT):
        return keyring.key_id
    held = open_keyrings.find(keyring.owner)
    if held is None or held.get_key_id(Realm.FACTS) != keyring.get_key_id(Realm.FACTS):
        raise VaultLocked
    return held.key_id
