"""Tests of the log of a served household in each format: complete lines, and no text of people."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.api.test_served import make_token
from tests.browser_client import Visitor
from tests.leaks.encodings import build_marker_for, get_core, new_marker
from tests.leaks.rows import open_database
from tests.leaks.sweep import Place, sweep
from tests.leaks.test_attacks_log import exchange, head_of
from tests.server import Server, run_server

DAY = "2026-03-05"


@pytest.fixture(params=["text", "json"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A household whose loggers all write at debug level, libraries included."""
    extra = {
        "DJANGO_SETTINGS_MODULE": "tests.leaks.settings",
        "LLAMORA_REGISTRATION": "open",
        "LLAMORA_LOG_FORMAT": request.param,
    }
    with run_server(tmp_path, extra=extra) as server:
        yield server


def use_and_break(server: Server, marker: str) -> str:
    """Write the marker wherever a person, a program or a stranger can, also while a table is missing.

    Return the token of the program.
    """
    words, olive = build_marker_for(marker, "typed"), Visitor.join(server, "Olive")
    entry = olive.write(words, day=DAY)
    olive.save_draft(words)
    olive.post("/search/", q=words)
    olive.post(f"/entries/{entry}/traces/keep/", name=words[:40])
    core = get_core(marker)
    for path in (f"/{core}/", f"/admin/{core}/", f"/d/{core}/", f"/search/?q={core}"):
        exchange(olive, head_of(olive, "GET", path, f"X-{core}: {core}"))
    exchange(olive, f"{core}\r\n\r\n")
    token = make_token(olive, "diary:read", "diary:write")
    for path in (
        "/api/v1/entries",
        "/mcp",
        f"/api/v1/days/{core}",
        f"/api/v1/entries?day={core}&token={token}",
    ):
        for body in (words, json.dumps({"text": words}), json.dumps({core: words})):
            call(olive, path, token, body)
    with open_database(server) as connection:
        connection.execute("PRAGMA legacy_alter_table=ON")
        connection.execute("ALTER TABLE diary_entry RENAME TO away")
    assert olive.save(words).status == 500
    assert call(olive, "/api/v1/entries", token, json.dumps({"text": words})) == 500
    with open_database(server) as connection:
        connection.execute("PRAGMA legacy_alter_table=ON")
        connection.execute("ALTER TABLE away RENAME TO diary_entry")
    return token


def call(olive: Visitor, path: str, token: str, body: str) -> int:
    """Send a body as a program does, and return the status."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return olive.request("POST", path, body.encode(), headers).status


def test_nothing_of_what_was_written_is_in_the_log_of_either_format(server: Server) -> None:
    marker = new_marker()

    token = use_and_break(server, marker)
    server.stop()

    log = server.log()
    assert "OperationalError" in log
    assert " 500 " in log
    assert sweep(marker, [Place("the log", log.encode())]) == []
    assert get_core(marker) not in log
    # Neither its id nor its secret.
    assert not [part for part in token.split("_")[1:] if part in log]
    assert "POST /api/v1/entries 201" in log
    if server.environment["LLAMORA_LOG_FORMAT"] == "json":
        check_json_lines(log)


def check_json_lines(log: str) -> None:
    """Check that every line is an object with a time in UTC, from the first sentence of `up` to its last."""
    lines = [json.loads(line) for line in log.splitlines()]
    assert {frozenset(line) for line in lines} <= {
        frozenset({"time", "level", "logger", "message"}),
        frozenset({"time", "level", "logger", "message", "error", "traceback"}),
    }
    assert {datetime.fromisoformat(line["time"]).utcoffset() for line in lines} == {timedelta(0)}
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    messages = [line["message"] for line in lines if line["logger"] == "llamora.up"]
    assert any(message.startswith("Llamora is at http://") for message in messages)
    assert messages[-1] == "Llamora has stopped."
    assert any(line["message"].startswith("POST /d/<day:day>/") for line in lines)
    failed = [line for line in lines if "error" in line]
    assert "OperationalError" in {line["error"] for line in failed}
    assert all(re.search(r":\d+ in \w+", place) for line in failed for place in line["traceback"])
