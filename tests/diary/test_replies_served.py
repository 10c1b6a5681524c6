"""Tests of replies of a real server: over HTTP and sockets, through kills, shutdowns and time limits."""

import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from threading import Event

import pytest

from diary.rendering.markdown import render_markdown
from tests.browser_client import Visitor, get_streamed_words, read_frames_until
from tests.diary.tabs import get_reply_html
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_unending, make_words
from tests.fakes.waiting import PATIENCE, wait_for
from tests.page import HtmlNode, read
from tests.server import Server, run_server

SIX_MINUTES = 6 * 60


def open_household(model: FakeModelServer) -> dict[str, str]:
    """Return the settings of a household with open registration."""
    return {"LLAMORA_MODEL_URL": model.url, "LLAMORA_REGISTRATION": "open"}


@pytest.fixture
def server(tmp_path: Path, model: FakeModelServer) -> Iterator[Server]:
    with run_server(tmp_path, extra=open_household(model)) as server:
        yield server


def respond(visitor: Visitor) -> str:
    """Write an entry today and request a reply; return the reply's id."""
    return visitor.respond(visitor.write("Walked to the weir."))


def read_stored_size(server: Server) -> int:
    """Return the size of the only stored reply, which is padded and grows in steps."""
    with closing(sqlite3.connect(server.data_dir / "llamora.sqlite3", timeout=PATIENCE)) as database:
        return int(database.execute("SELECT max(length(text)) FROM diary_reply").fetchone()[0] or 0)


def day_page(visitor: Visitor) -> str:
    return visitor.fetch(f"/d/{visitor.today}/").body


def measure_pages(visitor: Visitor) -> list[float]:
    """Return the durations of forty page requests, in seconds."""
    taken = []
    for _ in range(40):
        began = time.perf_counter()
        day_page(visitor)
        taken.append(time.perf_counter() - began)
    return taken


def find_reply(visitor: Visitor) -> HtmlNode:
    """Return the reply on today's page."""
    return read(day_page(visitor)).one("section.reply")


def test_a_reply_streams_from_socket_to_socket(server: Server, model: FakeModelServer) -> None:
    is_watched, is_seen = Event(), Event()
    script = Script(tokens=make_words(120), first_when=is_watched, end_when=is_seen)
    model.add_scripts(script)
    visitor = Visitor.join(server, "Olive")

    with visitor.open_live_socket() as here, visitor.open_live_socket() as there:
        respond(visitor)
        came = [read_frames_until(socket, "snapshot") for socket in (here, there)]
        is_watched.set()
        for before, socket in zip(came, (here, there), strict=True):
            before.extend(read_frames_until(socket, "delta"))
        is_seen.set()
        for before, socket in zip(came, (here, there), strict=True):
            frames = [frame for frame in before + read_frames_until(socket, "end") if frame["type"] != "part"]
            assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))
            assert get_reply_html(frames[-1]["html"]) == render_markdown("".join(script.tokens))

    assert get_reply_html(find_reply(visitor).html) == render_markdown("".join(script.tokens))
    assert "weir" not in server.log()
    assert script.tokens[0] not in server.log()


def test_a_kill_leaves_the_reply_interrupted_with_what_had_come(
    tmp_path: Path, model: FakeModelServer
) -> None:
    script = make_unending(rate=60)
    model.add_scripts(script)
    extra = open_household(model)
    with run_server(tmp_path, extra=extra) as before:
        visitor = Visitor.join(before, "Olive")
        reply = respond(visitor)
        visitor.wait_for_words(reply, 60)
        # What has come is written every second: twice after these words, and they are in it.
        for _ in range(2):
            written = read_stored_size(before)
            wait_for(lambda written=written: read_stored_size(before) > written)  # type: ignore[misc]
        before.kill()

    with run_server(tmp_path, extra=extra) as after:
        visitor.move_to(after)
        section = find_reply(visitor)

    said = " ".join(get_streamed_words(section))
    assert section.get("data-state") == "interrupted"
    assert "Llamora stopped" in section.text
    assert len(said.split()) > 30
    assert " ".join("".join(script.tokens).split()).startswith(said)


# `tests/ops/test_shutdown.py` has the same of four replies of one person.
@pytest.mark.slow
def test_an_orderly_end_keeps_everything_that_came(tmp_path: Path, model: FakeModelServer) -> None:
    script = Script(tokens=make_words(900), rate=60)
    model.add_scripts(*[script] * 4)
    extra = open_household(model)
    with run_server(tmp_path, extra=extra) as before, ExitStack() as stack:
        visitors = [Visitor.join(before, name) for name in ("Olive", "Humphrey", "Ines", "Tom")]
        for visitor in visitors:
            stack.enter_context(visitor.open_live_socket())
        for visitor, reply in [(visitor, respond(visitor)) for visitor in visitors]:
            visitor.wait_for_words(reply, 25)

        took = before.stop(signal_number=signal.SIGTERM)

    assert took < 10  # the replies would go on for a quarter of a minute
    assert model.wait_for_hang_up(count=4)
    with run_server(tmp_path, extra=extra) as after:
        for visitor in visitors:
            visitor.move_to(after)
            section = find_reply(visitor)
            assert section.get("data-state") == "interrupted"
            assert "was closed" in section.text
            # Not only up to the last full second: the end writes what is there.
            assert len(get_streamed_words(section)) >= 20


@pytest.mark.slow
def test_somebody_elses_stream_does_not_slow_a_page(server: Server, model: FakeModelServer) -> None:
    model.add_scripts(*[Script(tokens=make_words(60), rate=20)] * 4)
    *writers, reader = [Visitor.join(server, name) for name in ("Olive", "Humphrey", "Ines", "Tom")]
    alone = median(measure_pages(reader))

    with ExitStack() as stack:
        sockets = [stack.enter_context(writer.open_live_socket()) for writer in writers]
        for writer in writers:
            respond(writer)
        beside = median(measure_pages(reader))
        for socket in sockets:
            read_frames_until(socket, "end")

    # Another program on the machine slows both.
    assert beside < max(0.1, 3 * alone)


@pytest.mark.slow
def test_no_framework_cuts_a_stream_of_six_minutes(server: Server, model: FakeModelServer) -> None:
    count = SIX_MINUTES * 2
    script = Script(tokens=make_words(count), rate=2)
    model.add_scripts(script)
    visitor = Visitor.join(server, "Olive")

    with visitor.open_live_socket() as socket:
        began = time.monotonic()
        respond(visitor)
        frames = read_frames_until(socket, "end", seconds=60)

    assert time.monotonic() - began > SIX_MINUTES - 5
    assert 'data-state="done"' in frames[-1]["html"]
    assert get_reply_html(frames[-1]["html"]) == render_markdown("".join(script.tokens))
