"""Tests of replies from a real llama.cpp: beyond its window, killed, and with another model chosen meanwhile.

With random weights in the default run, and with a real model otherwise.
"""

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from llamora.inference import model_server
from llamora.inference.config import ModelConfig
from llamora.inference.messages import get_message
from llamora.inference.model_choice.choice_file import ModelChoice, write_choice
from llamora.inference.registry import registry
from tests.diary.tabs import run_serving_loop, start_reply, wait_for_reply_row
from tests.fakes.waiting import wait_for
from tests.people import Resident

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def limits(transactional_db: None, settings: Any) -> Any:
    """Settings in which a small model on a busy machine ends in time, and always writes the same."""
    settings.MODEL_CONTEXT, settings.MODEL_PARALLEL, settings.MODEL_THREADS = 2048, 2, 1
    settings.MODEL_REPLY_TOKENS = 60
    settings.MODEL_SAMPLING = {"seed": 7}
    return settings


def start_running_reply(owner: Resident, text: str) -> str:
    """Request a reply to a new entry, and wait until its text has begun."""
    reply = start_reply(owner, owner.write(text).id)
    job = registry.get(UUID(reply), owner.keyring.key_id)
    assert job is not None
    wait_for(lambda: len(job.text) > 10 or job.is_over)
    assert not job.is_over, job.reason
    return reply


def get_child_pid() -> int:
    child = model_server._holder.get().child
    assert child is not None
    assert child.process is not None
    return child.process.pid


def load_page(owner: Resident, path: str) -> str:
    return " ".join(owner.get(path, script=True).content.decode().replace("&#39;", "'").split())


def test_a_text_beyond_the_window_is_shortened_and_its_sources_say_so(
    limits: Any, tiny_model: Path, owner: Resident
) -> None:
    limits.MODEL_CONTEXT = 4096  # of which the prompt itself takes most, since a token is a character here
    earlier = owner.write("The weir was high. " * 40)
    entry = owner.write("Up early, to the mill. " * 200)

    with run_serving_loop(file=tiny_model):
        reply = start_reply(owner, entry.id)
        _, state, reason = wait_for_reply_row(owner, reply, seconds=60)
        sources = load_page(owner, f"/replies/{reply}/read/")

    assert (state, reason) in (("done", ""), ("done", "length"))
    assert "A long text was shortened." in sources
    assert "Not read, because it was too much for the model" in sources
    assert sources.index("Not read") < sources.index(f"/entries/{earlier.id}/")


@pytest.mark.extended
def test_what_a_killed_model_had_written_is_saved_and_the_next_reply_is_written(
    limits: Any, small_model: Path, owner: Resident
) -> None:
    with run_serving_loop(file=small_model):
        reply = start_running_reply(owner, "Up early, to the mill, and walked home by the weir.")
        os.kill(get_child_pid(), signal.SIGKILL)
        text, state, reason = wait_for_reply_row(owner, reply)
        page = load_page(owner, f"/d/{owner.today}/")
        wait_for(lambda: model_server.get_status().is_ready)
        after = start_running_reply(owner, "In the evening it rained, and we read aloud.")
        wait_for_reply_row(owner, after, seconds=120)

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
        write_choice(tmp_path, ModelChoice(file="wren.gguf"))
        model_server.notice_change()
        wait_for(lambda: model_server.get_status().model == "wren")
        second = start_reply(owner, owner.write("In the evening it rained.").id)
        ends = [wait_for_reply_row(owner, reply, seconds=120)[1] for reply in (first, second)]
        signatures = [load_page(owner, f"/replies/{reply}/read/") for reply in (first, second)]

    assert ends[0] == "done"
    assert "Written by heron on this computer" in signatures[0]
    assert "Written by wren on this computer" in signatures[1]
