"""Tests of `reindex`: it needs the password and prints only counts."""

import getpass
from datetime import date
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class

from accounts.auth.services.login import sign_in_with_password
from accounts.auth.services.registration import create_person
from accounts.keys.vault_state import confirm_code
from accounts.models import Person
from diary.models import Entry
from llamora.crypto import Keyring, in_force
from llamora.ops.benchmarks.search import list_diary_sizes
from llamora.ops.management.commands.bench import GROUPS
from search import messages
from search.benchmarks import measure
from search.index.registry import indexes
from search.models import Vector
from search.query.parser import parse
from tests.people import PASSWORD
from tests.search.indexing import BagOfWords, wait_until_idle


@pytest.fixture
def registered(transactional_db: None, tmp_path: Path) -> tuple[Keyring, Path]:
    """A person with a password and three entries; returns the file with the password."""
    made = create_person(
        name="Olive", password=PASSWORD, time_zone="UTC", is_administrator=False, address="here"
    )
    confirm_code(made.keyring)
    with in_force(made.keyring):
        for number in range(3):
            Entry.objects.create(owner=made.person, day=date(2026, 1, 1), text=f"A lantern, number {number}.")
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    return made.keyring, file


def run_reindex(*arguments: object) -> str:
    out = StringIO()
    call_command("reindex", *map(str, arguments), stdout=out, stderr=StringIO())
    return out.getvalue()


def test_an_index_made_by_hand_is_used_at_the_next_unlock(
    registered: tuple[Keyring, Path], embedder: BagOfWords, data_folder: Path
) -> None:
    keyring, file = registered

    said = run_reindex("Olive", "--password-file", file)

    assert messages.INDEXED_WORDS.format(texts=3) in said
    assert messages.INDEXED_MEANING.format(chunks=3) in said
    assert "lantern" not in said
    assert len(list(data_folder.rglob("*.sealed"))) == 2
    assert Vector.objects.count() == 3
    sign_in_with_password(name="Olive", password=PASSWORD, address="here")
    index = indexes.for_owner(keyring)
    _wait(keyring)
    assert len(embedder.embedded) == 3
    assert index.words is not None
    assert index.words.find(parse("lantern"), limit=5).total == 3


def test_what_search_lacks_is_said_once_and_not_logged(
    registered: tuple[Keyring, Path], data_folder: Path, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    _, file = registered
    settings.SEARCH_MODEL_PATH = str(data_folder / "no model")

    said = run_reindex("Olive", "--password-file", file)

    assert said.count("Related-entry search is off") == 1
    assert "Related-entry search is off" not in caplog.text


@pytest.mark.parametrize("command", ["reindex", "export_diary"])
def test_a_password_that_no_terminal_hides_is_not_asked_for(
    registered: tuple[Keyring, Path],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    command: str,
) -> None:
    """As in a script or a container without a terminal."""
    monkeypatch.setattr(getpass, "getpass", getpass.fallback_getpass)

    with pytest.raises(CommandError, match="no terminal that hides what you type"):
        call_command(command, "Olive")

    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("command", ["reindex", "export_diary"])
def test_the_checks_of_the_installation_stop_neither(command: str) -> None:
    assert load_command_class(str(get_commands()[command]), command).requires_system_checks == []


def _wait(keyring: Keyring) -> None:
    wait_until_idle(SimpleNamespace(keyring=keyring))  # type: ignore[arg-type]  # only the keyring is used


def test_vectors_are_kept_unless_new_ones_are_asked_for(
    registered: tuple[Keyring, Path], embedder: BagOfWords
) -> None:
    _, file = registered
    run_reindex("Olive", "--password-file", file)

    run_reindex("Olive", "--password-file", file)
    assert len(embedder.embedded) == 3
    run_reindex("Olive", "--password-file", file, "--vectors")
    assert len(embedder.embedded) == 6


def test_without_a_model_words_are_indexed_and_the_command_says_so(
    registered: tuple[Keyring, Path], settings: Any
) -> None:
    _, file = registered
    settings.SEARCH_MODEL = "none/at-all"

    said = run_reindex("Olive", "--password-file", file)

    assert messages.INDEXED_WORDS.format(texts=3) in said
    assert messages.get_embedding_message("absent") in said


def test_a_wrong_password_and_an_unknown_name_are_refused(
    registered: tuple[Keyring, Path], data_folder: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("not the password at all\n")

    with pytest.raises(CommandError):
        run_reindex("Olive", "--password-file", wrong)
    with pytest.raises(CommandError, match="Nobody"):
        run_reindex("Nobody", "--password-file", wrong)
    assert list(data_folder.rglob("*.sealed")) == []


def test_measuring_leaves_nobody_behind(transactional_db: None, data_folder: Path) -> None:
    figures = {figure.name: figure.value for figure in measure(200)}

    assert figures["planted phrases found first, of 200"] == 200
    assert figures["recall at 10 of the graph"] >= 0.99
    assert not Person.objects.exists()
    assert not Vector.objects.exists()
    assert list(data_folder.rglob("*.sealed")) == []


@pytest.mark.parametrize(
    ("name", "folder"), [("", ""), ("off", ""), ("sentence-transformers/all-MiniLM-L6-v2", ""), ("a/b", "c")]
)
def test_only_a_model_that_is_named_and_not_here_is_downloaded(
    settings: Any, tmp_path: Path, name: str, folder: str
) -> None:
    settings.SEARCH_MODEL, settings.SEARCH_MODEL_PATH = name, folder and str(tmp_path / folder)

    with pytest.raises(CommandError) as refusal:
        run_reindex("Olive", "--fetch-model")

    assert str(refusal.value) == messages.NOT_FOR_DOWNLOAD


@pytest.mark.slow
def test_fifty_thousand_entries_are_found_as_soon_and_as_fast_as_promised(
    transactional_db: None, data_folder: Path
) -> None:
    figures = {figure.name: figure.value for figure in measure(50_000)}

    print(*(f"{name}: {value:.4g}" for name, value in figures.items()), sep="\n")
    assert figures["unlock to search by words, without a saved index"] < 5
    assert figures["unlock to related entries, without a saved index"] < 15
    assert figures["unlock to related entries, with a saved index"] < 2
    assert figures["every kind, p95"] < 25
    assert figures["planted phrases found first, of 200"] == 200
    assert figures["recall at 10 of the graph"] >= 0.99


def test_the_households_bench_measures_search_at_the_sizes_that_are_promised() -> None:
    assert list_diary_sizes(50_000) == [1_000, 10_000, 50_000, 100_000]
    assert "search" in GROUPS
