"""Key pairs of vaults: the public key seals a draft to a person whose vault is locked.

A public key that is read from the database may have been replaced there. So it is used only if it is proven:
with the data key, because the private key opens only if the public key is the one with which it was sealed,
or with a browser's key (`accounts.keys.browser_keys`).

A rotation makes a new pair. A locked browser goes on sealing to the pair that it knows, so all former pairs
are stored until no browser is left that has one.
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
        """Return the key pairs that the column `former_pair` holds."""
        starts = range(0, len(halves), 2 * _KEY_LENGTH)
        pairs = [halves[start : start + 2 * _KEY_LENGTH] for start in starts]
        return [cls(private=pair[:_KEY_LENGTH], public=pair[_KEY_LENGTH:]) for pair in pairs]


def load_key_pairs(keyring: Keyring) -> list[VaultKeyPair]:
    """Return the key pairs of a vault, the current one first; raise VaultLocked or EnvelopeError.

    The pairs from before rotations open drafts that were sealed to them and are not merged yet. If they are
    damaged, those drafts can't be opened, and nothing else depends on them.
    """
    vault = Vault.objects.get(owner_id=keyring.owner)
    with in_force(keyring):
        current = VaultKeyPair(private=vault.private_key, public=read_bytes(vault.public_key))
        return [current, *VaultKeyPair.parse_all(vault.open_or("former_pair", b"") or b"")]


def replace_key_pair(vault: Vault) -> None:
    """Set a new key pair in the row of a vault, and add the old pair to the former ones; needs a keyring.

    The caller saves the row. Former pairs that are damaged are dropped.
    """
    private, public = new_vault_keys()
    replaced = bytes(vault.private_key) + read_bytes(vault.public_key)
    vault.former_pair = replaced + bytes(vault.open_or("former_pair", b"") or b"")
    vault.private_key, vault.public_key = private, public


def find_public_key(keyring: Keyring) -> bytes | None:
    """Return the public key of a vault, or None if the keyring does not prove that it is genuine.

    The private key's envelope is bound to the public key, and opens with its owner's data key only.
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

    The pair that a rotation replaced is of the epoch it ended, so each in the list is one epoch older.
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
