"""Tests that a replaced slot, put back from a copy, gets no new key from a rotation."""

import pytest

from accounts.errors import DamagedSlot, KeysDoNotMatch
from accounts.keys import key_slots
from accounts.models import KeySlot, SlotKind
from accounts.rotation.epoch_change import begin_rotation
from llamora.crypto import in_force
from llamora.database import write_transaction
from tests.people import Resident


def change_password(owner: Resident, password: str) -> KeySlot:
    """Change the password, and return the replaced slot row."""
    opened, old = owner.open_slot(), owner.get_slot()
    request = key_slots.DerivationRequest(name=owner.person.name, address="here")
    slot = key_slots.create_slot(
        secret=password, kind=SlotKind.PASSWORD, keyring=opened.keyring, request=request
    )
    with write_transaction():
        key_slots.replace_slots(opened.keyring, new_slots=[slot])
    owner.password = password
    return old


def restore_row(row: KeySlot) -> None:
    KeySlot.objects.filter(owner_id=row.owner_id, kind=row.kind).delete()
    row.save(force_insert=True)


def test_a_replaced_slot_that_was_put_back_is_named_and_gets_nothing(owner: Resident) -> None:
    old = change_password(owner, "seven herons over the marsh")
    restore_row(old)

    turned = begin_rotation(owner.open_slot(by=SlotKind.RECOVERY))

    (refused,) = turned.refused_slots
    assert (refused.slot_id, refused.code) == (old.id, "not_listed")
    assert owner.get_slot().epoch == 1


def test_a_replaced_slot_that_was_put_back_opens_nothing(owner: Resident) -> None:
    new_password, old_password = "seven herons over the marsh", owner.password
    restore_row(change_password(owner, new_password))
    owner.password = old_password

    with pytest.raises(DamagedSlot):
        owner.open_slot()


def test_with_a_list_of_another_vault_no_slot_opens(owner: Resident, housemate: Resident) -> None:
    vault = owner.get_vault()
    vault.ways_in = housemate.get_vault().__dict__["ways_in"]
    vault.save(update_fields=["ways_in"])

    for kind in SlotKind:
        with pytest.raises(KeysDoNotMatch):
            owner.open_slot(by=kind)
    assert owner.get_vault().epoch == 1


def test_the_new_slot_is_served(owner: Resident) -> None:
    change_password(owner, "seven herons over the marsh")

    turned = begin_rotation(owner.open_slot())

    assert turned.renewed_slots == 2
    assert owner.open_slot().keyring.epoch == 2


def test_where_no_list_was_kept_only_the_slot_just_opened_is_served(owner: Resident) -> None:
    vault = owner.get_vault()
    vault.ways_in = None
    vault.save(update_fields=["ways_in"])

    turned = begin_rotation(owner.open_slot())

    assert [(slot.kind, slot.code) for slot in turned.refused_slots] == [("recovery", "not_listed")]
    with in_force(turned.keyring):
        assert key_slots.get_listed_slot_ids(owner.get_vault()) == {owner.get_slot().id}
