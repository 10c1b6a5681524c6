"""Tests that an unfinished rotation continues in the background after its owner signs in."""

import threading
import time

from accounts.auth.services import login
from accounts.models import FormerKey
from accounts.rotation import services as rotation_services
from accounts.rotation.background import start_rotation_thread, stop_rotation_thread
from accounts.rotation.epoch_change import begin_rotation
from accounts.sessions import services as sessions_services
from llamora.database import write_transaction
from tests.fakes.waiting import PATIENCE
from tests.people import Resident


def wait_for_end(owner: Resident) -> bool:
    for _ in range(200):
        if not FormerKey.objects.filter(owner=owner.person).exists():
            stop_rotation_thread(owner.id, timeout=PATIENCE)
            return True
        time.sleep(0.02)
    return False


def sign_in(owner: Resident) -> None:
    login.sign_in_with_password(name=owner.person.name, password=owner.password, address="192.0.2.1")


def test_it_goes_on_at_the_next_unlock(owner: Resident) -> None:
    begin_rotation(owner.open_slot())

    sign_in(owner)

    assert wait_for_end(owner)
    assert owner.list_epochs() == {2}
    assert owner.read_all() == owner.written


def test_nothing_runs_where_nothing_is_unfinished(owner: Resident) -> None:
    assert start_rotation_thread(owner.open_keyring()) is False


def test_it_needs_no_keyring_of_the_request_that_began_it(owner: Resident) -> None:
    turned = begin_rotation(owner.open_slot())

    assert start_rotation_thread(turned.keyring)
    turned.keyring.close()

    assert wait_for_end(owner)


def test_it_stops_with_the_last_session(owner: Resident) -> None:
    owner.write_many(1000)
    here = owner.create_session()
    turned = begin_rotation(owner.open_slot(), current_cookie=here)

    with write_transaction():
        # The thread waits for its turn to write, so the session ends before its first batch is in.
        start_rotation_thread(turned.keyring)
        sessions_services.end_session(sign_in_id=here.sign_in_id, person_id=owner.id)
    for thread in threading.enumerate():
        if thread.name == "rotation":
            thread.join(PATIENCE)

    assert rotation_services.is_rotation_unfinished(turned.keyring)
    assert owner.read_all() == owner.written
