"""`manage.py bench`: every group of figures can be measured."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.mark.slow
def test_every_group_is_measured(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    groups = ("sealing", "pages", "imports", "rotation", "streams")
    command = [sys.executable, "manage.py", "bench", "--entries", "40", "--json", str(figures)]

    answer = subprocess.run(
        [*command, *(f"--only={group}" for group in groups)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr
    names = [figure["name"] for figure in json.loads(figures.read_text())]
    for part in ("seal a record", "sign in", "import 40 entries", "turn the key", "first token"):
        assert any(part in name for name in names), part
