"""Tests of a rotation: a new key for all values of one person, and for nobody else."""

from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from accounts.errors import DamagedSlot, WrongCredentials
from accounts.keys.former_keys import destroy_files, get_folder
from accounts.models import FormerKey, KeySlot, SignIn, SlotKind, Unlock
from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import BegunRotation, begin_rotation
from accounts.rotation.errors import LateRows, OpenedSlotRefused, StaleKeyring, UnreadableFormerKey
from accounts.sessions import services as sessions_services
from accounts.signals import data_key_rotated
from diary.entries.services import save_entry
from diary.models import Entry
from llamora.crypto import Keyring, current_keyring, in_force
from llamora.database import FenceRefused, write_transaction
from llamora.fields.access import envelope_access
from llamora.fields.fence import drop_triggers
from tests.people import Resident


def read_raw_files() -> bytes:
    """Return the bytes of the database files."""
    database = Path(connection.settings_dict["NAME"])
    files = [database, database.with_name(f"{database.name}-wal")]
    return b"".join(file.read_bytes() for file in files if file.exists())


def list_files(diarist: Resident) -> list[Path]:
    """Return the files of a person's former keys."""
    return list(get_folder().glob(f"{diarist.id.hex}-*"))


def rotate(diarist: Resident) -> BegunRotation:
    turned = begin_rotation(diarist.open_slot())
    rotation_services.resume_rotation(turned.keyring)
    return turned


def test_everything_is_readable_afterwards_and_under_the_new_key_alone(owner: Resident) -> None:
    before = owner.open_slot().keyring.data_key()

    rotate(owner)

    keyring = owner.open_slot().keyring
    assert keyring.data_key() != before
    assert owner.list_epochs() == {2}
    assert owner.read_all() == owner.written
    assert rotation_services.verify_envelopes(keyring).damaged == []


def test_a_save_sent_again_after_a_rotation_finds_the_entry_it_made(owner: Resident) -> None:
    day, key = date(2026, 11, 20), uuid4()

    def keeps() -> Entry:
        with in_force(owner.open_slot().keyring):
            return save_entry(owner_id=owner.id, day=day, text="Once", key=key, draft_revision=0).entry

    first = keeps()
    rotate(owner)
    again = keeps()

    assert again.id == first.id
    assert Entry.objects.filter(owner_id=owner.id, day=day).count() == 1


def test_the_key_before_is_destroyed(owner: Resident) -> None:
    turned = begin_rotation(owner.open_slot())
    assert rotation_services.is_rotation_unfinished(turned.keyring)

    rotation_services.resume_rotation(turned.keyring)

    assert not rotation_services.is_rotation_unfinished(turned.keyring)
    assert not FormerKey.objects.exists()


def test_no_byte_of_the_key_before_is_left_in_the_files(owner: Resident) -> None:
    boxes = [bytes(owner.get_slot(kind).box) for kind in SlotKind]
    turned = begin_rotation(owner.open_slot())
    former = FormerKey.objects.values_list("data_key", flat=True).get(owner=owner.person).envelope
    assert all(box in read_raw_files() for box in boxes)
    assert former in read_raw_files()

    rotation_services.resume_rotation(turned.keyring)

    assert not any(part in read_raw_files() for part in (*boxes, former))


def test_others_hear_of_the_next_key_once_it_is_committed(owner: Resident) -> None:
    heard: list[tuple[UUID, int, bool]] = []

    def listen(sender: object, *, person_id: UUID, keyring: Keyring, **_: object) -> None:
        committed = not connection.in_atomic_block and owner.get_vault().epoch == keyring.epoch
        heard.append((person_id, current_keyring().epoch, committed))

    data_key_rotated.connect(listen)
    try:
        begin_rotation(owner.open_slot())
    finally:
        data_key_rotated.disconnect(listen)

    assert heard == [(owner.id, 2, True)]


def test_every_slot_opens_without_having_been_asked_for_its_secret(owner: Resident) -> None:
    turned = rotate(owner)

    assert turned.renewed_slots == 2
    assert turned.refused_slots == ()
    by_password, by_code = owner.open_slot(), owner.open_slot(by=SlotKind.RECOVERY)
    assert by_password.keyring.epoch == by_code.keyring.epoch == 2
    assert by_password.keyring.data_key() == by_code.keyring.data_key()


def test_a_housemate_is_not_touched(owner: Resident, housemate: Resident) -> None:
    before = housemate.list_envelopes()

    rotate(owner)

    assert housemate.list_envelopes() == before
    assert housemate.read_all() == housemate.written


def test_the_key_before_opens_nothing_any_more(owner: Resident) -> None:
    thief = owner.open_slot().keyring

    rotate(owner)

    stolen = Keyring(owner=owner.id, epoch=1, keys={1: thief.data_key()})
    assert (
        len(rotation_services.verify_envelopes(stolen).damaged)
        == rotation_services.verify_envelopes(owner.open_keyring()).envelopes
    )


def test_both_keys_read_while_a_rotation_is_unfinished(owner: Resident) -> None:
    turned = begin_rotation(owner.open_slot())
    owner.write_many(1)

    assert owner.list_epochs() == {1, 2}
    assert owner.read_all(turned.keyring) == owner.written
    assert owner.read_all() == owner.written


def test_a_second_rotation_may_begin_meanwhile(owner: Resident) -> None:
    begin_rotation(owner.open_slot())
    owner.write_many(1)
    second = begin_rotation(owner.open_slot())
    owner.write_many(1)

    assert owner.list_epochs() == {1, 2, 3}
    assert owner.read_all(second.keyring) == owner.read_all() == owner.written
    assert sorted(FormerKey.objects.values_list("epoch", flat=True)) == [1, 2]

    rotation_services.resume_rotation(owner.open_keyring())

    assert owner.list_epochs() == {3}
    assert owner.read_all() == owner.written
    assert not FormerKey.objects.exists()
    assert list_files(owner) == []


def test_a_former_key_that_is_put_back_opens_nothing(owner: Resident) -> None:
    """With the row of the former key, and the rows that it opened, but not its file."""
    begun = begin_rotation(owner.open_slot())
    row = FormerKey.objects.get()
    (file,) = list_files(owner)
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(file.read_bytes()) == 32
    rotation_services.resume_rotation(begun.keyring)

    with envelope_access():
        row.save_base(raw=True, force_insert=True)

    keyring = owner.open_keyring()
    assert keyring.list_former_epochs() == []
    assert not file.exists()


def test_a_rotation_that_ends_spares_the_file_of_the_next(owner: Resident) -> None:
    """The next one may begin after the commit of the last step, before its files go."""
    first = begin_rotation(owner.open_slot())
    rotation_services.resume_rotation(first.keyring)
    begin_rotation(owner.open_slot())

    destroy_files(owner.id, before=first.keyring.epoch)

    assert len(list_files(owner)) == 1
    assert owner.read_all() == owner.written


def test_a_former_key_is_not_opened_without_its_file(owner: Resident) -> None:
    begin_rotation(owner.open_slot())
    (file,) = list_files(owner)
    key = file.read_bytes()
    assert owner.open_keyring().list_former_epochs() == [1]

    file.unlink()
    assert owner.open_keyring().list_former_epochs() == []

    file.write_bytes(key)
    rotation_services.resume_rotation(owner.open_keyring())
    assert owner.read_all() == owner.written


def test_a_keyring_of_an_earlier_epoch_rotates_nothing(owner: Resident) -> None:
    stale = owner.open_slot()
    rotate(owner)

    with pytest.raises(StaleKeyring):
        begin_rotation(stale)


def test_the_key_can_be_rotated_again_and_again(owner: Resident) -> None:
    for _ in range(3):
        rotate(owner)

    assert owner.list_epochs() == {4}
    assert owner.read_all() == owner.written


def test_the_asking_session_stays_unlocked_and_all_others_end(owner: Resident) -> None:
    here, elsewhere = owner.create_session(), owner.create_session()

    turned = begin_rotation(owner.open_slot(), current_cookie=here)
    rotation_services.resume_rotation(turned.keyring)

    assert sessions_services.open_session(here).keyring.data_key() == turned.keyring.data_key()
    assert sessions_services.open_session(elsewhere).person is None
    assert list(SignIn.objects.filter(person=owner.person).values_list("id", flat=True)) == [here.sign_in_id]


def test_a_session_that_asks_with_another_half_is_ended_too(owner: Resident) -> None:
    here = owner.create_session()
    forged = type(here)(here.sign_in_id, bytes(32))

    begin_rotation(owner.open_slot(), current_cookie=forged)

    assert not Unlock.objects.exists()
    assert not SignIn.objects.exists()


def test_a_row_loaded_before_is_refused_and_keeps_its_text(owner: Resident) -> None:
    entry = Entry.objects.filter(owner_id=owner.id).first()
    assert entry is not None
    stale = owner.open_slot().keyring
    entry.text = words = "Written in a tab that was open before."
    rotate(owner)

    with pytest.raises(FenceRefused), in_force(stale), write_transaction():
        entry.save()

    assert entry.text == words
    with in_force(owner.open_keyring()), write_transaction():
        entry.save()
    assert owner.read_all()[entry.id] == words


def test_a_forged_slot_is_refused_and_named(owner: Resident) -> None:
    planted = owner.get_slot(SlotKind.RECOVERY)
    KeySlot.objects.filter(id=planted.id).update(box=bytes(len(planted.box)))

    turned = begin_rotation(owner.open_slot())

    (refused,) = turned.refused_slots
    assert (refused.slot_id, refused.kind, refused.code) == (planted.id, "recovery", "forged_slot")
    assert owner.get_slot(SlotKind.RECOVERY).epoch == 1
    with pytest.raises(DamagedSlot):
        owner.open_slot(by=SlotKind.RECOVERY)


def test_a_planted_public_key_is_refused_and_named(owner: Resident) -> None:
    planted = owner.get_slot(SlotKind.RECOVERY)
    KeySlot.objects.filter(id=planted.id).update(public_key=bytes(range(32)))

    turned = begin_rotation(owner.open_slot())

    assert [(slot.slot_id, slot.code) for slot in turned.refused_slots] == [
        (planted.id, "unknown_authenticator")
    ]


def test_a_slot_of_an_older_epoch_that_was_put_back_is_refused(owner: Resident) -> None:
    old = owner.get_slot(SlotKind.RECOVERY)
    rotate(owner)
    KeySlot.objects.filter(id=old.id).delete()
    old.save(force_insert=True)

    with pytest.raises(DamagedSlot):
        owner.open_slot(by=SlotKind.RECOVERY)
    turned = begin_rotation(owner.open_slot())

    assert [slot.code for slot in turned.refused_slots] == ["unknown_authenticator"]


def test_nothing_is_rotated_when_the_asking_slot_could_not_be_served(owner: Resident) -> None:
    opened = owner.open_slot()
    KeySlot.objects.filter(id=opened.slot.id).update(sealed_authenticator=b"\1" + bytes(140))

    with pytest.raises(OpenedSlotRefused):
        begin_rotation(opened)

    assert owner.get_vault().epoch == 1
    assert owner.read_all(opened.keyring) == owner.written


def swap_two_texts(owner: Resident) -> UUID:
    """Damage an entry, and return its id."""
    first, second = list(Entry.objects.filter(owner_id=owner.id).values_list("id", "text"))[:2]
    with write_transaction(), connection.cursor() as cursor:
        cursor.execute("UPDATE diary_entry SET text = %s WHERE id = %s", [second[1].envelope, first[0].hex])
    return UUID(str(first[0]))


def read_sound_entries(owner: Resident, *, damaged: UUID) -> int:
    with in_force(owner.open_keyring()):
        rows = Entry.objects.filter(owner_id=owner.id).exclude(id=damaged)
        assert all(row.text for row in rows)
    return len(rows)


def test_a_damaged_row_does_not_preserve_the_former_key(owner: Resident) -> None:
    damaged = swap_two_texts(owner)
    before = Entry.objects.filter(id=damaged).values_list("text", flat=True).get().envelope
    begun = begin_rotation(owner.open_slot())

    moved = rotation_services.resume_rotation(begun.keyring)

    assert [(each.row, each.code) for each in moved.damaged] == [(damaged, "not_authentic")]
    assert not rotation_services.is_rotation_unfinished(begun.keyring)
    assert not list_files(owner)
    assert read_sound_entries(owner, damaged=damaged) == len(owner.written) - 1
    assert Entry.objects.filter(id=damaged).values_list("text", flat=True).get().envelope == before
    found = rotation_services.verify_envelopes(owner.open_keyring()).damaged
    assert [(each.row, each.code) for each in found] == [(damaged, "destroyed_key")]
    assert rotation_services.count_rows_of_destroyed_keys(owner.id) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE diary_entry SET text = x'02' WHERE id = %s",
        "UPDATE diary_entry SET text = 5 WHERE id = %s",
        "UPDATE diary_entry SET text = x'0700000001' || substr(text, 6) WHERE id = %s",
        "UPDATE diary_entry SET day = CAST(x'ff' AS TEXT) WHERE id = %s",
        "UPDATE diary_entry SET day = 1.5 WHERE id = %s",
        "UPDATE diary_entry SET day = '2001-02-30' WHERE id = %s",
        "UPDATE diary_entry SET id = x'ff' WHERE id = %s",
        "UPDATE diary_entry SET id = 'no id' WHERE id = %s",
    ],
)
def test_a_value_that_nobody_wrote_does_not_preserve_the_former_key(owner: Resident, statement: str) -> None:
    begun = begin_rotation(owner.open_slot())
    chosen = Entry.objects.filter(owner_id=owner.id).values_list("id", flat=True)[0]
    drop_triggers(connection)
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        cursor.execute(statement, [chosen.hex])

    moved = rotation_services.resume_rotation(begun.keyring)

    assert moved.damaged
    assert not rotation_services.is_rotation_unfinished(begun.keyring)
    assert not list_files(owner)
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM diary_entry WHERE substr(text, 2, 4) IS NOT x'00000002'")
    assert read_sound_entries(owner, damaged=chosen) == len(owner.written) - 1


def test_a_row_that_another_program_writes_late_is_encrypted_again(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = swap_two_texts(owner)
    former = owner.open_keyring()
    begun = begin_rotation(owner.open_slot())
    drop_triggers(connection)
    destroy = rotation_services.destroy_former_keys

    def write_late(*args: Any, **kwargs: Any) -> bool:
        monkeypatch.setattr(rotation_services, "destroy_former_keys", destroy)
        with in_force(former):
            Entry.objects.create(owner_id=owner.id, day=owner.today, text="Late, but here")
        return destroy(*args, **kwargs)

    monkeypatch.setattr(rotation_services, "destroy_former_keys", write_late)

    rotation_services.resume_rotation(begun.keyring)

    assert not rotation_services.is_rotation_unfinished(begun.keyring)
    assert read_sound_entries(owner, damaged=damaged) == len(owner.written)


def test_a_program_that_goes_on_writing_under_the_former_key_loses_nothing(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = owner.open_keyring()
    begun = begin_rotation(owner.open_slot())
    drop_triggers(connection)
    destroy = rotation_services.destroy_former_keys

    def write_late(*args: Any, **kwargs: Any) -> bool:
        with in_force(former):
            Entry.objects.create(owner_id=owner.id, day=owner.today, text="Late, but here")
        return destroy(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(rotation_services, "destroy_former_keys", write_late)
        with pytest.raises(LateRows):
            rotation_services.resume_rotation(begun.keyring)
    assert rotation_services.is_rotation_unfinished(begun.keyring)

    rotation_services.resume_rotation(owner.open_keyring())

    with in_force(owner.open_keyring()):
        texts = [entry.text for entry in Entry.objects.filter(owner_id=owner.id)]
    assert texts.count("Late, but here") == 3


def test_each_of_two_former_keys_is_destroyed_when_only_damage_is_left_of_it(owner: Resident) -> None:
    damaged = swap_two_texts(owner)
    begin_rotation(owner.open_slot())
    second = begin_rotation(owner.open_slot())
    assert second.keyring.list_former_epochs() == [1, 2]

    rotation_services.resume_rotation(second.keyring)

    assert not rotation_services.is_rotation_unfinished(second.keyring)
    assert not list_files(owner)
    assert read_sound_entries(owner, damaged=damaged) == len(owner.written) - 1


@pytest.mark.parametrize("content", [None, bytes(32), b"short"])
def test_a_former_key_that_cannot_be_read_loses_nothing(owner: Resident, content: bytes | None) -> None:
    damaged = swap_two_texts(owner)
    begin_rotation(owner.open_slot())
    (file,) = list_files(owner)
    saved = file.read_bytes()
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    second = begin_rotation(owner.open_slot())

    with pytest.raises(UnreadableFormerKey):
        rotation_services.resume_rotation(second.keyring)

    assert rotation_services.is_rotation_unfinished(second.keyring)
    file.write_bytes(saved)
    rotation_services.resume_rotation(owner.open_keyring())
    assert not rotation_services.is_rotation_unfinished(second.keyring)
    assert read_sound_entries(owner, damaged=damaged) == len(owner.written) - 1


def test_a_former_key_that_cannot_be_read_is_given_up_only_when_asked(owner: Resident) -> None:
    begun = begin_rotation(owner.open_slot())
    destroy_files(owner.id)

    with pytest.raises(UnreadableFormerKey):
        rotation_services.resume_rotation(owner.open_keyring())
    rotation_services.resume_rotation(owner.open_keyring(), leave_damaged=True)

    assert not rotation_services.is_rotation_unfinished(begun.keyring)


def test_a_wrong_password_rotates_nothing(owner: Resident) -> None:
    owner.password = "not this one at all"

    with pytest.raises(WrongCredentials):
        begin_rotation(owner.open_slot())
