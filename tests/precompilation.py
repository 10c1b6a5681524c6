"""Compilation of the project's modules at the start of a test run, shared among its processes.

Each process imports all tests before its first one. In a new clone nothing is compiled, and since all
processes import in the same order, each would compile almost everything: seven seconds of CPU time per
process. So each process first compiles missing modules, starting at a different position; modules that
another process has compiled meanwhile are skipped.
"""

import os
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import cache_from_source
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("accounts", "diary", "llamora", "search", "traces", "tests")


def compile_modules(config: pytest.Config, *, left_out: frozenset[Path] = frozenset()) -> None:
    """Compile every module that is not compiled, those of one process after those of another."""
    files = sorted(list_files(left_out))
    first = len(files) * get_place() // get_number_of_processes()
    for file in files[first:] + files[:first]:
        compile_module(file, config)


def compile_module(file: Path, config: pytest.Config) -> None:
    """Compile a module unless a compiled one exists, be it of an earlier text: that is done by its import."""
    if is_rewritten(file):
        _rewrite(file, config)
    elif not Path(cache_from_source(str(file))).exists():
        # It writes what it compiles.
        SourceFileLoader(file.stem, str(file)).get_code(file.stem)


def list_files(left_out: frozenset[Path]) -> Iterator[Path]:
    """Return all files of ours with code, but none of these folders."""
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("*.py"):
            if not left_out & set(file.parents):
                yield file


def is_rewritten(file: Path) -> bool:
    """Return whether pytest rewrites the assertions of a file."""
    return file.match("test_*.py") or file.name == "conftest.py"


def get_place() -> int:
    """Return the number of this process among those of the run."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def get_number_of_processes() -> int:
    return int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))


def get_rewritten(file: Path) -> Path:
    """Return the file to which pytest writes a module that it has rewritten."""
    return rewrite.get_cache_dir(file) / (file.stem + rewrite.PYC_TAIL)


def _rewrite(file: Path, config: pytest.Config) -> None:
    # pytest can do this only by importing: these are the parts of its loader.
    compiled = get_rewritten(file)
    if not compiled.exists() and rewrite.try_makedirs(compiled.parent):
        state = config.stash[rewrite.assertstate_key]
        source_hash, code = rewrite._rewrite_test(file, config)
        rewrite._write_pyc(state, code, source_hash, compiled)
