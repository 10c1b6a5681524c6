"""Tests that no error page, log or process shows diary text when the app or llama.cpp fails."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser_client import Visitor
from tests.fakes.tiny_model import write_tiny_model
from tests.fakes.waiting import PATIENCE
from tests.leaks.encodings import build_marker_for, get_core, new_marker
from tests.leaks.household import DAY, get_reply
from tests.leaks.rows import open_database
from tests.leaks.sweep import Place, list_child_pids, list_household_places, list_processes, sweep
from tests.server import Server, run_server

# What a fault would have at hand: each table that a save or a page asks for is gone in its turn.
TABLES = ("diary_entry", "diary_draft", "diary_reply", "accounts_vault")


@pytest.fixture(scope="module")
def server(shared: Path, tmp_path_factory: pytest.TempPathFactory, memory_folder: Path) -> Iterator[Server]:
    """A household with a real model in a child process, and all loggers at debug level."""
    extra = {
        "DJANGO_SETTINGS_MODULE": "tests.leaks.settings",
        "LLAMORA_REGISTRATION": "open",
        "LLAMORA_RUNTIME_DIR": str(memory_folder),
        "LLAMORA_LOG_LEVEL": "DEBUG",
        "LLAMORA_MODEL_FILE": str(write_tiny_model(shared, tmp_path_factory.mktemp("models"))),
        "LLAMORA_MODEL_REPLY_TOKENS": "24",
    }
    with run_server(tmp_path_factory.mktemp("house"), extra=extra) as server:
        yield server


@pytest.fixture(scope="module")
def olive(server: Server) -> Visitor:
    return Visitor.join(server, "Olive")


def wait_for_the_model(who: Visitor) -> None:
    deadline = time.monotonic() + PATIENCE
    while '"model": "ready"' not in (said := who.get("/healthz").body):
        assert time.monotonic() < deadline, f"the model is not there: {said}"
        time.sleep(0.1)


def test_a_real_model_is_asked_and_nothing_of_it_shows(server: Server, olive: Visitor) -> None:
    marker = new_marker()
    wait_for_the_model(olive)
    entry = olive.write(build_marker_for(marker, "asked"), day=DAY)

    get_reply(olive, entry)

    assert list_child_pids(server.pid), "there is no child to look at"
    assert len(list(list_processes(server))) >= 4
    assert sweep(marker, list_household_places(server)) == []


def post_all_forms(who: Visitor, marker: str, entry: str) -> list[Place]:
    """Submit every form with the marker to a failing server; return the responses."""
    words, pages = build_marker_for(marker, "typed"), [f"/d/{DAY}/", "/", "/settings/"]
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
    entry = olive.write(build_marker_for(marker, "kept"), day=DAY)
    with open_database(server) as connection:
        # Without touching what refers to it: it is to come back as it was.
        connection.execute("PRAGMA legacy_alter_table=ON")
        connection.execute(f"ALTER TABLE {table} RENAME TO away")
    try:
        pages = post_all_forms(olive, marker, entry)
    finally:
        with open_database(server) as connection:
            connection.execute("PRAGMA legacy_alter_table=ON")
            connection.execute(f"ALTER TABLE away RENAME TO {table}")

    assert "OperationalError" in server.log(), "the log does not tell of the fault"
    assert sweep(marker, pages) == []
    assert sweep(marker, list_household_places(server)) == []
    assert get_core(marker) in olive.get(f"/d/{DAY}/").body
