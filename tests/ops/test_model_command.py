"""Tests of `manage.py model`, and of `up --model`."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django.fixtures import Settings

from llamora.inference import model_server
from llamora.inference.model_choice import services
from llamora.inference.model_choice.catalogue import CATALOGUE
from llamora.inference.model_choice.choice_file import ModelChoice, read_choice
from llamora.inference.model_choice.errors import ChoiceRefused
from tests import data_folder_template
from tests.fakes import waiting
from tests.fakes.gguf_file import build_gguf, write_gguf
from tests.fakes.model_hub import FILE, REPOSITORY, FakeHub, Fault
from tests.fakes.model_server import FakeModelServer
from tests.fakes.tiny_model import write_tiny_model
from tests.ops.test_model_at_start import wait_for
from tests.server import ROOT, build_environment, run_command, start


@pytest.fixture
def models(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """The folder of models of a household that has set nothing."""
    settings.DATA_DIR = tmp_path
    settings.MODEL_URL = settings.MODEL_FILE = settings.MODEL_NAME = ""
    settings.MODEL_USUAL_ADDRESSES = ()
    previous = model_server._holder.replace(None)
    yield tmp_path / "models"
    model_server._holder.replace(previous)


def run(*arguments: str, **options: Any) -> str:
    output = StringIO()
    call_command("model", *arguments, stdout=output, **options)
    return output.getvalue()


def refuse(*arguments: str) -> str:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    return str(caught.value)


def test_the_list_says_what_there_is_and_what_is_used(models: Path, settings: Settings) -> None:
    write_gguf(models / "heron.gguf")
    write_gguf(models / "half.gguf", build_gguf()[:-1])
    write_gguf(models / "owl.gguf.part")
    (models / CATALOGUE[0].file).write_bytes(build_gguf())
    with FakeModelServer(kind="Ollama", model="wren") as server:
        settings.MODEL_USUAL_ADDRESSES = (server.url,)
        before = run("list")
        run("use", "heron")
        lines = run("list").splitlines()

    assert "Nothing is chosen" in before
    assert any(line.startswith("  half: ") and line.endswith("get it again.") for line in lines)
    assert (
        "  heron: 8,192 parameters, Q4_K_M, 8,192 tokens, 0.0 MB, too small for a diary, chosen, in use"
        in lines
    )
    assert any(line.startswith("  owl.gguf: ") for line in lines)
    assert f"  Ollama at {server.url}: wren" in lines
    assert all(any(line.startswith(f"  {model.name}: ") for line in lines) for model in CATALOGUE)
    assert sum("It is here." in line for line in lines) == 1
    assert lines[-1] == "In use: heron. It was chosen in this household."


def test_an_empty_household_is_told_where_to_begin(models: Path) -> None:
    output = run("list")

    assert "In use: nothing yet." in output
    assert "manage.py model get NAME" in output
    assert not models.exists()


def test_a_model_of_a_running_server_is_chosen_by_its_name(models: Path, settings: Settings) -> None:
    with FakeModelServer(kind="Ollama", model="wren:latest") as server:
        settings.MODEL_USUAL_ADDRESSES = (server.url,)
        output = run("use", "wren")
        sentence = refuse("use", "owl")

    assert read_choice(models) == ModelChoice(url=server.url, model="wren:latest")
    assert output.startswith(f"Chosen: wren:latest at 127.0.0.1:{server.port}.")
    assert "has the name “owl”" in sentence


def test_a_model_of_the_list_is_chosen_once_it_is_here(models: Path) -> None:
    listed = CATALOGUE[1]
    sentence = refuse("use", listed.name)
    write_gguf(models / listed.file)
    run("use", listed.title)

    assert f"manage.py model get {listed.name}" in sentence
    assert read_choice(models) == ModelChoice(file=listed.file)
    run("use", withdraw=True)
    assert read_choice(models) == ModelChoice()


def test_what_is_refused_ends_with_its_sentence(models: Path, settings: Settings) -> None:
    write_gguf(models / "heron.gguf")

    assert "Name a model" in refuse("use")
    assert "Name a model" in refuse("get")
    assert "Name a model" in refuse("remove")
    assert "in use" in refuse("remove", "heron")
    assert "no such model file" in refuse("remove", "owl")
    settings.MODEL_URL = "http://127.0.0.1:1"
    model_server._holder.replace(None)
    assert "LLAMORA_MODEL_URL" in refuse("use", "heron")
    settings.MODEL_URL = ""
    model_server._holder.replace(None)
    run("remove", "heron", force=True)
    assert services.list_files() == []


def test_a_model_is_downloaded_with_its_progress(models: Path, settings: Settings) -> None:
    with FakeHub(build_gguf(data=300_000)) as hub:
        settings.MODEL_HUB = hub.url
        hub.faults.append(Fault(drop_after=100_000))
        output = run("get", f"{REPOSITORY}/{FILE}")

    assert (models / FILE).read_bytes() == hub.content
    assert "trying again" in output
    assert "Loading: 100 %" in output
    assert f"manage.py model use {Path(FILE).stem}" in output


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_a_download_whose_process_ended_goes_on(tmp_path: Path, ending: signal.Signals) -> None:
    with FakeHub(build_gguf(data=4_000_000)) as hub:
        hub.faults.append(Fault(wait_after=3_000_000))
        environment = build_environment(tmp_path, {"LLAMORA_MODEL_HUB": hub.url})
        command = [sys.executable, "manage.py", "model", "get", f"{REPOSITORY}/{FILE}"]
        with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE) as process:
            assert hub.waiting.wait(60)
            folder = tmp_path / "data" / "models"
            # Python's buffer holds back the last bytes.
            until_there(folder / f"{FILE}.part", 2_900_000)
            process.send_signal(ending)
            said = process.communicate(timeout=30)[1].decode()
        again = run_command(tmp_path, *command[2:], extra={"LLAMORA_MODEL_HUB": hub.url})

    assert process.returncode != 0
    assert ("cancelled" in said) is (ending is signal.SIGINT)
    assert again.returncode == 0, again.stderr
    assert (folder / FILE).read_bytes() == hub.content
    assert int(hub.loads[-1]["range"].removeprefix("bytes=").removesuffix("-")) >= 2_900_000


def until_there(path: Path, size: int) -> None:
    waiting.wait_for(lambda: path.exists() and path.stat().st_size >= size)


@pytest.mark.parametrize(
    ("fault", "words"),
    [(Fault(other=b"x" * 20_000), "it was deleted"), (Fault(location="http://a/"), "not encrypted")],
)
def test_a_download_that_fails_says_why(models: Path, settings: Settings, fault: Fault, words: str) -> None:
    with FakeHub(build_gguf(data=20_000)) as hub:
        hub.content, settings.MODEL_HUB = hub.content[:20_000], hub.url
        hub.faults.append(fault)
        assert words in refuse("get", f"{REPOSITORY}/{FILE}")

    assert list(models.glob("*.gguf")) == []


def test_a_file_from_elsewhere_is_copied(models: Path, tmp_path: Path) -> None:
    source = write_gguf(tmp_path / "elsewhere" / "heron.gguf")

    output = run("get", str(source))

    assert (models / "heron.gguf").read_bytes() == source.read_bytes()
    assert "manage.py model use heron" in output
    assert "already has a file heron.gguf" in refuse("get", str(source))
    assert "is not a model file" in refuse("get", str(write_gguf(tmp_path / "a.gguf", b"<html>")))


# --- For one run of the server ----------------------------------------------------------------------------


def test_an_option_goes_before_settings_and_choice(models: Path, settings: Settings) -> None:
    write_gguf(models / "heron.gguf")
    settings.MODEL_URL, settings.MODEL_NAME = "http://127.0.0.1:1", "wren"

    config = services.build_config("heron", option="--model")

    assert (config.file, config.url, config.name) == (str(models / "heron.gguf"), "", "")
    assert config.decided_by == "--model"
    with pytest.raises(ChoiceRefused, match="has the name “owl”"):
        services.build_config("owl", option="--model")


def test_the_server_runs_the_model_that_the_option_names(tmp_path: Path, shared: Path) -> None:
    build_environment(tmp_path)
    data_folder_template.copy_template(tmp_path / "data")
    (tmp_path / "data" / "models").mkdir(exist_ok=True)
    tiny = write_tiny_model(shared, tmp_path)
    for name in ("a", "tiny-two"):
        (tmp_path / "data" / "models" / f"{name}.gguf").write_bytes(tiny.read_bytes())
    refused = run_command(tmp_path, "up", "--model", "owl")
    server = start(tmp_path, "--model", "tiny-two", extra={"LLAMORA_MODEL_CONTEXT": "512"})
    try:
        line = wait_for(server, "Replies are written by")
    finally:
        server.stop()

    assert refused.returncode == 1
    assert "has the name “owl”" in refused.stderr
    assert "written by tiny-two" in line
