"""Tests that the first unlock upgrades a diary from format 1 to format 2, which closes format 1."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from accounts.auth.services.login import sign_in_with_password, unlock_with_password
from accounts.errors import DerivationQueueFull, WrongCredentials
from accounts.keys.sealed_preferences import load_person
from accounts.keys.slot_list import load_slot_list
from accounts.models import FormerKey, KeySlot, Person, SignIn, SlotKind, Unlock
from accounts.rotation import format_upgrade
from accounts.rotation.background import stop_rotation_threads
from accounts.rotation.epoch_change import begin_rotation
from accounts.rotation.errors import DamagedVault
from accounts.rotation.format_upgrade import move_to_format_2
from accounts.rotation.reencryption import reencrypt_all
from accounts.rotation.services import resume_rotation, verify_envelopes
from accounts.sessions import services as sessions_services
from diary.models import Entry, Origin
from llamora.crypto import CryptoError, EnvelopeError, FormerFormat, in_force
from llamora.fields.access import envelope_access
from tests.accounts.pages import get_shown_code
from tests.fakes.waiting import PATIENCE
from tests.people import HERE, NEW_PASSWORD, Resident, register_resident
from tests.rotation.format_1 import move_back_to_format_1, seal_in_format_1
from tests.rotation.processes import KILLED, die_at_statement, run_forked

pytestmark = pytest.mark.usefixtures("transactional_db")


@pytest.fixture(autouse=True)
def _threads_end() -> Iterator[None]:
    yield
    stop_rotation_threads(timeout=PATIENCE)


def sign_in(owner: Resident) -> str:
    """Sign in, wait until the rotation is finished, and return the new recovery code if there is one."""
    signed_in = sign_in_with_password(name=owner.person.name, password=owner.password, address=HERE)
    resume_rotation(owner.open_keyring())
    return signed_in.recovery_code


def list_formats(owner: Resident) -> set[int]:
    return {envelope[0] for envelope in owner.list_envelopes()}


def test_the_first_sign_in_moves_everything_and_everything_opens(owner: Resident) -> None:
    move_back_to_format_1(owner)
    assert (list_formats(owner), owner.get_vault().epoch) == ({1}, 1)

    assert sign_in(owner) == ""

    keyring = owner.open_keyring()
    assert (list_formats(owner), owner.get_vault().epoch) == ({2}, 2)
    assert owner.read_all() == owner.read_all(owner.open_slot(by=SlotKind.RECOVERY).keyring) == owner.written
    assert verify_envelopes(keyring).damaged == []
    assert not FormerKey.objects.exists()
    with in_force(keyring):
        listed = load_slot_list(owner.get_vault())
    assert {slot.kind: slot.id for slot in (listed or {}).values()} == {
        row.kind: row.id for row in KeySlot.objects.filter(owner_id=owner.id)
    }
    assert all(slot.added for slot in (listed or {}).values())


def test_it_is_moved_once(owner: Resident) -> None:
    move_back_to_format_1(owner)

    for _ in range(3):
        sign_in(owner)

    assert owner.get_vault().epoch == 2


def test_entries_with_a_source_are_imported_and_the_others_are_not(owner: Resident) -> None:
    move_back_to_format_1(owner)

    sign_in(owner)

    entries = Entry.objects.filter(owner_id=owner.id)
    assert set(entries.filter(source__isnull=True).values_list("origin", flat=True)) == {Origin.OWN}
    assert set(entries.filter(source__isnull=False).values_list("origin", flat=True)) == {Origin.IMPORTED}


def test_the_preferences_of_before_are_sealed_and_stay_in_later_rotations(owner: Resident) -> None:
    move_back_to_format_1(owner)
    Person.objects.filter(id=owner.id).update(idle_minutes=15, reads_related_entries=False)

    sign_in(owner)
    begin_rotation(owner.open_slot()).keyring.close()
    Person.objects.filter(id=owner.id).update(idle_minutes=240, reads_related_entries=True)

    with in_force(owner.open_keyring()):
        person = load_person(owner.id)
    assert (person.idle_minutes, person.reads_related_entries) == (15, False)


def test_without_sealed_preferences_a_diary_of_format_2_is_not_rotated(owner: Resident) -> None:
    opened = owner.open_slot()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_vault SET preferences = NULL")

    with pytest.raises(DamagedVault):
        begin_rotation(opened)

    assert owner.get_vault().epoch == 1


def test_a_housemate_stays_in_format_1_until_their_own_unlock(owner: Resident, housemate: Resident) -> None:
    for someone in (owner, housemate):
        move_back_to_format_1(someone)

    sign_in(owner)

    assert (list_formats(owner), list_formats(housemate)) == ({2}, {1})
    assert (
        housemate.read_all() == housemate.written
    )  # read with the secret, as `verify` and `export_diary` do


def test_a_keyring_of_format_1_seals_nothing(owner: Resident) -> None:
    move_back_to_format_1(owner)

    with in_force(owner.open_keyring()), pytest.raises(FormerFormat):
        Entry.objects.create(owner_id=owner.id, day=owner.today, text="Written too early.")


def test_two_browsers_one_locked_are_both_locked_and_stay_signed_in(owner: Resident) -> None:
    unlocked, locked = owner.create_session(), owner.create_session()
    sessions_services.lock_session(sign_in_id=locked.sign_in_id, person_id=owner.id)
    move_back_to_format_1(owner)

    for cookie in (unlocked, locked):
        found = sessions_services.open_session(cookie)
        assert (found.person, found.is_unlocked) == (owner.person, False)

    here = sessions_services.open_session(locked)
    renewed = unlock_with_password(request_vault=here, password=owner.password, address=HERE).cookie
    resume_rotation(owner.open_keyring())

    assert owner.read_all(sessions_services.open_session(renewed).keyring) == owner.written
    assert sessions_services.open_session(unlocked).person == owner.person
    assert not sessions_services.open_session(unlocked).is_unlocked
    again = unlock_with_password(
        request_vault=sessions_services.open_session(unlocked), password=owner.password, address=HERE
    )
    assert owner.read_all(sessions_services.open_session(again.cookie).keyring) == owner.written
    assert owner.get_vault().epoch == 2


def test_an_unlocked_browser_of_before_is_locked_at_its_first_request(owner: Resident) -> None:
    here = owner.create_session()
    move_back_to_format_1(owner)

    assert not sessions_services.open_session(here).is_unlocked
    assert not Unlock.objects.filter(sign_in_id=here.sign_in_id).exists()


def test_a_person_who_comes_back_a_year_later_finds_everything(
    owner: Resident, housemate: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.create_session()
    for someone in (owner, housemate):
        move_back_to_format_1(someone)
    sign_in(housemate)
    later = timezone.now() + timedelta(days=365)
    monkeypatch.setattr(timezone, "now", lambda: later)
    sessions_services.end_expired_sessions()
    assert not SignIn.objects.filter(person=owner.person).exists()

    sign_in(owner)

    assert list_formats(owner) == {2}
    assert owner.read_all() == owner.written


def test_where_there_never_was_a_list_the_recovery_code_is_replaced_and_shown(owner: Resident) -> None:
    move_back_to_format_1(owner, with_list=False)
    former = owner.recovery_code

    page = owner.client.post("/sign-in/", {"name": owner.person.name, "password": owner.password})

    assert page.status_code == 200
    shown = get_shown_code(page)
    stop_rotation_threads(timeout=PATIENCE)
    resume_rotation(owner.open_keyring())
    with pytest.raises(WrongCredentials):
        owner.open_slot(by=SlotKind.RECOVERY)
    assert shown != former
    owner.recovery_code = shown
    assert owner.read_all(owner.open_slot(by=SlotKind.RECOVERY).keyring) == owner.written
    assert owner.is_unlocked()


def test_a_rotation_that_format_1_left_unfinished_is_finished_too(owner: Resident) -> None:
    old = owner.open_keyring()
    move_back_to_format_1(owner)
    # Half of the entries are under epoch 1, the rest and the vault under epoch 2, as that version left them.
    begun = begin_rotation(owner.open_slot())
    with envelope_access():
        halves = list(Entry.objects.filter(owner_id=owner.id).values_list("id", "text").order_by("id"))[::2]
    reencrypt_all(begun.keyring)
    move_back_to_format_1(owner)
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER fence_diary_entry_text_update")
        for id_, held in halves:
            cursor.execute("UPDATE diary_entry SET text = %s WHERE id = %s", [held.envelope, id_.hex])
    _write_former_key(owner, old.data_key(), current=begun.keyring.data_key())
    assert owner.list_epochs() == {1, 2}

    sign_in(owner)

    assert (owner.list_epochs(), list_formats(owner)) == ({3}, {2})
    assert owner.read_all() == owner.written
    assert not FormerKey.objects.exists()


def _write_former_key(owner: Resident, data_key: bytes, *, current: bytes) -> None:
    """Write the row of a former key as format 1 did: the bare key, under the current one."""
    row = FormerKey.objects.get()
    field = FormerKey._meta.get_field("data_key")
    context = field.context_for({"id": row.id, "owner_id": owner.id, "epoch": row.epoch})  # type: ignore[union-attr]
    sealed = seal_in_format_1(data_key, context, data_key=current, epoch=2)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_formerkey SET data_key = %s", [sealed])


def test_bytes_of_format_1_open_under_no_key_afterwards(owner: Resident) -> None:
    move_back_to_format_1(owner)
    with envelope_access():
        (id_, held), *_ = Entry.objects.filter(owner_id=owner.id).values_list("id", "text")
    sign_in(owner)
    keyring = owner.open_keyring()
    context = Entry.objects.get(id=id_)

    relabelled = [
        held.envelope,
        b"\2" + held.envelope[1:],
        held.envelope[:1] + (2).to_bytes(4, "big") + held.envelope[5:],
        b"\2" + (2).to_bytes(4, "big") + held.envelope[5:],
    ]

    for envelope in relabelled:
        assert not _opens(owner, context.id, envelope)
    sealed = seal_in_format_1(
        b"planted", _get_context(context), data_key=keyring.data_key(), epoch=keyring.epoch
    )
    assert not _opens(owner, context.id, sealed), "format 1 under the current key"


def _get_context(entry: Entry) -> "object":
    field = Entry._meta.get_field("text")
    return field.context_for({"id": entry.id, "owner_id": entry.owner_id, "day": entry.day}, number=1)  # type: ignore[union-attr]


def _opens(owner: Resident, entry_id: UUID, envelope: bytes) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER IF EXISTS fence_diary_entry_text_update")
        cursor.execute("UPDATE diary_entry SET text = %s WHERE id = %s", [envelope, entry_id.hex])
    with in_force(owner.open_keyring()):
        try:
            return bool(Entry.objects.get(id=entry_id).text)
        except EnvelopeError:
            return False


def move_and_die(owner: Resident, *, at: int) -> bool:
    """Move a diary in a process that exits at its nth statement; return whether it got that far."""
    opened = owner.open_slot()

    def move() -> None:
        die_at_statement(at)
        resume_rotation(move_to_format_2(opened).keyring)

    code = run_forked(move)
    assert code in (0, KILLED)
    return code == KILLED


def kill_at_every(*, step: int) -> int:
    """Kill the move at every `step`th statement; return the number of kills."""
    deaths, at = 0, 1
    while True:
        owner = register_resident(f"Olive {at}", entries=4)
        move_back_to_format_1(owner)
        if not move_and_die(owner, at=at):
            return deaths
        assert owner.read_all() == owner.written
        sign_in(owner)
        assert (list_formats(owner), owner.get_vault().epoch) == ({2}, 2)
        assert owner.read_all() == owner.read_all(owner.open_slot(by=SlotKind.RECOVERY).keyring)
        assert owner.read_all() == owner.written
        assert verify_envelopes(owner.open_keyring()).damaged == []
        deaths, at = deaths + 1, at + step


def test_it_goes_on_after_a_death_at_some_statements() -> None:
    assert kill_at_every(step=23) > 2


@pytest.mark.slow
def test_it_goes_on_after_a_death_at_every_statement() -> None:
    assert kill_at_every(step=1) > 60


def test_a_stranger_with_the_former_data_key_reads_nothing_that_comes_later(owner: Resident) -> None:
    move_back_to_format_1(owner)
    stolen = owner.open_keyring()
    sign_in(owner)
    owner.write_many(1)

    result = verify_envelopes(stolen)

    assert len(result.damaged) == result.envelopes > 0
    with pytest.raises(CryptoError):
        owner.read_all(stolen)


def test_of_two_browsers_that_unlock_at_once_the_second_tries_again(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_back_to_format_1(owner)
    late = owner.open_slot()
    sign_in(owner)
    monkeypatch.setattr(format_upgrade, "check_keys_match", lambda *_, **__: None)

    with pytest.raises(DerivationQueueFull):
        move_to_format_2(late)

    assert owner.get_vault().epoch == 2
    assert owner.read_all() == owner.written


def test_a_vault_that_was_changed_is_a_sentence_at_the_sign_in_and_at_a_recovery(owner: Resident) -> None:
    move_back_to_format_1(owner)
    slots = KeySlot.objects.filter(owner_id=owner.id)
    for row in slots:
        slots.filter(id=row.id).update(sealed_authenticator=bytes(row.sealed_authenticator)[:-1] + b"x")

    page = owner.client.post("/sign-in/", {"name": "Olive", "password": owner.password})
    fields = {"name": "Olive", "code": owner.recovery_code, "password": NEW_PASSWORD}
    recovered = owner.client.post("/recover/", {**fields, "password_again": NEW_PASSWORD})

    for answer in (page, recovered):
        assert answer.status_code == 422
        assert "key was changed on the disk" in answer.content.decode()
    assert owner.read_all() == owner.written


def test_a_recovery_code_whose_slot_was_damaged_before_is_named_after_the_move(owner: Resident) -> None:
    move_back_to_format_1(owner)
    KeySlot.objects.filter(owner_id=owner.id, kind=SlotKind.RECOVERY).update(mac=bytes(32))

    owner.sign_in()

    page = owner.client.get("/settings/").content.decode()
    assert "A way to unlock (recovery, " in page
    assert "no longer works" in page
