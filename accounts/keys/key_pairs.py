"""Key pairs of vaults: drafts are sealed to the public key while the vault is locked.

A public key in the database may have been replaced by an attacker, so it is verified before use. The data key
verifies it, because the envelope of the private key is bound to the public key. While the vault is locked, a
browser's key does (`accounts.keys.browser_keys`).

A rotation creates a new pair. A locked browser continues to seal to the pair that it knows, so former pairs
are stored until no browser uses them.
"""

from dataclasses import dataclass, field

from accounts.keys.row_shapes import read_bytes
from accounts.models import Vault
from llamora.crypto import CryptoError, EnvelopeError, Keyring, in_force, new_vault_keys

_KEY_LENGTH = 32


@dataclass(frozen=True, kw_only=True)
class VaultKeyPair:
    """The private and public key of a vault."""

    private: bytes = field(repr=False)
    public: bytes

    @classmethod
    def parse_all(cls, halves: bytes) -> "list[VaultKeyPair]":
        """Return the former key pairs, parsed from `halves`, the value of the column `former_pair`."""
        starts = range(0, len(halves), 2 * _KEY_LENGTH)
        pairs = [halves[start : start + 2 * _KEY_LENGTH] for start in starts]
        return [cls(private=pair[:_KEY_LENGTH], public=pair[_KEY_LENGTH:]) for pair in pairs]


def load_key_pairs(keyring: Keyring) -> list[VaultKeyPair]:
    """Return the key pairs of a vault, the current one first.

    Raise VaultLocked if the keyring is closed, or EnvelopeError if the current pair does not open.

    Former pairs open drafts that were sealed to them and are not merged yet. If the former pairs are damaged,
    only those drafts are lost.
    """
    vault = Vault.objects.get(owner_id=keyring.owner)
    with in_force(keyring):
        current = VaultKeyPair(private=vault.private_key, public=read_bytes(vault.public_key))
        return [current, *VaultKeyPair.parse_all(vault.open_or("former_pair", b"") or b"")]


def replace_key_pair(vault: Vault) -> None:
    """Set a new key pair in a vault's row, and add the old pair to `former_pair`; call inside `in_force`.

    The caller saves the row. Damaged former pairs are dropped.
    """
    private, public = new_vault_keys()
    replaced = bytes(vault.private_key) + read_bytes(vault.public_key)
    vault.former_pair = replaced + bytes(vault.open_or("former_pair", b"") or b"")
    vault.private_key, vault.public_key = private, public


def find_public_key(keyring: Keyring) -> bytes | None:
    """Return the public key of a vault, or None if the keyring cannot verify it.

    The envelope of the private key is bound to the public key, and opens only with its owner's data key.
    """
    vault = Vault.objects.filter(owner_id=keyring.owner).first()
    if vault is None or vault.epoch != keyring.epoch or keyring.is_of_format_1:
        return None
    try:
        with in_force(keyring):
            return read_bytes(vault.public_key) if vault.private_key is not None else None
    except CryptoError:
        return None


def delete_former_pairs(keyring: Keyring, *, before: int) -> None:
    """Delete the key pairs of epochs before the given one; call in a write transaction.

    A stored pair belongs to the epoch before the rotation that replaced it.
    """
    vault = Vault.objects.get(owner_id=keyring.owner)
    with in_force(keyring):
        try:
            halves = bytes(vault.former_pair or b"")
        except EnvelopeError:
            # Damaged, so that nothing can be told apart in it.
            return
        recent = halves[: max(0, vault.epoch - before) * 2 * _KEY_LENGTH]
        if recent != halves:
            vault.former_pair = recent or None
            vault.save(update_fields=["former_pair"])
