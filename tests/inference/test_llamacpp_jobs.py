"""Tests of jobs on a real llama.cpp with one slot: stopped, killed during generation, moved to another model.

All use random weights, and the first also a real model; `tests/diary/test_replies_llamacpp.py` kills and
changes a real model.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from llamora.inference.config import ModelConfig
from llamora.inference.discovery import ModelDiscovery
from llamora.inference.job import Job, JobState, Prompt, TokenCounter
from llamora.inference.model_choice.choice_file import ModelChoice, write_choice
from llamora.inference.registry import JobRegistry
from tests.fakes.tiny_model import WIDE_WINDOW
from tests.fakes.waiting import until
from tests.fakes.word_schema import ENDLESS, SHORT
from tests.inference.recording_task import RecordingTask, keyring

pytestmark = pytest.mark.django_db(transaction=True)
# Seconds for a real model on a machine that is busy with others.
LONG = 240.0


@dataclass
class SchemaTask(RecordingTask):
    """A task whose output follows a schema, so that its length is known."""

    schema: Any = None

    async def build_prompt(self, server: TokenCounter, *, share: float) -> Prompt:
        prompt = await super().build_prompt(server, share=share)
        return replace(prompt, schema=self.schema, max_tokens=1 << 16, temperature=1)


@dataclass
class Jobs:
    """A registry of jobs that use a model file in a folder."""

    finder: ModelDiscovery
    registry: JobRegistry

    def start(self, schema: Any) -> tuple[Job, SchemaTask]:
        task = SchemaTask(schema=schema)
        return self.registry.start(task, keyring=keyring(), sampling={"seed": 7}), task

    async def start_endless(self) -> tuple[Job, SchemaTask]:
        """Start a text without an end, and wait until it has begun."""
        job, task = self.start(ENDLESS)
        await until(lambda: len(job.text) > 20 or job.is_over, seconds=LONG)
        assert not job.is_over, job.reason
        return job, task

    async def write_short(self) -> Job:
        job, _ = self.start(SHORT)
        await until(lambda: job.is_over, seconds=LONG)
        return job

    def count_starts(self) -> int:
        """Return how often the process of the model was started."""
        return self.finder.child.starts if self.finder.child is not None else 0

    def signal_child(self, number: int) -> int:
        """Send a signal to the process that runs the model; return its id."""
        assert self.finder.child is not None
        assert self.finder.child.process is not None
        os.kill(self.finder.child.process.pid, number)
        return self.finder.child.process.pid


@pytest.fixture
def slots() -> int:
    return 1


@pytest.fixture
def window() -> int:
    return 2048


@pytest.fixture
async def jobs(model_file: Path, tmp_path: Path, slots: int, window: int) -> AsyncIterator[Jobs]:
    (tmp_path / "one.gguf").symlink_to(model_file)
    write_choice(tmp_path, ModelChoice(file="one.gguf"))
    folder: dict[str, Any] = {"models_folder": tmp_path, "usual_addresses": ()}
    finder = ModelDiscovery(ModelConfig(**folder, context=window, parallel=slots, threads=1))
    await finder.get_server(patience=60)
    registry = JobRegistry(find_server=finder.get_server)
    registry.bind_loop()
    yield Jobs(finder, registry)
    await registry.close(timeout=2)
    await finder.close()


@pytest.mark.parametrize(
    ("model_file", "window"),
    [("wide_model", WIDE_WINDOW), pytest.param("small_model", 8192, marks=pytest.mark.extended)],
    indirect=["model_file"],
)
async def test_a_stopped_text_frees_the_only_slot(jobs: Jobs) -> None:
    # Each takes a minute or more to fill its window, so that the test has no time if their slot is not freed.
    for _ in range(3):
        endless, _ = await jobs.start_endless()
        await asyncio.to_thread(jobs.registry.stop, endless.id, patience=10)
        assert endless.state == JobState.STOPPED
    short = await jobs.write_short()

    assert short.state == JobState.DONE
    assert set(short.text) <= set('["weir",mlhon \n\t]')


async def test_of_a_text_whose_process_is_killed_the_beginning_is_saved_and_the_next_is_written(
    jobs: Jobs,
) -> None:
    endless, task = await jobs.start_endless()

    jobs.signal_child(signal.SIGKILL)
    await until(lambda: endless.is_over)
    # The status of the killed one may still be that it is ready.
    await until(lambda: jobs.count_starts() == 2 and jobs.finder.status().is_ready)
    short = await jobs.write_short()

    assert (endless.state, endless.reason) == (JobState.FAILED, "dropped")
    assert task.kept[-1].text == endless.text != ""
    assert short.state == JobState.DONE
    assert jobs.count_starts() == 2


@pytest.mark.parametrize("slots", [2])
async def test_a_text_ends_on_the_model_it_began_with_and_is_signed_by_it(
    jobs: Jobs, tiny_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "two.gguf").symlink_to(tiny_model)
    first, task = await jobs.start_endless()
    # It does not end while the other model is loaded.
    old = jobs.signal_child(signal.SIGSTOP)

    write_choice(tmp_path, ModelChoice(file="two.gguf"))
    jobs.finder.notice_change()
    second = await jobs.write_short()
    still_writing, begun = not first.is_over, len(first.text)
    os.kill(old, signal.SIGCONT)
    await until(lambda: len(first.text) > begun + 20)
    await asyncio.to_thread(jobs.registry.stop, first.id, patience=10)

    assert still_writing
    assert (second.state, second.author.model) == (JobState.DONE, "two")
    assert (first.state, task.kept[-1].author.model) == (JobState.STOPPED, "one")
