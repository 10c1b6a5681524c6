"""Tests that `.ci/run` forbids skipped tests."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

# One of its own for each, since the last is skipped as a whole while it is read.
FILES = {
    "test_inside.py": "import pytest\n\ndef test_it():\n    pytest.skip('absent')\n",
    "test_marked.py": "import pytest\n\n@pytest.mark.skipif(True, reason='')\ndef test_it():\n    pass\n",
    "test_whole.py": "import pytest\n\npytest.importorskip('absent_module')\n\ndef test_it():\n    pass\n",
}


def run_suite(folder: Path, *, forbidden: bool) -> "subprocess.CompletedProcess[str]":
    for name, text in FILES.items():
        (folder / name).write_text(text)
    environment = {name: value for name, value in os.environ.items() if name != "LLAMORA_TEST_NO_SKIP"}
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "-p", "tests.conftest"]
    return subprocess.run(
        [*command, "-n", "0", "--continue-on-collection-errors", str(folder)],
        cwd=ROOT,
        env=environment | {"COLUMNS": "500"} | ({"LLAMORA_TEST_NO_SKIP": "1"} if forbidden else {}),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("file", FILES)
def test_a_skip_fails_where_skips_are_forbidden(
    run_with_skips_forbidden: "subprocess.CompletedProcess[str]", file: str
) -> None:
    assert run_with_skips_forbidden.returncode == 1, run_with_skips_forbidden.stdout
    assert re.search(
        rf"^(FAILED|ERROR) .*{file}.*LLAMORA_TEST_NO_SKIP forbids",
        run_with_skips_forbidden.stdout,
        re.MULTILINE,
    )


@pytest.fixture(scope="module")
def run_with_skips_forbidden(tmp_path_factory: pytest.TempPathFactory) -> "subprocess.CompletedProcess[str]":
    return run_suite(tmp_path_factory.mktemp("forbidden"), forbidden=True)


def test_a_skip_is_a_skip_elsewhere(tmp_path: Path) -> None:
    answer = run_suite(tmp_path, forbidden=False)

    assert answer.returncode == 0, answer.stdout
    assert "3 skipped" in answer.stdout
