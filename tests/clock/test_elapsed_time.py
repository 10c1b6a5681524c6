"""Tests of the elapsed time on machines with wrong clocks; no test waits."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamora.clock.elapsed_time import ElapsedTime
from tests.clock.machine import DAY, HOUR, MINUTE, Machine


def settle() -> Machine:
    """Return a machine that has run long enough."""
    machine = Machine()
    machine.wait(3 * DAY)
    return machine


def test_thirty_days_of_running_are_thirty_days() -> None:
    machine = settle()
    stamp = machine.wall

    machine.wait(30 * DAY - MINUTE)
    assert not machine.is_over(stamp)

    machine.wait(2 * MINUTE)
    assert machine.is_over(stamp)


def test_nothing_is_over_in_the_first_two_days_whatever_its_age() -> None:
    machine = Machine()
    machine.wait(2 * DAY - MINUTE)
    assert not machine.is_over(0.0)

    machine.wait(2 * MINUTE)
    assert machine.is_over(machine.wall - 31 * DAY)
    assert not machine.is_over(machine.wall - 29 * DAY)


def test_a_second_start_an_hour_later_is_as_good_as_two_days() -> None:
    machine = Machine()
    machine.wait(HOUR + MINUTE)
    assert not machine.is_over(0.0)

    machine.switch_off(MINUTE)
    assert machine.is_over(machine.wall - 31 * DAY)


def test_two_starts_within_an_hour_are_not_enough() -> None:
    machine = Machine()
    machine.switch_off(MINUTE)
    machine.wait(MINUTE)

    assert not machine.is_over(0.0)


@pytest.mark.parametrize("step", [400 * DAY, 31 * DAY, HOUR])
def test_a_clock_that_jumps_ahead_lets_nothing_expire_then_or_later(step: float) -> None:
    machine = settle()
    stamp = machine.wall
    machine.wait(MINUTE)

    machine.set_clock(step)
    for _ in range(20):
        assert not machine.is_over(stamp)
        machine.wait(DAY)
    machine.set_clock(-step)
    assert not machine.is_over(stamp)

    machine.wait(11 * DAY)
    assert machine.is_over(stamp)


def test_what_was_deleted_while_the_clock_was_behind_stays_for_thirty_days() -> None:
    machine = settle()
    machine.set_clock(-60 * DAY)
    machine.wait(7 * DAY)
    stamp = machine.wall

    machine.set_clock(60 * DAY)
    for _ in range(29):
        assert not machine.is_over(stamp)
        machine.wait(DAY)
    machine.wait(DAY + MINUTE)
    assert machine.is_over(stamp)


def test_after_thirty_days_with_the_right_clock_a_jump_is_forgotten() -> None:
    machine = settle()
    machine.set_clock(400 * DAY)
    machine.wait(MINUTE)
    machine.set_clock(-400 * DAY)

    machine.wait(31 * DAY)

    assert machine.record.find_cutoff(30 * DAY) == pytest.approx(machine.wall - 30 * DAY)


def test_a_suspended_machine_passes_time() -> None:
    machine = settle()
    stamp = machine.wall

    machine.wait(31 * DAY)  # one reading after it

    assert machine.is_over(stamp)


def test_time_off_passes_after_two_days_of_running() -> None:
    machine = settle()
    stamp = machine.wall
    machine.switch_off(60 * DAY)
    machine.wait(2 * DAY - MINUTE)
    assert not machine.is_over(stamp)

    machine.wait(2 * MINUTE)

    assert machine.is_over(stamp)
    assert not machine.is_over(machine.wall - 29 * DAY)


def test_time_off_passes_at_a_second_start_after_an_hour_of_running() -> None:
    machine = settle()
    stamp = machine.wall
    machine.switch_off(60 * DAY)
    machine.wait(40 * MINUTE)
    machine.switch_off(DAY)
    assert not machine.is_over(stamp)

    machine.wait(21 * MINUTE)

    assert machine.is_over(stamp)


def test_a_machine_that_runs_an_hour_a_day_deletes_after_about_thirty_days() -> None:
    machine = Machine()
    for _ in range(5):
        machine.wait(HOUR)
        machine.switch_off(23 * HOUR)
    stamp, begun = machine.wall, machine.passed

    while not machine.is_over(stamp):
        machine.wait(HOUR)
        machine.switch_off(23 * HOUR)

    assert 30 * DAY < machine.passed - begun < 33 * DAY
    assert len(machine.record.stretches) < 4


def test_a_clock_that_is_wrong_after_each_start_and_corrected_lets_nothing_expire() -> None:
    machine = settle()
    stamp = machine.wall
    for _ in range(10):
        machine.switch_off(HOUR, wrong_by=400 * DAY)
        machine.wait(MINUTE)
        assert not machine.is_over(stamp)
        machine.set_clock(-400 * DAY)
        machine.wait(HOUR)
        assert not machine.is_over(stamp)


def test_a_restart_while_the_clock_is_wrong_lets_nothing_expire() -> None:
    machine = settle()
    stamp = machine.wall
    machine.set_clock(400 * DAY)
    for _ in range(5):
        machine.switch_off(MINUTE)
        machine.wait(5 * MINUTE)
    assert not machine.is_over(stamp)


def test_a_clock_without_a_battery_that_starts_long_ago_lets_nothing_expire() -> None:
    machine = settle()
    machine.switch_off(DAY, wrong_by=-machine.wall)
    machine.wait(3 * DAY)
    stamp = machine.wall

    machine.set_clock(1_800_500_000.0 - machine.wall)
    machine.wait(3 * DAY)

    assert not machine.is_over(stamp)


def test_a_first_start_with_a_wrong_clock_lets_nothing_of_before_expire() -> None:
    machine = Machine(wall=1_800_000_000.0 + 400 * DAY)
    written = 1_800_000_000.0 - 5 * DAY
    machine.wait(MINUTE)
    machine.set_clock(-400 * DAY)
    machine.wait(3 * DAY)

    assert not machine.is_over(written)
    assert machine.is_over(written - 26 * DAY)


def test_a_copy_of_the_database_on_another_machine_counts_nothing_of_its_uptime() -> None:
    machine = settle()
    stamp = machine.wall
    machine.boot, machine.boot_seconds = 77, 300 * DAY

    machine.look()
    machine.wait(MINUTE)

    assert not machine.is_over(stamp)


def test_a_virtual_machine_that_is_put_back_counts_as_a_start() -> None:
    machine = settle()
    stamp = machine.wall
    machine.boot_seconds -= DAY
    machine.wall += 60 * DAY

    machine.look()

    assert not machine.is_over(stamp)
    assert machine.record.find_gap() is not None


def test_a_clock_that_jumps_all_day_fills_no_database() -> None:
    machine = settle()
    stamp = machine.wall
    for number in range(1, 400):
        machine.set_clock(number * HOUR * (-1) ** number)
        machine.wait(MINUTE)

    assert len(json.dumps(machine.record.to_json())) < 20_000
    assert not machine.is_over(stamp)


@pytest.mark.parametrize("step", [29.0, -29.0])
def test_a_correction_of_seconds_is_no_step(step: float) -> None:
    machine = settle()
    machine.wall += step

    assert machine.record.find_step(machine.read()) == 0
    machine.look()
    assert len(machine.record.stretches) == 1


def test_small_corrections_add_up() -> None:
    machine = settle()
    for _ in range(10):
        machine.set_clock(20.0)

    assert len(machine.record.stretches) > 1
    assert machine.record.find_cutoff(HOUR) == pytest.approx(machine.wall - HOUR - 200, abs=31)


def test_what_was_set_is_told_and_not_for_ever() -> None:
    machine = settle()
    assert machine.record.find_last_step(7 * DAY) is None

    machine.set_clock(400 * DAY)
    step = machine.record.find_last_step(7 * DAY)
    assert step is not None
    assert (step.seconds, step.wall) == (pytest.approx(400 * DAY), pytest.approx(machine.wall))

    machine.wait(8 * DAY)
    assert machine.record.find_last_step(7 * DAY) is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        "text",
        [],
        {},
        {"reading": {}, "passed": 0, "stretches": []},
        {"reading": None, "passed": 0, "stretches": [1]},
        settle().record.to_json() | {"stretches": []},
        settle().record.to_json() | {"passed": "1"},
        settle().record.to_json() | {"passed": float("nan")},
    ],
)
def test_a_damaged_record_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError, KeyError, AttributeError)):
        ElapsedTime.from_json(value)


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.floats(1, 40 * DAY)),
        st.tuples(st.just("set"), st.floats(-500 * DAY, 500 * DAY)),
        st.tuples(st.just("off"), st.floats(1, 90 * DAY)),
        st.tuples(st.just("wrong start"), st.floats(-500 * DAY, 500 * DAY)),
    ),
    max_size=25,
)


@given(EVENTS)
def test_nothing_expires_before_its_time_on_any_machine(events: list[tuple[str, float]]) -> None:
    machine = settle()
    written: list[tuple[float, float]] = []
    for kind, amount in events:
        if kind == "wait":
            machine.wait(amount)
        elif kind == "set":
            machine.set_clock(amount)
        elif kind == "off":
            machine.switch_off(amount)
        else:
            # Wrong, and corrected by the network.
            machine.switch_off(60.0, wrong_by=amount)
            machine.wait(10 * MINUTE)
            written.append((machine.wall, machine.passed))
            machine.set_clock(-amount)
        written.append((machine.wall, machine.passed))

        for stamp, moment in written:
            assert not machine.is_over(stamp) or machine.passed - moment >= 30 * DAY - 2 * MINUTE


@given(EVENTS)
def test_everything_written_by_the_right_clock_expires_in_the_end(events: list[tuple[str, float]]) -> None:
    machine = settle()
    wrong_by = 0.0
    stamps: list[float] = []
    for kind, amount in events:
        if kind == "set":
            machine.set_clock(amount)
            wrong_by += amount
        else:
            machine.wait(min(amount, 40 * DAY) if amount > 0 else HOUR)
        stamps.append(machine.wall - wrong_by)
    machine.set_clock(-wrong_by)

    machine.wait(31 * DAY)
    machine.wait(31 * DAY)

    assert all(machine.is_over(stamp) for stamp in stamps)
    for before, after in pairwise(machine.record.stretches):
        assert before.until <= after.since
