"""Tests of a rotation killed at any SQL statement: everything stays readable, and it continues."""

import pytest

from accounts.keys.keyrings import copy_with_former_keys
from accounts.models import FormerKey, SlotKind
from accounts.rotation import services as rotation_services
from accounts.rotation.completion import destroy_former_keys
from accounts.rotation.epoch_change import begin_rotation
from accounts.rotation.reencryption import reencrypt_all
from tests.people import Resident, register_resident
from tests.rotation.processes import KILLED, die_at_statement, run_forked

ENTRIES, BATCH = 5, 2


def rotate_and_die(owner: Resident, *, at: int) -> bool:
    """Rotate in a process that exits at its nth statement; return whether it got that far."""
    opened, here = owner.open_slot(), owner.create_session()

    def rotate() -> None:
        die_at_statement(at)
        keyring = begin_rotation(opened, current_cookie=here).keyring
        reencrypt_all(keyring, batch=BATCH)
        destroy_former_keys(keyring)

    code = run_forked(rotate)
    assert code in (0, KILLED)
    return code == KILLED


def continue_rotation(owner: Resident) -> None:
    """Continue the rotation as the next unlock does, or begin it if it was not begun."""
    opened = owner.open_slot()
    if opened.keyring.epoch == 1:
        begin_rotation(opened)
    rotation_services.resume_rotation(owner.open_keyring())


def kill_at_every(*, step: int) -> int:
    """Kill a rotation at every `step`th statement; return the number of kills."""
    deaths, at = 0, 1
    while True:
        owner = register_resident(f"Olive {at}", entries=ENTRIES)
        if not rotate_and_die(owner, at=at):
            return deaths
        assert owner.read_all() == owner.written
        assert owner.get_vault().epoch - 1 == FormerKey.objects.filter(owner=owner.person).count() or (
            owner.list_epochs() == {2}
        )
        continue_rotation(owner)
        assert owner.list_epochs() == {2}
        assert not FormerKey.objects.filter(owner=owner.person).exists()
        assert (
            owner.read_all() == owner.read_all(owner.open_slot(by=SlotKind.RECOVERY).keyring) == owner.written
        )
        assert rotation_services.verify_envelopes(copy_with_former_keys(owner.open_keyring())).damaged == []
        deaths, at = deaths + 1, at + step


@pytest.mark.usefixtures("transactional_db")
def test_it_goes_on_after_a_death_at_many_statements() -> None:
    assert kill_at_every(step=17) > 3


@pytest.mark.slow
@pytest.mark.usefixtures("transactional_db")
def test_it_goes_on_after_a_death_at_every_statement() -> None:
    assert kill_at_every(step=1) > 60
