"""Tests of the lists of tests that the default run leaves out: none names a test that is not there."""

import re
from types import SimpleNamespace
from typing import Any

import pytest

from tests import extended


@pytest.mark.parametrize("name", [*extended.EXTENDED, *extended.SAMPLED])
def test_what_is_listed_is_there(name: str) -> None:
    file, _, function = name.partition("::")
    source = (extended.ROOT / file).read_text()

    assert re.search(rf"^(async )?def {function or 'test_'}", source, re.MULTILINE)


def test_of_a_sampled_file_every_nth_case_is_in_the_default_run() -> None:
    items: list[Any] = [Item(f"tests/test_patterns.py::test_it[{number}]") for number in range(9)]
    others: list[Any] = [Item(f"tests/test_patterns.py::test_{number}") for number in range(3)]

    extended.mark(items + others)

    step = extended.SAMPLED["tests/test_patterns.py"]
    assert [item.is_marked for item in items] == [bool(number % step) for number in range(9)]
    assert not any(item.is_marked for item in others)


def test_the_beginning_of_a_name_marks_a_test_and_slow_ones_stay_slow() -> None:
    name = f"{extended.EXTENDED[0]}::test_it"
    items: list[Any] = [Item(name), Item(name, is_slow=True)]

    extended.mark(items)

    assert [item.is_marked for item in items] == [True, False]


class Item(SimpleNamespace):
    """A collected test with the methods that are called."""

    def __init__(self, nodeid: str, *, is_slow: bool = False) -> None:
        super().__init__(nodeid=nodeid, is_slow=is_slow, is_marked=False)

    def get_closest_marker(self, name: str) -> object:
        return name if self.is_slow and name == "slow" else None

    def add_marker(self, marker: object) -> None:
        self.is_marked = True
