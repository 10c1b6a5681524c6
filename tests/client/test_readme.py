"""Tests that the README names exactly the commands and options of the client, and that its example runs."""

import argparse
import re

import pytest

from llamora.client.commands.arguments import build_parser
from tests.client.scripted_api import TOKEN, ScriptedApi
from tests.test_docs import get_section

SECTION = get_section("Programs")
(_COMMANDS,) = [action for action in build_parser()._actions if action.dest == "command"]
PARSERS: dict[str, argparse.ArgumentParser] = dict(_COMMANDS.choices or {})  # type: ignore[call-overload]
COMMON = {flag for flag in build_parser()._option_string_actions if flag.startswith("--")} - {"--help"}


def get_row(name: str) -> str:
    """Return the row of a command."""
    (row,) = re.findall(rf"^\| `{name}\b.*$", SECTION, re.MULTILINE)
    return str(row)


def test_every_command_has_a_row_and_every_row_is_a_command() -> None:
    assert set(re.findall(r"^\| `(\w+)", SECTION, re.MULTILINE)) == PARSERS.keys()


@pytest.mark.parametrize("name", PARSERS)
def test_the_row_of_a_command_names_its_options(name: str) -> None:
    own = (
        {flag for flag in PARSERS[name]._option_string_actions if flag.startswith("--")} - COMMON - {"--help"}
    )

    assert set(re.findall(r"--[a-z-]+", get_row(name))) == own


def test_every_common_option_has_a_row() -> None:
    assert set(re.findall(r"^\| `(--[a-z-]+)", SECTION, re.MULTILINE)) == COMMON


def test_the_example_of_the_library_runs(api: ScriptedApi, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(
        r"```python\n(from llamora.client import Llamora, Locked.*?)```", SECTION, re.DOTALL
    )

    exec(compile(example.replace("https://diary.home", api.url), "README.md", "exec"), {"token": TOKEN})

    assert capsys.readouterr().out == "2026-01-04 The kite flew over the weir.\n"
    assert api.count("Rain since noon.") == 1
