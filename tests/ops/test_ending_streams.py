"""The end of a server that is in the middle of replies: prompt, and nothing that came is lost."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from llamora.ops.benchmarks.household import BrowserClient
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, words
from tests.server import Server, start

STREAMS = 4


@pytest.fixture
def model() -> Iterator[FakeModelServer]:
    """A model that talks for a minute."""
    with FakeModelServer(default=Script(tokens=words(1800), rate=30), slots=STREAMS) as model:
        yield model


def socket_of(server: Server, browser: BrowserClient) -> ClientConnection:
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    return connect(
        f"ws://127.0.0.1:{server.port}/live/",
        origin=server.base_url,  # type: ignore[arg-type]
        additional_headers={"Cookie": cookies},
        close_timeout=0.1,
    )


def answered_entry(browser: BrowserClient, day: str) -> str:
    """Keep an entry, ask for a reply to it, and return the reply's id."""
    browser.get(day)
    kept = browser.save(day, "A walk in the rain.")
    entry = re.search(r'id="entry-([0-9a-f-]+)"', kept.body)
    assert entry, kept.body[-500:]
    asked = browser.post(f"/entries/{entry[1]}/respond/", {}, by_script=True)
    reply = re.search(r'id="reply-([0-9a-f-]+)"', asked.body)
    assert reply, asked.body[-500:]
    return reply[1]


def wait_for_words(socket: ClientConnection) -> None:
    """Read until some text of a reply has come."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        frame: dict[str, Any] = json.loads(socket.recv(timeout=10))
        if frame["type"] == "delta" and len(frame["tail"] + frame["settled"]) > 40:
            return
    raise TimeoutError("no words came")


def test_a_server_ends_at_once_while_replies_stream_and_keeps_what_came(
    tmp_path: Path, model: FakeModelServer
) -> None:
    extra = {"LLAMORA_REGISTRATION": "open", "LLAMORA_MODEL_URL": model.url}
    server = start(tmp_path, extra=extra)
    day = f"/d/{datetime.now(UTC).date()}/"
    with ExitStack() as stack:
        stack.callback(server.process.kill)
        browser = BrowserClient(server.port)
        browser.register("Anna")
        replies = [answered_entry(browser, day) for _ in range(STREAMS)]
        socket = stack.enter_context(socket_of(server, browser))
        owner = browser.get(day) and browser.hidden["owner"]
        socket.send(json.dumps({"type": "watch", "day": day[3:-1], "owner": owner}))
        wait_for_words(socket)
        time.sleep(1)

        took = server.stop()
        browser.close()

    assert took < 3, f"{took:.2f} s"
    assert model.wait_for_hang_up(count=STREAMS)
    again = start(tmp_path, "--port", str(server.port), extra=extra)
    try:
        page = BrowserClient(again.port, cookies=browser.cookies).get(day).body
    finally:
        again.stop()
    for reply in replies:
        section = page[page.index(f'id="reply-{reply}"') :].partition("</section>")[0]
        assert 'data-state="interrupted"' in section
        assert len(re.sub(r"<[^>]+>", "", section.partition("data-settled")[2])) > 60
    assert "ERROR" not in server.log()
