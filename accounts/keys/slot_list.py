"""The sealed list of a vault's valid key slots; within an epoch it only grows.

    {"slots": [{"id": hex, "kind": "password", "name": "", "added": "2026-05-03T10:00:00+00:00"}]}

A slot that is removed or replaced is taken off the list in the first step of a rotation, so an older list of
the same epoch lacks slots and never has a dead one. A rotation gives the next data key to listed slots only,
and a page that shows the ways to unlock takes names and dates from this list: rows of slots can be written by
anyone who can write to the database.

Access tokens are on the list with the kind "token" and without a name, which lies in their rows. One that
holds no keys, so is not of the kind "away", is taken off at once: an older list brings back what can open
nothing but with its owner's keys at hand.

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
    """A valid slot: its id, kind, name and when it was added (ISO 8601, or empty if that is unknown)."""

    id: UUID
    kind: str
    name: str = ""
    added: str = ""


SlotList = dict[UUID, ListedSlot]


def load_slot_list(vault: Vault) -> SlotList | None:
    """Return a vault's valid slots by id, or None if it has no list; needs its keyring in force.

    Raise EnvelopeError if the list does not open.
    """
    value: Any = vault.ways_in
    if isinstance(value, list):
        return {slot.id: slot for slot in (ListedSlot(id=UUID(hex=item), kind="") for item in value)}
    if not isinstance(value, dict):
        return None
    listed = [ListedSlot(**{**item, "id": UUID(hex=item["id"])}) for item in value["slots"]]
    return {slot.id: slot for slot in listed}


def load_listed_ids(envelope: SealedValue, *, vault_id: UUID, owner_id: UUID) -> frozenset[UUID]:
    """Return the ids on the list in an envelope of a vault; needs its keyring in force.

    Raise EnvelopeError if the list does not open.
    """
    vault = Vault.from_db(None, ("id", "owner_id", "ways_in"), (vault_id, owner_id, envelope))
    return frozenset(load_slot_list(vault) or ())


def encode_slot_list(slots: Iterable[ListedSlot]) -> dict[str, Any]:
    """Return the value of the vault's column `ways_in`."""
    ordered = sorted(slots, key=lambda slot: slot.id.hex)
    return {"slots": [{**asdict(slot), "id": slot.id.hex} for slot in ordered]}


def change_slot_list(keyring: Keyring, change: Callable[[SlotList], None]) -> None:
    """Change a vault's list, in the transaction that writes the row of the slot.

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
