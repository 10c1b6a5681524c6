"""The rules of the house, held by the tools that know them and by counting."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from tests.conftest import FIRST, ROOT

PACKAGES = ("llamora", "accounts", "diary", "traces", "search")
TOP_LEVEL = {
    *("manage.py", "pyproject.toml", "README.md", "LICENSE"),
    *("llamora", "diary", "traces", "search", "accounts", "templates", "static", "tests"),
}
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "core"}
LONGEST_FILE, LONGEST_FUNCTION = 400, 60


def tool(*command: str) -> "subprocess.CompletedProcess[str]":
    """Run one of the environment's own programs over the repository."""
    program = Path(sys.executable).with_name(command[0])
    return subprocess.run(
        [str(program), *command[1:]], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )


def tracked() -> list[Path]:
    """Every file of the project: known to git, or new and not ignored."""
    listing = tool_git("ls-files", "--cached", "--others", "--exclude-standard")
    return [ROOT / name for name in listing.splitlines() if (ROOT / name).is_file()]


def tool_git(*arguments: str) -> str:
    answer = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return answer.stdout


def sources() -> list[Path]:
    """Our own Python, without migrations."""
    found = [path for name in PACKAGES for path in (ROOT / name).rglob("*.py")]
    return [path for path in found if "migrations" not in path.parts]


def functions() -> Iterator[tuple[str, int]]:
    """Yield the place and the length in lines of every function, its docstring not counted."""
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
                last = node.end_lineno or node.lineno
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", last - first.lineno + 1


def test_every_floor_imports_only_the_floors_below() -> None:
    answer = tool("lint-imports", "--no-cache")

    assert answer.returncode == 0, answer.stdout
    assert "0 broken" in answer.stdout


@pytest.mark.parametrize("command", [("ruff", "check", "."), ("ruff", "format", "--check", ".")])
def test_ruff_has_nothing_to_say(command: tuple[str, ...]) -> None:
    answer = tool(*command)

    assert answer.returncode == 0, answer.stdout


def test_the_types_hold_strictly() -> None:
    answer = tool("mypy", "--cache-dir", str(ROOT / ".mypy_cache"))

    assert answer.returncode == 0, answer.stdout


def test_models_and_migrations_agree() -> None:
    answer = tool("python", "manage.py", "makemigrations", "--check", "--dry-run")

    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_migrations_are_named_by_hand() -> None:
    named_by_machine = [
        path.name for path in tracked() if "migrations" in path.parts and "_auto_" in path.name
    ]

    assert named_by_machine == []


def test_nothing_else_lies_at_the_top() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in tracked()}

    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


def test_no_module_has_a_name_that_says_nothing() -> None:
    named = [
        str(path.relative_to(ROOT)) for path in tracked() if set(path.with_suffix("").parts) & FORBIDDEN_NAMES
    ]

    assert named == []


def test_the_package_of_the_house_is_empty() -> None:
    assert (ROOT / "llamora" / "__init__.py").read_text() == ""


def test_no_file_is_long() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources()}

    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_function_is_long_and_most_are_short() -> None:
    lengths = dict(functions())

    assert {place: length for place, length in lengths.items() if length > LONGEST_FUNCTION} == {}
    assert median(lengths.values()) < 10


def test_the_files_a_run_begins_with_are_there() -> None:
    assert [name for name in FIRST if not (ROOT / name).is_file()] == []


def test_the_rules_could_be_broken(tmp_path: Path) -> None:
    """A check that finds nothing in a bad example would find nothing in ours."""
    (tmp_path / "bad.py").write_text("import os\ndef f(x): return x\n")

    assert tool("ruff", "check", str(tmp_path)).returncode != 0
    assert tool("mypy", "--strict", "--config-file=", str(tmp_path / "bad.py")).returncode != 0
