"""Tests of questions to a real server: an answer is streamed, and stopped when its reader disconnects."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from tests.api.test_served import make_token
from tests.browser_client import Visitor
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_unending
from tests.fakes.waiting import wait_for
from tests.page import read
from tests.server import Server, run_server

ANNA = {"message": "Where did I meet Anna?"}
CUT_SHORT = re.compile(r" POST /api/chat/stream 200 \d+ B \d+ ms, cut short$", re.MULTILINE)
SLOW = make_unending(rate=50)


def open_household(model: FakeModelServer) -> dict[str, str]:
    return {"LLAMORA_MODEL_URL": model.url, "LLAMORA_REGISTRATION": "open"}


def begin(server: Server) -> tuple[Visitor, str]:
    """Register Olive with an entry; return her browser, and a token of hers that asks."""
    olive = Visitor.join(server, "Olive")
    olive.write("Met Anna at the weir.")
    return olive, make_token(olive, "chat")


@contextmanager
def stream(server: Server, token: str) -> Iterator[Iterator[tuple[str, Any]]]:
    """Ask a question, and yield the events of its answer as they arrive."""
    headers = {"Authorization": f"Bearer {token}"}
    url = server.url("/api/chat/stream")
    with httpx.stream("POST", url, json=ANNA, headers=headers, timeout=30) as answer:
        assert answer.status_code == 200, answer.read()
        yield read_events(answer)


def read_events(answer: httpx.Response) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def read_state(server: Server) -> tuple[str, str]:
    """Return the state and the reason of the only question, as they stand in the database."""
    with closing(sqlite3.connect(server.data_dir / "llamora.sqlite3")) as database:
        (row,) = database.execute("SELECT state, reason FROM search_question").fetchall()
    return row[0], row[1]


def test_an_answer_comes_in_pieces_and_as_a_whole(tmp_path: Path, model: FakeModelServer) -> None:
    first_is_read = Event()
    model.add_scripts(Script(tokens=["At ", "the ", "weir [1]."], end_when=first_is_read))
    with run_server(tmp_path, extra=open_household(model)) as server:
        _, token = begin(server)
        with stream(server, token) as events:
            name, start = next(events)
            assert name == "start"
            assert [source["snippet"] for source in start["sources"]] == ["Met Anna at the weir."]
            # Its end is sent only now.
            name, piece = next(events)
            assert (name, piece["text"][:2]) == ("token", "At")
            first_is_read.set()
            *_, (name, end) = events
        assert (name, end["response"], end["finish_reason"]) == ("done", "At the weir [1].", "stop")

        model.add_scripts(Script(tokens=["In May [1]."]))
        headers = {"Authorization": f"Bearer {token}"}
        whole = httpx.post(server.url("/api/chat"), json=ANNA, headers=headers, timeout=30)
        assert whole.json()["response"] == "In May [1]."
        log = server.log()

    assert "weir" not in log
    assert "Anna" not in log


def test_who_hangs_up_stops_the_answer(tmp_path: Path, model: FakeModelServer) -> None:
    may_write = Event()
    # It hangs up while the model thinks, so that no piece would fail to be sent.
    model.add_scripts(Script(tokens=SLOW.tokens, first_when=may_write))
    with run_server(tmp_path, extra=open_household(model)) as server:
        _, token = begin(server)
        with stream(server, token) as events:
            assert next(events)[0] == "start"
            assert model.wait_for_calls(1)

        assert model.wait_for_hang_up(seconds=10)
        wait_for(lambda: read_state(server) == ("stopped", ""))
        wait_for(lambda: CUT_SHORT.search(server.log()) is not None)
        may_write.set()


def test_a_lock_ends_the_stream_with_an_error(tmp_path: Path, model: FakeModelServer) -> None:
    model.add_scripts(SLOW)
    with run_server(tmp_path, extra=open_household(model)) as server:
        olive, token = begin(server)
        with stream(server, token) as events:
            assert [next(events)[0] for _ in range(3)] == ["start", "token", "token"]
            olive.post("/lock/")
            *_, (name, refusal) = events

        assert (name, refusal["error_code"]) == ("error", "locked")
        assert model.wait_for_hang_up()
        wait_for(lambda: read_state(server) == ("interrupted", "locked"))


def test_a_revoked_token_gets_no_more_of_an_answer(tmp_path: Path, model: FakeModelServer) -> None:
    model.add_scripts(SLOW)
    with run_server(tmp_path, extra=open_household(model)) as server:
        olive, token = begin(server)
        with stream(server, token) as events:
            assert [next(events)[0] for _ in range(3)] == ["start", "token", "token"]
            (form,) = read(olive.get("/settings/programs/")).all('form[action$="/revoke/"]')
            assert olive.post(form.get("action")).status == 302
            *_, (name, refusal) = events

        assert (name, refusal["error_code"]) == ("error", "invalid_token")
        assert model.wait_for_hang_up()
        wait_for(lambda: read_state(server) == ("stopped", ""))


def test_a_killed_server_leaves_a_question_that_says_so(tmp_path: Path, model: FakeModelServer) -> None:
    model.add_scripts(SLOW)
    extra = open_household(model)
    with run_server(tmp_path, extra=extra) as before:
        _, token = begin(before)
        with stream(before, token) as events:
            assert [next(events)[0] for _ in range(3)] == ["start", "token", "token"]
            before.kill()
            with pytest.raises(httpx.HTTPError):
                list(events)
        assert read_state(before)[0] in ("waiting", "writing")

    with run_server(tmp_path, extra=extra) as after:
        wait_for(lambda: read_state(after) == ("interrupted", "crashed"))
