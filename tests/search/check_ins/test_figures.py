"""Figures of check-ins: how quickly one stops, and that a week of them occupies no memory."""

import gc
import time
import tracemalloc
from datetime import timedelta

import pytest

from llamora.inference.registry import registry
from search.checkins.services import start_check_in
from tests.diary.tabs import ServingLoop
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import make_unending
from tests.fakes.waiting import wait_for
from tests.people import Resident, new_resident
from tests.search.check_ins.checking_in import GARDEN, NOW, switch_on, write_requests
from tests.search.check_ins.test_week import FIRST, INTERVAL, live_through
from tests.search.indexing import open_index

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("embedder"), pytest.mark.slow]
DAYS = 7


@pytest.mark.parametrize("way", ["pause", "lock"])
def test_one_that_is_being_made_stops_within_a_second(
    live: ServingLoop, model: FakeModelServer, owner: Resident, way: str
) -> None:
    write_requests(owner, GARDEN)
    switch_on(owner)
    open_index(owner)
    model.add_json_scripts(make_unending())
    with owner.unlocked():
        started = start_check_in(person=owner.person, keyring=owner.keyring, due_at=NOW, now=NOW)
    assert started.job is not None
    wait_for(lambda: len(model.asked_for_json) == 1)

    begun = time.perf_counter()
    owner.post({"pause": "/check-ins/pause/", "lock": "/lock/"}[way])
    assert registry.wait_until_over(started.job.id, patience=20)
    assert model.wait_for_hang_up()
    seconds = time.perf_counter() - begun

    print(f"{way}: {seconds * 1000:.0f} ms until the model's server was left")
    assert seconds <= 1


def test_a_week_of_four_people_leaves_no_memory_taken(
    live: ServingLoop, model: FakeModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A job is forgotten minutes after its end, of which here all of a week have too few.
    monkeypatch.setattr("llamora.inference.registry.DISCARD_SECONDS", 0)
    people = [new_resident(f"Person {number}", time_zone="Europe/Vienna") for number in range(4)]
    for who in people:
        who.write("The garden is full of tulips, and the beans come up. " * 60)
        open_index(who)
        write_requests(who, GARDEN)
        switch_on(who, interval=INTERVAL)
    taken, runs = [], 0
    tracemalloc.start()
    try:
        for day in range(DAYS):
            begin = FIRST + timedelta(days=day)
            for who in people:
                runs += live_through(who, model, unlocks=[(begin, begin + timedelta(days=1))])["made"]
            model.requests.clear()
            gc.collect()
            taken.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()

    grown = [later - taken[1] for later in taken[2:]]
    print(f"{runs} check-ins; kB more than after two days: {[one // 1024 for one in grown]}")
    assert runs >= DAYS * 4 * 12
    # A job that stayed would take over 8,000 bytes. Caches with a limit may still fill.
    assert grown[-1] / (runs * (DAYS - 2) / DAYS) < 2000
