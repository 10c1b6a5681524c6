"""Measures the speed of sixteen replies through the whole stack; `manage.py bench` has full figures.

Run it alone: anything else that runs on the machine distorts the figures.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Origin

from tests.browser_client import Visitor
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_words
from tests.server import Server, run_server

PEOPLE = [f"Person {number}" for number in range(16)]
STEADY = Script(tokens=make_words(250), rate=50)
GUSHING = Script(tokens=make_words(2000))


@pytest.fixture
def model() -> Iterator[FakeModelServer]:
    with FakeModelServer(slots=16) as server:
        yield server


@pytest.fixture
def server(tmp_path: Path, model: FakeModelServer) -> Iterator[Server]:
    with run_server(
        tmp_path, extra={"LLAMORA_MODEL_URL": model.url, "LLAMORA_REGISTRATION": "open"}
    ) as server:
        yield server


def join_all(server: Server) -> list[Visitor]:
    return [Visitor.join(server, name) for name in PEOPLE]


async def measure_rate(visitor: Visitor, tokens: int) -> float:
    """Return the tokens per second of a reply, from the first words to the end."""
    entry = visitor.write("Walked to the weir.")
    async with connect(
        f"ws://127.0.0.1:{visitor.server.port}/live/",
        origin=Origin(visitor.server.base_url),
        additional_headers={"Cookie": visitor.cookie_header},
    ) as socket:
        await socket.send(json.dumps({"type": "watch", "day": visitor.today, "owner": visitor.owner}))
        await asyncio.to_thread(visitor.respond, entry)
        first = 0.0
        while True:
            frame = json.loads(await socket.recv())
            first = first or (time.perf_counter() if "<p dir" in str(frame) else 0.0)
            if frame["type"] == "end":
                assert 'data-state="done"' in frame["html"]
                return tokens / max(time.perf_counter() - first, 1e-3)


async def measure_rates(visitors: list[Visitor], script: Script) -> list[float]:
    return await asyncio.gather(*(measure_rate(visitor, len(script.tokens)) for visitor in visitors))


@pytest.mark.slow
async def test_sixteen_steady_streams_keep_up_with_the_model(server: Server, model: FakeModelServer) -> None:
    model.manners.default = STEADY

    measured = await measure_rates(await asyncio.to_thread(join_all, server), STEADY)

    assert min(measured) >= 0.98 * STEADY.rate


@pytest.mark.slow
async def test_sixteen_gushing_streams_are_each_faster_than_anybody_reads(
    server: Server, model: FakeModelServer
) -> None:
    model.manners.default = GUSHING

    measured = await measure_rates(await asyncio.to_thread(join_all, server), GUSHING)

    assert min(measured) > 900
