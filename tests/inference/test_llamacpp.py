"""Tests of a real llama.cpp in a child process: streaming, token counts, restarts, shutdown.

The default run uses random weights, other runs a real model.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llamora.inference import llamacpp
from llamora.inference.llamacpp import LlamaCppAddress, LlamaCppProcess
from llamora.llm.client import ModelServer
from llamora.llm.deltas import Delta, StreamEnd
from llamora.llm.errors import ModelError
from tests.fakes.tiny_model import WIDE_WINDOW
from tests.fakes.waiting import PATIENCE, until
from tests.fakes.word_schema import ENDLESS

TURNS = [{"role": "user", "content": "the day was quiet, 雨"}]
QUESTION = [{"role": "user", "content": "What is the capital of France? Answer in one word."}]
LIKELIEST = {"temperature": 0}
ROOT = Path(__file__).resolve().parents[2]


def run_child(child: LlamaCppProcess) -> LlamaCppAddress:
    assert child.serving is not None
    return child.serving


def get_status(address: str, *, key: str) -> int:
    """Return the HTTP status of a page."""
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def is_alive(pid: int) -> bool:
    """Return whether that process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


with_both_models = pytest.mark.parametrize(
    "model_file", ["tiny_model", pytest.param("small_model", marks=pytest.mark.extended)], indirect=True
)


@pytest.fixture
def window() -> int:
    return 1024


@pytest.fixture
async def child(model_file: Path, window: int) -> AsyncIterator[LlamaCppProcess]:
    child = LlamaCppProcess(model_file, context=window, parallel=2, on_change=lambda: None, threads=1)
    child.start()
    await until(lambda: child.serving is not None, seconds=60)
    yield child
    await child.close()


@pytest.fixture
async def server(child: LlamaCppProcess) -> AsyncIterator[ModelServer]:
    server = ModelServer(run_child(child).address, api_key=run_child(child).key)
    await server.probe()
    yield server
    await server.close()


async def test_it_offers_what_was_asked_for(server: ModelServer) -> None:
    offer = server.offer

    assert offer is not None
    assert (offer.kind, offer.name, offer.context_window, offer.slots) == ("llama.cpp", "tiny", 1024, 2)


async def test_a_reply_is_streamed_and_its_prompt_counted(server: ModelServer) -> None:
    parts = [part async for part in server.stream(TURNS, max_tokens=40)]

    *deltas, finish = parts
    assert all(isinstance(delta, Delta) for delta in deltas)
    assert isinstance(finish, StreamEnd)
    assert finish.usage is not None
    assert finish.usage.prompt == await server.count_message_tokens(TURNS)
    assert 0 < finish.usage.reply <= 40
    assert await server.count_tokens("the day") > 0


@pytest.mark.extended
@pytest.mark.parametrize("model_file", ["small_model"], indirect=True)
async def test_a_real_model_answers_a_question(server: ModelServer) -> None:
    parts = [part async for part in server.stream(QUESTION, max_tokens=40, sampling=LIKELIEST)]

    *deltas, finish = parts
    assert "Paris" in "".join(part.text for part in deltas if isinstance(part, Delta))
    assert isinstance(finish, StreamEnd)
    assert finish.reason == "stop"
    assert server.offer is not None
    assert server.offer.find_parameters(server.offer.name) == 134_515_008


@with_both_models
async def test_an_answer_keeps_to_the_schema_it_was_asked_in(server: ModelServer) -> None:
    # Only words that are given: not every free text of a random model does llama.cpp itself read back.
    word = {"enum": ["weir", "mill", "雨"]}
    several = {"type": "array", "items": word, "minItems": 2, "maxItems": 4}
    schema = {"type": "object", "properties": {"a": word, "b": several}, "required": ["a", "b"]}

    stream = server.stream(TURNS, max_tokens=600, schema=schema | {"additionalProperties": False})
    found = json.loads("".join([part.text async for part in stream if isinstance(part, Delta)]))

    assert found.keys() == {"a", "b"}
    assert 2 <= len(found["b"]) <= 4
    assert {found["a"], *found["b"]} <= set(word["enum"])


async def test_a_prompt_beyond_the_window_is_too_long(server: ModelServer) -> None:
    with pytest.raises(ModelError) as caught:
        await anext(server.stream([{"role": "user", "content": "雨" * 1000}], max_tokens=9))

    assert caught.value.code == "too_long"


@pytest.mark.parametrize(("model_file", "window"), [("wide_model", WIDE_WINDOW)], indirect=["model_file"])
async def test_two_are_written_at_once_and_a_third_once_one_of_them_is_stopped(server: ModelServer) -> None:
    # Neither is over by itself in this time.
    async with asyncio.timeout(2 * PATIENCE):
        first, second = (server.stream(TURNS, max_tokens=1 << 16, schema=ENDLESS) for _ in range(2))
        await _read_alternately(first, second)
        third = asyncio.create_task(_reply(server))
        await _read_alternately(first, second)
        is_waiting = not third.done()
        await first.aclose()
        reply = await third
        part = await anext(second)
        await second.aclose()

    assert is_waiting
    assert isinstance(reply[-1], StreamEnd)
    assert isinstance(part, Delta)


async def _read_alternately(*streams: AsyncIterator[Delta | StreamEnd]) -> None:
    for _ in range(10):
        assert all([isinstance(await anext(stream), Delta) for stream in streams])


async def _reply(server: ModelServer) -> list[Delta | StreamEnd]:
    return [part async for part in server.stream(TURNS, max_tokens=20)]


async def test_a_wrong_key_is_refused(child: LlamaCppProcess) -> None:
    with pytest.raises(ModelError) as caught:
        await ModelServer(run_child(child).address, api_key="guess").probe()

    assert caught.value.code == "unauthorized"


async def test_what_others_ask_is_not_shown(child: LlamaCppProcess) -> None:
    address, key = run_child(child).address, run_child(child).key

    pages = {path: get_status(address + path, key=key) for path in ("/slots", "/metrics", "/", "/index.html")}

    assert address.startswith("http://127.0.0.1:")
    assert all(status in (404, 501) for status in pages.values()), pages


def read_ps(pid: int) -> tuple[bytes, bytes]:
    """Return a process's arguments, and its environment if readable."""
    folder = Path(f"/proc/{pid}")
    environment = (folder / "environ").read_bytes() if os.geteuid() == 0 else b""
    return (folder / "cmdline").read_bytes(), environment


async def test_the_key_is_in_no_list_of_processes_and_our_secrets_are_not_given(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLAMORA_SECRET_KEY", "household secret")
    careful = LlamaCppProcess(tiny_model, context=512, parallel=1, on_change=lambda: None)
    careful.start()
    await until(lambda: careful.serving is not None)
    assert careful.process is not None

    arguments, environment = read_ps(careful.process.pid)
    key = run_child(careful).key
    await careful.close()

    assert key.encode() not in arguments
    assert b"household secret" not in environment
    assert len(key) >= 40


async def test_a_killed_child_is_restarted_with_another_key(child: LlamaCppProcess) -> None:
    before = run_child(child)
    assert child.process is not None

    os.kill(child.process.pid, signal.SIGKILL)
    await until(lambda: child.serving is None)
    await until(lambda: child.serving is not None)

    assert run_child(child).key != before.key
    server = ModelServer(run_child(child).address, api_key=run_child(child).key)
    assert (await server.probe()).name == "tiny"
    await server.close()


async def test_a_child_that_dies_again_and_again_is_restarted_after_longer_pauses(
    child: LlamaCppProcess,
) -> None:
    clock = asyncio.get_running_loop().time
    for pause in (0.25, 0.5, 1):
        assert child.process is not None
        starts, killed_at = child.starts, clock()
        os.kill(child.process.pid, signal.SIGKILL)
        await until(lambda starts=starts: child.starts > starts)
        assert clock() - killed_at >= pause
        await until(lambda: child.serving is not None)


async def test_it_ends_when_it_is_closed(child: LlamaCppProcess) -> None:
    assert child.process is not None
    pid = child.process.pid

    await child.close()

    assert not is_alive(pid)


async def test_a_child_that_does_not_listen_is_killed_in_time(child: LlamaCppProcess) -> None:
    assert child.process is not None
    pid = child.process.pid
    os.kill(pid, signal.SIGSTOP)

    # It never ends by itself.
    await asyncio.wait_for(child.close(), PATIENCE)

    assert llamacpp._STOP_SECONDS < 1
    await until(lambda: not is_alive(pid))


async def test_a_broken_file_is_said_to_be_broken(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(100))
    states: list[str] = []
    damaged = LlamaCppProcess(broken, context=512, parallel=1, on_change=lambda: states.append(damaged.state))

    damaged.start()
    await until(lambda: "failed" in states)
    await damaged.close()

    assert damaged.serving is None


PARENT = """
    import asyncio, sys
    from pathlib import Path
    from llamora.inference.llamacpp import LlamaCppProcess

    async def main():
        child = LlamaCppProcess(Path(sys.argv[1]), context=512, parallel=1, on_change=lambda: None)
        child.start()
        while child.serving is None:
            await asyncio.sleep(0.01)
        print(child.process.pid, flush=True)
        await asyncio.sleep(60)

    asyncio.run(main())
"""


def test_the_child_dies_with_a_killed_parent(tiny_model: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(PARENT), str(tiny_model)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)

        parent.kill()

    deadline = time.monotonic() + PATIENCE
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_alive(pid)


def test_nothing_of_a_prompt_is_printed(tiny_model: Path) -> None:
    command = [sys.executable, "-m", "llamora.inference.llamacpp_child"]
    environment = {**os.environ, "LLAMORA_CHILD_KEY": "k"}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, stderr=pipe
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        wish = {"model": str(tiny_model), "context": 512, "parallel": 1, "threads": 1, "gpu_layers": 0}
        process.stdin.write(json.dumps(wish).encode() + b"\n")
        process.stdin.flush()
        address = json.loads(process.stdout.readline())["address"]
        asyncio.run(_reply(ModelServer(address, api_key="k")))
        process.stdin.close()
        printed = process.stdout.read() + process.stderr.read()

    assert printed == b""
    assert process.returncode == 0
