"""Tests of `config show`, and of unknown names in the configuration, which `up` and `doctor` report."""

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from llamora.ops import configuration
from llamora.ops.doctor import folder
from llamora.settings import _read_settings_file
from tests.server import run_command
from tests.test_docs import list_settings

SECRET, PASSWORD = "hidden-" + "k3yW0rd" * 8, "hidden-p@ss/word"


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    """An environment and a file `.env` without settings."""
    for name in [name for name in os.environ if name.upper().startswith("LLAMORA_")]:
        monkeypatch.delenv(name)
    settings.NAMES_IN_FILE, settings.NAMES_FROM_FILE = [], set()
    settings.SETTINGS_FILE = tmp_path / ".env"


def read_file(settings: Any, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Read a file `.env` with this text, as the settings do when a command starts."""
    settings.SETTINGS_FILE.write_text(text)
    names: list[str] = []
    from_file: set[str] = set()
    monkeypatch.setattr("llamora.settings.NAMES_IN_FILE", names)
    monkeypatch.setattr("llamora.settings.NAMES_FROM_FILE", from_file)
    for name in (line.removeprefix("export ").partition("=")[0] for line in text.splitlines()):
        # Removed again after the test.
        if name.isidentifier() and name not in os.environ:
            monkeypatch.setenv(name, "")
            monkeypatch.delenv(name)
    _read_settings_file(settings.SETTINGS_FILE)
    settings.NAMES_IN_FILE, settings.NAMES_FROM_FILE = names, from_file


def show(*, as_json: bool = False) -> str:
    said = io.StringIO()
    call_command("config", "show", json=as_json, stdout=said)
    return said.getvalue()


def find(name: str) -> configuration.SettingInForce:
    (found,) = (one for one in configuration.list_settings() if one.name == f"LLAMORA_{name}")
    return found


def list_sentences() -> list[str]:
    return [name.sentence for name in configuration.list_ignored_names()]


# --- Values and where they come from -----------------------------------------------------------------------


def test_every_setting_is_shown() -> None:
    said = show()

    assert {one.name for one in configuration.list_settings()} == set(list_settings())
    assert {name for name in list_settings() if f"\n{name} " not in said} == set()


def test_each_value_says_where_it_comes_from(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMORA_PORT", "8801")
    read_file(settings, monkeypatch, "LLAMORA_PORT=8802\nexport LLAMORA_HOSTS='diary.home'\n")

    assert (find("PORT").value, find("PORT").source, find("PORT").is_ignored_in_file) == (
        *("8801", "environment"),
        True,
    )
    assert (find("HOSTS").value, find("HOSTS").source) == ("diary.home", ".env")
    assert (find("HOST").value, find("HOST").source) == ("127.0.0.1", "default")
    assert "8801  (environment, not .env)\n" in show()
    assert list_sentences() == []


def test_what_settings_find_by_themselves_is_shown_as_it_is_used(settings: Any) -> None:
    settings.DATA_DIR, settings.BACKUP_DIR = Path("/diary"), Path("/diary/backups")
    settings.RUNTIME_DIR = "/memory"

    assert find("DATA_DIR").value == "/diary"
    assert find("BACKUP_DIR").value == "/diary/backups"
    assert find("RUNTIME_DIR").value == "/memory"
    assert find("BACKUP_DAILY").value == "true"


@pytest.mark.parametrize("as_json", [True, False])
def test_no_secret_is_shown(as_json: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMORA_SECRET_KEY", SECRET)
    monkeypatch.setenv("LLAMORA_MODEL_API_KEY", SECRET)
    monkeypatch.setenv("LLAMORA_MODEL_URL", f"https://olive:{PASSWORD}@models.home/v1?key={SECRET}#{SECRET}")
    monkeypatch.setenv("LLAMORA_PASSWORT", SECRET)

    said = show(as_json=as_json)

    assert "hidden" not in said
    assert "olive" not in said
    assert "https://(set)@models.home/v1?(set)" in said
    assert "LLAMORA_PASSWORT is not a setting" in said
    assert (find("SECRET_KEY").value, find("MODEL_API_KEY").value) == ("set", "set")


def test_a_secret_that_is_not_there_is_not_set(settings: Any, tmp_path: Path) -> None:
    settings.SECRET_KEY_FILE = tmp_path / "secret_key"
    assert (find("SECRET_KEY").value, find("MODEL_API_KEY").value) == ("not set", "not set")

    settings.SECRET_KEY_FILE.write_text(SECRET)

    assert find("SECRET_KEY").value == "set"


@pytest.mark.parametrize(
    ("value", "public"),
    [
        ("http://user:word@10.0.0.2:8080/v1", "http://10.0.0.2:8080/v1"),
        ("http://token@10.0.0.2", "http://10.0.0.2"),
        ("http://user:p@ss/w@rd@10.0.0.2/v1", "http://10.0.0.2/v1"),
        ("http://10.0.0.2/v1?key=word", "http://10.0.0.2/v1"),
        ("http://10.0.0.2/v1#word", "http://10.0.0.2/v1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://[fe80::1", "http://[fe80::1"),
        ("a line with an @ and a ?", "a line with an @ and a ?"),
    ],
)
def test_an_address_is_shown_without_what_may_be_secret(value: str, public: str) -> None:
    assert configuration.strip_credentials(value) == public


def test_json_has_the_same(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setenv("LLAMORA_PROT", "8801")

    printed = json.loads(show(as_json=True))

    assert printed["file"] == str(settings.SETTINGS_FILE)
    assert [one["name"] for one in printed["settings"]] == list(settings.READ_SETTINGS)
    assert printed["ignored"] == [
        {
            "name": "LLAMORA_PROT",
            "nearest": "LLAMORA_PORT",
            "sentence": "LLAMORA_PROT is not a setting; did you mean LLAMORA_PORT?",
        }
    ]


# --- Names that are no settings ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("LLAMORA_PROT", "LLAMORA_PORT"),
        ("LLAMORA_DATADIR", "LLAMORA_DATA_DIR"),
        ("LLAMORA_MODEL_APIKEY", "LLAMORA_MODEL_API_KEY"),
        ("llamora_port", "LLAMORA_PORT"),
        ("LLAMORA_XYZZY", ""),
        ("LLAMORA_", ""),
        ("LLAMORAPORT", "LLAMORA_PORT"),
    ],
)
def test_a_name_that_is_no_setting_is_named_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, name: str, nearest: str
) -> None:
    monkeypatch.setenv(name, "hidden")

    (found,) = configuration.list_ignored_names()

    assert (found.name, found.nearest) == (name, nearest)
    assert found.sentence.startswith(f"{name} is not a setting; ")
    assert (f"did you mean {nearest}?" if nearest else "config show") in found.sentence


def test_a_name_in_the_file_may_lack_the_prefix(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "# PORT=1\nPORT=8802\nLAMORA_HOST=::1\nHTTPS_PROXY=http://proxy\nLLAMORA_PORT=1\nLLAMORA_PORT=2\n"
    read_file(settings, monkeypatch, text)

    assert list_sentences() == [
        "LAMORA_HOST is not a setting; did you mean LLAMORA_HOST?",
        "PORT is not a setting; did you mean LLAMORA_PORT?",
        f"LLAMORA_PORT stands 2 times in {settings.SETTINGS_FILE}; only the last counts.",
    ]
    assert find("PORT").value == "2"


def test_names_of_other_programs_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "HOST", "LAMORA_PORT", "LLAMORA_TOKEN_FILE", "LLAMORA_TEST_PICTURES"):
        monkeypatch.setenv(name, "elsewhere")

    assert list_sentences() == []
    assert [result.level for result in folder.check_setting_names()] == ["ok"]


def test_doctor_warns_of_such_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMORA_PROT", "8801")

    (result,) = folder.check_setting_names()

    assert (result.level, result.message) == (
        "warn",
        "LLAMORA_PROT is not a setting; did you mean LLAMORA_PORT?",
    )


def test_a_start_says_it_before_it_refuses(tmp_path: Path) -> None:
    extra = {"LLAMORA_DATADIR": str(tmp_path), "LLAMORA_SECRET_KEY": "x" * 60}

    answer = run_command(tmp_path, "up", "--port", "0", "--no-model", extra=extra)

    assert answer.returncode == 1
    assert answer.stdout == "LLAMORA_DATADIR is not a setting; did you mean LLAMORA_DATA_DIR?\n"
    assert "secret key" in answer.stderr


# --- As a command ------------------------------------------------------------------------------------------


def test_it_opens_no_household_and_makes_none(tmp_path: Path) -> None:
    answer = run_command(tmp_path, "config", "show", extra={"LLAMORA_PORT": "8801"})

    assert answer.returncode == 0
    assert "LLAMORA_PORT                   8801  (environment)\n" in answer.stdout
    assert f"LLAMORA_DATA_DIR               {tmp_path}/data  (environment)\n" in answer.stdout
    assert answer.stderr == ""
    assert list((tmp_path / "data").iterdir()) == []


def test_a_wrong_value_stops_it_too(tmp_path: Path) -> None:
    answer = run_command(tmp_path, "config", "show", extra={"LLAMORA_PORT": "abc"})

    assert answer.returncode == 1
    assert answer.stderr.startswith("Llamora can't start: LLAMORA_PORT is 'abc'; it must be ")
