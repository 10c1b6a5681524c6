"""Tests of `tests/precompilation.py`: the same result as imports, and another position for each process."""

from importlib.util import cache_from_source
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

from tests import precompilation


def test_pytest_reads_what_was_rewritten_beforehand(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    file = tmp_path / "test_one.py"
    file.write_text("def test_it():\n    assert 1 == 1\n")

    precompilation.compile_module(file, request.config)

    code = rewrite._read_pyc(file, precompilation.get_rewritten(file))
    assert code is not None
    assert "@pytest_ar" in code.co_names


def test_python_reads_what_was_compiled_beforehand(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    file = tmp_path / "people.py"
    file.write_text("NAME = 'Olive'\n")

    precompilation.compile_module(file, request.config)

    assert Path(cache_from_source(str(file))).stat().st_size


def test_each_process_compiles_all_and_begins_elsewhere(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = []
    for name in ("gw0", "gw1", "gw2"):
        compiled: list[Path] = []
        monkeypatch.setenv("PYTEST_XDIST_WORKER", name)
        monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "3")
        monkeypatch.setattr(precompilation, "compile_module", lambda file, _, to=compiled: to.append(file))
        precompilation.compile_modules(request.config)
        orders.append(compiled)

    assert Path(__file__) in orders[0]
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(orders[2])
    assert len({order[0] for order in orders}) == 3
