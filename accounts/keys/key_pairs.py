"""Key pairs of vaults: the public key seals a draft to a person whose vault is locked.

A public key that is read from the database is not used, because an attacker could have replaced it there. At
an unlock, this process verifies the public key and remembers it: the private key, sealed under the data key,
opens only if the public key is the one with which it was sealed.
"""

from dataclasses import dataclass, field
from uuid import UUID

from accounts.keys.row_shapes import read_bytes
from accounts.models import Vault
from llamora.crypto import CryptoError, KeyId, Keyring, in_force, new_vault_keys

_KEY_LENGTH = 32


@dataclass(frozen=True, kw_only=True)
class VaultKeyPair:
    """The private and public key of a vault."""

    private: bytes = field(repr=False)
    public: bytes

    @classmethod
    def parse(cls, halves: bytes) -> "VaultKeyPair":
        """Return the key pair that the column `former_pair` holds."""
        return cls(private=halves[:_KEY_LENGTH], public=halves[_KEY_LENGTH:])


_verified_keys: dict[KeyId, bytes] = {}


def get_public_key(key_id: KeyId) -> bytes | None:
    """Return the public key that was verified with a data key in this process, or None."""
    return _verified_keys.get(key_id)


def list_public_keys(person_id: UUID) -> list[bytes]:
    """Return the public keys of a person that were verified in this process: one for each of their data keys.

    There is more than one only if somebody put a data key of their own in the person's row.
    """
    return [public for key_id, public in list(_verified_keys.items()) if key_id.owner == person_id]


def load_key_pairs(keyring: Keyring) -> list[VaultKeyPair]:
    """Return the key pairs of a vault, the current one first; raise VaultLocked or EnvelopeError.

    The pair from before the last rotation opens drafts that were sealed to it and are not merged yet.
    """
    vault = Vault.objects.get(owner_id=keyring.owner)
    with in_force(keyring):
        current = VaultKeyPair(private=vault.private_key, public=read_bytes(vault.public_key))
        return [current, *([VaultKeyPair.parse(vault.former_pair)] if vault.former_pair else [])]


def replace_key_pair(vault: Vault) -> None:
    """Set a new key pair in the row of a vault, and the old pair as the former one; needs a keyring in force.

    The caller saves the row.
    """
    private, public = new_vault_keys()
    vault.former_pair = bytes(vault.private_key) + read_bytes(vault.public_key)
    vault.private_key, vault.public_key = private, public


def remember_public_key(keyring: Keyring, *, vault: Vault | None = None) -> None:
    """Remember the public key of an unlocked vault if its private key proves that it is genuine."""
    vault = vault or Vault.objects.filter(owner_id=keyring.owner).first()
    if vault is None:
        return
    try:
        with in_force(keyring):
            # Opened only as a check: the private key's envelope is bound to the public key.
            is_verified = vault.private_key is not None
    except CryptoError:
        is_verified = False
    if is_verified:
        _verified_keys[keyring.key_id] = read_bytes(vault.public_key)
    else:
        _verified_keys.pop(keyring.key_id, None)


def forget_public_key(key_id: KeyId) -> None:
    """Forget the public key of a data key that was replaced."""
    _verified_keys.pop(key_id, None)


def forget_public_keys(person_id: UUID) -> None:
    """Forget every public key of a person."""
    for key_id in [key_id for key_id in list(_verified_keys) if key_id.owner == person_id]:
        _verified_keys.pop(key_id, None)
