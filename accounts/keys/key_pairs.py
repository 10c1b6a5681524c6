"""Each person's vault key pair: how a draft is sealed to somebody whose vault is locked.

The public half is taken from this process, which saw it proven at an unlock (the private half opens only
beside the public half it was sealed with), and never straight from the database, where anyone who can
write there could plant one of their own.
"""

from dataclasses import dataclass, field
from uuid import UUID

from accounts.models import Vault
from llamora.crypto import CryptoError, Keyring, in_force, new_vault_keys

_HALF = 32


@dataclass(frozen=True, kw_only=True)
class VaultKeyPair:
    """Both halves of a vault's key pair."""

    private: bytes = field(repr=False)
    public: bytes

    @classmethod
    def parse(cls, halves: bytes) -> "VaultKeyPair":
        """Read a pair as `former_pair` keeps it."""
        return cls(private=halves[:_HALF], public=halves[_HALF:])


_proven_keys: dict[UUID, bytes] = {}


def get_public_key(person_id: UUID) -> bytes | None:
    """Return the public key as of that person's last unlock in this process, or None."""
    return _proven_keys.get(person_id)


def load_key_pairs(keyring: Keyring) -> list[VaultKeyPair]:
    """Return the pairs of a vault, the current one first; raise VaultLocked or EnvelopeError.

    The one before the last rotation opens what was sealed to it and was not folded in before.
    """
    vault = Vault.objects.get(owner_id=keyring.owner)
    with in_force(keyring):
        current = VaultKeyPair(private=vault.private_key, public=bytes(vault.public_key))
        return [current, *([VaultKeyPair.parse(vault.former_pair)] if vault.former_pair else [])]


def replace_key_pair(vault: Vault) -> None:
    """Give a vault a new pair and keep the one it had; with a keyring in force, and saved by the caller."""
    private, public = new_vault_keys()
    vault.former_pair = bytes(vault.private_key) + bytes(vault.public_key)
    vault.private_key, vault.public_key = private, public


def remember_public_key(keyring: Keyring, *, vault: Vault | None = None) -> None:
    """Keep the public key of an unlocked vault, if its private half says that it is the right one."""
    vault = vault or Vault.objects.filter(owner_id=keyring.owner).first()
    if vault is None:
        return
    try:
        with in_force(keyring):
            # Opened for the check alone: the public key is bound to it.
            proven = vault.private_key is not None
    except CryptoError:
        proven = False
    if proven:
        _proven_keys[keyring.owner] = bytes(vault.public_key)
    else:
        _proven_keys.pop(keyring.owner, None)


def forget_public_key(person_id: UUID) -> None:
    """Forget a person's public key."""
    _proven_keys.pop(person_id, None)
