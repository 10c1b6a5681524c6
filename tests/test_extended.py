"""Tests of the selection of the default run: every listed test exists, and every test has cases in it."""

import re
from types import SimpleNamespace
from typing import Any

import pytest

from tests import extended


def test_what_is_listed_is_there() -> None:
    missing = [
        name
        for name in [*extended.EXTENDED, *extended.EXTENDED_FILES, *extended.SAMPLED]
        if not is_there(name)
    ]

    assert missing == []


def is_there(name: str) -> bool:
    """Return whether a file has a test whose name begins so."""
    file, _, function = name.partition("::")
    source = (extended.ROOT / file).read_text() if (extended.ROOT / file).is_file() else ""
    return re.search(rf"^(async )?def {function or 'test_'}", source, re.MULTILINE) is not None


@pytest.mark.parametrize("name", ["tests/test_absent.py", "tests/test_patterns.py::test_nothing"])
def test_what_is_not_there_is_found(name: str) -> None:
    assert not is_there(name)


def test_of_a_sampled_file_every_nth_case_is_in_the_default_run() -> None:
    items = make_cases("tests/test_patterns.py", 9)
    others: list[Any] = [Item(f"tests/test_patterns.py::test_{number}") for number in range(9)]

    extended.mark(items + others)

    step = extended.SAMPLED["tests/test_patterns.py"]
    assert list_chosen(items) == list(range(0, 9, step))
    assert not any(item.is_marked for item in others)


@pytest.mark.parametrize(
    ("folder", "needs"),
    [("diary", {"fixturenames": ["db", "owner"]}), ("diary", {"marks": {"django_db"}}), ("losses", {})],
)
def test_of_cases_that_take_time_a_few_are_in_the_default_run(folder: str, needs: dict[str, Any]) -> None:
    items = make_cases(f"tests/{folder}/test_cases.py", 10, **needs)
    few = make_cases(f"tests/{folder}/test_few.py", extended.MOST, **needs)

    extended.mark(items + few)

    assert list_chosen(items) == [0, 5]
    assert list_chosen(few) == [0, 1]


@pytest.mark.parametrize("needs", [{}, {"fixturenames": ["db"], "marks": {"every_case"}}])
def test_every_case_is_in_the_default_run_if_it_takes_no_time_or_is_a_kind_of_its_own(
    needs: dict[str, Any],
) -> None:
    items = make_cases("tests/diary/test_cases.py", 10, **needs)

    extended.mark(items)

    assert list_chosen(items) == list(range(10))


def test_the_few_of_a_sampled_file_are_some_of_every_nth() -> None:
    file, step = "tests/leaks/test_url_table.py", extended.SAMPLED["tests/leaks/test_url_table.py"]
    items = make_cases(file, step * 6, fixturenames=["db"])

    extended.mark(items)

    assert list_chosen(items) == [0, 3 * step]


@pytest.mark.parametrize(("folder", "extended_count"), [("losses", extended.MOST_PROCESSES), ("diary", 38)])
def test_where_cases_start_processes_the_extended_run_has_some_and_the_slow_one_the_rest(
    folder: str, extended_count: int
) -> None:
    items = make_cases(f"tests/{folder}/test_cases.py", 40, fixturenames=["db"])

    extended.mark(items)

    added = [item.added for item in items]
    assert added.count([]) == extended.MOST
    assert added.count(["extended"]) == extended_count
    assert added.count(["slow"]) == 40 - extended.MOST - extended_count


def test_the_beginning_of_a_name_marks_a_test_and_slow_ones_stay_slow() -> None:
    name = f"{extended.EXTENDED[0]}::test_it"
    items: list[Any] = [Item(name), Item(name, marks={"slow"})]

    extended.mark(items)

    assert [item.is_marked for item in items] == [True, False]


def test_the_extended_run_has_of_a_file_what_both_runs_would_have() -> None:
    name = extended.EXTENDED_FILES[0]
    items: list[Any] = [Item(f"{name}::test_it"), *make_cases(name, 40)]

    extended.mark(items)

    assert [item.added for item in items] == [["extended"]] * 41


def test_however_many_cases_a_test_has_one_is_in_the_default_run() -> None:
    items: list[Any] = [Item(f"tests/ops/test_it.py::test_{size}[{case}]") for size, case in list_sizes()]

    extended.mark(items)

    chosen = {item.nodeid.partition("[")[0] for item in items if not item.is_marked}
    assert chosen == {item.nodeid.partition("[")[0] for item in items}


def list_sizes() -> list[tuple[int, int]]:
    return [(size, case) for size in range(1, 30) for case in range(size)]


def make_cases(file: str, count: int, **needs: Any) -> list[Any]:
    """Return the collected cases of one test."""
    return [Item(f"{file}::test_it[{number}]", **needs) for number in range(count)]


def list_chosen(items: list[Any]) -> list[int]:
    """Return the numbers of the cases in the default run."""
    return [number for number, item in enumerate(items) if not item.is_marked]


class Item(SimpleNamespace):
    """A collected test, with the methods of pytest that the selection calls."""

    def __init__(
        self, nodeid: str, *, marks: set[str] | None = None, fixturenames: list[str] | None = None
    ) -> None:
        super().__init__(nodeid=nodeid, marks=marks or set(), fixturenames=fixturenames or [])
        self.added: list[str] = []

    @property
    def is_marked(self) -> bool:
        return bool(self.added)

    def get_closest_marker(self, name: str) -> object:
        return name if name in self.marks else None

    def add_marker(self, marker: pytest.MarkDecorator) -> None:
        self.added.append(marker.name)
