"""The contracts for the order inside an app name every module of it, and an import upwards breaks them."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

PACKAGES = ("llamora", "accounts", "diary", "traces", "search")
APPS = ("diary", "traces")
UPWARDS = [
    ("diary/models/derived.py", "diary.urls"),
    ("diary/entries/queries.py", "diary.entries.services"),
    ("diary/transfer/exports.py", "diary.entries.presenters"),
    ("traces/models.py", "traces.queries"),
    ("traces/tagging/services.py", "traces.detail.presenters"),
]


def contracts() -> list[dict[str, Any]]:
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found: list[dict[str, Any]] = configuration["tool"]["importlinter"]["contracts"]
    return found


def named_in_layers(app: str) -> set[str]:
    (contract,) = (one for one in contracts() if one["name"] == f"Order inside {app}")
    return {name for layer in contract["layers"] for name in re.findall(r"[\w.]+", layer)}


def modules(app: str) -> set[str]:
    """Every module with code; a package's docstring imports nothing."""
    paths = (ROOT / app).rglob("*.py")
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in paths
        if "migrations" not in path.parts and path.name != "__init__.py"
    }


@pytest.mark.parametrize("app", APPS)
def test_every_module_of_an_app_has_its_layer(app: str) -> None:
    layers = named_in_layers(app)

    assert [
        name for name in modules(app) if not any(f"{name}.".startswith(f"{one}.") for one in layers)
    ] == []


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
