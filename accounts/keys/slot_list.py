"""The sealed list of a vault's valid key slots. A slot that contains keys is removed only by a rotation.

    {"slots": [{"id": hex, "kind": "password", "name": "", "added": "2026-05-03T10:00:00+00:00"}]}

A slot with keys that is removed or replaced is taken off the list in the first step of a rotation. So an
older list of the same epoch may lack slots, but never contains a removed one with keys. A rotation gives the
next data key to listed slots only, and pages show the names and dates in this list, because anyone who can
write to the database can change the rows of slots.

Access tokens are on the list with the kind "token" and without a name; their names are in their rows. A token
without keys (any kind but "away") is taken off the list without a rotation, because it opens nothing by
itself, even if an attacker restores an older list.

In format 1 the column held ids alone, `["hex", ...]`, or nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from accounts.errors import StaleVault
from accounts.models import Vault
from llamora.crypto import Keyring, in_force
from llamora.fields import SealedValue

TOKEN_KIND = "token"  # noqa: S105 - a word


@dataclass(frozen=True, kw_only=True)
class ListedSlot:
    """The data of one key slot in the sealed list of a vault's valid key slots.

    `added` is the creation time in ISO 8601, or "" if it is unknown.
    """

    id: UUID
    kind: str
    name: str = ""
    added: str = ""


SlotList = dict[UUID, ListedSlot]


def load_slot_list(vault: Vault) -> SlotList | None:
    """Return the list of a vault's valid slots as a dict by id.

    Return None if the vault has no such list. Call inside `in_force`. Raise EnvelopeError if the list does
    not open.
    """
    value: Any = vault.ways_in
    if isinstance(value, list):
        return {slot.id: slot for slot in (ListedSlot(id=UUID(hex=item), kind="") for item in value)}
    if not isinstance(value, dict):
        return None
    listed = [ListedSlot(**{**item, "id": UUID(hex=item["id"])}) for item in value["slots"]]
    return {slot.id: slot for slot in listed}


def load_listed_ids(envelope: SealedValue, *, vault_id: UUID, owner_id: UUID) -> frozenset[UUID]:
    """Return the slot ids in the sealed list of a vault; call inside `in_force` with its keyring.

    Raise EnvelopeError if the list does not open.
    """
    vault = Vault.from_db(None, ("id", "owner_id", "ways_in"), (vault_id, owner_id, envelope))
    return frozenset(load_slot_list(vault) or ())


def encode_slot_list(slots: Iterable[ListedSlot]) -> dict[str, Any]:
    """Return a list of slots as the value of the vault's column `ways_in`."""
    ordered = sorted(slots, key=lambda slot: slot.id.hex)
    return {"slots": [{**asdict(slot), "id": slot.id.hex} for slot in ordered]}


def change_slot_list(keyring: Keyring, change: Callable[[SlotList], None]) -> None:
    """Apply `change` to a vault's list of slots, in the transaction that writes the row of the slot.

    Raise StaleVault if the keyring is not of the current epoch, or EnvelopeError if the list does not open.
    """
    vault = Vault.objects.filter(owner_id=keyring.owner, epoch=keyring.epoch).first()
    if vault is None:
        raise StaleVault
    with in_force(keyring):
        listed = load_slot_list(vault)
        if listed is None:
            raise StaleVault
        change(listed)
        vault.ways_in = encode_slot_list(listed.values())
        vault.save(update_fields=["ways_in"])
