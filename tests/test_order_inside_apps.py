"""Tests that an import from a higher layer inside an app breaks the contract of the app."""

import re
import shutil

import pytest

from tests.conftest import ROOT
from tests.test_architecture import PACKAGES, run_tool

# In each file one import, and the contract that forbids it.
UPWARDS = [
    ("accounts/errors.py", "accounts.models", "accounts"),
    ("accounts/keys/keyrings.py", "accounts.sessions.limits", "accounts"),
    ("accounts/sessions/services.py", "accounts.sessions.views", "the packages of accounts"),
    ("diary/models/derived.py", "diary.urls", "diary"),
    ("diary/entries/queries.py", "diary.entries.services", "diary"),
    ("diary/transfer/exports.py", "diary.entries.presenters", "diary"),
    ("traces/models.py", "traces.queries", "traces"),
    ("traces/tagging/services.py", "traces.detail.presenters", "traces"),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is found in a copy with all the imports: looking at the whole tree takes long."""
    folder = tmp_path_factory.mktemp("upwards")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for module, imported, _ in UPWARDS:
        with (folder / module).open("a") as file:
            file.write(f"\nimport {imported}\n")

    answer = run_tool("lint-imports", "--no-cache", folder=folder)

    assert answer.returncode == 1
    return answer.stdout


@pytest.mark.parametrize(("module", "imported", "contract"), UPWARDS)
def test_an_import_upwards_breaks_its_contract(found: str, module: str, imported: str, contract: str) -> None:
    heading = f"Order inside {contract}"
    # The line below the heading, and everything up to the next heading.
    section = re.search(rf"^{heading}\n-+\n(.*?)(?=^Order inside |\Z)", found, re.DOTALL | re.MULTILINE)
    importing = module.removesuffix(".py").replace("/", ".")

    assert f"{heading} BROKEN" in found
    assert section is not None
    assert f"- {importing} -> {imported} (" in section[1]


def test_no_other_contract_is_broken_by_them(found: str) -> None:
    broken = {contract for _, _, contract in UPWARDS}

    assert set(re.findall(r"^(.+) BROKEN", found, re.MULTILINE)) == {
        f"Order inside {name}" for name in broken
    }
