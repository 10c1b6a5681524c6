"""Tests of imports, lint, types, migrations and the location of files, with the tools for each.

`tests/test_layout.py` has the rules for names and docstrings.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FIRST, ROOT
from tests.source_tree import PACKAGES

TOP_LEVEL = {
    *("manage.py", "pyproject.toml", "README.md", "LICENSE"),
    *("llamora", "diary", "traces", "search", "accounts", "templates", "static", "tests"),
}
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "core"}


def run_tool(*command: str, folder: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Run a program of the virtual environment in the repository."""
    program = Path(sys.executable).with_name(command[0])
    return subprocess.run(
        [str(program), *command[1:]], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )


def list_tracked_files() -> list[Path]:
    """Return every file of the project that git does not ignore."""
    listing = run_git("ls-files", "--cached", "--others", "--exclude-standard")
    return [ROOT / name for name in listing.splitlines() if (ROOT / name).is_file()]


def run_git(*arguments: str) -> str:
    answer = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return answer.stdout


def load_import_contracts() -> list[dict[str, Any]]:
    """Return the import-linter contracts in `pyproject.toml`."""
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found: list[dict[str, Any]] = configuration["tool"]["importlinter"]["contracts"]
    return found


def get_contract(name: str) -> dict[str, Any]:
    """Return the contract whose name begins with `name`."""
    return next(found for found in load_import_contracts() if found["name"].startswith(name))


def list_modules(layers: list[str]) -> set[str]:
    """Return the modules in the layers of a contract."""
    return {module for layer in layers for module in re.split(r"\s*[|:]\s*", layer)}


def list_top_packages() -> set[str]:
    """Return every app, and every module and package directly in `llamora`."""
    inside = {path.stem for path in (ROOT / "llamora").iterdir() if is_python(path)}
    return {name for name in PACKAGES if name != "llamora"} | {f"llamora.{name}" for name in inside}


def is_python(path: Path) -> bool:
    """Return whether a path is a module, or a package with a module."""
    return any(path.rglob("*.py")) if path.is_dir() else path.suffix == ".py" and path.stem != "__init__"


def test_every_layer_imports_only_the_layers_below() -> None:
    answer = run_tool("lint-imports", "--no-cache")

    assert answer.returncode == 0, answer.stdout
    assert "0 broken" in answer.stdout


def test_every_package_has_a_layer() -> None:
    assert list_modules(get_contract("Layers")["layers"]) == list_top_packages()


@pytest.mark.parametrize(
    "name", [found["name"] for found in load_import_contracts() if found["name"].startswith("Only ")]
)
def test_what_one_package_alone_may_import_is_forbidden_to_every_other(name: str) -> None:
    found = get_contract(name)
    allowed = set(re.findall(r"\bllamora\.\w+", name))
    whole = {
        package for package in list_top_packages() if package.partition(".")[0] in found["source_modules"]
    }

    assert whole | set(found["source_modules"]) - set(PACKAGES) == list_top_packages() - allowed


def test_no_package_of_the_ground_may_import_django() -> None:
    found, layers = get_contract("The ground"), get_contract("Layers")["layers"]
    ground = list_modules(layers[layers.index("llamora.database") + 1 :])

    assert set(found["source_modules"]) == ground
    assert set(found["forbidden_modules"]) >= list_top_packages() - ground | {"django", "channels"}


@pytest.mark.parametrize("command", [("ruff", "check", "."), ("ruff", "format", "--check", ".")])
def test_ruff_has_nothing_to_say(command: tuple[str, ...]) -> None:
    answer = run_tool(*command)

    assert answer.returncode == 0, answer.stdout


def test_the_types_hold_strictly() -> None:
    answer = run_tool("mypy", "--cache-dir", str(ROOT / ".mypy_cache"))

    assert answer.returncode == 0, answer.stdout


def test_models_and_migrations_agree() -> None:
    answer = run_tool("python", "manage.py", "makemigrations", "--check", "--dry-run")

    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_migrations_are_named_by_hand() -> None:
    named_by_machine = [
        path.name for path in list_tracked_files() if "migrations" in path.parts and "_auto_" in path.name
    ]

    assert named_by_machine == []


def test_nothing_else_lies_at_the_top() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in list_tracked_files()}

    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


def test_no_module_has_a_name_that_says_nothing() -> None:
    named = [
        str(path.relative_to(ROOT))
        for path in list_tracked_files()
        if set(path.with_suffix("").parts) & FORBIDDEN_NAMES
    ]

    assert named == []


def test_the_package_llamora_itself_is_empty() -> None:
    assert (ROOT / "llamora" / "__init__.py").read_text() == ""


def test_the_files_a_run_begins_with_are_there() -> None:
    assert [name for name in FIRST if not (ROOT / name).is_file()] == []


def test_this_run_begins_with_them(request: pytest.FixtureRequest) -> None:
    """Look at the run under way: in a run of this file alone there is nothing to order."""
    files = list(dict.fromkeys(item.path.relative_to(ROOT).as_posix() for item in request.session.items))
    long = [name for name in FIRST if name in files]

    assert files[: len(long)] == long


def test_the_rules_could_be_broken(tmp_path: Path) -> None:
    """A control: each check finds a problem in a bad example."""
    (tmp_path / "bad.py").write_text("import os\ndef f(x): return x\n")

    assert run_tool("ruff", "check", str(tmp_path)).returncode != 0
    # Without our plugins it would take the cache of a run with them for damaged, and overwrite it.
    apart = ("--config-file=", "--cache-dir", str(tmp_path / "cache"))
    assert run_tool("mypy", "--strict", *apart, str(tmp_path / "bad.py")).returncode != 0
