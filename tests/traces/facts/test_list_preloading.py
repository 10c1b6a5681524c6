"""Tests of decrypting a long list of facts after an unlock: pages meanwhile, a lock, a failure."""

import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from tests.page import read
from tests.people import BY_SCRIPT, PASSWORD, Resident, register_resident
from tests.traces.facts.fact_steps import add_fact
from tests.traces.tagging import add_traces
from traces.facts.pages import list_cache, list_preloading
from traces.facts.pages.list_cache import listed_facts_cache

pytestmark = pytest.mark.django_db(transaction=True)


class Gate:
    """A gate for reading rows of a list, which records the threads and the number of rows.

    It stops before the row after `stops_after`.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        self.threads: list[str] = []
        self.rows = self.stops_after = 0
        self._iter_rows = list_cache._iter_rows
        monkeypatch.setattr(list_cache, "_iter_rows", self._wait)

    def _wait(self, facts: Any, opened: Any) -> Iterator[Any]:
        self.threads.append(threading.current_thread().name)
        for row in self._iter_rows(facts, opened):
            if self.rows == self.stops_after:
                self.reached.set()
                assert self.opened.wait(60)
            self.rows += 1
            yield row


@pytest.fixture
def olive(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resident]:
    """A person with more facts than are opened while a page waits, whose diary is locked."""
    monkeypatch.setattr(list_preloading, "MOST_IN_PAGE", 1)
    monkeypatch.setattr(list_preloading, "HEAD_START_SECONDS", 0)
    monkeypatch.setattr(list_cache, "PATIENCE_SECONDS", 60)
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


def test_while_a_long_list_is_opened_the_page_says_so_and_asks_again(
    olive: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_cache, "PATIENCE_SECONDS", 0)
    monkeypatch.setattr(list_preloading, "_STEP", 1)
    gate = Gate(monkeypatch)
    gate.stops_after = 1
    unlock(olive)
    assert gate.reached.wait(60)
    (trace,) = add_traces(olive, olive.write("Anna came."), "Anna")

    page = read(olive.get("/facts/?kind=other"))
    asked = page.one("#facts-opening").get("hx-get")
    of_trace = read(olive.get(f"/traces/{trace.id}/")).texts(".trace-facts")
    gate.opened.set()
    wait_for_end()
    listed = read(olive.client.get(asked, headers=BY_SCRIPT | {"HX-Target": "facts-opening"}))

    assert (asked, of_trace) == ("/facts/?kind=other", ["Facts that name it"])
    assert page.one("#facts-opening p").text.startswith("Your facts are being opened: 1 of 2 so far.")
    assert (page.texts(".fact-row-text"), listed.texts("h1")) == ([], [])
    assert listed.texts(".fact-row-text") == ["You like tea", "Anna likes milk"]
    assert gate.threads == ["list of facts"]
    assert read(olive.get(f"/traces/{trace.id}/")).texts(".trace-facts") == ["One fact names it"]


def test_typed_words_wait_for_the_list(olive: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch)

    def wait(owner_id: UUID, *, timeout: float | None) -> None:
        gate.opened.set()
        list_preloading.wait_for_preloading(owner_id, timeout=timeout)

    monkeypatch.setattr(list_cache, "wait_for_preloading", wait)
    monkeypatch.setattr(list_cache, "PATIENCE_SECONDS", 0)
    unlock(olive)
    assert gate.reached.wait(60)
    page = read(olive.post("/facts/", typed="milk"))

    assert page.texts(".fact-row-text") == ["Anna likes milk"]
    assert gate.threads == ["list of facts"]


def test_after_an_unlock_the_list_is_opened_at_once_only_if_a_page_needs_it(
    olive: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_preloading, "HEAD_START_SECONDS", 600)
    gate = Gate(monkeypatch)
    gate.opened.set()
    unlock(olive)
    assert olive.get("/").status_code == 200
    before = list(gate.threads)

    page = read(olive.get("/facts/"))

    assert (before, gate.threads) == ([], ["list of facts"])
    assert page.texts(".fact-row-text") == ["You like tea", "Anna likes milk"]


def test_a_lock_ends_a_list_that_was_not_begun(olive: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_preloading, "HEAD_START_SECONDS", 600)
    unlock(olive)

    olive.lock()
    wait_for_end()

    assert not listed_facts_cache.has_value(olive.id)


def test_a_fact_that_is_added_while_a_list_is_opened_is_in_it(
    olive: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    gate.stops_after = 1
    unlock(olive)
    assert gate.reached.wait(60)

    add_fact(olive, "You like beer")
    gate.opened.set()
    wait_for_end()

    assert listed_facts_cache.has_value(olive.id)
    assert "You like beer" in read(olive.get("/facts/")).texts(".fact-row-text")
    # By the page, which renews one row.
    assert gate.threads[0] == "list of facts"
    assert gate.rows == 3


def test_a_long_list_that_was_dropped_is_opened_by_a_thread(
    olive: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlock(olive)
    wait_for_end()
    gate = Gate(monkeypatch)
    gate.opened.set()
    listed_facts_cache.forget(olive.id)

    assert len(read(olive.get("/facts/")).texts(".fact-row-text")) == 2
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

    assert (gate.rows, listed_facts_cache.has_value(olive.id)) == (1, False)
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
