"""Tests of decrypting a long list of facts after an unlock: the next page, a lock, a failure."""

import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from tests.page import read
from tests.people import PASSWORD, Resident, register_resident
from tests.traces.facts.fact_steps import add_fact
from traces.facts.pages import list_cache, list_preloading
from traces.facts.pages.list_cache import listed_facts_cache

pytestmark = pytest.mark.django_db(transaction=True)


class Gate:
    """A gate for reading rows of a list, which records the threads and the number of rows."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        self.threads: list[str] = []
        self.rows = 0
        self._iter_rows = list_cache._iter_rows
        monkeypatch.setattr(list_cache, "_iter_rows", self._wait)

    def _wait(self, facts: Any) -> Iterator[Any]:
        self.threads.append(threading.current_thread().name)
        self.reached.set()
        assert self.opened.wait(60)
        for row in self._iter_rows(facts):
            self.rows += 1
            yield row


@pytest.fixture
def olive(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resident]:
    """A person with more facts than are opened while a page waits, whose diary is locked."""
    monkeypatch.setattr(list_preloading, "MOST_IN_PAGE", 1)
    olive = register_resident("Olive", signed_in=True)
    add_fact(olive, "You like tea")
    add_fact(olive, "Anna likes milk")
    olive.lock()
    yield olive
    list_preloading.stop_preloading(olive.id)


def unlock(who: Resident) -> None:
    assert who.post("/unlock/", password=PASSWORD).status_code == 302


def wait_for_end() -> None:
    for thread in threading.enumerate():
        if thread.name == "list of facts":
            thread.join(60)
            assert not thread.is_alive()


def test_a_long_list_is_opened_after_the_unlock_and_a_page_waits_for_it(
    olive: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)

    def wait(owner_id: UUID) -> None:
        gate.opened.set()
        list_preloading.wait_for_preloading(owner_id)

    monkeypatch.setattr(list_cache, "wait_for_preloading", wait)
    unlock(olive)
    assert gate.reached.wait(60)
    page = read(olive.get("/facts/"))

    assert page.texts(".fact-row-text") == ["You like tea", "Anna likes milk"]
    assert gate.threads == ["list of facts"]


def test_a_lock_ends_the_opening_and_nothing_of_it_stays(
    olive: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    unlock(olive)
    assert gate.reached.wait(60)

    olive.lock()
    gate.opened.set()
    wait_for_end()

    assert (gate.rows, listed_facts_cache.has_value(olive.id)) == (0, False)
    unlock(olive)
    assert read(olive.get("/facts/")).texts(".fact-row-text") == ["You like tea", "Anna likes milk"]


def test_a_list_that_could_not_be_opened_is_opened_by_the_page(
    olive: Resident, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(list_cache, "build_heading", lambda said: 1 / (said.text == ""))
        unlock(olive)
        wait_for_end()

    assert [record.getMessage() for record in caplog.records if record.name.startswith("traces")] == [
        "A list of facts was not opened: ZeroDivisionError"
    ]
    assert read(olive.get("/facts/")).texts(".fact-row-text") == ["You like tea", "Anna likes milk"]


def test_a_short_list_is_opened_by_the_page(olive: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_preloading, "MOST_IN_PAGE", 2)
    gate = Gate(monkeypatch)
    gate.opened.set()

    unlock(olive)
    wait_for_end()

    assert gate.threads == []
