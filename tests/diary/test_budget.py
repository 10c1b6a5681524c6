"""Tests of the token budget: prompt, thinking and reply fit into the context window together."""

import pytest
from pytest_django.fixtures import Settings

from diary.generation.budget import SPARE_TOKENS, get_token_budget
from llamora.llm.client import ModelServer
from llamora.llm.probe import ServerCapabilities
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script

MESSAGES = [{"role": "user", "content": "Tea."}]


async def build_server(url: str, *, window: int, replies: int) -> ModelServer:
    """Return a server with this window, after some replies."""
    server = ModelServer(url)
    server.offer = ServerCapabilities(kind="other", models=("heron",), context_window=window)
    for _ in range(replies):
        async for _part in server.stream(MESSAGES, max_tokens=9):
            pass
    await server.close()
    return server


@pytest.mark.parametrize("window", [512, 2048, 4096, 32_768])
@pytest.mark.parametrize("share", [1.0, 0.4])
async def test_a_model_that_thinks_gets_room_beside_its_reply(
    window: int, share: float, settings: Settings
) -> None:
    with FakeModelServer(default=Script(thoughts=["hm"], tokens=["Tea."])) as upstream:
        unknown = get_token_budget(await build_server(upstream.url, window=window, replies=0), share=share)
        known = get_token_budget(await build_server(upstream.url, window=window, replies=1), share=share)

    assert (unknown.thinking, known.output) == (0, unknown.output)
    assert known.thinking == int(min(2048, window // 4) * share)
    for budget in (unknown, known):
        assert sum(budget) + SPARE_TOKENS == int(window * share)
        assert budget.prompt > 0
