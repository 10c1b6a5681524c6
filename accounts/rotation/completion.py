"""Third step of a rotation: deletes the former data key when no envelope of its epoch is left."""

from accounts.models import FormerKey, Vault
from accounts.rotation.errors import DamagedRows, StaleKeyring
from accounts.rotation.sealed_tables import count_rows_of_other_epochs
from llamora.crypto import Keyring
from llamora.database import truncate_wal, write_transaction


def destroy_former_key(keyring: Keyring, *, leave_damaged: bool = False) -> bool:
    """Delete the former key; return False if there was none.

    Raise StaleKeyring. Raise DamagedRows if rows of a former epoch remain, unless `leave_damaged`; this check
    and the deletion are one transaction.
    """
    with write_transaction():
        if not Vault.objects.filter(owner_id=keyring.owner, epoch=keyring.epoch).exists():
            raise StaleKeyring
        remaining = count_rows_of_other_epochs(keyring.owner, keyring.epoch)
        if remaining and not leave_damaged:
            raise DamagedRows(remaining)
        deleted_count, _ = FormerKey.objects.filter(owner_id=keyring.owner).delete()
    truncate_wal()
    return bool(deleted_count)
