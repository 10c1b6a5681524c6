"""The last step: nothing is left under the key before, so it is destroyed."""

from accounts.models import FormerKey, Vault
from accounts.rotation.errors import DamagedRows, StaleKeyring
from accounts.rotation.sealed_tables import count_rows_of_other_epochs
from llamora.crypto import Keyring
from llamora.database import truncate_wal, write_transaction


def destroy_former_key(keyring: Keyring, *, leave_damaged: bool = False) -> bool:
    """Destroy it in the transaction that sees it unused; return whether there was one.

    Raise Damaged while rows of an earlier epoch are left, unless they are to be given up.
    """
    with write_transaction():
        if not Vault.objects.filter(owner_id=keyring.owner, epoch=keyring.epoch).exists():
            raise StaleKeyring
        left = count_rows_of_other_epochs(keyring.owner, keyring.epoch)
        if left and not leave_damaged:
            raise DamagedRows(left)
        destroyed, _ = FormerKey.objects.filter(owner_id=keyring.owner).delete()
    truncate_wal()
    return bool(destroyed)
