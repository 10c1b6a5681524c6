"""Tests that a thief of old secrets and keys cannot use the new ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from accounts.auth.services.reauth import Reauthentication
from accounts.errors import DamagedSlot, WrongCredentials, WrongPerson
from accounts.keys import key_slots
from accounts.models import FormerKey, KeySlot, SignIn, SlotKind
from accounts.rotation import epoch_change
from accounts.rotation import services as rotation_services
from accounts.rotation.background import stop_rotation_threads, stop_rotation_threads_of
from accounts.rotation.epoch_change import begin_rotation
from accounts.rotation.errors import DamagedVault
from accounts.security import services as security_services
from accounts.security.services import SecurityChange
from accounts.sessions import services as sessions_services
from accounts.sessions.cookies import SessionCookie
from diary.models import Entry
from llamora.crypto import CryptoError, Keyring, NotAuthentic, in_force, open_slot
from llamora.fields import new_id
from tests.fakes.waiting import PATIENCE
from tests.people import Resident

NEW_PASSWORD = "seven herons over the marsh"
ENDING: dict[str, Callable[[Reauthentication], SecurityChange]] = {
    "a new code": security_services.replace_recovery_code,
    "a new password": partial(security_services.replace_password, new_password=NEW_PASSWORD),
    "a new key": security_services.rotate_data_key,
    "somebody had my key": partial(security_services.reset_after_compromise, new_password=NEW_PASSWORD),
}


@pytest.fixture
def here(owner: Resident) -> SessionCookie:
    """The owner's browser."""
    return owner.create_session()


@pytest.fixture(autouse=True)
def _the_thread_ends(transactional_db: None) -> Iterator[None]:
    yield
    stop_rotation_threads(timeout=PATIENCE)


def build_reauthentication(here: SessionCookie, *, password: str) -> Reauthentication:
    vault = sessions_services.open_session(here)
    return Reauthentication(vault=vault, cookie=here, password=password, address="192.0.2.1")


def is_finished(owner: Resident) -> bool:
    stop_rotation_threads_of(owner.id, timeout=PATIENCE)
    rotation_services.resume_rotation(owner.open_keyring())
    return owner.list_epochs() == {2} and not FormerKey.objects.exists()


@dataclass
class PasswordThief:
    """A thief with a copy of the slots, the password and the data key."""

    slots: list[KeySlot]
    password: str
    data_key: bytes
    owner: Resident

    @classmethod
    def of(cls, owner: Resident) -> "PasswordThief":
        slots = list(KeySlot.objects.filter(owner_id=owner.id))
        return cls(
            slots=slots, password=owner.password, data_key=owner.open_keyring().data_key(), owner=owner
        )

    def read_entries(self) -> list[str]:
        """Return the texts of the current database that the stolen key opens."""
        found, keyring = [], Keyring(owner=self.owner.id, epoch=1, keys={1: self.data_key})
        for entry in Entry.objects.filter(owner_id=self.owner.id):
            try:
                with in_force(keyring):
                    found.append(entry.text)
            except CryptoError:
                continue
        return found

    def count_opened_slots(self) -> int:
        """Return the number of current slots that the old password opens, in any epoch."""
        count = 0
        for row in KeySlot.objects.filter(owner_id=self.owner.id):
            slot = key_slots.slot_from_row(row)
            request = key_slots.DerivationRequest(name="thief", address="elsewhere")
            kek = key_slots.derive_key(secret=self.password, salt=slot.salt, cost=slot.cost, request=request)
            try:
                open_slot(slot, kek=kek, current_epoch=slot.epoch)
            except CryptoError:
                continue
            count += 1
        return count

    def restore_slots(self) -> None:
        KeySlot.objects.filter(owner_id=self.owner.id).delete()
        for row in self.slots:
            row.save(force_insert=True)


def test_a_new_code_replaces_the_old_one(owner: Resident, here: SessionCookie) -> None:
    elsewhere, old_code = owner.create_session(), owner.recovery_code

    secured = security_services.replace_recovery_code(build_reauthentication(here, password=owner.password))

    assert secured.recovery_code is not None
    owner.recovery_code = secured.recovery_code
    assert owner.open_slot(by=SlotKind.RECOVERY).keyring.data_key() == owner.open_keyring().data_key()
    owner.recovery_code = old_code
    with pytest.raises(WrongCredentials):
        owner.open_slot(by=SlotKind.RECOVERY)
    assert is_finished(owner)
    assert sessions_services.open_session(elsewhere).person is None
    assert [row.id for row in SignIn.objects.all()] == [here.sign_in_id]
    assert sessions_services.open_session(secured.cookie).is_unlocked


@pytest.mark.parametrize("act", ENDING.values(), ids=ENDING)
def test_a_copy_of_the_asking_browsers_cookie_ends_with_the_others(
    owner: Resident, here: SessionCookie, act: Callable[[Reauthentication], SecurityChange]
) -> None:
    """A copy of the acting browser's cookie must not stay signed in."""
    secured = act(build_reauthentication(here, password=owner.password))

    assert secured.cookie is not None
    assert secured.cookie.sign_in_id == here.sign_in_id
    assert sessions_services.open_session(here).person is None
    assert sessions_services.open_session(secured.cookie).is_unlocked


def test_a_new_password_has_a_new_key_pair(owner: Resident, here: SessionCookie) -> None:
    before = owner.get_slot()

    security_services.replace_password(
        build_reauthentication(here, password=owner.password), new_password=NEW_PASSWORD
    )

    with pytest.raises(WrongCredentials):
        owner.open_slot()
    owner.password = NEW_PASSWORD
    assert owner.read_all() == owner.written
    assert (owner.get_slot().id, owner.get_slot().public_key) != (before.id, before.public_key)


def test_a_new_password_shuts_the_old_copy_out(owner: Resident, here: SessionCookie) -> None:
    thief = PasswordThief.of(owner)
    assert thief.count_opened_slots() == 1

    secured = security_services.replace_password(
        build_reauthentication(here, password=owner.password), new_password=NEW_PASSWORD
    )
    owner.password = NEW_PASSWORD

    assert is_finished(owner)
    assert thief.count_opened_slots() == 0
    assert thief.read_entries() == []
    assert owner.read_all() == owner.read_all(owner.open_slot(by=SlotKind.RECOVERY).keyring) == owner.written
    assert sessions_services.open_session(secured.cookie).is_unlocked


def test_a_new_key_needs_the_password_again(owner: Resident, here: SessionCookie) -> None:
    with pytest.raises(WrongCredentials):
        security_services.rotate_data_key(build_reauthentication(here, password="not this one at all"))

    assert owner.list_epochs() == {1}


def test_a_new_key_leaves_this_browser_unlocked(owner: Resident, here: SessionCookie) -> None:
    owner.create_session()

    secured = security_services.rotate_data_key(build_reauthentication(here, password=owner.password))

    assert secured.refused_slots == ()
    assert is_finished(owner)
    assert owner.read_all(sessions_services.open_session(secured.cookie).keyring) == owner.written
    assert SignIn.objects.count() == 1


def test_somebody_had_my_key_leaves_no_other_key_slot(owner: Resident, here: SessionCookie) -> None:
    thief, old_code = PasswordThief.of(owner), owner.recovery_code

    secured = security_services.reset_after_compromise(
        build_reauthentication(here, password=owner.password), new_password=NEW_PASSWORD
    )
    assert secured.recovery_code is not None
    owner.password, owner.recovery_code = NEW_PASSWORD, secured.recovery_code

    assert is_finished(owner)
    assert KeySlot.objects.filter(owner_id=owner.id).count() == 2
    assert owner.read_all() == owner.read_all(owner.open_slot(by=SlotKind.RECOVERY).keyring) == owner.written
    assert thief.count_opened_slots() == 0
    assert thief.read_entries() == []
    owner.recovery_code = old_code
    with pytest.raises(WrongCredentials):
        owner.open_slot(by=SlotKind.RECOVERY)


def test_somebody_had_my_key_removes_a_key_slot_of_any_kind(owner: Resident, here: SessionCookie) -> None:
    token = owner.get_slot(SlotKind.RECOVERY)
    token.id, token.kind = new_id(), "token"
    token.save(force_insert=True)

    security_services.reset_after_compromise(
        build_reauthentication(here, password=owner.password), new_password=NEW_PASSWORD
    )

    kinds = KeySlot.objects.filter(owner_id=owner.id).values_list("kind", flat=True)
    assert sorted(kinds) == ["password", "recovery"]


def test_somebody_had_my_key_finishes_a_rotation_first(owner: Resident, here: SessionCookie) -> None:
    begin_rotation(owner.open_slot(), current_cookie=here)

    secured = security_services.reset_after_compromise(
        build_reauthentication(here, password=owner.password), new_password=NEW_PASSWORD
    )

    owner.password = NEW_PASSWORD
    assert secured.recovery_code is not None
    assert owner.get_vault().epoch == 3
    assert owner.read_all() == owner.written


def test_old_slots_put_back_open_nothing(owner: Resident, here: SessionCookie) -> None:
    thief = PasswordThief.of(owner)
    secured = security_services.reset_after_compromise(
        build_reauthentication(here, password=owner.password), new_password=NEW_PASSWORD
    )
    owner.write_with(sessions_services.open_session(secured.cookie).keyring, "Written after the theft.")

    thief.restore_slots()

    with pytest.raises(DamagedSlot):
        owner.open_slot()
    assert "Written after the theft." not in thief.read_entries()


@pytest.mark.parametrize("act", [security_services.rotate_data_key, security_services.replace_recovery_code])
def test_a_cookie_of_another_browser_asks_for_nothing(owner: Resident, here: SessionCookie, act: Any) -> None:
    other = owner.create_session()
    mixed = Reauthentication(
        vault=sessions_services.open_session(here), cookie=other, password=owner.password, address="192.0.2.1"
    )

    with pytest.raises(WrongPerson):
        act(mixed)


def test_a_failure_half_way_leaves_the_old_key_slots(
    owner: Resident, here: SessionCookie, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise NotAuthentic

    monkeypatch.setattr(epoch_change, "_reseal_vault", fail)

    with pytest.raises(DamagedVault):
        security_services.reset_after_compromise(
            build_reauthentication(here, password=owner.password), new_password=NEW_PASSWORD
        )

    assert owner.read_all() == owner.read_all(owner.open_slot(by=SlotKind.RECOVERY).keyring) == owner.written
    assert owner.list_epochs() == {1}
