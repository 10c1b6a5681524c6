"""Tests of Anthropic Messages and of Ollama's own format: requests, responses and errors."""

from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from typing import Any

import pytest

from llamora.llm.client import ModelServer
from llamora.llm.deltas import Delta, StreamEnd, TokenUsage
from llamora.llm.errors import ModelError
from llamora.llm.formats.anthropic import MESSAGES
from llamora.llm.formats.ollama import CHAT
from llamora.llm.formats.registry import describe_unsupported
from llamora.llm.formats.wire_format import WireFormat
from tests.fakes.anthropic_server import FakeAnthropicServer
from tests.fakes.model_server import FakeModelServer
from tests.fakes.ollama_server import FakeOllamaServer
from tests.fakes.script import Script
from tests.llm import provider_recordings
from tests.llm.recordings import Reading, Recording, read_chunks

TURNS = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Tea."}]
TEA = Script(tokens=["Tea."])
RECORDINGS = [
    *((MESSAGES, name, one) for name, one in provider_recordings.ANTHROPIC.items()),
    *((CHAT, name, one) for name, one in provider_recordings.OLLAMA.items()),
]
IDS = [f"{wire.name}: {name}" for wire, name, _ in RECORDINGS]
FEW_CUTS = 12


def read_cut(recording: Recording, wire: WireFormat, *cuts: int) -> Reading:
    edges = [0, *cuts, len(recording.body)]
    return read_chunks((recording.body[start:end] for start, end in pairwise(edges)), wire)


# --- What is read ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wire", "name", "recording"), RECORDINGS, ids=IDS)
def test_a_recorded_exchange_is_read_rightly_whole_byte_by_byte_and_cut_at_some_bytes(
    wire: WireFormat, name: str, recording: Recording
) -> None:
    size, right = len(recording.body), Reading(recording.text, recording.thought, recording.end)

    assert read_cut(recording, wire) == right
    assert read_cut(recording, wire, *range(1, size)) == right
    for cut in range(1, size, size // FEW_CUTS + 1):
        assert read_cut(recording, wire, cut) == right, cut


@pytest.mark.extended
@pytest.mark.parametrize(("wire", "name", "recording"), RECORDINGS, ids=IDS)
def test_a_recorded_exchange_is_read_rightly_cut_at_every_byte(
    wire: WireFormat, name: str, recording: Recording
) -> None:
    size, right = len(recording.body), Reading(recording.text, recording.thought, recording.end)

    for cut in range(1, size):
        assert read_cut(recording, wire, cut) == right, cut
    for step in range(2, 40):
        assert read_cut(recording, wire, *range(step, size, step)) == right, step


# --- Over a connection ----------------------------------------------------------------------------------


@pytest.fixture
def anthropic() -> Iterator[FakeAnthropicServer]:
    with FakeAnthropicServer(model="claude-heron", context=120_000, api_key="sk-ant-x") as server:
        yield server


@pytest.fixture
def ollama() -> Iterator[FakeOllamaServer]:
    with FakeOllamaServer(model="heron:3b", also=("robin:8b",), context=32_768) as server:
        yield server


@pytest.fixture
async def claude(anthropic: FakeAnthropicServer) -> AsyncIterator[ModelServer]:
    server = ModelServer(anthropic.url, api_key="sk-ant-x", wire_format="anthropic")
    await server.probe()
    yield server
    await server.close()


@pytest.fixture
async def llama(ollama: FakeOllamaServer) -> AsyncIterator[ModelServer]:
    server = ModelServer(ollama.url, context=16_384, unload_after="10m")
    await server.probe()
    yield server
    await server.close()


async def read_parts(server: ModelServer, **options: Any) -> list[Delta | StreamEnd]:
    return [part async for part in server.stream(TURNS, **{"max_tokens": 50, **options})]


async def read_text(server: ModelServer, **options: Any) -> str:
    return "".join([part.text for part in await read_parts(server, **options) if isinstance(part, Delta)])


async def test_a_request_has_its_instructions_apart_its_key_and_its_version(
    anthropic: FakeAnthropicServer, claude: ModelServer
) -> None:
    anthropic.add_scripts(Script(thoughts=["Hm."], tokens=["Tea", "."]))

    parts = await read_parts(claude, sampling={"temperature": 0.7, "stop": ["###"], "min_p": 0.1})

    assert parts[-1] == StreamEnd("stop", TokenUsage(30, 2))
    deltas = [part for part in parts if isinstance(part, Delta)]
    assert "".join(part.text for part in deltas) == "Tea."
    assert "".join(part.thought for part in deltas) == "Hm."
    asked = anthropic.requests[-1]
    assert (asked.method, asked.path) == ("POST", "/v1/messages")
    assert asked.headers["x-api-key"] == "sk-ant-x"
    assert asked.headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in asked.headers
    assert asked.body == {
        "model": "claude-heron",
        "system": "Be kind.",
        "messages": [TURNS[1]],
        "max_tokens": 50,
        "stream": True,
        "temperature": 0.7,
        "stop_sequences": ["###"],
    }


async def test_a_service_says_its_models_and_their_windows(claude: ModelServer) -> None:
    assert claude.offer is not None
    offer = claude.offer
    assert (offer.kind, offer.models, offer.context_window) == ("Anthropic", ("claude-heron",), 120_000)


async def test_a_request_says_how_large_the_window_of_ollama_is_and_forbids_to_cut_the_prompt(
    ollama: FakeOllamaServer, llama: ModelServer
) -> None:
    ollama.add_scripts(Script(thoughts=["Hm."], tokens=["Tea", "."]))
    sampling = {"temperature": 0.7, "min_p": 0.1, "stop": ["###"], "xtc_threshold": 0.1}

    parts = await read_parts(llama, sampling={**sampling, "reasoning_effort": "low"})

    assert parts[-1] == StreamEnd("stop", TokenUsage(26, 2))
    assert ollama.requests[-1].path == "/api/chat"
    assert ollama.requests[-1].body == {
        "model": "heron:3b",
        "messages": TURNS,
        "stream": True,
        "truncate": False,
        "think": "low",
        "keep_alive": "10m",
        "options": {
            "num_ctx": 16_384,
            "num_predict": 50,
            "temperature": 0.7,
            "min_p": 0.1,
            "stop": ["###"],
        },
    }


async def test_a_window_is_no_larger_than_the_model_was_made_for(ollama: FakeOllamaServer) -> None:
    ollama.manners.context = 2048
    server = ModelServer(ollama.url, context=16_384)

    offer = await server.probe()
    await read_text(server)

    await server.close()
    assert (offer.kind, offer.wire_format, offer.context_window) == ("Ollama", "ollama", 2048)
    assert ollama.calls[-1]["options"]["num_ctx"] == 2048


async def test_ollama_is_asked_in_the_format_that_a_setting_names(ollama: FakeOllamaServer) -> None:
    server = ModelServer(ollama.url, wire_format="openai")

    offer = await server.probe()

    await server.close()
    assert (offer.kind, server.wire_format.path) == ("Ollama", "/v1/chat/completions")


@pytest.mark.parametrize(
    ("sampling", "think"),
    [
        ({"reasoning_effort": "none"}, False),
        ({"reasoning_effort": "minimal"}, "low"),
        ({"chat_template_kwargs": {"enable_thinking": False}}, False),
        ({"chat_template_kwargs": {"thinking": True}}, True),
        ({}, None),
    ],
)
async def test_ollama_is_told_whether_to_think(
    ollama: FakeOllamaServer, llama: ModelServer, sampling: dict[str, Any], think: object
) -> None:
    await read_text(llama, sampling=sampling)

    assert ollama.calls[-1].get("think") == think


SCHEMA = {"type": "object"}
CLAUDE, LLAMA = FakeAnthropicServer, FakeOllamaServer


@pytest.mark.parametrize(
    ("kind", "error", "wish", "bodies"),
    [
        (
            CLAUDE,
            "adaptive thinking is not supported on this model",
            {"sampling": {"reasoning_effort": "high"}},
            [
                {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}, "max_tokens": 50},
                {"thinking": {"type": "enabled", "budget_tokens": 8192}, "max_tokens": 8242},
            ],
        ),
        (
            CLAUDE,
            "output_config.effort: This model does not support the effort parameter.",
            {"sampling": {"reasoning_effort": "low"}},
            [
                {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
                {"thinking": {"type": "adaptive"}, "output_config": None},
            ],
        ),
        (
            CLAUDE,
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
            {"sampling": {"temperature": 0.7, "top_p": 0.9}},
            [{"temperature": 0.7, "top_p": 0.9}, {"temperature": 0.7, "top_p": None}],
        ),
        (
            CLAUDE,
            "output_config.format: Extra inputs are not permitted",
            {"schema": SCHEMA},
            [
                {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
                {"output_config": None},
            ],
        ),
        (
            LLAMA,
            '"heron:3b" does not support thinking',
            {"sampling": {"reasoning_effort": "low"}},
            [{"think": "low"}, {"think": None}],
        ),
        (
            LLAMA,
            'think value "low" is not supported for this model',
            {"sampling": {"reasoning_effort": "low"}},
            [{"think": "low"}, {"think": True}],
        ),
        (
            LLAMA,
            "invalid option provided: top_k",
            {"sampling": {"top_k": 40}},
            [
                {"options": {"num_ctx": 16_384, "num_predict": 50, "top_k": 40}},
                {"options": {"num_ctx": 16_384, "num_predict": 50}},
            ],
        ),
        (LLAMA, "invalid JSON schema in format", {"schema": SCHEMA}, [{"format": SCHEMA}, {"format": None}]),
    ],
)
async def test_a_part_that_is_refused_is_left_out_from_then_on(
    request: pytest.FixtureRequest,
    kind: type[FakeModelServer],
    error: str,
    wish: dict[str, Any],
    bodies: list[dict[str, Any]],
) -> None:
    upstream: FakeModelServer = request.getfixturevalue("anthropic" if kind is CLAUDE else "ollama")
    key, name = ("sk-ant-x", "anthropic") if kind is CLAUDE else ("", "ollama")
    server = ModelServer(upstream.url, api_key=key, wire_format=name, context=16_384)
    await server.probe()
    refusal = Script(status=400, error=error)
    (upstream.add_json_scripts if "schema" in wish else upstream.add_scripts)(refusal)
    upstream.add_scripts(TEA, TEA)

    for _ in range(2):
        await read_text(server, **wish)

    await server.close()
    asked = [one.body for one in upstream.requests if one.path == upstream.reply_path]
    first, *later = [{name: body.get(name) for name in bodies[1]} for body in asked]
    assert {name: asked[0].get(name) for name in bodies[0]} == bodies[0]
    assert first != bodies[1]
    assert later == [bodies[1]] * 2


REFUSALS = [
    (CLAUDE, 401, "invalid x-api-key", "unauthorized"),
    (CLAUDE, 402, "There's an issue with your billing", "no_credit"),
    (CLAUDE, 400, "Your credit balance is too low to access the Anthropic API.", "no_credit"),
    (CLAUDE, 400, "You have reached your specified API usage limits.", "no_credit"),
    (CLAUDE, 403, "Your API key does not have permission to use this", "unauthorized"),
    (CLAUDE, 404, "model: claude-heron", "no_such_model"),
    (CLAUDE, 413, "Request exceeds the maximum size", "too_long"),
    (CLAUDE, 400, "prompt is too long: 208310 tokens > 200000 maximum", "too_long"),
    (CLAUDE, 400, "input length and `max_tokens` exceed context limit: 199000 + 2000 > 200000", "too_long"),
    (CLAUDE, 429, "This request would exceed the rate limit of your organization", "busy"),
    (CLAUDE, 500, "Internal server error", "server_error"),
    (CLAUDE, 504, "Request timed out", "too_slow"),
    (CLAUDE, 529, "Overloaded", "busy"),
    (LLAMA, 404, "model 'heron:3b' not found", "no_such_model"),
    (LLAMA, 400, "the input length exceeds the context length", "too_long"),
    (LLAMA, 500, "model requires more system memory (9.0 GiB) than is available (3.1 GiB)", "out_of_memory"),
    (LLAMA, 503, "server busy, please try again. maximum pending requests exceeded", "busy"),
    (LLAMA, 401, "sign in to use this model", "unauthorized"),
    (LLAMA, 500, "llama runner process has terminated", "server_error"),
]


@pytest.mark.parametrize("kind", [CLAUDE, LLAMA])
async def test_each_refusal_has_its_own_code(
    request: pytest.FixtureRequest, kind: type[FakeModelServer]
) -> None:
    upstream: FakeModelServer = request.getfixturevalue("anthropic" if kind is CLAUDE else "ollama")
    server: ModelServer = ModelServer(
        upstream.url, api_key="sk-ant-x", wire_format="anthropic" if kind is CLAUDE else "ollama"
    )
    await server.probe()
    for _, status, error, code in (one for one in REFUSALS if one[0] is kind):
        upstream.add_scripts(Script(status=status, error=error))

        with pytest.raises(ModelError) as caught:
            await read_text(server)

        assert caught.value.code == code, error
        assert error not in repr(caught.value)
    await server.close()


# --- Keys -------------------------------------------------------------------------------------------------


async def test_a_key_of_ones_own_is_sent_with_ones_own_requests_alone(
    anthropic: FakeAnthropicServer, claude: ModelServer
) -> None:
    anthropic.manners.api_key = ""

    await read_text(claude.with_key(" sk-own "))
    await read_text(claude)

    sent = [one.headers["x-api-key"] for one in anthropic.requests if one.path == "/v1/messages"]
    assert sent == ["sk-own", "sk-ant-x"]


@pytest.mark.parametrize(("fake", "name"), [(CLAUDE, "anthropic"), (FakeModelServer, "auto")])
async def test_a_server_that_lists_nothing_without_a_key_is_used_for_the_model_that_is_named(
    fake: type[FakeModelServer], name: str
) -> None:
    with fake(TEA, kind="other", api_key="own") as upstream:
        server = ModelServer(upstream.url, wire_format=name)
        with pytest.raises(ModelError) as caught:
            await server.probe()

        offer = await server.probe(named="heron")
        text = await read_text(server.with_key("own"))

        await server.close()
        assert (caught.value.code, offer.models, text) == ("unauthorized", ("heron",), "Tea.")


# --- What a format does not know --------------------------------------------------------------------------


def test_what_a_format_does_not_know_is_said() -> None:
    sampling = {"temperature": 1.5, "top_k": 40, "xtc_threshold": 0.1, "reasoning_effort": "low"}

    assert describe_unsupported("openai", sampling) == ""
    assert describe_unsupported("anthropic", sampling) == (
        "The model server (Anthropic Messages) does not know these parameters, or not with these values, so "
        "they are left out: temperature, xtc_threshold."
    )
    assert describe_unsupported("ollama", sampling).endswith("so they are left out: xtc_threshold.")
    assert describe_unsupported("anthropic", {"temperature": 1, "stop": ["###"]}) == ""
