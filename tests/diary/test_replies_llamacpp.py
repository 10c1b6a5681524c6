"""Tests of replies from a real llama.cpp: beyond its window, killed, and while another model is chosen.

The default run uses random weights, other runs a real model. Free text of either may be an echo of the
prompt, which ends a reply. So both write only words of a schema, with no end but their limit.
"""

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from diary.generation import prompts
from llamora.inference import model_server
from llamora.inference.config import ModelConfig
from llamora.inference.job import Job, Prompt
from llamora.inference.messages import get_message
from llamora.inference.model_choice.choice_file import ModelChoice, write_choice
from llamora.inference.registry import registry
from tests.diary.tabs import run_serving_loop, start_reply, wait_for_reply_row
from tests.fakes.waiting import wait_for
from tests.fakes.word_schema import ENDLESS
from tests.people import Resident

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def limits(transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Settings in which a small model on a busy machine ends in time, and writes nothing but a few words."""
    settings.MODEL_CONTEXT, settings.MODEL_PARALLEL, settings.MODEL_THREADS = 2048, 2, 1
    # As many as a third of the window has: nothing is over while a test looks at it.
    settings.MODEL_REPLY_TOKENS = 2048
    build = prompts.build_data_prompt

    def build_with_schema(*args: Any, **options: Any) -> Prompt:
        return build(*args, **{**options, "schema": ENDLESS})

    monkeypatch.setattr(prompts, "build_data_prompt", build_with_schema)
    return settings


def start_running_reply(owner: Resident, text: str) -> Job:
    """Request a reply to a new entry, and wait until its text has begun."""
    reply = start_reply(owner, owner.write(text).id)
    job = registry.get(UUID(reply), owner.keyring.key_id)
    assert job is not None
    wait_for(lambda: len(job.text) > 10 or job.is_over, seconds=120)
    assert not job.is_over, job.reason
    return job


def write_short_reply(owner: Resident, limits: Any, text: str) -> str:
    """Request a reply to a new entry that is soon at its limit, and wait for its end; return its id.

    Request it again if it has no text: a model of random weights may choose twelve tokens without any.
    """
    limits.MODEL_REPLY_TOKENS = 12
    for _ in range(5):
        reply = start_reply(owner, owner.write(text).id)
        end = wait_for_reply_row(owner, reply, seconds=120)[1:]
        if end != ("failed", "empty"):
            break
    assert end == ("done", "length")
    return reply


def signal_child(number: int) -> int:
    """Send a signal to the process that runs the model; return its id."""
    child = model_server._holder.get().child
    assert child is not None
    assert child.process is not None
    os.kill(child.process.pid, number)
    return child.process.pid


def load_page(owner: Resident, path: str) -> str:
    return " ".join(owner.get(path, script=True).content.decode().replace("&#39;", "'").split())


def test_a_text_beyond_the_window_is_shortened_and_its_sources_say_so(
    limits: Any, tiny_model: Path, owner: Resident
) -> None:
    limits.MODEL_REPLY_TOKENS = 60
    limits.MODEL_CONTEXT = 4096  # of which the prompt itself takes most, since a token is a character here
    earlier = owner.write("The weir was high. " * 40)
    entry = owner.write("Up early, to the mill. " * 200)

    with run_serving_loop(file=tiny_model):
        reply = start_reply(owner, entry.id)
        _, state, reason = wait_for_reply_row(owner, reply, seconds=60)
        sources = load_page(owner, f"/replies/{reply}/read/")

    assert (state, reason) == ("done", "length")
    assert "A long text was shortened." in sources
    assert "Not read, because it was too much for the model" in sources
    assert sources.index("Not read") < sources.index(f"/entries/{earlier.id}/")


@pytest.mark.extended
def test_what_a_killed_model_had_written_is_saved_and_the_next_reply_is_written(
    limits: Any, small_model: Path, owner: Resident
) -> None:
    with run_serving_loop(file=small_model):
        reply = start_running_reply(owner, "Up early, to the mill, and walked home by the weir.").id
        signal_child(signal.SIGKILL)
        text, state, reason = wait_for_reply_row(owner, str(reply))
        page = load_page(owner, f"/d/{owner.today}/")
        wait_for(lambda: model_server.get_status().is_ready)
        write_short_reply(owner, limits, "In the evening it rained, and we read aloud.")

    assert (state, reason) == ("failed", "dropped")
    assert len(text) > 10
    assert get_message("dropped") in page


@pytest.mark.extended
def test_a_reply_is_signed_by_the_model_that_wrote_it_though_another_was_chosen_meanwhile(
    limits: Any, small_model: Path, tiny_model: Path, owner: Resident, tmp_path: Path
) -> None:
    (tmp_path / "heron.gguf").symlink_to(small_model)
    (tmp_path / "wren.gguf").symlink_to(tiny_model)
    write_choice(tmp_path, ModelChoice(file="heron.gguf"))
    config = replace(ModelConfig.from_settings(), models_folder=tmp_path)

    with run_serving_loop() as live:
        live.run(model_server.stop())
        live.run(model_server.discover(config=config, patience=60), seconds=70)
        first = start_running_reply(owner, "Up early, to the mill, and walked home by the weir.")
        # It does not end while the other model is loaded and writes.
        old = signal_child(signal.SIGSTOP)
        write_choice(tmp_path, ModelChoice(file="wren.gguf"))
        model_server.notice_change()
        wait_for(lambda: model_server.get_status().model == "wren")
        second = write_short_reply(owner, limits, "In the evening it rained.")
        begun = len(first.text)
        os.kill(old, signal.SIGCONT)
        wait_for(lambda: len(first.text) > begun + 20 or first.is_over, seconds=120)
        assert not first.is_over, first.reason
        owner.post(f"/replies/{first.id}/stop/", script=True)
        text, state, _ = wait_for_reply_row(owner, str(first.id))
        signatures = [load_page(owner, f"/replies/{reply}/read/") for reply in (first.id, second)]

    assert state == "stopped"
    assert len(text) > begun + 20
    assert "Written by heron on this computer" in signatures[0]
    assert "Written by wren on this computer" in signatures[1]
