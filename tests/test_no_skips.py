"""`.ci/run` forbids skips: what is absent must be seen, wherever a test finds out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

INSIDE = "import pytest\n\ndef test_it():\n    pytest.skip('absent')\n"
MARKED = "import pytest\n\n@pytest.mark.skipif(True, reason='absent')\ndef test_it():\n    pass\n"
WHOLE_FILE = "import pytest\n\npytest.importorskip('a_module_that_is_absent')\n\ndef test_it():\n    pass\n"


def verdict(folder: Path, text: str, *, forbidden: bool) -> "subprocess.CompletedProcess[str]":
    (folder / "test_it.py").write_text(text)
    environment = {name: value for name, value in os.environ.items() if name != "LLAMORA_TEST_NO_SKIP"}
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "-p", "tests.conftest"]
    return subprocess.run(
        [*command, str(folder / "test_it.py")],
        cwd=ROOT,
        env={**environment, "LLAMORA_TEST_NO_SKIP": "1"} if forbidden else environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("text", [INSIDE, MARKED, WHOLE_FILE])
def test_a_skip_fails_where_skips_are_forbidden(tmp_path: Path, text: str) -> None:
    answer = verdict(tmp_path, text, forbidden=True)

    assert answer.returncode in (1, 2), answer.stdout
    assert "LLAMORA_TEST_NO_SKIP forbids" in answer.stdout


def test_a_skip_is_a_skip_elsewhere(tmp_path: Path) -> None:
    answer = verdict(tmp_path, INSIDE, forbidden=False)

    assert answer.returncode == 0, answer.stdout
    assert "1 skipped" in answer.stdout
