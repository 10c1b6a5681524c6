"""Tests of random sequences of events: valid secrets open all texts, and others none that are newer."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import begin_rotation
from llamora.ops.backup import snapshot
from tests.rotation.expected_state import open_with_right_secret
from tests.rotation.household import HouseholdMachine


@pytest.fixture(autouse=True)
def _an_empty_household(transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "empty.sqlite3"
    snapshot.copy_database(Path(connection.settings_dict["NAME"]), empty)
    monkeypatch.setattr(HouseholdMachine, "empty", empty)


@pytest.fixture
def house() -> Iterator[HouseholdMachine]:
    """A household state machine whose events the test calls."""
    found = HouseholdMachine()
    found.create_household()
    with closing(found):
        yield found


def run_machine(*, examples: int, steps: int) -> None:
    wanted = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(HouseholdMachine, settings=wanted)


def die_during_rotation(house: HouseholdMachine) -> None:
    """Kill a rotation after the first step and before its end."""
    tries = count(16, step=3)
    while not house.people["Olive"]["former"]:
        house.kill_rotation(who=1, at=next(tries))


@pytest.mark.parametrize("events_between_checks", [3, pytest.param(1, marks=pytest.mark.slow)])
def test_every_event_once_and_most_while_a_rotation_is_unfinished(
    house: HouseholdMachine, events_between_checks: int
) -> None:
    events: list[Callable[[], None]] = [
        house.invite,
        partial(house.edit, who=1, which=0, words="a heron"),
        partial(house.sign_in, who=1),
        partial(house.lock, who=1, which=0),
        partial(house.save_late_draft, who=1, words="a lamp"),
        partial(house.unlock, which=0),
        house.back_up,
        partial(house.change_password, who=1),
        partial(die_during_rotation, house),
        partial(house.write, who=1, words="a marsh"),
        partial(house.edit, who=1, which=0, words="a reed"),
        partial(house.rotate_key, who=1),
        partial(house.change_password, who=1),
        partial(house.change_password, who=1),
        partial(house.create_recovery_code, who=1),
        house.back_up,
        partial(die_during_rotation, house),
        house.sign_in_to_unfinished_rotation,
        partial(house.change_password, who=1),
        partial(house.sign_in, who=1),
        partial(house.create_recovery_code, who=1),
        partial(house.reset_after_compromise, who=1),
        partial(house.delete_account, who=1),
        partial(house.delete_account, who=0),
        partial(house.restore, which=2),
        partial(house.recover, who=1),
        partial(house.sign_out, who=1, which=0),
        partial(house.restore, which=1),
        partial(house.rotate_key, who=1),
        partial(house.save_draft, who=1, words="a boat"),
    ]
    for number, event in enumerate(events, start=1):
        event()
        # A thief copies what there is after each event, and tries it now and then.
        house.thief.copy_everything(house.people)
        if number % events_between_checks == 0:
            house.check_all_secrets()
    house.check_all_secrets()


@pytest.mark.slow
def test_a_household_in_a_few_orders_of_events() -> None:
    run_machine(examples=4, steps=10)


@pytest.mark.slow
def test_a_household_in_many_orders_of_events() -> None:
    run_machine(examples=200, steps=20)


def test_what_came_after_a_lock_outlives_two_rotations(house: HouseholdMachine) -> None:
    olive = house.people["Olive"]
    house.lock(who=1, which=0)
    house.save_late_draft(who=1, words="a heron")

    for _ in range(2):
        rotation_services.resume_rotation(begin_rotation(open_with_right_secret(olive)).keyring)
        olive["browsers"], olive["epoch"] = {}, olive["epoch"] + 1
    olive["data_key"] = open_with_right_secret(olive).keyring.data_key()
    house.sign_in(who=1)

    house.check_all_secrets()


def test_what_came_after_a_lock_is_folded_in_by_a_rotation_that_dies(house: HouseholdMachine) -> None:
    """The late draft is merged under the former key, which opens it until the rotation ends."""
    karin, tries = house.people["Karin"], count(30, step=5)
    house.change_password(who=0)
    house.check_all_secrets()  # the thief takes the key of now
    house.lock(who=0, which=0)

    while not karin["former"]:
        house.save_late_draft(who=0, words="a heron")
        assert karin["late"]
        house.kill_rotation(who=0, at=next(tries))

    house.check_all_secrets()
