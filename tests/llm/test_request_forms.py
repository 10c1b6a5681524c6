"""Tests that parameters which a server refuses are left out, and that this is remembered."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from llamora.llm.client import ModelServer
from llamora.llm.deltas import Delta
from llamora.llm.errors import ModelError
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script

MESSAGES = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Tea."}]
TEA = Script(tokens=["Tea."])
WITHOUT_LIMIT = (
    "Unsupported parameter: 'max_tokens' is not supported with this model. "
    "Use 'max_completion_tokens' instead."
)
NO_SYSTEM = "System role not supported"


@pytest.fixture
def upstream() -> Iterator[FakeModelServer]:
    with FakeModelServer(kind="other", model="heron", also=("robin",)) as server:
        yield server


@pytest.fixture
async def server(upstream: FakeModelServer) -> AsyncIterator[ModelServer]:
    server = ModelServer(upstream.url)
    await server.probe()
    yield server
    await server.close()


async def read_reply(server: ModelServer, **options: Any) -> str:
    stream = server.stream(MESSAGES, max_tokens=50, **options)
    return "".join([part.text async for part in stream if isinstance(part, Delta)])


@pytest.mark.parametrize(
    ("status", "error", "missing", "present"),
    [
        (400, WITHOUT_LIMIT, "max_tokens", {"max_completion_tokens": 50}),
        (422, '[{"type":"extra_forbidden","loc":["body","stream_options"]}]', "stream_options", {}),
        (400, "Unsupported value: 'temperature' does not support 0.7 with this model.", "temperature", {}),
        (400, "This response_format type is unavailable now", "response_format", {}),
    ],
)
async def test_a_part_that_is_refused_is_left_out_from_then_on(
    upstream: FakeModelServer,
    server: ModelServer,
    status: int,
    error: str,
    missing: str,
    present: dict[str, int],
) -> None:
    schema = {"type": "object"}
    # With a schema, the fake takes its scripts from another queue.
    wish: dict[str, Any] = {"sampling": {"temperature": 0.7}} | (
        {"schema": schema} if missing == "response_format" else {}
    )
    refusal = Script(status=status, error=error)
    add = upstream.add_json_scripts if "schema" in wish else upstream.add_scripts
    add(refusal)
    upstream.add_scripts(TEA, TEA)

    assert [await read_reply(server, **wish) for _ in range(2)] == ["Tea.", "Tea."]

    refused, *accepted = [*upstream.asked_for_json, *upstream.calls]
    assert missing in refused
    assert len(accepted) == 2
    for body in accepted:
        assert missing not in body
        assert present.items() <= body.items()
        assert body["messages"] == MESSAGES


@pytest.mark.parametrize(
    "error",
    [
        NO_SYSTEM,
        "Only user and assistant roles are supported!",
        "Conversation roles must alternate user/assistant/user/assistant/...",
        "Developer instruction is not enabled for models/gemma-3-27b-it",
    ],
)
@pytest.mark.parametrize("status", [400, 500])
async def test_instructions_go_before_the_message_where_there_is_no_system_role(
    upstream: FakeModelServer, server: ModelServer, error: str, status: int
) -> None:
    upstream.add_scripts(Script(status=status, error=error), TEA, TEA)

    assert [await read_reply(server) for _ in range(2)] == ["Tea.", "Tea."]

    assert [body["messages"] for body in upstream.calls] == [
        MESSAGES,
        *[[{"role": "user", "content": "Be kind.\n\nTea."}]] * 2,
    ]


SEVERAL = {"temperature": 0.7, "top_k": 40, "stop": ["###"], "repeat_penalty": 1.1}


@pytest.mark.parametrize(
    ("status", "error", "missing"),
    [
        (400, "Unrecognized request argument supplied: top_k", ["top_k"]),
        (400, "Unknown parameter: 'repeat_penalty'.", ["repeat_penalty"]),
        (400, "temperature must be between 0 and 0.5", ["temperature"]),
        (
            422,
            '[{"loc":["body","top_k"]},{"loc":["body","repetition_penalty"]},{"loc":["body","stop"]}]',
            ["repetition_penalty", "stop", "top_k"],
        ),
    ],
)
async def test_parameters_that_are_refused_are_left_out_with_that_value(
    upstream: FakeModelServer, server: ModelServer, status: int, error: str, missing: list[str]
) -> None:
    upstream.add_scripts(Script(status=status, error=error), TEA, TEA, TEA)
    other = {**SEVERAL, "temperature": 0.3, "top_k": 9, "stop": ["User:"], "repeat_penalty": 1.2}

    for sampling in (SEVERAL, SEVERAL, other):
        assert await read_reply(server, sampling=sampling) == "Tea."

    wanted = {*SEVERAL, "repetition_penalty"}
    sent = [sorted(wanted - body.keys()) for body in upstream.calls]
    # Another value is tried: it may be of another person, and within the server's range.
    assert sent == [[], missing, missing, []]


async def test_a_model_that_cannot_think_is_not_told_how_much(
    upstream: FakeModelServer, server: ModelServer
) -> None:
    upstream.add_scripts(Script(status=400, error='"heron" does not support thinking'), TEA)

    assert await read_reply(server, sampling={"reasoning_effort": "low", "min_p": 0.1}) == "Tea."

    assert ["reasoning_effort" in body for body in upstream.calls] == [True, False]
    assert [body["min_p"] for body in upstream.calls] == [0.1, 0.1]


async def test_what_did_not_help_is_not_remembered(upstream: FakeModelServer, server: ModelServer) -> None:
    error = Script(status=400, error="The model had to stop.")
    upstream.add_scripts(error, error, TEA)

    with pytest.raises(ModelError):
        await read_reply(server, sampling=SEVERAL)
    assert await read_reply(server, sampling=SEVERAL) == "Tea."

    assert ["stop" in body for body in upstream.calls] == [True, False, True]


async def test_several_parts_are_left_out_one_after_another(
    upstream: FakeModelServer, server: ModelServer
) -> None:
    upstream.add_scripts(Script(status=400, error=NO_SYSTEM), Script(status=400, error=WITHOUT_LIMIT), TEA)

    assert await read_reply(server) == "Tea."

    assert len(upstream.calls) == 3
    assert (len(upstream.calls[2]["messages"]), "max_tokens" in upstream.calls[2]) == (1, False)


async def test_a_form_belongs_to_its_model(upstream: FakeModelServer, server: ModelServer) -> None:
    upstream.add_scripts(Script(status=400, error=WITHOUT_LIMIT), TEA, TEA)
    await read_reply(server)

    await read_reply(server.with_model("robin"))

    assert ["max_tokens" in body for body in upstream.calls] == [True, False, True]


async def test_a_server_that_goes_on_refusing_is_not_asked_for_ever(
    upstream: FakeModelServer, server: ModelServer
) -> None:
    upstream.add_scripts(*[Script(status=400, error=NO_SYSTEM)] * 9)

    with pytest.raises(ModelError) as caught:
        await read_reply(server)

    assert caught.value.code == "server_error"
    assert len(upstream.calls) == 2


async def test_a_prompt_that_is_too_long_is_no_matter_of_its_form(
    upstream: FakeModelServer, server: ModelServer
) -> None:
    error = (
        "'max_tokens' or 'max_completion_tokens' is too large. This model's maximum context length is 4096."
    )
    upstream.add_scripts(Script(status=400, error=error))

    with pytest.raises(ModelError) as caught:
        await read_reply(server)

    assert caught.value.code == "too_long"
    assert len(upstream.calls) == 1
