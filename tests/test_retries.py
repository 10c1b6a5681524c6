"""Tests that only a marker with a reason allows retries, and that each retry is reported."""

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests import retries
from tests.conftest import ROOT

SECOND_TIME = """
import pathlib, pytest

@pytest.mark.flaky(reruns=1, reason="an example")
def test_it():
    seen = pathlib.Path(__file__).with_name("seen")
    if not seen.exists():
        seen.touch()
        raise ValueError("not the first time")
"""
PASSING = "def test_it():\n    pass\n"
# As `tests/test_browser_suite.py` hands on what a process of its own printed.
HANDED_ON = """
from tests import retries

def test_it(record_property):
    for line in retries.find_retried_failures("...\\nRETRIED elsewhere: a race\\n1 passed\\n"):
        record_property(retries.PROPERTY, line)
"""


class WrittenLines:
    """A terminal that records what is written to it."""

    def __init__(self, stats: dict[str, list[Any]]) -> None:
        self.stats = stats
        self.lines: list[str] = []

    def write_sep(self, _sign: str, line: str, **_style: bool) -> None:
        self.lines.append(line)

    def write_line(self, line: str) -> None:
        self.lines.append(line)


def run_suite(folder: Path, source: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a file with one test in the way the suite is run."""
    (folder / "test_example.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "-p", "tests.conftest"]
    return subprocess.run(
        [*command, *arguments, str(folder)],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "500"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("processes", [pytest.param("0", marks=pytest.mark.slow), "1"])
def test_retried_failures_of_this_and_of_another_process_are_printed_and_counted(
    tmp_path: Path, processes: str
) -> None:
    (tmp_path / "test_handed_on.py").write_text(HANDED_ON)

    answer = run_suite(tmp_path, SECOND_TIME, "-n", processes)

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "retried failures: 2" in answer.stdout
    found = retries.find_retried_failures(answer.stdout)
    assert "elsewhere: a race" in found
    (own,) = (line for line in found if line != "elsewhere: a race")
    assert own.endswith("test_example.py::test_it (call): ValueError: not the first time")


def test_nothing_is_said_where_nothing_was_retried() -> None:
    terminal = WrittenLines({"passed": [SimpleNamespace(user_properties=[("other", "a line")], when="call")]})

    retries.RetryReporter().pytest_terminal_summary(cast(Any, terminal))

    assert terminal.lines == []


def test_retrying_every_test_is_refused(tmp_path: Path) -> None:
    answer = run_suite(tmp_path, PASSING, "-n", "0", "--reruns", "1")

    assert answer.returncode == pytest.ExitCode.USAGE_ERROR
    assert "mark a test as flaky" in answer.stderr


@pytest.mark.parametrize("name", ["reruns", "force_reruns", "a line of the configuration"])
def test_each_option_that_retries_every_test_is_refused(name: str) -> None:
    config = SimpleNamespace(
        getoption=lambda option, default: 1 if option == name else default,
        getini=lambda _option: "1" if name.startswith("a line") else None,
    )

    with pytest.raises(pytest.UsageError, match="mark a test as flaky"):
        retries.refuse_option(cast(Any, config))


@pytest.mark.parametrize(
    ("reason", "is_refused"), [({}, True), ({"reason": ""}, True), ({"reason": "x"}, False)]
)
def test_a_marker_without_a_reason_is_refused(reason: dict[str, str], *, is_refused: bool) -> None:
    marker = pytest.mark.flaky(reruns=1, **reason).mark
    item: Any = SimpleNamespace(nodeid="tests/test_it.py::test_it", iter_markers=lambda _name: [marker])

    with pytest.raises(pytest.UsageError, match="say the reason") if is_refused else nullcontext():
        retries.refuse_unexplained([item])


def test_the_run_of_everything_retries_nothing() -> None:
    assert "rerun" not in (ROOT / ".ci" / "run").read_text().lower()
