"""Tests of streamed answers: events, early ends, and streams that the caller closes."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import pytest

from llamora.client import (
    AsyncLlamora,
    AuthenticationError,
    ChatEnd,
    ChatEvent,
    ChatRestart,
    ChatStart,
    ChatText,
    Llamora,
    LlamoraError,
    Locked,
    NetworkError,
    ServerError,
    Timeout,
    UnexpectedAnswer,
)
from tests.client.scripted_api import TOKEN, Fault, ScriptedApi, build_error

START = b'event: start\ndata: {"session_id": "s1", "model": null, "sources": []}\n\n'
TEXT = 'event: token\ndata: {"text": "Grüße 🪁"}\n\n'.encode()
DONE = b'event: done\ndata: {"read_imported": true, "finish_reason": "stop"}\n\n'
EXPECTED = [
    ChatStart(session_id="s1"),
    ChatText(text="Grüße 🪁"),
    ChatEnd(finish_reason="stop", read_imported=True),
]


def read_sync(url: str, events: list[ChatEvent], **options: float) -> None:
    with Llamora(url, token=TOKEN, **options) as diary:
        for event in diary.chat_stream("When?"):
            events.append(event)


def read_async(url: str, events: list[ChatEvent], **options: float) -> None:
    async def run() -> None:
        async with AsyncLlamora(url, token=TOKEN, **options) as diary:
            async for event in diary.chat_stream("When?"):
                events.append(event)

    asyncio.run(run())


@pytest.fixture(params=[read_sync, read_async], ids=["sync", "async"])
def read(request: pytest.FixtureRequest):
    return request.param


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_stream_arrives_whole_however_it_is_split(api: ScriptedApi, read, size: int) -> None:
    whole = b": waits\n\n" + START + b"event: of_a_newer_server\ndata: {}\n\n" + TEXT + DONE
    api.add_faults(Fault(pieces=tuple(whole[place : place + size] for place in range(0, len(whole), size))))
    events: list[ChatEvent] = []

    read(api.url, events)

    assert events == EXPECTED


def test_an_answer_may_begin_again(api: ScriptedApi, read) -> None:
    restart = b"event: restart\ndata: {}\n\n"
    api.add_faults(Fault(pieces=(START, TEXT, restart, b": waiting\n\n", TEXT, DONE)))
    events: list[ChatEvent] = []

    read(api.url, events)

    assert events == [*EXPECTED[:2], ChatRestart(), *EXPECTED[1:]]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(pieces=(START, TEXT)),
        Fault(pieces=(START, TEXT[:20]), cut=1),
        Fault(pieces=(START, TEXT, DONE[:-1])),
        Fault(pieces=(START, TEXT), cut=1),
    ],
    ids=["no-end", "half-an-event", "no-blank-line", "killed"],
)
def test_an_early_end_is_an_error_behind_what_came(api: ScriptedApi, read, fault: Fault) -> None:
    api.add_faults(fault)
    events: list[ChatEvent] = []

    with pytest.raises(NetworkError):
        read(api.url, events)

    assert events == EXPECTED[: len(events)]
    assert 1 <= len(events) <= 2
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("code", "kind"), [("locked", Locked), ("busy", ServerError), ("of_a_newer_server", ServerError)]
)
def test_an_error_inside_a_stream_is_raised(
    api: ScriptedApi,
    read,
    code: str,
    kind: type[LlamoraError],
) -> None:
    error = f"event: error\ndata: {json.dumps(build_error(code, 'It ended here.'))}\n\n".encode()
    api.add_faults(Fault(pieces=(START, error)))
    events: list[ChatEvent] = []

    with pytest.raises(kind) as caught:
        read(api.url, events)

    assert (type(caught.value), caught.value.code, str(caught.value)) == (kind, code, "It ended here.")
    assert events == EXPECTED[:1]


@pytest.mark.parametrize(
    "data", [b"no json", b"[]", b'{"session_id": 7}', b"{}", b"null", b"[" * 100_000, b"x" * (5 << 20)]
)
def test_a_garbled_event_is_an_error(api: ScriptedApi, read, data: bytes) -> None:
    api.add_faults(Fault(pieces=(b"event: start\ndata: " + data + b"\n\n",)))

    with pytest.raises(UnexpectedAnswer):
        read(api.url, [])


def test_a_refused_stream_raises_its_error(api: ScriptedApi, read) -> None:
    api.is_locked = True

    with pytest.raises(Locked):
        read(api.url, [])


def test_a_page_instead_of_a_stream_is_an_error(api: ScriptedApi, read) -> None:
    api.add_faults(Fault(status=200, body=b"<html>Welcome</html>"))

    with pytest.raises(UnexpectedAnswer):
        read(api.url, [])


def test_a_silent_stream_is_a_timeout(api: ScriptedApi, read) -> None:
    api.add_faults(Fault(pieces=(START, TEXT, DONE), piece_delay=1.0))
    events: list[ChatEvent] = []

    with pytest.raises(Timeout):
        read(api.url, events, chat_timeout=0.3)

    assert events == EXPECTED[:1]


def test_a_stream_that_is_closed_ends_on_the_server(api: ScriptedApi) -> None:
    api.add_faults(Fault(pieces=(START, *[TEXT] * 2000), piece_delay=0.002))

    with Llamora(api.url, token=TOKEN) as diary:
        stream: Iterator[ChatEvent] = diary.chat_stream("When?")
        with closing(stream):
            assert next(stream) == EXPECTED[0]

    assert api.hung_up.wait(5)


def test_an_asynchronous_stream_that_is_closed_ends_on_the_server(api: ScriptedApi) -> None:
    api.add_faults(Fault(pieces=(START, *[TEXT] * 2000), piece_delay=0.002))

    async def run() -> None:
        async with AsyncLlamora(api.url, token=TOKEN) as diary:
            stream: AsyncIterator[ChatEvent] = diary.chat_stream("When?")
            async for event in stream:
                assert event == EXPECTED[0]
                break
            await stream.aclose()

    asyncio.run(run())

    assert api.hung_up.wait(5)


def test_a_stream_needs_a_token(api: ScriptedApi) -> None:
    with Llamora(api.url) as diary, pytest.raises(AuthenticationError):
        list(diary.chat_stream("When?"))
