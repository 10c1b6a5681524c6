"""Tests of model discovery: a server is found, cached, lost and found again."""

import asyncio
import re
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from llamora.inference import messages as inference_messages
from llamora.inference import model_server
from llamora.inference.config import ModelConfig
from llamora.inference.discovery import ModelDiscovery
from llamora.inference.messages import TOO_SMALL_NOTICE
from llamora.inference.status import ModelUnavailable
from llamora.llm import errors as llm_errors
from llamora.llm.deltas import StreamEnd
from tests.fakes.gguf_file import INSTRUCT, build_gguf, write_gguf
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script
from tests.fakes.waiting import PATIENCE, until

TURNS = [{"role": "user", "content": "tea"}]
Make = Callable[..., ModelDiscovery]


def unused_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    """A factory of discoveries without default addresses, which are closed after the test."""
    finders: list[ModelDiscovery] = []

    def made(**wish: Any) -> ModelDiscovery:
        defaults: dict[str, Any] = {"models_folder": tmp_path, "usual_addresses": ()}
        finders.append(ModelDiscovery(ModelConfig(**defaults | wish)))
        return finders[-1]

    yield made
    for finder in finders:
        await finder.close()


async def get_unavailable_code(finder: ModelDiscovery, *, patience: float = 2) -> str:
    """Return the code of the error if no model is available."""
    with pytest.raises(ModelUnavailable) as caught:
        await finder.get_server(patience=patience)
    assert finder.status().state == ("loading" if caught.value.code == "loading" else "away")
    assert finder.status().code == caught.value.code
    return caught.value.code


async def test_the_server_of_the_settings_is_used(make: Make) -> None:
    with FakeModelServer(kind="Ollama", model="heron") as upstream:
        finder = make(url=upstream.url + "/v1")
        server = await finder.get_server()

        parts = [part async for part in server.stream(TURNS, max_tokens=9)]

    assert isinstance(parts[-1], StreamEnd)
    assert upstream.calls[0]["model"] == "heron"
    assert (
        finder.status().message
        == f"Replies are written by heron, served by Ollama at 127.0.0.1:{upstream.port}."
    )


async def test_the_first_usual_address_that_answers_is_used(make: Make) -> None:
    with FakeModelServer(model="one") as first, FakeModelServer(model="two") as second:
        finder = make(usual_addresses=(unused_url(), first.url, second.url))
        server = await finder.get_server()

    assert server.url == first.url
    assert finder.status().model == "one"


async def test_the_server_in_use_stays_in_use_when_another_appears(make: Make) -> None:
    earlier = unused_url()
    with FakeModelServer(model="two") as second:
        finder = make(usual_addresses=(earlier, second.url))
        before = await finder.get_server()
        with FakeModelServer(port=int(earlier.rpartition(":")[2]), model="one"):
            await finder.wait_until_known(patience=2)

            assert await finder.get_server() is before
            assert finder.status().model == "two"


async def test_another_is_taken_when_the_server_in_use_is_gone(make: Make) -> None:
    with FakeModelServer(model="two") as second:
        with FakeModelServer(model="one") as first:
            finder = make(usual_addresses=(first.url, second.url))
            before = await finder.get_server()
        await finder.wait_until_known(patience=2)
        after = await finder.get_server()

    assert (before.url, after.url) == (first.url, second.url)


@pytest.mark.parametrize(
    ("manners", "code"), [({"loading": True}, "loading"), ({"api_key": "x"}, "unauthorized")]
)
async def test_a_server_found_half_is_told_rather_than_none(
    make: Make, manners: dict[str, Any], code: str
) -> None:
    with FakeModelServer(**manners) as upstream:
        assert await get_unavailable_code(make(usual_addresses=(unused_url(), upstream.url))) == code


async def test_a_page_of_another_program_is_passed_over(make: Make) -> None:
    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>")
        writer.close()

    async with await asyncio.start_server(page, "127.0.0.1", 0) as other:
        url = f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}"
        with FakeModelServer() as upstream:
            server = await make(usual_addresses=(url, upstream.url)).get_server()
            code = await get_unavailable_code(make(url=url))

    assert server.url == upstream.url
    assert code == "wrong_address"


async def test_nothing_anywhere_is_said_calmly(make: Make) -> None:
    finder = make(usual_addresses=(unused_url(),))

    assert finder.status().state == "looking"
    assert await get_unavailable_code(finder) == "none_found"
    assert ".gguf" in finder.status().message


@pytest.mark.parametrize(
    ("manners", "wish", "code"),
    [
        ({"api_key": "sesame"}, {}, "unauthorized"),
        ({"loading": True}, {}, "loading"),
        ({"redirect": "http://127.0.0.1:9/"}, {}, "wrong_address"),
        ({"kind": "Ollama"}, {"name": "another"}, "no_such_model"),
        ({"kind": "Ollama", "model": "nomic-embed-text"}, {}, "no_such_model"),
    ],
)
async def test_why_it_is_away_has_a_code(
    make: Make, manners: dict[str, Any], wish: dict[str, Any], code: str
) -> None:
    with FakeModelServer(**manners) as upstream:
        assert await get_unavailable_code(make(url=upstream.url, **wish)) == code


async def test_the_window_is_that_of_the_model_that_is_used(make: Make) -> None:
    with FakeModelServer(kind="Ollama", model="heron", also=("wren:latest",), context=32_768) as upstream:
        loaded = await make(url=upstream.url).get_server()
        other = await make(url=upstream.url, name="wren").get_server()

    assert loaded.offer is not None
    assert other.offer is not None
    assert (loaded.model, loaded.offer.context_window) == ("heron", 32_768)
    assert (other.model, other.offer.context_window) == ("wren:latest", 4096)


async def test_a_server_without_a_list_of_models_is_used_if_a_setting_names_the_model(make: Make) -> None:
    with FakeModelServer(kind="bare") as bare:
        assert await get_unavailable_code(make(url=bare.url)) == "wrong_address"
        # What listens on a usual port may be any program.
        assert await get_unavailable_code(make(usual_addresses=(bare.url,), name="heron")) == "none_found"

        server = await make(url=bare.url, name="heron").get_server()

    assert server.model == "heron"


async def test_a_server_elsewhere_needs_leave(make: Make) -> None:
    finder = make(url="http://192.0.2.1:8080")

    assert await get_unavailable_code(finder) == "remote_not_allowed"
    assert "LLAMORA_MODEL_ALLOW_REMOTE" in finder.status().message


async def test_a_file_that_is_not_there_is_named_as_such(make: Make, tmp_path: Path) -> None:
    assert await get_unavailable_code(make(file=str(tmp_path / "gone.gguf"))) == "no_file"


async def test_a_server_that_starts_later_is_found_when_asked_for(make: Make) -> None:
    with FakeModelServer() as placeholder:
        port = placeholder.port
    finder = make(url=f"http://127.0.0.1:{port}")
    before = await get_unavailable_code(finder)

    with FakeModelServer(port=port):
        server = await finder.get_server()

    assert before == "refused_connection"
    assert server.url.endswith(str(port))


async def test_a_server_that_goes_away_is_noticed_by_the_reply_that_fails(make: Make) -> None:
    with FakeModelServer() as upstream:
        finder = make(url=upstream.url)
        server = await finder.get_server()

    with pytest.raises(llm_errors.ModelError):
        await anext(server.stream(TURNS, max_tokens=9))

    await until(lambda: not finder.status().is_ready)
    assert finder.status().code == "refused_connection"


async def test_a_reply_that_fails_does_not_make_the_server_away(make: Make) -> None:
    with FakeModelServer() as upstream:
        finder = make(url=upstream.url)
        server = await finder.get_server()
        upstream.add_scripts(Script(status=500))

        with pytest.raises(llm_errors.ModelError):
            await anext(server.stream(TURNS, max_tokens=9))
        await asyncio.sleep(0.1)

        assert finder.status().is_ready
        assert await finder.get_server() is server


async def test_asking_waits_for_a_model_that_is_loading(make: Make) -> None:
    with FakeModelServer(loading=True) as upstream:
        finder = make(url=upstream.url)
        asking = asyncio.create_task(finder.get_server(patience=PATIENCE))
        await until(lambda: finder.status().state == "loading")
        is_waiting = not asking.done()
        upstream.manners.loading = False

        server = await asking

    assert is_waiting
    assert server.url == upstream.url


async def test_many_ask_at_once_and_all_are_answered(make: Make) -> None:
    with FakeModelServer() as upstream:
        finder = make(url=upstream.url)

        servers = await asyncio.gather(*(finder.get_server() for _ in range(20)))

    assert len(set(servers)) == 1


async def test_a_model_switched_off_asks_nobody(make: Make) -> None:
    with FakeModelServer() as upstream:
        finder = make(url=upstream.url, off=True)
        with pytest.raises(ModelUnavailable) as caught:
            await finder.get_server()

    assert caught.value.code == "off"
    assert upstream.requests == []


async def test_a_file_in_the_models_folder_is_run_inside(
    make: Make, tiny_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "mmproj-tiny.gguf").write_bytes(b"not a model")
    (tmp_path / "tiny.gguf").symlink_to(tiny_model)
    with FakeModelServer() as other:
        finder = make(usual_addresses=(other.url,), context=1024)
        server = await finder.get_server()
        parts = [part async for part in server.stream(TURNS, max_tokens=9)]

    assert isinstance(parts[-1], StreamEnd)
    assert finder.status().message == f"Replies are written by tiny, run by Llamora. {TOO_SMALL_NOTICE}"
    assert finder.status().is_too_small_for("")
    assert other.requests == []


async def test_a_damaged_file_is_told(make: Make, tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + bytes(64))

    # A process is started, which may take long on a busy machine.
    assert await get_unavailable_code(make(), patience=60) == "file_refused"


@pytest.fixture
def limited_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limit child processes in Python to 2 GiB, so that no test takes all memory of the machine.

    A limit of this process would make its own threads fail.
    """
    path = tmp_path / "limited-python"
    path.write_text(f'#!/bin/sh\nulimit -v {2 << 20} && exec "{sys.executable}" "$@"\n')
    path.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(path))


@pytest.mark.usefixtures("limited_python")
async def test_a_window_larger_than_the_memory_is_told(make: Make, tiny_model: Path) -> None:
    finder = make(file=str(tiny_model), context=1 << 30, parallel=1)

    assert await get_unavailable_code(finder, patience=60) == "out_of_memory"


async def test_a_child_that_the_system_kills_while_it_loads_had_no_memory(
    make: Make, tiny_model: Path
) -> None:
    finder = make(file=str(tiny_model))
    finder.start()
    await until(lambda: finder.child is not None and finder.child.process is not None)
    assert finder.child is not None
    assert finder.child.process is not None

    finder.child.process.kill()
    await until(lambda: finder.status().state == "away")
    code = finder.status().code
    await until(lambda: finder.status().is_ready)

    assert code == "out_of_memory"


async def test_a_model_that_llamacpp_does_not_know_is_refused(make: Make, tmp_path: Path) -> None:
    write_gguf(tmp_path / "unknown.gguf", build_gguf(INSTRUCT | {"general.architecture": "heron"}))

    assert await get_unavailable_code(make(), patience=60) == "file_refused"


async def test_a_child_that_dies_is_back_for_the_next_reply(make: Make, tiny_model: Path) -> None:
    finder = make(file=str(tiny_model))
    before = await finder.get_server(patience=60)
    assert finder.child is not None
    assert finder.child.process is not None

    finder.child.process.kill()
    await finder.child.process.wait()
    server = await finder.get_server(patience=60)

    assert server.url != before.url or not before.is_at(server.url, api_key="")
    assert [part async for part in server.stream(TURNS, max_tokens=9)]


async def test_the_household_asks_from_any_thread_and_begins_anew(settings: Settings) -> None:
    with FakeModelServer(model="heron") as upstream:
        settings.MODEL_URL = upstream.url
        # Whoever asked before in this process, a page of another test, made one by other settings.
        await model_server.stop()
        await model_server.discover()
        seen: list[str] = []
        thread = threading.Thread(
            target=lambda: seen.extend([model_server.get_state(), model_server.get_message()])
        )
        thread.start()
        thread.join()
        await model_server.stop()

        await model_server.discover(no_model=True)
        off = model_server.get_state()
        await model_server.stop()

    assert seen[0] == "ready"
    assert "heron" in seen[1]
    assert off == "off"


def test_another_loop_begins_anew(tmp_path: Path) -> None:
    with FakeModelServer() as upstream:
        finder = ModelDiscovery(ModelConfig(models_folder=tmp_path, url=upstream.url))

        async def reply() -> int:
            server = await finder.get_server()
            return len([part async for part in server.stream(TURNS, max_tokens=9)])

        counts = [asyncio.run(reply()), asyncio.run(reply())]

    assert all(counts)


def test_importing_the_endpoint_does_not_import_httpx() -> None:
    import subprocess
    import sys

    program = (
        "import django, sys; from django.conf import settings; settings.configure();"
        "import llamora.inference.model_server; sys.exit('httpx' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_every_code_has_a_sentence_of_its_own() -> None:
    kinds = [
        kind for kind in llm_errors.ModelError.__subclasses__() if kind.__module__ == llm_errors.__name__
    ]
    codes = [kind.code for kind in kinds]

    told = {code: inference_messages.get_message(code) for code in codes}

    assert len(set(told.values())) == len(codes)
    assert all(re.fullmatch(r"[A-Z].*\.", sentence) for sentence in told.values())
