"""Which slots are a person's ways in: a list of their ids, sealed in the vault.

A slot that was replaced stays good for as long as its data key is the current one, so whoever kept a copy
of its row could put it back and have the next rotation serve it. A rotation gives the next key only to
slots on this list. Whoever puts back the whole vault row beside the slot, from the same epoch, is not
noticed; that is why a new password offers a rotation at once.
"""

from collections.abc import Iterable
from uuid import UUID

from accounts.models import Vault
from llamora.crypto import Keyring, in_force


def listed(vault: Vault) -> frozenset[UUID]:
    """Return the ids of a vault's ways in, with its keyring in force; none where no list was kept yet."""
    return frozenset(UUID(hex=each) for each in vault.ways_in or ())


def sealed_form(slots: Iterable[UUID]) -> list[str]:
    """Return slot ids as the vault's column keeps them."""
    return sorted(each.hex for each in slots)


def note(keyring: Keyring, *, added: Iterable[UUID], removed: Iterable[UUID] = ()) -> None:
    """Keep the list when slots are made and removed; call it in the same transaction."""
    vault = Vault.objects.get(owner_id=keyring.owner)
    with in_force(keyring):
        vault.ways_in = sealed_form((listed(vault) - frozenset(removed)) | frozenset(added))
        vault.save(update_fields=["ways_in"])
