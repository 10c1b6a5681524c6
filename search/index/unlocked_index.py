"""The search index of an owner whose vault is unlocked, for programs: their keyrings lack some realms."""

from accounts.sessions.registry import session_registry
from accounts.tokens.open_keyrings import open_keyrings
from llamora.crypto import KeyId, Keyring, Realm, RealmKeyring, VaultLocked
from search.errors import IndexClosed
from search.index.person_index import PersonIndex
from search.index.registry import indexes


def find_unlocked_index(keyring: RealmKeyring) -> PersonIndex:
    """Return the search index of the owner of `keyring`, whose diary must be unlocked in a browser.

    If the index is not open, it is opened with the keyring of the browser. Raise VaultLocked if no browser of
    the owner is unlocked, or only idle ones. This also holds for a program that works while the diary is
    locked: it must not search when its owner's browser could not.
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

    An index is opened with the key of the realm `content`. For a keyring without this realm, the key is taken
    from the keyring of the owner's unlocked browser, if both have the same key of facts.
    """
    if keyring.has_realm(Realm.CONTENT):
        return keyring.key_id
    held = open_keyrings.find(keyring.owner)
    if held is None or held.get_key_id(Realm.FACTS) != keyring.get_key_id(Realm.FACTS):
        raise VaultLocked
    return held.key_id
