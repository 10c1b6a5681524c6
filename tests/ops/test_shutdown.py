"""Tests of a shutdown during replies: fast, without losing received text."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.browser_client import Visitor
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_words
from tests.page import read
from tests.server import start

STREAMS = 4


@pytest.fixture
def model() -> Iterator[FakeModelServer]:
    """A model server whose replies last a minute."""
    with FakeModelServer(default=Script(tokens=make_words(1800), rate=30), slots=STREAMS) as model:
        yield model


def test_a_server_ends_at_once_while_replies_stream_and_keeps_what_came(
    tmp_path: Path, model: FakeModelServer
) -> None:
    extra = {"LLAMORA_REGISTRATION": "open", "LLAMORA_MODEL_URL": model.url}
    server = start(tmp_path, extra=extra)
    day = datetime.now(UTC).date().isoformat()
    with ExitStack() as stack:
        stack.callback(server.process.kill)
        browser = Visitor.join(server, "Anna")
        replies = [browser.respond(browser.write("A walk in the rain.")) for _ in range(STREAMS)]
        stack.enter_context(browser.open_live_socket())
        for reply in replies:
            browser.wait_for_words(reply, 20)

        took = server.stop()

    assert took < 10, f"{took:.2f} s"
    assert model.wait_for_hang_up(count=STREAMS)
    again = start(tmp_path, "--port", str(server.port), extra=extra)
    try:
        browser.move_to(again)
        page = read(browser.get(f"/d/{day}/"))
    finally:
        again.stop()
    for reply in replies:
        section = page.one(f"#reply-{reply}")
        assert section.get("data-state") == "interrupted"
        assert len(" ".join(section.texts("[data-settled], [data-tail]"))) > 60
    assert "ERROR" not in server.log()
