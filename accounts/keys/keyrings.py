"""Keyrings built from a data key, and from former data keys while rotations are unfinished.

Former keys open rows that are not resealed yet; the current key seals new values.
"""

from uuid import UUID

from accounts.keys.former_keys import open_former_keys
from accounts.keys.row_shapes import list_sound_ids
from accounts.keys.vault_state import is_of_format_1, load_state
from accounts.models import FormerKey, Vault
from llamora.crypto import Keyring, in_force


def build_keyring(*, dek: bytes, vault: Vault) -> Keyring:
    """Return a vault's keyring: its current data key and, until rotations are finished, its former ones."""
    owner, epoch = vault.owner_id, vault.epoch
    if is_of_format_1(vault):
        keyring, since, finished = _build(owner, {epoch: dek}, epoch, since=epoch + 1), epoch + 1, 1
    else:
        keyring = _build(owner, {epoch: dek}, epoch, since=1)
        with in_force(keyring):
            state = load_state(vault)
        # Without a readable state no key is admitted (see `accounts.keys.key_checks`).
        since, finished = (state.format_2_since, state.finished) if state else (1, epoch)
    if finished >= epoch:
        keyring.close()
        return _build(owner, {epoch: dek}, epoch, since=since, oldest=epoch)
    rows = [row for row in list_former_keys(owner) if row.epoch >= finished]
    former = open_former_keys(keyring, rows)
    keyring.close()
    return _build(owner, {**former, epoch: dek}, epoch, since=since, oldest=finished)


def list_former_keys(owner: UUID) -> list[FormerKey]:
    """Return the rows of an owner's former keys, oldest first.

    Without an unfinished rotation there are none. Damaged rows are left out, because loading them would raise
    an error.
    """
    return list(FormerKey.objects.filter(id__in=list_sound_ids(FormerKey, owner)).order_by("epoch"))


def copy_with_former_keys(keyring: Keyring) -> Keyring:
    """Return a copy of a keyring, with former keys if there are any, for work that outlasts the request."""
    vault = Vault.objects.filter(owner_id=keyring.owner).first()
    if vault is None or vault.epoch != keyring.epoch:
        return keyring.copy()
    return build_keyring(dek=keyring.data_key(), vault=vault)


def _build(owner: UUID, keys: dict[int, bytes], epoch: int, *, since: int, oldest: int = 1) -> Keyring:
    return Keyring(owner=owner, epoch=epoch, keys=keys, format_2_since=since, oldest_epoch=oldest)
