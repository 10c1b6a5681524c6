"""Tests of the data folder: private, refused if readable by others, locked by one server."""

import os
import stat
from pathlib import Path

import pytest

from llamora.ops import data_folder
from llamora.ops.errors import OperationRefused

KEY = "k3y-" + "".join(chr(65 + number % 26) for number in range(60))


def prepare(folder: Path) -> Path:
    key_file = folder / "secrets" / "secret_key"
    data_folder.prepare(folder, key_file=key_file)
    data_folder.write_missing_key(key_file, KEY)
    return key_file


@pytest.fixture(autouse=True)
def _restore_umask() -> object:
    """Restore the umask, which `prepare` changes."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_new_folder_and_its_key_are_closed_to_others(tmp_path: Path) -> None:
    key_file = prepare(tmp_path / "a" / "data")

    assert stat.S_IMODE((tmp_path / "a" / "data").stat().st_mode) == 0o700
    # Where people put model files: messages name it.
    assert stat.S_IMODE((tmp_path / "a" / "data" / "models").stat().st_mode) == 0o700
    assert stat.S_IMODE(key_file.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert key_file.read_text() == KEY + "\n"


def test_an_empty_folder_that_stands_open_is_closed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)

    prepare(tmp_path / "data")

    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_a_folder_of_models_that_links_to_a_missing_disk_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "models").symlink_to(tmp_path / "disk")

    prepare(tmp_path / "data")

    assert (tmp_path / "data" / "models").is_symlink()
    assert not (tmp_path / "disk").exists()


def test_the_key_is_made_once(tmp_path: Path) -> None:
    key_file = prepare(tmp_path / "data")
    key_file.write_text("another\n")

    prepare(tmp_path / "data")

    assert key_file.read_text() == "another\n"


def test_an_empty_key_file_gets_a_new_key_and_a_sentence(tmp_path: Path) -> None:
    key_file = prepare(tmp_path / "data")
    key_file.write_text("")

    said = data_folder.write_missing_key(key_file, KEY)

    assert f"{key_file} was empty, so it has a new key." in said
    assert key_file.read_text() == KEY + "\n"
    assert data_folder.write_missing_key(key_file, KEY) == ""


@pytest.mark.parametrize("name", ["secrets/secret_key", "llamora.sqlite3", "llamora.sqlite3-wal"])
def test_a_file_that_others_can_read_is_refused_by_name(tmp_path: Path, name: str) -> None:
    prepare(tmp_path / "data")
    (tmp_path / "data" / name).touch()
    (tmp_path / "data" / name).chmod(0o640)

    with pytest.raises(OperationRefused, match=f"chmod 600 .*{name}"):
        prepare(tmp_path / "data")


def test_a_folder_with_something_in_it_is_never_closed_unasked(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "somebody's file").touch()
    (tmp_path / "data").chmod(0o755)

    with pytest.raises(OperationRefused, match="chmod 700"):
        prepare(tmp_path / "data")


def test_a_file_in_the_folder_s_place_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").touch()

    with pytest.raises(OperationRefused, match="LLAMORA_DATA_DIR"):
        prepare(tmp_path / "data")


def test_one_holds_the_folder_and_lets_it_go(tmp_path: Path) -> None:
    first = data_folder.lock(tmp_path)
    with first, pytest.raises(OperationRefused, match="already running"), data_folder.lock(tmp_path):
        pass

    with data_folder.lock(tmp_path):
        pass


@pytest.mark.parametrize(
    "key", ["", "short", "a" * 80, "django-insecure-0123456789abcdefghijklmnopqrstuvwxyz-0123456789"]
)
def test_a_key_that_could_be_guessed_is_weak(key: str) -> None:
    assert data_folder.find_key_weakness(key)


def test_a_random_key_is_not_weak() -> None:
    assert data_folder.find_key_weakness(KEY) is None
