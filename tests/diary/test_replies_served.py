"""Replies of a real server: through its port and its socket, over kills, ends and framework time limits."""

import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from diary.rendering.markdown import render_markdown
from tests.diary.household import Visitor, frames_until
from tests.diary.tabs import words_of
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, words
from tests.server import Server, running

SIX_MINUTES = 6 * 60
_SECTION = re.compile(r'<section class="reply".*?</section>', re.DOTALL)


@pytest.fixture
def model() -> Iterator[FakeModelServer]:
    with FakeModelServer() as server:
        yield server


@pytest.fixture
def server(tmp_path: Path, model: FakeModelServer) -> Iterator[Server]:
    with running(tmp_path, extra={"LLAMORA_MODEL_URL": model.url}) as server:
        yield server


def reply_on(page: str) -> str:
    found = _SECTION.search(page)
    assert found, "no reply on the page"
    return found[0]


def plain(html: str) -> str:
    """Words only, to compare with what the model said."""
    return " ".join(re.sub("<[^>]+>", " ", html).split())


def test_a_reply_streams_from_socket_to_socket(server: Server, model: FakeModelServer) -> None:
    script = Script(tokens=words(120), rate=150)
    model.next(script)
    (visitor,) = Visitor.move_in(server, "Olive")

    with visitor.socket() as here, visitor.socket() as there:
        visitor.respond()
        for socket in (here, there):
            frames = frames_until(socket, "end")
            assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))
            assert words_of(frames[-1]["html"]) == render_markdown("".join(script.tokens))

    assert words_of(reply_on(visitor.page())) == render_markdown("".join(script.tokens))
    assert "weir" not in server.log()
    assert script.tokens[0] not in server.log()


def test_a_kill_leaves_the_reply_interrupted_with_what_had_come(
    tmp_path: Path, model: FakeModelServer
) -> None:
    script = Script(tokens=words(900), rate=60)
    model.next(script)
    extra = {"LLAMORA_MODEL_URL": model.url}
    with running(tmp_path, extra=extra) as before:
        (visitor,) = Visitor.move_in(before, "Olive")
        with visitor.socket() as socket:
            visitor.respond()
            frames_until(socket, "delta")
            time.sleep(2.5)
            before.kill()

    with running(tmp_path, extra=extra) as after:
        visitor.server = after
        section = reply_on(visitor.page())

    said = plain(words_of(section))
    assert 'data-state="interrupted"' in section
    assert "Llamora ended" in section
    assert len(said.split()) > 30
    assert " ".join("".join(script.tokens).split()).startswith(said)


def test_an_orderly_end_keeps_everything_that_came(tmp_path: Path, model: FakeModelServer) -> None:
    script = Script(tokens=words(900), rate=60)
    model.next(*[script] * 4)
    extra = {"LLAMORA_MODEL_URL": model.url}
    with running(tmp_path, extra=extra) as before, ExitStack() as stack:
        visitors = Visitor.move_in(before, "Olive", "Humphrey", "Ines", "Tom")
        sockets = [stack.enter_context(visitor.socket()) for visitor in visitors]
        for visitor in visitors:
            visitor.respond()
        for socket in sockets:
            frames_until(socket, "delta")
        time.sleep(0.5)

        took = before.stop(signal_number=signal.SIGTERM)

    assert took < 3
    assert model.wait_for_hang_up(count=4)
    with running(tmp_path, extra=extra) as after:
        for visitor in visitors:
            visitor.server = after
            section = reply_on(visitor.page())
            assert 'data-state="interrupted"' in section
            assert "was closed" in section
            # Not only up to the last full second: the end writes what is there.
            assert len(plain(words_of(section)).split()) >= 20


def test_somebody_elses_stream_does_not_slow_a_page(server: Server, model: FakeModelServer) -> None:
    model.next(*[Script(tokens=words(60), rate=20)] * 4)
    *writers, reader = Visitor.move_in(server, "Olive", "Humphrey", "Ines", "Tom")
    reader.page()

    with ExitStack() as stack:
        sockets = [stack.enter_context(writer.socket()) for writer in writers]
        for writer in writers:
            writer.respond()
        taken = []
        for _ in range(40):
            began = time.perf_counter()
            reader.page()
            taken.append(time.perf_counter() - began)
        for socket in sockets:
            frames_until(socket, "end")

    assert sorted(taken)[len(taken) // 2] < 0.1


@pytest.mark.slow
def test_no_framework_cuts_a_stream_of_six_minutes(server: Server, model: FakeModelServer) -> None:
    count = SIX_MINUTES * 2
    script = Script(tokens=words(count), rate=2)
    model.next(script)
    (visitor,) = Visitor.move_in(server, "Olive")

    with visitor.socket() as socket:
        began = time.monotonic()
        visitor.respond()
        frames = frames_until(socket, "end", seconds=60)

    assert time.monotonic() - began > SIX_MINUTES - 5
    assert 'data-state="done"' in frames[-1]["html"]
    assert words_of(frames[-1]["html"]) == render_markdown("".join(script.tokens))
