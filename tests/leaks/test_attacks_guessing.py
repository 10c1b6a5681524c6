"""Attacks that guess names and passwords: equal responses, equal work, and a delay."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser_client import BrowserResponse, Visitor
from tests.fakes.model_server import FakeModelServer
from tests.leaks.household import AttackedHouse, create_household
from tests.page import read
from tests.server import run_server

TRIES = 4


def get_page_without_variations(answer: BrowserResponse, name: str) -> str:
    """Return a page without values that differ at every request, and without the typed name."""
    return read(answer).without('[name="csrfmiddlewaretoken"]').html.replace(name, "NAME")


def guess(house: AttackedHouse, name: str, *, by: str = "password") -> BrowserResponse:
    """Try a wrong password from a new address."""
    browser: Visitor = house.stranger
    browser.name = name
    browser.get("/sign-in/")
    if by == "password":
        return browser.post("/sign-in/", name=name, password="not the right one at all")
    code, new = house.housemate.recovery_code, "eleven wet dogs under the pier"
    return browser.post("/recover/", name=name, code=code, password=new, password_again=new)


@pytest.mark.parametrize("by", ["password", "code"])
def test_a_name_that_nobody_has_is_answered_like_one_that_somebody_has(house: AttackedHouse, by: str) -> None:
    known, unknown = "Kay", "Nobodyatall"

    one, other = guess(house, known, by=by), guess(house, unknown, by=by)

    assert one.status == other.status == 422
    assert get_page_without_variations(one, known) == get_page_without_variations(other, unknown)
    # The same headers too, but for the lengths that go with the names.
    assert {*one.headers} == {*other.headers}


def get_cpu_seconds(house: AttackedHouse) -> float:
    """Return the CPU seconds that the server has used."""
    fields = Path(f"/proc/{house.server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="module")
def house_at_real_cost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AttackedHouse]:
    """A household whose key derivations cost what they cost outside of tests."""
    with FakeModelServer() as model:
        extra = {"DJANGO_SETTINGS_MODULE": "llamora.settings", "LLAMORA_REGISTRATION": "open"}
        with run_server(tmp_path_factory.mktemp("real-cost"), extra=extra) as server:
            yield create_household(server, model)


@pytest.mark.parametrize("by", ["password", "code"])
def test_a_name_that_nobody_has_costs_the_same_work(house_at_real_cost: AttackedHouse, by: str) -> None:
    """Key derivations are most of the work, so a different number of them would show."""
    house = house_at_real_cost
    spent = {"Olive": 0.0, "Nobodyatall": 0.0}
    for _ in range(TRIES):
        for name in spent:
            before = get_cpu_seconds(house)
            guess(house, name, by=by)
            spent[name] += get_cpu_seconds(house) - before

    assert 0.6 < spent["Olive"] / spent["Nobodyatall"] < 1.6
    assert spent["Nobodyatall"] / TRIES > 0.03


def test_many_wrong_tries_are_made_to_wait_without_any_work(house: AttackedHouse) -> None:
    browser = house.stranger
    browser.get("/sign-in/")
    spent, waits = [], []
    for number in range(14):
        before = get_cpu_seconds(house)
        answer = browser.post("/sign-in/", name="Kay", password=f"wrong {number}")
        if answer.status == 429:
            spent.append(get_cpu_seconds(house) - before)
            waits.append(int(answer.headers["retry-after"]))

    assert waits
    assert min(waits) >= 1
    # A derivation takes far longer than a refusal.
    assert min(spent) < 0.05


def test_nobody_can_keep_the_owner_out_by_failing_in_their_name(house: AttackedHouse) -> None:
    thief = house.stranger
    thief.get("/sign-in/")
    for number in range(8):
        thief.post("/sign-in/", name="Olive", password=f"wrong {number}")

    browser = house.owner.another()

    assert browser.sign_in().status == 302


@pytest.mark.parametrize("field", ["name", "password"])
def test_endless_fields_at_the_door_are_refused_before_any_work(house: AttackedHouse, field: str) -> None:
    browser = house.stranger
    browser.get("/sign-in/")
    fields = {"name": "Kay", "password": "x"} | {field: "x" * 900_000}

    before = get_cpu_seconds(house)
    answer = browser.post("/sign-in/", **fields)

    # From somebody who is not signed in, a body is refused by its length.
    assert answer.status == 401
    assert get_cpu_seconds(house) - before < 1
