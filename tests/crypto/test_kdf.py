"""Tests of password derivation: allowed costs, and pinned keys."""

import subprocess
import sys

import pytest

from llamora.crypto import DEFAULT_COST, BadCost, Cost, check_cost, derive, kdf, new_salt
from tests.crypto.cast import CHEAP, SALT

SHIPPED_FLOOR = Cost(memory_kib=65536, time=3, lanes=1)
SHIPPED_CEILING = Cost(memory_kib=262144, time=6, lanes=16)
SHIPPED_HIGHEST = Cost(memory_kib=1048576, time=12, lanes=16)


def test_the_shipped_floor_ceiling_and_default_are_what_the_design_says() -> None:
    """Checked in a new process, since this process runs with a lowered floor."""
    names = "kdf.FLOOR, kdf.CEILING, kdf.HIGHEST, kdf.DEFAULT_COST"
    asked = f"from llamora.crypto import kdf; print({names}, sep='|')"

    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout

    default = Cost(memory_kib=65536, time=3, lanes=4)
    assert told.strip() == f"{SHIPPED_FLOOR}|{SHIPPED_CEILING}|{SHIPPED_HIGHEST}|{default}"
    assert default == DEFAULT_COST


@pytest.mark.parametrize(
    "cost",
    [
        Cost(memory_kib=65535, time=3, lanes=4),
        Cost(memory_kib=65536, time=2, lanes=4),
        Cost(memory_kib=262145, time=3, lanes=4),
        Cost(memory_kib=64 * 1024 * 1024, time=3, lanes=4),
        Cost(memory_kib=65536, time=7, lanes=4),
        Cost(memory_kib=65536, time=3, lanes=17),
    ],
    ids=[
        "too little memory",
        "too few passes",
        "256 MiB and a bit",
        "64 GiB",
        "too many passes",
        "too many lanes",
    ],
)
def test_a_cost_outside_floor_and_ceiling_is_refused(cost: Cost) -> None:
    with pytest.raises(BadCost) as refused:
        check_cost(cost, floor=SHIPPED_FLOOR, ceiling=SHIPPED_CEILING)

    assert refused.value.code == "bad_cost"


@pytest.mark.parametrize("cost", [DEFAULT_COST, SHIPPED_FLOOR, SHIPPED_CEILING])
def test_a_cost_within_floor_and_ceiling_is_allowed(cost: Cost) -> None:
    check_cost(cost, floor=SHIPPED_FLOOR, ceiling=SHIPPED_CEILING)


def test_a_cost_below_the_module_s_floor_derives_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kdf, "FLOOR", SHIPPED_FLOOR)

    with pytest.raises(BadCost):
        derive(secret="horse", salt=SALT, cost=CHEAP)


def test_a_row_that_asks_for_64_gib_derives_nothing() -> None:
    with pytest.raises(BadCost):
        derive(secret="horse", salt=SALT, cost=Cost(memory_kib=64 * 1024 * 1024, time=3, lanes=4))


def test_lanes_without_their_eight_kib_are_refused() -> None:
    with pytest.raises(BadCost):
        check_cost(Cost(memory_kib=15, time=1, lanes=2))


@pytest.mark.parametrize("memory", [0, -1, True, 65536.0, "65536", None])
def test_a_cost_that_is_no_number_is_not_made(memory: int) -> None:
    with pytest.raises(BadCost):
        Cost(memory_kib=memory, time=3, lanes=4)


def test_secret_salt_and_every_parameter_change_the_key() -> None:
    keys = {
        derive(secret="horse", salt=SALT, cost=CHEAP),
        derive(secret="Horse", salt=SALT, cost=CHEAP),
        derive(secret="horse", salt=new_salt(), cost=CHEAP),
        derive(secret="horse", salt=SALT, cost=Cost(memory_kib=128, time=2, lanes=2)),
        derive(secret="horse", salt=SALT, cost=Cost(memory_kib=64, time=3, lanes=2)),
        derive(secret="horse", salt=SALT, cost=Cost(memory_kib=64, time=2, lanes=1)),
    }

    assert len(keys) == 6
    assert {len(key) for key in keys} == {32}


def test_a_password_typed_composed_or_decomposed_derives_the_same_key() -> None:
    composed = derive(secret="Straße é ﬁ", salt=SALT, cost=CHEAP)

    assert derive(secret="Straße e\u0301 fi", salt=SALT, cost=CHEAP) == composed
    assert derive(secret="Strasse é fi", salt=SALT, cost=CHEAP) != composed


def test_a_password_with_a_lone_surrogate_derives_and_raises_no_text() -> None:
    assert len(derive(secret="horse\ud800", salt=SALT, cost=CHEAP)) == 32


@pytest.mark.parametrize("salt", [b"", bytes(15), bytes(65)])
def test_a_salt_of_odd_length_is_refused(salt: bytes) -> None:
    with pytest.raises(ValueError, match="salt"):
        derive(secret="horse", salt=salt, cost=CHEAP)
