"""Tests of choosing a model: those available, the chosen one and its reason; adding and deleting files."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from llamora.inference import model_server
from llamora.inference.config import ModelConfig
from llamora.inference.model_choice import catalogue, downloads, errors, services, uploads
from llamora.inference.model_choice.catalogue import CATALOGUE, assess
from llamora.inference.model_choice.choice_file import ModelChoice, read_choice, write_choice
from llamora.inference.model_choice.errors import ChoiceRefused
from llamora.inference.model_choice.machine import Machine, choose_threads, count_cores, read_machine
from llamora.inference.model_choice.selection import select_model
from llamora.inference.model_choice.uploads import add_file
from tests.fakes.gguf_file import INSTRUCT, build_gguf, write_gguf
from tests.fakes.model_hub import FILE, REPOSITORY, FakeHub, Fault
from tests.fakes.model_server import FakeModelServer
from tests.fakes.waiting import PATIENCE

GIB = 1 << 30


@pytest.fixture
def models(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """The folder of models of a household that has set nothing."""
    settings.DATA_DIR = tmp_path
    settings.MODEL_URL = settings.MODEL_FILE = settings.MODEL_NAME = ""
    settings.MODEL_USUAL_ADDRESSES = ()
    previous = model_server._holder.replace(None)
    yield tmp_path / "models"
    downloads.downloads.cancel()
    assert downloads.downloads.wait(seconds=PATIENCE)
    downloads.downloads = services.downloads = downloads.BackgroundDownloads()
    model_server._holder.replace(previous)


def get_code(call: object, *arguments: object, **named: object) -> str:
    assert callable(call)
    with pytest.raises(ChoiceRefused) as caught:
        call(*arguments, **named)
    assert str(caught.value).endswith(".")
    assert "{" not in str(caught.value)
    return caught.value.code


def select(**wish: str) -> tuple[str, str]:
    found = select_model(model_server.get_config())
    return found.file.name if found.file else found.url, found.decided_by


# --- The choice -------------------------------------------------------------------------------------------


def test_a_file_is_chosen_by_its_name_or_path(models: Path, tmp_path: Path) -> None:
    write_gguf(models / "heron.gguf")
    elsewhere = write_gguf(tmp_path / "else" / "wren.gguf")

    before = select()
    services.choose_file("heron")
    inside = select()
    services.choose_file(str(elsewhere))

    assert before == ("", "")
    assert inside == ("heron.gguf", "choice")
    assert select() == ("wren.gguf", "choice")
    assert [(entry.file.name, entry.is_chosen) for entry in services.list_files()] == [
        ("heron", False),
        ("wren", True),
    ]
    assert (models / "choice.json").stat().st_mode & 0o077 == 0


def test_a_withdrawn_choice_is_none(models: Path) -> None:
    write_gguf(models / "heron.gguf")
    services.choose_file("heron")

    services.withdraw_choice()

    assert select() == ("", "")
    assert not (models / "choice.json").exists()
    assert "first model that it finds" in services.describe_selection().sentence


def test_a_server_and_one_of_its_models_are_chosen(models: Path) -> None:
    services.choose_server("http://127.0.0.1:11434", "heron")

    found = services.describe_selection()
    assert (found.selection.url, found.selection.model) == ("http://127.0.0.1:11434", "heron")
    assert services.describe_selected(found.selection) == "heron at 127.0.0.1:11434"
    assert get_code(services.choose_server, "http://models.example", "heron") == "remote_not_allowed"
    assert get_code(services.choose_server, "127.0.0.1:80", "heron") == "wrong_address"


@pytest.mark.parametrize(
    ("name", "value", "setting"),
    [
        ("MODEL_URL", "http://127.0.0.1:1", "LLAMORA_MODEL_URL"),
        ("MODEL_FILE", "/models/a.gguf", "LLAMORA_MODEL_FILE"),
        ("MODEL_NAME", "heron", "LLAMORA_MODEL_NAME"),
    ],
)
def test_what_a_setting_decides_is_not_chosen_here(
    models: Path, settings: Settings, name: str, value: str, setting: str
) -> None:
    write_gguf(models / "wren.gguf")
    services.choose_file("wren")
    model_server._holder.replace(None)
    setattr(settings, name, value)

    found = services.describe_selection()

    assert found.setting == setting
    assert found.sentence == f"It is set by {setting}."
    assert found.selection.file != models / "wren.gguf"
    assert get_code(services.choose_file, "wren") == "set_elsewhere"
    assert get_code(services.choose_server, "http://127.0.0.1:2") == "set_elsewhere"


def test_of_a_server_that_a_setting_names_a_model_can_be_chosen(models: Path, settings: Settings) -> None:
    settings.MODEL_URL = "http://127.0.0.1:1"

    services.choose_server("http://127.0.0.1:1", "wren")
    chosen = select_model(model_server.get_config()).model
    model_server._holder.replace(None)
    settings.MODEL_NAME = "heron"

    assert chosen == "wren"
    assert select_model(model_server.get_config()).model == "heron"
    assert get_code(services.choose_server, "http://127.0.0.1:1", "wren") == "set_elsewhere"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"file": 1}',
        b'{"file": "a", "url": "b"}',
        b"[" * 50_000,
        b'{"file": "a\\nb"}',
        None,
    ],
)
def test_a_choice_that_cannot_be_read_is_passed_over_and_said(models: Path, content: bytes | None) -> None:
    models.mkdir()
    path = models / "choice.json"
    path.mkdir() if content is None else path.write_bytes(content)

    found = services.describe_selection()

    assert found.selection.file is None
    assert "choice.json" in found.problem
    with pytest.raises(ChoiceRefused):
        read_choice(models)


def test_a_choice_that_cannot_be_written_leaves_the_earlier_one(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_choice(models, ModelChoice(file="heron.gguf"))
    (models / "choice.json.d").mkdir()

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)

    assert get_code(services.choose_server, "http://127.0.0.1:1") == "not_saved"
    assert read_choice(models) == ModelChoice(file="heron.gguf")
    assert sorted(path.name for path in models.iterdir()) == ["choice.json", "choice.json.d"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<html>", "no_gguf"),
        (build_gguf()[:-1], "incomplete"),
        (build_gguf({"general.architecture": "bert"}), "no_text_model"),
    ],
)
def test_a_file_that_cannot_be_used_is_listed_and_not_chosen(models: Path, content: bytes, code: str) -> None:
    write_gguf(models / "heron.gguf", content)

    (entry,) = services.list_files()

    assert entry.file.problem == code
    assert entry.file.sentence.endswith(".")
    assert get_code(services.choose_file, "heron") == code
    assert get_code(services.choose_file, "absent") == "no_such_file"
    assert get_code(services.choose_file, "/absent/heron.gguf") == "no_file_at"


def test_only_files_of_models_are_listed(models: Path) -> None:
    for name in ("b.gguf", "a.gguf", "mmproj-a.gguf", "c-00001-of-00002.gguf", "c-00002-of-00002.gguf"):
        write_gguf(models / name)
    write_gguf(models / "d.gguf.part")

    assert [entry.file.path.name for entry in services.list_files()] == [
        "a.gguf",
        "b.gguf",
        "c-00001-of-00002.gguf",
    ]
    assert [entry.is_in_use for entry in services.list_files()] == [True, False, False]


def test_the_servers_that_run_are_listed_with_their_models(models: Path, settings: Settings) -> None:
    with FakeModelServer(kind="Ollama", model="heron", also=("wren", "nomic-embed-text")) as server:
        settings.MODEL_USUAL_ADDRESSES = (server.url, "http://127.0.0.1:1")

        (found,) = services.list_servers()

        settings.MODEL_USUAL_ADDRESSES = ()
        model_server._holder.replace(None)
        services.choose_server(server.url, "wren")
        assert services.list_servers() == [found]

    assert (found.url, found.kind, found.models) == (server.url, "Ollama", ("heron", "wren"))


# --- The short list ---------------------------------------------------------------------------------------


def test_the_list_says_what_this_machine_can_do(models: Path) -> None:
    entries = services.list_catalogue()

    assert [entry.model for entry in entries] == [*CATALOGUE]
    assert all(entry.suitability.sentence.startswith("Needs about ") for entry in entries)
    assert read_machine().memory > GIB
    assert 1 <= count_cores() <= (os.cpu_count() or 1)


def test_of_more_than_two_cores_a_model_leaves_one() -> None:
    assert [choose_threads(cores) for cores in (1, 2, 3, 8)] == [1, 2, 2, 7]


def test_what_fits_depends_on_memory_and_cores() -> None:
    large = CATALOGUE[-1]

    def look(*, memory: int, available: int, cores: int) -> str:
        machine = Machine(memory=memory * GIB, available=available * GIB, cores=cores)
        return assess(large, machine, context=8192, parallel=2).sentence

    assert look(memory=4, available=3, cores=8) == "Needs about 7.5 GB of memory; this machine has 4.3 GB."
    assert (
        look(memory=16, available=3, cores=8) == "Needs about 7.5 GB of memory: close other programs first."
    )
    assert look(memory=16, available=9, cores=8).endswith("which this machine has.")
    assert look(memory=16, available=9, cores=2).endswith(" With 2 processor cores, replies will be slow.")
    assert look(memory=0, available=0, cores=8).endswith("which this machine has.")


def test_every_model_of_the_list_can_be_found_and_fetched() -> None:
    for model in CATALOGUE:
        source = downloads.parse_source(model.name)
        assert (source.repository, source.name) == (model.repository, model.file)
        assert downloads.parse_source(f"{model.repository}/{model.file}") == source
        assert catalogue.find_catalogue_model(model.title) is model
        assert model.sentence.endswith(".")
        assert 3_000_000_000 < model.parameters < 8_500_000_000
        assert model.size > model.parameters // 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("heron", "bad_source"),
        ("maker/repository/a.bin", "bad_source"),
        ("maker/../a.gguf", "bad_source"),
        ("maker/repository/../../a.gguf", "bad_source"),
        ("https://hub.example/a/b.gguf", "bad_source"),
        ("maker/repository/a-00001-of-00002.gguf", "split_file"),
    ],
)
def test_a_source_that_is_no_file_of_a_hub_is_refused(text: str, code: str) -> None:
    assert get_code(downloads.parse_source, text) == code


# --- Files that are deleted and added ---------------------------------------------------------------------


def test_a_file_in_use_is_deleted_only_with_force(models: Path) -> None:
    write_gguf(models / "heron.gguf")
    write_gguf(models / "wren.gguf")
    services.choose_file("wren")

    services.remove_file("heron")
    code = get_code(services.remove_file, "wren")
    services.remove_file("wren", force=True)

    assert code == "in_use"
    assert services.list_files() == []
    assert not select_model(services._get_config()).decided_by


def test_what_is_deleted_lies_in_the_folder(models: Path, tmp_path: Path) -> None:
    elsewhere = write_gguf(tmp_path / "heron.gguf")
    write_gguf(models / "a.gguf.part")
    write_gguf(models / "a.gguf.part.json")
    parts = [write_gguf(models / f"c-0000{number}-of-00002.gguf") for number in (1, 2)]
    write_gguf(models / "0.gguf")

    assert get_code(services.remove_file, str(elsewhere)) == "elsewhere"
    assert get_code(services.remove_file, "../heron") == "no_such_file"
    write_gguf(models / CATALOGUE[0].file)
    services.remove_file(CATALOGUE[0].name)
    services.remove_file("a")
    services.remove_file(parts[0].name)

    assert elsewhere.exists()
    assert [path.name for path in models.iterdir()] == ["0.gguf"]


def test_a_file_that_is_added_is_checked_and_listed(models: Path) -> None:
    content = build_gguf()

    file = add_file(
        [content[:3], content[3:700], content[700:]], name="Heron 3B (new).gguf", folder=models, size=9
    )

    assert file.facts is not None
    assert file.path.read_bytes() == content
    assert file.path.stat().st_mode & 0o077 == 0
    assert [entry.file for entry in services.list_files()] == [file]


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"<!doctype html>" * 9, "a.gguf", "no_gguf"),
        (b"GG", "a.gguf", "incomplete"),
        (build_gguf()[:-1], "a.gguf", "incomplete"),
        (build_gguf({"general.architecture": "clip"}), "a.gguf", "no_text_model"),
        (build_gguf(), "../a.gguf", "bad_name"),
        (build_gguf(), ".a.gguf", "bad_name"),
        (build_gguf(), "a.bin", "bad_name"),
        (build_gguf(), f"{'a' * 300}.gguf", "bad_name"),
        (build_gguf(), "", "bad_name"),
        (build_gguf(), "a\n.gguf", "bad_name"),
        (build_gguf(), "a-00001-of-00002.gguf", "split_file"),
        (build_gguf(), "here.gguf", "file_exists"),
    ],
)
def test_of_a_file_that_is_refused_nothing_stays(models: Path, content: bytes, name: str, code: str) -> None:
    here = write_gguf(models / "here.gguf", build_gguf(INSTRUCT | {"general.name": "here"}))

    assert get_code(add_file, [content[:1], content[1:]], name=name, folder=models) == code

    assert [path for path in models.iterdir() if path.suffix in (".gguf", ".part")] == [here]


def test_a_file_without_space_is_refused_before_it_comes(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "SPACE_FOR_OTHERS", 1 << 60)

    assert get_code(add_file, iter(()), name="a.gguf", folder=models) == "disk_full"


def test_a_file_that_breaks_off_leaves_nothing(models: Path) -> None:
    def send() -> Iterator[bytes]:
        yield build_gguf()[:100]
        raise ConnectionResetError(104, "Connection reset by peer")

    assert get_code(add_file, send(), name="a.gguf", folder=models) == "not_added"
    assert list(models.glob("*.gguf*")) == []


# --- Downloads --------------------------------------------------------------------------------------------


def finish() -> downloads.DownloadProgress:
    assert downloads.downloads.wait(seconds=PATIENCE)
    progress = services.get_download_progress()
    assert progress is not None
    return progress


def test_a_download_goes_on_beside_the_pages_and_may_be_chosen(models: Path, settings: Settings) -> None:
    with FakeHub() as hub:
        settings.MODEL_HUB = hub.url
        before = services.get_download_progress()
        started = services.start_download(f"{REPOSITORY}/{FILE}", use=True)
        progress = finish()

    assert before is None
    assert (started.name, started.is_running) == (FILE, True)
    assert (progress.phase, progress.percent, progress.is_running) == ("finished", 100, False)
    assert select() == (FILE, "choice")
    assert get_code(services.start_download, f"{REPOSITORY}/{FILE}") == "already_here"


def test_there_is_one_download_at_a_time(models: Path, settings: Settings) -> None:
    with FakeHub(build_gguf(data=400_000)) as hub:
        settings.MODEL_HUB = hub.url
        hub.faults.append(Fault(wait_after=200_000))
        services.start_download(f"{REPOSITORY}/{FILE}")
        assert hub.waiting.wait(PATIENCE)

        here = get_code(services.start_download, f"{REPOSITORY}/{FILE}")
        with pytest.raises(ChoiceRefused) as elsewhere, downloads.lock_downloads(models):
            pass
        services.cancel_download()
        progress = finish()
        unfinished = services.list_unfinished()
        hub.release.set()
        services.start_download(f"{REPOSITORY}/{FILE}")

        assert (here, elsewhere.value.code) == ("already_running", "already_running")
        assert (progress.phase, progress.code) == ("cancelled", "cancelled")
        assert [part.name for part in unfinished] == [FILE]
        assert finish().phase == "finished"
        assert services.list_unfinished() == []


def test_a_download_of_another_process_is_respected(models: Path, settings: Settings) -> None:
    with FakeHub() as hub, downloads.lock_downloads(models):
        settings.MODEL_HUB = hub.url
        assert get_code(services.start_download, f"{REPOSITORY}/{FILE}") == "already_running"


def test_a_failed_download_says_why(models: Path, settings: Settings) -> None:
    with FakeHub() as hub:
        settings.MODEL_HUB = hub.url
        hub.head_status = 404
        services.start_download(f"{REPOSITORY}/{FILE}")
        missing = finish()
        hub.head_status = 0
        hub.faults.append(Fault(other=b"x" * len(hub.content)))
        services.start_download(f"{REPOSITORY}/{FILE}")
        wrong = finish()

    assert (missing.phase, missing.code) == ("failed", "not_found")
    assert (wrong.phase, wrong.code) == ("failed", "checksum_wrong")
    assert missing.sentence != wrong.sentence


def test_every_sentence_is_one() -> None:
    facts = dict.fromkeys(("setting", "reason", "name", "needed", "free", "path"), "X")
    sentences = [errors.get_sentence(code, **facts) for code in errors._SENTENCES]

    assert len(set(sentences)) == len(sentences)
    assert all(sentence[-1] == "." and "{" not in sentence for sentence in sentences)


def test_the_folder_need_not_be_there(models: Path) -> None:
    assert services.list_files() == []
    assert services.list_unfinished() == []
    assert ModelConfig.from_settings().models_folder == models
    assert not models.exists()
