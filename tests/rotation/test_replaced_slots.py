"""Tests that a replaced slot, restored from a copy, gets no new key from a rotation."""

from contextlib import AbstractContextManager

import pytest
from django.db import connection

from accounts.auth.services.login import open_slot_throttled
from accounts.errors import DamagedSlot, KeysDoNotMatch, WrongCredentials
from accounts.keys import key_slots
from accounts.keys.slot_list import SlotList, load_slot_list
from accounts.models import KeySlot, SlotKind, Vault
from accounts.rotation.epoch_change import begin_rotation
from accounts.rotation.services import resume_rotation
from llamora.crypto import in_force
from llamora.fields.access import envelope_access
from search.models import RecentSearch
from tests.people import HERE, Resident


def change_password(owner: Resident, password: str) -> KeySlot:
    """Change the password, and return the replaced slot row."""
    old = owner.get_slot()
    begun = begin_rotation(owner.open_slot(), new_secrets={SlotKind.PASSWORD: password})
    resume_rotation(begun.keyring)
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
    assert owner.get_vault().epoch == 3


def test_with_the_list_of_before_too_a_replaced_slot_gets_nothing(owner: Resident) -> None:
    """The attack of before: bytes of the list of an earlier moment, put back with the slot."""
    listed = owner.get_vault().get_envelope(Vault._meta.get_field("ways_in"))
    assert listed is not None
    new_password, old_password = "seven herons over the marsh", owner.password
    old = change_password(owner, new_password)
    restore_row(old)
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER fence_accounts_vault_ways_in_update")
        cursor.execute("UPDATE accounts_vault SET ways_in = %s", [listed.envelope])

    for kind in SlotKind:
        for secret in (new_password, old_password):
            owner.password = secret
            with pytest.raises((KeysDoNotMatch, DamagedSlot, WrongCredentials)):
                owner.open_slot(by=kind)


def test_an_older_vault_put_back_alone_is_refused(owner: Resident) -> None:
    """Slot, vault and list of an earlier moment agree; the rows written since are of a later key."""
    vault, slots, old_password = owner.get_vault(), list(KeySlot.objects.all()), owner.password
    change_password(owner, "seven herons over the marsh")
    Vault.objects.all().delete()
    with envelope_access():
        vault.save_base(raw=True, force_insert=True)
    KeySlot.objects.all().delete()
    for row in slots:
        row.save(force_insert=True)

    with pytest.raises(KeysDoNotMatch), open_throttled(owner, old_password):
        pass


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


@pytest.mark.parametrize("column", ["ways_in", "state"])
def test_without_a_list_or_a_state_no_slot_opens(owner: Resident, column: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE accounts_vault SET {column} = NULL")

    for secret in (owner.password, "not this one at all"):
        with pytest.raises((KeysDoNotMatch, WrongCredentials)), open_throttled(owner, secret):
            pass


def test_the_new_slot_is_served(owner: Resident) -> None:
    change_password(owner, "seven herons over the marsh")

    turned = begin_rotation(owner.open_slot())

    assert turned.renewed_slots == 2
    assert owner.open_slot().keyring.epoch == 3


def test_the_list_names_each_slot_with_its_kind_and_date(owner: Resident) -> None:
    before = load_listed(owner)
    recovery = owner.get_slot(SlotKind.RECOVERY)

    change_password(owner, "seven herons over the marsh")

    after = load_listed(owner)
    assert {slot.kind for slot in after.values()} == {"password", "recovery"}
    assert after[recovery.id] == before[recovery.id]
    assert after[recovery.id].added
    assert set(after) - set(before) == {owner.get_slot().id}


def load_listed(owner: Resident) -> SlotList:
    with in_force(owner.open_keyring()):
        listed = load_slot_list(owner.get_vault())
    assert listed is not None
    return listed


def open_throttled(owner: Resident, secret: str) -> AbstractContextManager[key_slots.OpenedSlot]:
    """Open the password slot as a sign-in does, with all checks of its key."""
    return open_slot_throttled(
        "sign-in",
        person=owner.person,
        name=owner.person.name,
        address=HERE,
        slot_kind=SlotKind.PASSWORD,
        secret=secret,
    )


def test_one_row_of_a_later_epoch_is_damage_and_keeps_nobody_out(owner: Resident) -> None:
    id_ = next(iter(owner.written))
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER fence_diary_entry_text_update")
        cursor.execute(
            "UPDATE diary_entry SET text = CAST(x'0200000009' || substr(text, 6) AS BLOB) WHERE id = %s",
            [id_.hex],
        )

    with open_throttled(owner, owner.password) as opened:
        assert opened.keyring.epoch == 1


def test_rows_of_a_later_epoch_are_noticed_in_a_table_of_the_search_too(owner: Resident) -> None:
    with owner.unlocked():
        for text in ("heron", "otter"):
            RecentSearch.objects.create(owner=owner.person, text=text)
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER fence_search_recentsearch_text_update")
        cursor.execute("UPDATE search_recentsearch SET text = CAST(x'0200000009' || substr(text, 6) AS BLOB)")

    with pytest.raises(KeysDoNotMatch), open_throttled(owner, owner.password):
        pass


@pytest.mark.parametrize("value", ["CAST(x'ff00ff' AS TEXT)", "'words'", "7"])
def test_a_row_of_another_type_is_damage_and_keeps_nobody_out(owner: Resident, value: str) -> None:
    newest = max(owner.written)
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER fence_diary_entry_text_update")
        cursor.execute(f"UPDATE diary_entry SET text = {value} WHERE id = %s", [newest.hex])

    with open_throttled(owner, owner.password) as opened:
        assert opened.keyring.epoch == 1
