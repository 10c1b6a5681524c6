"""Third step of a rotation: destroys each former data key when no row needs it.

Rows that do not open under their former key are damaged; they stay as they are and do not prevent the
destruction of the key. Otherwise one damaged row would preserve the key, and with it the former password, for
ever. An unreadable former key is not deleted while rows of its epoch are left, because its file may be
restored.
"""

from dataclasses import replace

from accounts.keys import former_keys
from accounts.keys.keyrings import list_former_keys
from accounts.keys.row_shapes import delete_damaged_rows
from accounts.keys.token_slots import remove_former_keys_from_tokens
from accounts.keys.vault_state import load_state
from accounts.models import FormerKey, Vault
from accounts.rotation.errors import DamagedVault, LateRows, StaleKeyring, UnreadableFormerKey
from accounts.rotation.sealed_tables import can_open_any_envelope, count_rows_of_epoch
from llamora.crypto import Keyring, in_force
from llamora.database import truncate_wal, write_transaction


def destroy_former_keys(keyring: Keyring, *, leave_damaged: bool = False) -> bool:
    """Destroy the former keys that no row needs; return False if there were none.

    Call with a keyring that holds the former keys, after the rows were resealed. With `leave_damaged`, every
    former key is destroyed. Otherwise raise LateRows if rows are left that a former key opens, or
    UnreadableFormerKey if rows are left whose former key is unreadable; former keys without rows are still
    destroyed. The check and the deletion are one transaction, which StaleKeyring and DamagedVault roll back.
    """
    with write_transaction():
        vault = Vault.objects.filter(owner_id=keyring.owner, epoch=keyring.epoch).first()
        if vault is None:
            raise StaleKeyring
        former = list_former_keys(keyring.owner)
        left = {} if leave_damaged else _count_rows_left(vault, keyring, former)
        is_late = {epoch: can_open_any_envelope(keyring, epoch=epoch) for epoch in _list_held(left, keyring)}
        in_use = {epoch for epoch in left if is_late.get(epoch, True)}
        for row in former:
            # One that does not open may be that of an epoch in use, damaged.
            if row.epoch not in in_use and (not in_use or _opens(row, keyring)):
                former_keys.delete_former_key(keyring.owner, epoch=row.epoch)
        if not in_use:
            delete_damaged_rows(FormerKey, keyring.owner)
        _mark_finished(vault, keyring, finished=min(in_use, default=keyring.epoch))
        if former:
            _remove_destroyed_keys_from_tokens(keyring, in_use=in_use)
    # After the commit: a file that is gone before makes rows unreadable that are still there.
    former_keys.destroy_files(keyring.owner, before=keyring.epoch, except_epochs=in_use)
    truncate_wal()
    if any(is_late.values()):
        raise LateRows
    if in_use:
        raise UnreadableFormerKey(sum(left[epoch] for epoch in in_use))
    return bool(former)


def destroy_remaining_files() -> int:
    """Destroy files of former keys that a killed process left behind; return their number.

    A file is destroyed if its former key has no row and no row of that epoch is left, which can be checked
    without the data key. Other files are examined when their owner unlocks.
    """
    count = 0
    for owner in former_keys.list_owners_of_files():
        files = former_keys.list_file_epochs(owner)
        # Of nobody known: perhaps another database was started here for a moment.
        current = min(Vault.objects.filter(owner_id=owner).values_list("epoch", flat=True), default=0)
        rows = set(FormerKey.objects.filter(owner_id=owner).values_list("epoch", flat=True))
        unneeded = {
            epoch
            for epoch in files - rows
            if isinstance(current, int) and epoch < current and not count_rows_of_epoch(owner, epoch)
        }
        former_keys.destroy_files(owner, except_epochs=files - unneeded)
        count += len(unneeded)
    return count


def _count_rows_left(vault: Vault, keyring: Keyring, former: list[FormerKey]) -> dict[int, int]:
    """Return the numbers of rows of former epochs, by epoch; an epoch may be known from a file alone."""
    with in_force(keyring):
        state = load_state(vault)
    if state is None:
        raise DamagedVault
    files = {epoch for epoch in former_keys.list_file_epochs(keyring.owner) if epoch < keyring.epoch}
    # What is left of a finished epoch is damaged; a row or file of its key is a remnant, or was planted.
    epochs = {epoch for epoch in files | {row.epoch for row in former} if epoch >= state.finished}
    counts = {epoch: count_rows_of_epoch(keyring.owner, epoch) for epoch in epochs}
    return {epoch: count for epoch, count in counts.items() if count}


def _list_held(left: dict[int, int], keyring: Keyring) -> list[int]:
    return [epoch for epoch in keyring.list_former_epochs() if epoch in left]


def _opens(row: FormerKey, keyring: Keyring) -> bool:
    with in_force(keyring):
        return row.open_or("data_key", None) is not None


def _remove_destroyed_keys_from_tokens(keyring: Keyring, *, in_use: set[int]) -> None:
    """Remove the destroyed keys from the access tokens, which store sealed keys."""
    epochs = [epoch for epoch in keyring.list_former_epochs() if epoch in in_use]
    remaining = Keyring(
        owner=keyring.owner,
        epoch=keyring.epoch,
        keys={epoch: keyring.data_key(epoch) for epoch in (*epochs, keyring.epoch)},
        format_2_since=keyring.format_2_since,
        oldest_epoch=min((*epochs, keyring.epoch)),
    )
    remove_former_keys_from_tokens(remaining)
    remaining.close()


def _mark_finished(vault: Vault, keyring: Keyring, *, finished: int) -> None:
    with in_force(keyring):
        state = load_state(vault)
        if state is None:
            raise DamagedVault
        if state.finished != finished:
            vault.state = replace(state, finished=finished).to_json()
            vault.save(update_fields=["state"])
