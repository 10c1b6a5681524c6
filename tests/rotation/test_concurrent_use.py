"""Tests of reading and writing during a rotation; an old keyring is refused without loss."""

import threading
from collections.abc import Callable
from uuid import UUID

from django.db import connection

from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import begin_rotation
from accounts.rotation.errors import RotationStopped
from accounts.rotation.reencryption import reencrypt_all
from accounts.sessions import services as sessions_services
from diary.models import Entry
from llamora.crypto import EnvelopeError, in_force
from llamora.database import FenceRefused, write_transaction
from tests.people import FIRST_DAY, Resident
from tests.rotation.processes import run_forked

ENTRIES = 1500


class BusyThread(threading.Thread):
    """A thread that repeats a call until it is stopped, and records errors."""

    def __init__(self, turn: Callable[[], None]) -> None:
        super().__init__()
        self.turn, self.done, self.turns = turn, threading.Event(), 0
        self.fault: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.done.is_set():
                self.turn()
                self.turns += 1
        except BaseException as fault:
            self.fault = fault
        finally:
            connection.close()

    def stop(self) -> None:
        self.done.set()
        self.join()
        assert self.fault is None, repr(self.fault)


def test_its_owner_writes_and_reads_while_it_runs(owner: Resident) -> None:
    owner.write_many(ENTRIES)
    first, here = dict(owner.written), owner.create_session()
    written: dict[UUID, str] = {}

    def write() -> None:
        entry, text = Entry(owner_id=owner.id, day=FIRST_DAY), f"Written meanwhile, number {len(written)}."
        entry.text = text
        for _ in range(2):
            try:
                # Opened anew each time, as each request does; a page that is refused tries again.
                with in_force(sessions_services.open_session(here).keyring), write_transaction():
                    entry.save(force_insert=True)
                written[entry.id] = text
                return
            except FenceRefused:
                continue
        raise AssertionError("refused with a keyring of the current epoch")

    def read() -> None:
        keyring = sessions_services.open_session(here).keyring
        try:
            found = owner.read_all(keyring)
        except EnvelopeError:
            # Opened before the turn and read after a move; from then on, both keys are at hand.
            assert keyring.epoch < owner.get_vault().epoch
            return
        assert first.items() <= found.items()

    threads = [BusyThread(write), BusyThread(read)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        turned = begin_rotation(owner.open_slot(), current_cookie=here)
        rotation_services.resume_rotation(turned.keyring)
    for thread in threads:
        thread.stop()

    assert owner.list_epochs() == {4}
    assert owner.read_all() == {**first, **written}
    assert written
    assert threads[1].turns


def test_another_process_with_the_key_before_is_refused(owner: Resident) -> None:
    stale = owner.open_slot().keyring
    begin_rotation(owner.open_slot())

    def write() -> None:
        entry = Entry(owner_id=owner.id, day=FIRST_DAY, text="From a process that knows nothing of it.")
        try:
            with in_force(stale), write_transaction():
                entry.save(force_insert=True)
        except FenceRefused:
            with in_force(None):
                assert entry.text == "From a process that knows nothing of it."
            return
        raise AssertionError("not refused")

    assert run_forked(write) == 0
    assert owner.read_all() == owner.written


def test_what_is_saved_while_a_batch_is_sealed_is_not_overwritten(owner: Resident) -> None:
    turned = begin_rotation(owner.open_slot())
    entry = Entry.objects.filter(owner_id=owner.id).order_by("id").first()
    assert entry is not None

    def save_between_reading_and_writing() -> bool:
        with in_force(turned.keyring), write_transaction():
            fresh = Entry.objects.get(id=entry.id)
            if fresh.revision == 1:
                fresh.text, fresh.revision = "Edited meanwhile.", 2
                fresh.save()
        return False

    rotation_services.resume_rotation(turned.keyring, stop=save_between_reading_and_writing)

    assert owner.read_all()[entry.id] == "Edited meanwhile."
    assert owner.list_epochs() == {2}


def test_it_stops_between_batches_and_goes_on(owner: Resident) -> None:
    turned = begin_rotation(owner.open_slot())

    try:
        rotation_services.resume_rotation(turned.keyring, stop=lambda: True)
    except RotationStopped:
        stopped = True

    assert stopped
    assert rotation_services.is_rotation_unfinished(turned.keyring)
    rotation_services.resume_rotation(owner.open_keyring())
    assert owner.list_epochs() == {2}


def test_its_owner_is_told_how_far_it_has_come(owner: Resident) -> None:
    assert rotation_services.get_rotation_progress(owner.id) is None

    turned = begin_rotation(owner.open_slot())
    begun = rotation_services.get_rotation_progress(owner.id)
    reencrypt_all(turned.keyring)
    moved = rotation_services.get_rotation_progress(owner.id)
    rotation_services.resume_rotation(turned.keyring)

    assert begun is not None
    assert moved is not None
    assert (begun.rows_left, moved.rows_left) == (12 + 4 + 6, 0)
    assert rotation_services.get_rotation_progress(owner.id) is None
