"""Tests that an upward import inside an app breaks its contract."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.test_architecture import PACKAGES

UPWARDS = [
    ("diary/models/derived.py", "diary.urls"),
    ("diary/entries/queries.py", "diary.entries.services"),
    ("diary/transfer/exports.py", "diary.entries.presenters"),
    ("traces/models.py", "traces.queries"),
    ("traces/tagging/services.py", "traces.detail.presenters"),
]


@pytest.mark.parametrize(("module", "imported"), UPWARDS)
def test_an_import_upwards_breaks_the_contract_of_its_app(module: str, imported: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / module).open("a") as file:
        file.write(f"\nimport {imported}\n")

    program = Path(sys.executable).with_name("lint-imports")
    answer = subprocess.run(
        [str(program), "--no-cache"], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )

    assert answer.returncode == 1
    assert f"Order inside {imported.split('.', maxsplit=1)[0]} BROKEN" in answer.stdout
