"""Faults of our own, and a real llama.cpp: no error page, no log and no process shows what was written."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser_client import Visitor
from tests.fakes.tiny_model import write_tiny_model
from tests.leaks.forms import core_of, new_marker, said_by
from tests.leaks.household import DAY, answered
from tests.leaks.rows import database
from tests.leaks.sweep import Place, children_of, household, processes, sweep
from tests.server import Server, running

# What a fault would have at hand: each table that a save or a page asks for is gone in its turn.
TABLES = ("diary_entry", "diary_draft", "diary_reply", "accounts_vault")


@pytest.fixture(scope="module")
def server(shared: Path, tmp_path_factory: pytest.TempPathFactory, memory_folder: Path) -> Iterator[Server]:
    """A household with a real model in a child process, every logger at its most talkative."""
    extra = {
        "DJANGO_SETTINGS_MODULE": "tests.leaks.settings",
        "LLAMORA_REGISTRATION": "open",
        "LLAMORA_RUNTIME_DIR": str(memory_folder),
        "LLAMORA_LOG_LEVEL": "DEBUG",
        "LLAMORA_MODEL_FILE": str(write_tiny_model(shared, tmp_path_factory.mktemp("models"))),
        "LLAMORA_MODEL_REPLY_TOKENS": "24",
    }
    with running(tmp_path_factory.mktemp("house"), extra=extra) as server:
        yield server


@pytest.fixture(scope="module")
def olive(server: Server) -> Visitor:
    return Visitor.join(server, "Olive")


def wait_for_the_model(who: Visitor) -> None:
    deadline = time.monotonic() + 30
    while '"model": "ready"' not in (said := who.get("/healthz").body):
        assert time.monotonic() < deadline, f"the model is not there: {said}"
        time.sleep(0.1)


def test_a_real_model_is_asked_and_nothing_of_it_shows(server: Server, olive: Visitor) -> None:
    marker = new_marker()
    wait_for_the_model(olive)
    entry = olive.write(said_by(marker, "asked"), day=DAY)

    answered(olive, entry)

    assert children_of(server.pid), "there is no child to look at"
    assert len(list(processes(server))) >= 4
    assert sweep(marker, household(server)) == []


def all_the_ways(who: Visitor, marker: str, entry: str) -> list[Place]:
    """Whatever a person can do with words, on a server in trouble; where it led."""
    words, pages = said_by(marker, "typed"), [f"/d/{DAY}/", "/", "/settings/"]
    answers = [
        who.save(words),
        who.save_draft(words),
        who.post(f"/d/{DAY}/draft/", script=True, text=words, revision="4", entry=entry),
        who.post(f"/entries/{entry}/edit/", script=True, text=words, revision="1"),
        who.post(f"/entries/{entry}/respond/", script=True),
        *map(who.get, pages),
    ]
    assert any(answer.status == 500 for answer in answers), "nothing went wrong"
    return [
        Place(f"page of {answer.status}", answer.body.encode()) for answer in answers if answer.status >= 500
    ]


@pytest.mark.parametrize("table", TABLES)
def test_a_fault_says_where_it_was_and_not_what_was_written(
    server: Server, olive: Visitor, table: str
) -> None:
    marker = new_marker()
    entry = olive.write(said_by(marker, "kept"), day=DAY)
    with database(server) as connection:
        # Without touching what refers to it: it is to come back as it was.
        connection.execute("PRAGMA legacy_alter_table=ON")
        connection.execute(f"ALTER TABLE {table} RENAME TO away")
    try:
        pages = all_the_ways(olive, marker, entry)
    finally:
        with database(server) as connection:
            connection.execute("PRAGMA legacy_alter_table=ON")
            connection.execute(f"ALTER TABLE away RENAME TO {table}")

    assert "OperationalError" in server.log(), "the log does not tell of the fault"
    assert sweep(marker, pages) == []
    assert sweep(marker, household(server)) == []
    assert core_of(marker) in olive.get(f"/d/{DAY}/").body
