"""Attacks with the attacker's own data key; the attacker can write to the database and use the port."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.errors import KeysDoNotMatch
from accounts.keys import key_slots
from accounts.keys.key_checks import check_keys_match
from accounts.keys.slot_list import ListedSlot, encode_slot_list
from accounts.keys.vault_state import VaultState
from accounts.models import FormerKey, KeySlot, SignIn, SlotKind, Vault
from accounts.rotation.epoch_change import begin_rotation
from accounts.rotation.errors import RotationStopped
from accounts.rotation.reencryption import reencrypt_all
from accounts.sessions import services as sessions_services
from accounts.sessions.registry import check_no_other_key, session_registry
from diary.drafts.late_drafts import store_late_draft
from diary.drafts.services import SubmittedDraft
from diary.models import LateDraft
from llamora.crypto import EnvelopeError, Keyring, in_force, new_vault_keys, secret_bytes
from llamora.fields.fence import sealed_models
from search.index.registry import indexes
from tests.people import Resident, register_resident
from tests.search.indexing import wait_until_idle
from traces.matcher import name_matchers

THIEFS_PASSWORD = "a door of one's own making"


@pytest.fixture
def olive(transactional_db: None) -> Resident:
    return register_resident("Olive", entries=12)


def make_key(owner: Resident) -> Keyring:
    epoch = owner.get_vault().epoch
    return Keyring(owner=owner.id, epoch=epoch, keys={epoch: secret_bytes()})


def plant_slot(owner: Resident, planted: Keyring) -> Callable[[], None]:
    """Put a slot of the thief's in the row of the owner's; return a function that puts hers back."""
    hers = owner.get_slot()
    request = key_slots.DerivationRequest(name="the thief", address="elsewhere")
    slot = key_slots.create_slot(
        secret=THIEFS_PASSWORD, kind=SlotKind.PASSWORD, keyring=planted, request=request
    )
    KeySlot.objects.filter(id=hers.id).delete()
    key_slots.row_from_slot(slot).save(force_insert=True)

    def restore() -> None:
        KeySlot.objects.filter(id=slot.id).delete()
        hers.save(force_insert=True)

    return restore


def plant_vault(owner: Resident, planted: Keyring) -> Callable[[], None]:
    """Put a vault of the thief's in the row of the owner's; return a function that puts hers back."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_vault WHERE owner_id = %s", [owner.id.hex])
        names, hers = [column[0] for column in cursor.description], cursor.fetchone()
    private, public = new_vault_keys()
    with in_force(planted):
        Vault.objects.filter(owner_id=owner.id).delete()
        Vault.objects.create(
            owner=owner.person,
            epoch=planted.epoch,
            public_key=public,
            private_key=private,
            digest_key=secret_bytes(),
            ways_in=encode_slot_list(
                ListedSlot(id=row.id, kind=row.kind) for row in KeySlot.objects.filter(owner_id=owner.id)
            ),
            state=VaultState(format_2_since=1, finished=planted.epoch).to_json(),
        )

    def restore() -> None:
        Vault.objects.filter(owner_id=owner.id).delete()
        with connection.cursor() as cursor:
            marks = ", ".join(["%s"] * len(names))
            columns = ", ".join(f'"{name}"' for name in names)
            cursor.execute(f"INSERT INTO accounts_vault ({columns}) VALUES ({marks})", hers)

    return restore


def sign_in_as(owner: Resident, password: str) -> str:
    """Return the page after an attempt to sign in from another browser."""
    answer = Client().post("/sign-in/", {"name": owner.person.name, "password": password})
    assert answer.status_code == 422
    return str(answer.content.decode())


@pytest.mark.parametrize("is_unlocked", [True, False])
@pytest.mark.parametrize("also_the_vault", [True, False])
def test_a_slot_of_the_thiefs_in_her_row_opens_nothing(
    olive: Resident, is_unlocked: bool, also_the_vault: bool
) -> None:
    if is_unlocked:
        olive.sign_in()
    planted = make_key(olive)
    undo = [plant_slot(olive, planted)]
    if also_the_vault:
        undo.append(plant_vault(olive, planted))
    sessions = SignIn.objects.count()

    page = sign_in_as(olive, THIEFS_PASSWORD)

    assert "The keys of this diary do not match what is written in it." in page
    assert SignIn.objects.count() == sessions
    for restore in undo:
        restore()
    assert olive.read_all() == olive.written
    if is_unlocked:
        assert olive.is_unlocked()


def test_what_is_in_memory_belongs_to_her_key_and_not_to_her_name(olive: Resident) -> None:
    olive.sign_in()
    with in_force(olive.keyring):
        index = indexes.for_owner(olive.keyring)
        wait_until_idle(olive)
        matcher = name_matchers.get_current()
    planted = make_key(olive)
    # As if the thief had been let in: with a session in her name, under a key of his own.
    cookie = sessions_services.create_session(
        person=olive.person, keyring=planted, is_persistent=False, device="the thief's"
    )

    with in_force(planted):
        with pytest.raises(EnvelopeError):
            indexes.for_owner(planted)
        assert name_matchers.get_current() is not matcher
    assert indexes.get(olive.keyring.key_id) is index

    olive.lock()

    assert indexes.get(olive.keyring.key_id) is None, "her lock forgets, whoever else is unlocked in her name"
    assert index.is_closed
    assert session_registry.find_key_id(cookie.sign_in_id) == planted.key_id


def test_a_second_key_is_refused_while_a_first_one_is_in_use(olive: Resident) -> None:
    olive.sign_in()

    with pytest.raises(KeysDoNotMatch):
        check_no_other_key(make_key(olive))

    olive.lock()
    check_no_other_key(make_key(olive))


def test_a_key_that_opens_half_of_what_is_written_is_refused(olive: Resident) -> None:
    check_keys_match(olive.open_keyring(), vault=olive.get_vault())
    planted = make_key(olive)
    restore = plant_vault(olive, planted)

    with pytest.raises(KeysDoNotMatch):
        check_keys_match(planted, vault=olive.get_vault())

    restore()


def test_the_rows_that_a_key_is_tried_on_are_loaded_at_once(
    olive: Resident, django_assert_max_num_queries: Any
) -> None:
    keyring, vault = olive.open_keyring(), olive.get_vault()
    # The two samples, and one for each table that they are from; the others ask which keys are later.
    with django_assert_max_num_queries(len(sealed_models()) + 5):
        check_keys_match(keyring, vault=vault)


def test_a_draft_from_her_locked_page_is_sealed_to_her_key(olive: Resident) -> None:
    olive.sign_in()
    olive.lock()
    planted = make_key(olive)
    restore = plant_vault(olive, planted)

    sent = SubmittedDraft(
        owner_id=olive.id, day=olive.today, text="Written behind a locked door.", revision=0
    )
    store_late_draft(sent, cookie=olive.get_cookie())
    box = bytes(LateDraft.objects.get().box)
    restore()

    assert "behind a locked" not in repr(box)
    olive.post("/unlock/", password=olive.password)
    assert not LateDraft.objects.exists(), "she could open it"


def count_entries_of_epoch(epoch: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM diary_entry WHERE substr(text, 2, 4) = %s", [epoch.to_bytes(4)])
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("resealed", [15, 45])
def test_after_a_former_key_is_lost_a_key_is_always_accepted_or_always_refused(
    olive: Resident, resealed: int
) -> None:
    for number in range(40):
        olive.write(f"Tea {number}")
    begun = begin_rotation(olive.open_slot())
    # The rotation is interrupted when it has resealed some of the rows, and none of the newest ones.
    with pytest.raises(RotationStopped):
        reencrypt_all(begun.keyring, stop=lambda: count_entries_of_epoch(2) >= resealed, batch=5)
    FormerKey.objects.all().delete()
    keyring, vault = olive.open_keyring(), olive.get_vault()

    assert keyring.list_former_epochs() == []
    for _ in range(30):
        if resealed == 45:
            check_keys_match(keyring, vault=vault)
        else:
            with pytest.raises(KeysDoNotMatch):
                check_keys_match(keyring, vault=vault)
