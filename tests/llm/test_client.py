"""Tests of the client against a real server on a socket: each failure has its own code."""

import asyncio
import logging
import socket
import threading
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import pytest

from llamora.llm.client import ModelServer
from llamora.llm.deltas import Delta, StreamEnd, TokenUsage
from llamora.llm.errors import ModelError
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_words

SECRET = "xyzzy-what-I-wrote"
TURNS = [{"role": "user", "content": SECRET}]


@pytest.fixture
def upstream() -> Iterator[FakeModelServer]:
    with FakeModelServer() as server:
        yield server


@pytest.fixture
async def server(upstream: FakeModelServer) -> AsyncIterator[ModelServer]:
    server = ModelServer(upstream.url)
    yield server
    await server.close()


async def get_reply(
    server: ModelServer, *, silence: float = 5.0, limit: float = 5.0
) -> tuple[str, str, StreamEnd]:
    """Return the whole reply."""
    text = thought = ""
    async for part in server.stream(TURNS, max_tokens=500, silence=silence, limit=limit):
        if isinstance(part, StreamEnd):
            return text, thought, part
        text += part.text
        thought += part.thought
    raise AssertionError("a stream ended without its finish")


async def get_error(server: ModelServer, *, silence: float = 5.0, limit: float = 5.0) -> ModelError:
    """Return the error at the end of a reply, after checking that it contains no secret."""
    with pytest.raises(ModelError) as caught:
        await get_reply(server, silence=silence, limit=limit)
    error = caught.value
    assert str(error) == error.code
    assert error.__suppress_context__ or error.__context__ is None
    assert SECRET not in repr(error) + "".join(traceback.format_exception(error))
    return error


async def test_a_reply_is_streamed_whole(upstream: FakeModelServer, server: ModelServer) -> None:
    upstream.add_scripts(Script(tokens=make_words(300), thoughts=["so ", "it ", "rained"]))

    text, thought, finish = await get_reply(server)

    assert text == "".join(make_words(300))
    assert thought == "so it rained"
    assert finish == StreamEnd("stop", TokenUsage(7, 300))


async def test_what_is_sent_is_what_was_asked_and_no_more(
    upstream: FakeModelServer, server: ModelServer
) -> None:
    await get_reply(server)

    (body,) = upstream.calls
    assert body["messages"] == TURNS
    assert (body["stream"], body["max_tokens"]) == (True, 500)
    assert "temperature" not in body


@dataclass
class Lone:
    """A script whose thinking ends without having begun; the rest follows once that was read."""

    is_read: Event = field(default_factory=Event)

    @property
    def script(self) -> Script:
        tokens = ["perhaps ", "rain", "</think>", "It ", "rained."]
        return Script(tokens=tokens, rest_after=2, rest_when=self.is_read)


async def list_texts(server: ModelServer, lone: Lone | None = None) -> list[str]:
    """Return the text of each delta of a reply, with retractions marked."""
    deltas = []
    async for part in server.stream(TURNS, max_tokens=500):
        if isinstance(part, Delta):
            deltas.append(part)
            if lone:
                lone.is_read.set()
    return [f"{'-' if delta.withdraw else ''}{delta.text}" for delta in deltas]


async def test_a_template_that_opens_the_thinking_is_known_from_the_first_reply_on() -> None:
    lone = Lone()
    with FakeModelServer(lone.script, opens="<think>\n") as upstream:
        server = ModelServer(upstream.url)
        await server.probe()

        came = await list_texts(server, lone)

        await server.close()
    assert "".join(came) == "It rained."


async def test_a_server_that_does_not_tell_of_its_template_is_found_out_once() -> None:
    lones = [Lone(), Lone(), None, Lone()]
    scripts = [lone.script if lone else Script(tokens=["Tea."]) for lone in lones]
    with FakeModelServer(*scripts, kind="Ollama") as upstream:
        server = ModelServer(upstream.url)
        await server.probe()

        first, *others = [await list_texts(server, lone) for lone in lones]

        await server.close()
    assert "perhaps" in "".join(first)
    assert ["".join(came) for came in others[:2]] == ["It rained.", "Tea."]
    # One that did not think first is no more held to it.
    assert "perhaps" in "".join(others[2])


async def test_half_a_character_in_what_is_sent_harms_nobody(
    upstream: FakeModelServer, server: ModelServer
) -> None:
    turns = [{"role": "user", "content": "rain \ud83c 雨"}]

    async with aclosing(server.stream(turns, max_tokens=9)) as stream:
        await anext(stream)

    assert upstream.calls[0]["messages"][0]["content"] == "rain ? 雨"


async def test_deltas_come_as_the_server_sends_them(upstream: FakeModelServer, server: ModelServer) -> None:
    has_come = threading.Event()
    upstream.add_scripts(Script(tokens=make_words(6), rest_after=2, rest_when=has_come))
    texts = []

    async for part in server.stream(TURNS, max_tokens=9):
        if isinstance(part, Delta):
            texts.append(part.text)
            if "".join(texts) == "".join(make_words(2)):
                # Only now does the server send the rest.
                has_come.set()

    assert has_come.is_set()
    assert "".join(texts) == "".join(make_words(6))


async def test_a_character_split_across_reads_is_whole(
    upstream: FakeModelServer, server: ModelServer
) -> None:
    upstream.add_scripts(Script(tokens=["雨が", "降る ", "🌧️", "é"], chunk_size=3))

    assert (await get_reply(server))[0] == "雨が降る 🌧️é"


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (Script(status=401, error="Invalid API Key"), "unauthorized"),
        (Script(status=403), "unauthorized"),
        (Script(status=404, error="model 'x' not found, try pulling it first"), "no_such_model"),
        (Script(status=404, error="File Not Found"), "wrong_address"),
        (Script(status=503, error="Loading model"), "loading"),
        (Script(status=500), "server_error"),
        (Script(status=418), "server_error"),
        (Script(status=429), "busy"),
        (Script(status=400, error="request exceeds the available context size"), "too_long"),
        (Script(status=413), "too_long"),
        (Script(malformed_after=3), "malformed"),
        (Script(error_after=3), "server_error"),
        (Script(drop_after=3), "dropped"),
        (Script(drop_after=0), "dropped"),
        (Script(no_end=True, tokens=["so"]), "dropped"),
        (Script(endless=True, tokens=["la ", "le "]), "repetition"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_each_failure_has_its_own_code(
    upstream: FakeModelServer, server: ModelServer, script: Script, code: str
) -> None:
    upstream.add_scripts(script)

    assert (await get_error(server)).code == code
    # The server is no worse for it.
    assert (await get_reply(server))[0]


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (Script(silent_after=3), "silent"),
        (Script(silent_after=0, thoughts=["so "]), "silent"),
        (Script(silent_after=0), "too_slow"),
        (Script(headers_after=60), "too_slow"),
        (Script(first_after=60), "too_slow"),
    ],
)
async def test_silence_is_an_error_and_ends_the_upstream_work(
    upstream: FakeModelServer, server: ModelServer, script: Script, code: str
) -> None:
    upstream.add_scripts(script)

    assert (await get_error(server, silence=0.7)).code == code
    assert await asyncio.to_thread(upstream.wait_for_hang_up)


async def test_a_reply_without_end_meets_the_time_limit(
    upstream: FakeModelServer, server: ModelServer
) -> None:
    upstream.add_scripts(Script(tokens=make_words(9999), rate=200))

    assert (await get_error(server, limit=0.3)).code == "time_limit"
    assert await asyncio.to_thread(upstream.wait_for_hang_up)


async def test_nobody_listening_is_a_refused_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    assert (await get_error(ModelServer(f"http://127.0.0.1:{port}"))).code == "refused_connection"


async def test_what_came_before_a_drop_was_given(upstream: FakeModelServer, server: ModelServer) -> None:
    upstream.add_scripts(Script(tokens=make_words(50), drop_after=20))
    came: list[str] = []

    async def listen() -> None:
        async for part in server.stream(TURNS, max_tokens=9):
            came.append(part.text if isinstance(part, Delta) else "")

    with pytest.raises(ModelError):
        await listen()

    assert "".join(came) == "".join(make_words(20))


async def test_stopping_closes_the_connection(upstream: FakeModelServer, server: ModelServer) -> None:
    upstream.add_scripts(Script(tokens=make_words(9999), rate=100))

    async with aclosing(server.stream(TURNS, max_tokens=9)) as stream:
        await anext(stream)

    assert await asyncio.to_thread(upstream.wait_for_hang_up)


async def test_cancelling_closes_the_connection(upstream: FakeModelServer, server: ModelServer) -> None:
    upstream.add_scripts(Script(silent_after=1))
    task = asyncio.create_task(get_reply(server))
    await asyncio.to_thread(upstream.wait_for_calls, 1)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await asyncio.to_thread(upstream.wait_for_hang_up)


async def test_a_connection_is_used_again(upstream: FakeModelServer, server: ModelServer) -> None:
    for _ in range(3):
        await get_reply(server)

    assert upstream.connections == 1


async def test_a_kept_connection_that_died_meanwhile_does_no_harm(
    server: ModelServer, upstream: FakeModelServer
) -> None:
    await get_reply(server)
    upstream.close_idle()

    assert (await get_reply(server))[0]


async def test_sixteen_streams_at_once_are_each_whole(upstream: FakeModelServer, server: ModelServer) -> None:
    upstream.add_scripts(*(Script(tokens=[f"{place} ", *make_words(200)]) for place in range(16)))

    replies = await asyncio.gather(*(get_reply(server) for _ in range(16)))

    assert {reply[0] for reply in replies} == {f"{place} " + "".join(make_words(200)) for place in range(16)}


async def test_nothing_that_is_sent_or_received_is_logged(
    upstream: FakeModelServer, server: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    upstream.add_scripts(
        Script(tokens=["answer-", "plugh"]), Script(status=400, error=f"cannot read {SECRET}")
    )

    await get_reply(server)
    await get_error(server)

    assert SECRET not in caplog.text
    assert "plugh" not in caplog.text


async def test_a_redirect_is_not_followed(upstream: FakeModelServer) -> None:
    with FakeModelServer(redirect=f"{upstream.url}/v1/chat/completions") as liar:
        error = await get_error(ModelServer(liar.url))

    assert error.code == "wrong_address"
    assert upstream.requests == []


async def test_proxies_of_the_environment_are_ignored(
    upstream: FakeModelServer, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert (await get_reply(server))[0]


async def test_the_key_goes_to_the_server() -> None:
    with FakeModelServer(api_key="sesame") as guarded:
        wrong = await get_error(ModelServer(guarded.url, api_key="simsim"))
        text, _, _ = await get_reply(ModelServer(guarded.url, api_key="sesame"))

    assert wrong.code == "unauthorized"
    assert text


async def test_failures_of_replies_are_told_and_stops_are_not(upstream: FakeModelServer) -> None:
    heard: list[str] = []
    server = ModelServer(upstream.url, on_failure=lambda error: heard.append(error.code))
    upstream.add_scripts(Script(status=503), Script(rate=50))

    await get_error(server)
    async with aclosing(server.stream(TURNS, max_tokens=9)) as stream:
        await anext(stream)

    assert heard == ["loading"]


@pytest.mark.parametrize(
    ("kind", "window", "slots"),
    [
        ("llama.cpp", 2048, 3),
        ("Ollama", 2048, 1),
        ("LM Studio", 2048, 1),
        ("vLLM", 2048, 4),
        ("other", 4096, 1),
    ],
)
async def test_a_probe_tells_what_is_offered(kind: str, window: int, slots: int) -> None:
    with FakeModelServer(kind=kind, model="heron", context=2048, slots=3) as upstream:
        offer = await ModelServer(upstream.url).probe()

    assert (offer.kind, offer.name, offer.context_window, offer.slots) == (kind, "heron", window, slots)


@pytest.mark.parametrize(
    ("manners", "code"),
    [
        ({"api_key": "x"}, "unauthorized"),
        ({"loading": True}, "loading"),
        ({"redirect": "/x"}, "wrong_address"),
    ],
)
async def test_a_probe_fails_with_a_code(manners: dict[str, Any], code: str) -> None:
    with FakeModelServer(**manners) as upstream, pytest.raises(ModelError) as caught:
        await ModelServer(upstream.url).probe()

    assert caught.value.code == code


async def test_tokens_are_counted_by_the_server_that_can(server: ModelServer) -> None:
    before = await server.count_tokens("雨が")
    await server.probe()

    assert (before, await server.count_tokens("雨が")) == (6, 2)
    assert await server.count_message_tokens([{"role": "user", "content": "tea"}]) == len("user: tea\n") + 1
