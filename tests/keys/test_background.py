"""An unfinished rotation goes on by itself once its owner is back."""

import threading
import time

from accounts import rotation, sessions
from accounts.models import FormerKey
from accounts.rotation import background
from accounts.services import entering
from llamora.database import writing
from tests.keys.house import Diarist


def waits_for_the_end(owner: Diarist) -> bool:
    for _ in range(200):
        if not FormerKey.objects.filter(owner=owner.person).exists():
            background.stop(owner.id, timeout=5)
            return True
        time.sleep(0.02)
    return False


def comes_in(owner: Diarist) -> None:
    entering.sign_in(name=owner.person.name, password=owner.password, address="192.0.2.1")


def test_it_goes_on_at_the_next_unlock(owner: Diarist) -> None:
    rotation.turn(owner.opens())

    comes_in(owner)

    assert waits_for_the_end(owner)
    assert owner.epochs() == {2}
    assert owner.reads() == owner.texts


def test_nothing_runs_where_nothing_is_unfinished(owner: Diarist) -> None:
    assert background.start(owner.keyring()) is False


def test_it_needs_no_keyring_of_the_request_that_began_it(owner: Diarist) -> None:
    turned = rotation.turn(owner.opens())

    assert background.start(turned.keyring)
    turned.keyring.close()

    assert waits_for_the_end(owner)


def test_it_stops_with_the_last_session(owner: Diarist) -> None:
    owner.writes(1000)
    here = owner.signs_in()
    turned = rotation.turn(owner.opens(), here=here)

    with writing():
        # The thread waits for its turn to write, so the session ends before its first batch is in.
        background.start(turned.keyring)
        sessions.end(sign_in_id=here.sign_in_id, person_id=owner.id)
    for thread in threading.enumerate():
        if thread.name == "rotation":
            thread.join(10)

    assert rotation.is_unfinished(turned.keyring)
    assert owner.reads() == owner.texts
