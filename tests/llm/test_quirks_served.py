"""Tests of the recorded exchanges with a real server, and of cases that need a connection."""

import gzip
import json
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from functools import partial

import pytest

from llamora.llm.client import ModelServer
from llamora.llm.deltas import Delta, StreamEnd
from llamora.llm.errors import ModelError
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script
from tests.llm.recordings import PLAIN, RECORDINGS, WHOLE, Reading, dump_choice

MESSAGES = [{"role": "user", "content": "Did it rain?"}]
RAINED = Reading("It rained.", "", "stop")
# Without the time in its head, by which the names of tests would differ between processes.
pack = partial(gzip.compress, mtime=0)


def build_response(body: bytes, *headers: bytes, sized: bool = False) -> bytes:
    """Return a response whose body ends with its length, or with the connection."""
    lines = [b"HTTP/1.1 200 OK", b"Content-Type: text/event-stream", *headers]
    if sized:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@pytest.fixture(scope="module")
def upstream() -> Iterator[FakeModelServer]:
    with FakeModelServer() as server:
        yield server


@pytest.fixture
async def server(upstream: FakeModelServer) -> AsyncIterator[ModelServer]:
    upstream.forget_scripts()
    server = ModelServer(upstream.url)
    yield server
    await server.close()


async def read_reply(server: ModelServer) -> Reading:
    reading = Reading()
    try:
        async with aclosing(server.stream(MESSAGES, max_tokens=50, silence=5, limit=10)) as stream:
            async for part in stream:
                if isinstance(part, StreamEnd):
                    reading.end = part.reason
                else:
                    assert isinstance(part, Delta)
                    reading.add(part)
    except ModelError as error:
        reading.end = error.code
    return reading


@pytest.mark.parametrize("is_sized", [True, False])
async def test_every_recorded_exchange_is_read_rightly_from_a_connection(
    upstream: FakeModelServer, *, is_sized: bool
) -> None:
    for name, recording in RECORDINGS.items():
        upstream.add_scripts(
            Script(response=build_response(recording.body, sized=is_sized), chunk_size=41 if is_sized else 0)
        )
        server = ModelServer(upstream.url)

        reading = await read_reply(server)

        await server.close()
        assert (reading.text, reading.end) == (recording.text, recording.end), name
        assert not recording.thought or reading.thought == recording.thought, name


@pytest.mark.parametrize("size", [0, 1, 7])
@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"gzip", pack(PLAIN)),
        (b"GZIP", pack(PLAIN[:90]) + pack(PLAIN[90:])),
        (b"deflate", zlib.compress(PLAIN)),
        (b"identity", PLAIN),
        (b"gzip", pack(PLAIN.replace(b"It ", b"It " + b" " * 300_000))),
    ],
)
async def test_a_body_that_was_compressed_unasked_is_read(
    upstream: FakeModelServer, server: ModelServer, coding: bytes, body: bytes, size: int
) -> None:
    upstream.add_scripts(
        Script(response=build_response(body, b"Content-Encoding: " + coding, sized=True), chunk_size=size)
    )

    reading = await read_reply(server)

    assert Reading(" ".join(reading.text.split()), "", reading.end) == RAINED


async def test_a_compressed_whole_json_is_read(upstream: FakeModelServer, server: ModelServer) -> None:
    body = pack(json.dumps(WHOLE).encode())
    upstream.add_scripts(Script(response=build_response(body, b"Content-Encoding: gzip")))

    assert await read_reply(server) == Reading("It rained.", "Hm.", "stop")


@pytest.mark.parametrize(
    ("coding", "body", "code"),
    [
        (b"gzip", PLAIN, "malformed"),
        (b"br", b"\x0b\x02", "malformed"),
        (b"gzip", pack(PLAIN)[:60], "dropped"),
        (b"gzip", pack(b"x" * (64 << 20)), "malformed"),
    ],
)
async def test_a_body_that_cannot_be_decoded_is_an_error(
    upstream: FakeModelServer, server: ModelServer, coding: bytes, body: bytes, code: str
) -> None:
    upstream.add_scripts(Script(response=build_response(body, b"Content-Encoding: " + coding)))

    assert (await read_reply(server)).end == code


async def test_a_reply_ends_with_its_end_even_if_the_connection_stays_open(
    upstream: FakeModelServer, server: ModelServer
) -> None:
    body = dump_choice(content="It rained.") + b"data: [DONE]\n"
    upstream.add_scripts(Script(response=build_response(body), silent_after=0))

    assert await read_reply(server) == RAINED


async def test_a_model_that_thinks_is_remembered_with_the_room_it_needs(
    upstream: FakeModelServer, server: ModelServer
) -> None:
    await server.probe()
    assert server.offer is not None
    window = server.offer.context_window
    upstream.add_scripts(
        Script(tokens=["Tea."]),
        Script(thoughts=["hm"], tokens=["Tea."]),
        Script(thoughts=["hm"] * 3, tokens=[], finish_reason="length"),
    )

    rooms = [(await read_reply(server)).end and server.thinking_tokens for _ in range(3)]

    assert rooms == [0, min(2048, window // 4), min(8192, window // 2)]


async def test_a_server_without_a_list_of_models_is_used_for_the_model_that_is_named() -> None:
    with FakeModelServer(Script(tokens=["Tea."]), kind="bare") as bare:
        server = ModelServer(bare.url)
        with pytest.raises(ModelError) as caught:
            await server.probe()

        offer = await server.probe(named="heron")
        reading = await read_reply(server)

        await server.close()
        assert caught.value.code == "wrong_address"
        assert (offer.name, offer.models) == ("heron", ("heron",))
        assert (reading.text, bare.calls[0]["model"]) == ("Tea.", "heron")
