"""Tests of the address of the running server, as the server recorded it."""

from pathlib import Path
from typing import Any

import pytest

from accounts.management import server_address
from accounts.sessions import run_secret
from llamora.ops import data_folder


@pytest.fixture
def house(tmp_path: Path, settings: Any) -> Path:
    """A data folder with a runtime folder, as `up` creates them."""
    settings.DATA_DIR = tmp_path / "data"
    settings.RUNTIME_DIR = str(tmp_path / "run")
    settings.DATA_DIR.mkdir()
    folder = run_secret.get_household_folder()
    assert folder
    folder.mkdir(mode=0o700, parents=True)
    return tmp_path / "data"


def test_an_address_is_believed_while_a_server_holds_the_folder(house: Path) -> None:
    assert server_address.read_address() is None

    with data_folder.lock(house):
        assert server_address.read_address() is None
        server_address.record_address("http://here")
        assert server_address.read_address() == "http://here"

    assert server_address.read_address() is None


def test_an_address_in_a_folder_that_others_may_write_to_is_not_believed(house: Path) -> None:
    folder = run_secret.get_household_folder()
    assert folder

    with data_folder.lock(house):
        server_address.record_address("http://elsewhere")
        folder.chmod(0o777)

        assert server_address.read_address() is None


def test_without_a_place_to_note_it_nobody_can_tell(house: Path, settings: Any) -> None:
    settings.RUNTIME_DIR = str(house / "nowhere")

    with data_folder.lock(house):
        server_address.record_address("http://here")

        assert server_address.read_address() is None


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://llamora.localhost:80"),
        ("::", "http://llamora.localhost:80"),
        ("192.0.2.7", "http://192.0.2.7:80"),
        ("127.0.0.2", "http://127.0.0.2:80"),
        ("[2001:db8::7]", "http://[2001:db8::7]:80"),
        ("diary.home", "http://diary.home:80"),
    ],
)
def test_a_server_is_reached_where_it_listens(host: str, address: str) -> None:
    assert server_address.build_address(host, 80) == address
