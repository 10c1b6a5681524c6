"""Tests of a model that is chosen, or added to the folder, while Llamora runs."""

import asyncio
import os
import shutil
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from llamora.inference.config import ModelConfig
from llamora.inference.discovery import ModelDiscovery
from llamora.inference.job import JobState
from llamora.inference.model_choice import watching
from llamora.inference.model_choice.choice_file import ModelChoice, write_choice
from llamora.inference.registry import JobRegistry
from llamora.llm.deltas import Delta, StreamEnd
from tests.fakes.gguf_file import build_gguf, write_gguf
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script
from tests.fakes.waiting import PATIENCE, until
from tests.inference.recording_task import RecordingTask, keyring
from tests.inference.test_llamacpp import is_alive

TURNS = [{"role": "user", "content": "tea"}]
Make = Callable[..., ModelDiscovery]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    """A factory of discoveries without default addresses, which are closed after the test."""
    finders: list[ModelDiscovery] = []

    def made(**wish: Any) -> ModelDiscovery:
        defaults: dict[str, Any] = {
            "models_folder": tmp_path,
            "usual_addresses": (),
            "context": 512,
            "threads": 1,
        }
        finders.append(ModelDiscovery(ModelConfig(**defaults | wish)))
        return finders[-1]

    yield made
    for finder in finders:
        await finder.close()


async def choose(finder: ModelDiscovery, **choice: str) -> None:
    """Write the choice in another thread, as a page does."""

    def page() -> None:
        write_choice(finder.config.models_folder, ModelChoice(**choice))
        finder.notice_change()

    await asyncio.to_thread(page)


def get_child_pid(finder: ModelDiscovery) -> int:
    assert finder.child is not None
    assert finder.child.process is not None
    return finder.child.process.pid


@pytest.mark.django_db(transaction=True)
async def test_a_running_reply_ends_on_the_old_model_and_the_next_is_written_by_the_new(make: Make) -> None:
    finish = threading.Event()
    with FakeModelServer(model="old") as old, FakeModelServer(model="new") as new:
        old.add_scripts(Script(tokens=["From ", "the old."], end_when=finish))
        finder = make()
        await choose(finder, url=old.url)
        registry = JobRegistry(find_server=finder.get_server)
        registry.bind_loop()
        first = registry.start(RecordingTask(), keyring=keyring())
        await until(lambda: first.text == "From the old.")

        await choose(finder, url=new.url)
        second = registry.start(RecordingTask(), keyring=keyring())
        await until(lambda: second.is_over)
        still_writing = not first.is_over
        finish.set()
        await until(lambda: first.is_over)

        assert still_writing
        assert (first.state, first.author.model) == (JobState.DONE, "old")
        assert (second.state, second.author.model) == (JobState.DONE, "new")
        assert finder.status().model == "new"
        await until(lambda: not finder._retiring)
        await registry.close(timeout=2)


async def test_of_one_server_another_model_is_chosen(make: Make) -> None:
    with FakeModelServer(kind="Ollama", model="heron", also=("wren",)) as upstream:
        finder = make()
        await choose(finder, url=upstream.url)
        before = (await finder.get_server()).model_name
        await choose(finder, url=upstream.url, model="wren")
        after = (await finder.get_server()).model_name

    assert (before, after) == ("heron", "wren")


async def test_an_old_child_ends_with_its_last_reply(make: Make, tiny_model: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        shutil.copy(tiny_model, tmp_path / f"{name}.gguf")
    finder = make()
    old = await finder.get_server(patience=60)
    old_pid = get_child_pid(finder)

    with old.uses.count_reply():
        stream = old.stream(TURNS, max_tokens=100)
        first = await anext(stream)
        await choose(finder, file="b.gguf")
        new = await finder.get_server(patience=60)
        parts = [first, *[part async for part in stream]]
        both = (is_alive(old_pid), is_alive(get_child_pid(finder)))
    await until(lambda: not is_alive(old_pid))
    reply = [part async for part in new.stream(TURNS, max_tokens=9)]

    assert finder.get_file_in_use() == tmp_path / "b.gguf"
    assert both == (True, True)
    assert isinstance(parts[-1], StreamEnd)
    assert isinstance(reply[-1], StreamEnd)
    assert finder.status().model == "b"


async def test_an_old_child_that_writes_nothing_ends_first(
    make: Make, tiny_model: Path, tmp_path: Path
) -> None:
    shutil.copy(tiny_model, tmp_path / "a.gguf")
    with FakeModelServer() as upstream:
        finder = make()
        await finder.get_server(patience=60)
        pid = get_child_pid(finder)

        await choose(finder, url=upstream.url)
        await finder.get_server()

    assert not is_alive(pid)
    assert finder.child is None


async def test_without_memory_for_both_the_running_replies_come_first(make: Make, tmp_path: Path) -> None:
    write_gguf(tmp_path / "huge.gguf", build_gguf())
    # A hole: it takes no space, but would not fit into any memory.
    os.truncate(tmp_path / "huge.gguf", 1 << 43)
    with FakeModelServer() as upstream:
        finder = make()
        await choose(finder, url=upstream.url)
        server = await finder.get_server()
        with server.uses.count_reply():
            await choose(finder, file="huge.gguf")
            await until(lambda: finder.status().code == "switching")
            state, child = finder.status().state, finder.child

        await until(lambda: finder.child is not None)

    assert (state, child) == ("loading", None)


async def test_closing_ends_an_old_child_too(make: Make, tiny_model: Path, tmp_path: Path) -> None:
    shutil.copy(tiny_model, tmp_path / "a.gguf")
    with FakeModelServer() as upstream:
        finder = make()
        old = await finder.get_server(patience=60)
        pid = get_child_pid(finder)
        with old.uses.count_reply():
            await choose(finder, url=upstream.url)
            await finder.get_server()
            await finder.close()

    assert not is_alive(pid)


# --- Files that appear ------------------------------------------------------------------------------------


def test_a_whole_file_that_appeared_just_now_is_not_called_incomplete(
    tiny_model: Path, tmp_path: Path
) -> None:
    config = ModelConfig(models_folder=tmp_path, usual_addresses=())
    watch = watching.FolderWatch(tmp_path)
    watching.find_target(config, watch, None)
    shutil.copy(tiny_model, tmp_path / "dropped.gguf")

    assert watching.find_target(config, watch, None).problem == "file_new"


async def test_a_file_that_is_copied_into_the_folder_is_used_once_it_is_whole(
    make: Make, tiny_model: Path, tmp_path: Path
) -> None:
    finder, content = make(), await asyncio.to_thread(tiny_model.read_bytes)
    finder.start()
    await until(lambda: finder.status().code == "none_found")
    with (tmp_path / "dropped.gguf").open("wb") as file:
        file.write(content[: len(content) // 2])
        file.flush()
        await until(lambda: finder.status().code == "file_incomplete")
        incomplete = finder.child
        file.write(content[len(content) // 2 :])

    # Without being asked: within half a minute.
    await until(lambda: finder.status().is_ready)
    parts = [part async for part in (await finder.get_server()).stream(TURNS, max_tokens=9)]

    assert incomplete is None
    assert finder.status().model == "dropped"
    assert any(isinstance(part, Delta) for part in parts)


async def test_a_file_of_full_length_that_is_still_being_filled_is_not_loaded(
    make: Make, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(monotonic=lambda: now[0])
    now = [1000.0]
    monkeypatch.setattr(watching, "time", clock)
    finder = make()
    finder.start()
    await until(lambda: finder.status().code == "none_found")
    shutil.copy(tiny_model, tmp_path / "dropped.gguf")

    for _ in range(5):
        (tmp_path / "dropped.gguf").touch()
        await finder.wait_until_known(patience=PATIENCE)
        assert finder.child is None
        now[0] += 0.9 * watching._STEADY_SECONDS
    await finder.wait_until_known(patience=PATIENCE)
    before = finder.child
    now[0] += watching._STEADY_SECONDS
    await until(lambda: finder.child is not None)

    assert before is None


async def test_another_file_does_not_replace_the_one_in_use(
    make: Make, tiny_model: Path, tmp_path: Path
) -> None:
    shutil.copy(tiny_model, tmp_path / "heron.gguf")
    finder = make()
    await finder.get_server(patience=60)
    pid = get_child_pid(finder)
    shutil.copy(tiny_model, tmp_path / "a.gguf")
    for _ in range(2):
        await asyncio.sleep(1.1)
        await finder.wait_until_known(patience=5)
    same = (get_child_pid(finder), finder.status().model)

    (tmp_path / "heron.gguf").unlink()
    finder.notice_change()
    await finder.get_server(patience=60)

    assert same == (pid, "heron")
    assert finder.status().model == "a"


async def test_a_chosen_file_that_is_gone_is_said(make: Make, tmp_path: Path) -> None:
    with FakeModelServer() as other:
        finder = make(usual_addresses=(other.url,))
        await choose(finder, file="gone.gguf")
        await finder.wait_until_known(patience=5)
        gone = finder.status().code
        write_gguf(tmp_path / "gone.gguf", b"<html>")
        await finder.wait_until_known(patience=5)
        refused = finder.status().code
        (tmp_path / "choice.json").write_text("{")
        await finder.wait_until_known(patience=5)

    assert (gone, refused) == ("chosen_file_gone", "file_refused")
    assert finder.status().is_ready
