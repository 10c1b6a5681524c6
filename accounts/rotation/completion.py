"""Third step of a rotation: destroys each former data key when no envelope of its epoch is left."""

from accounts.keys import former_keys
from accounts.keys.keyrings import list_former_keys
from accounts.keys.vault_state import VaultState, load_state
from accounts.models import FormerKey, Vault
from accounts.rotation.errors import DamagedRows, DamagedVault, StaleKeyring
from accounts.rotation.sealed_tables import count_rows_of_epoch
from llamora.crypto import Keyring, in_force
from llamora.database import truncate_wal, write_transaction


def destroy_former_keys(keyring: Keyring, *, leave_damaged: bool = False) -> bool:
    """Destroy the former keys under which nothing is left; return False if there were none.

    Raise StaleKeyring or DamagedVault. Raise DamagedRows if rows of a former epoch remain, unless
    `leave_damaged`: then every former key is destroyed. This check and the deletion are one transaction.
    """
    remaining = 0
    with write_transaction():
        vault = Vault.objects.filter(owner_id=keyring.owner, epoch=keyring.epoch).first()
        if vault is None:
            raise StaleKeyring
        former = list_former_keys(keyring.owner)
        in_use = set() if leave_damaged else _list_epochs_in_use(keyring, former)
        for row in former:
            # One that does not open may be that of an epoch in use, damaged.
            if row.epoch not in in_use and (not in_use or _opens(row, keyring)):
                former_keys.delete_former_key(keyring.owner, epoch=row.epoch)
        if in_use:
            remaining = sum(count_rows_of_epoch(keyring.owner, epoch) for epoch in in_use)
        _mark_finished(vault, keyring, finished=min(in_use, default=keyring.epoch))
    # After the commit: a file that is gone before makes rows unreadable that are still there.
    former_keys.destroy_files(keyring.owner, before=keyring.epoch, except_epochs=in_use)
    truncate_wal()
    if remaining:
        raise DamagedRows(remaining)
    return bool(former)


def _list_epochs_in_use(keyring: Keyring, former: list[FormerKey]) -> set[int]:
    """Return the former epochs of which rows are left, also where only the file of their key names them."""
    files = {epoch for epoch in former_keys.list_file_epochs(keyring.owner) if epoch < keyring.epoch}
    epochs = files | {row.epoch for row in former}
    return {epoch for epoch in epochs if count_rows_of_epoch(keyring.owner, epoch)}


def _opens(row: FormerKey, keyring: Keyring) -> bool:
    with in_force(keyring):
        return row.open_or("data_key", None) is not None


def _mark_finished(vault: Vault, keyring: Keyring, *, finished: int) -> None:
    with in_force(keyring):
        state = load_state(vault)
        if state is None:
            raise DamagedVault
        if state.finished != finished:
            vault.state = VaultState(format_2_since=state.format_2_since, finished=finished).to_json()
            vault.save(update_fields=["state"])
