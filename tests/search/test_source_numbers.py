"""Tests of the numbers of sources in an answer: those that do not exist are left out, also piece by piece."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.ask.source_numbers import SourceNumberFilter, drop_unknown_numbers

ANSWERS = (
    ("In May [1].", "In May [1]."),
    ("In May [4].", "In May."),
    ("In May [0].", "In May."),
    ("In May [1, 4].", "In May [1]."),
    ("In May [4; 2; 9] and June [3].", "In May [2] and June [3]."),
    ("In May [1-3].", "In May [1-3]."),
    ("In May [2-7].", "In May [2]."),
    ("In May [1][5][2].", "In May [1][2]."),
    ("In [2021], [not a number] and [link](https://example.org)", None),
    ("An array[999999]", None),
    ("[12", None),
)
PIECES = st.lists(st.text(alphabet="a []0123459,;–- \t\n.", max_size=12), max_size=12)


@pytest.mark.parametrize(("written", "shown"), ANSWERS)
def test_only_numbers_of_sources_stay(written: str, shown: str | None) -> None:
    assert drop_unknown_numbers(written, count=3) == (written if shown is None else shown)


@given(PIECES)
def test_an_answer_in_pieces_is_the_same_as_the_whole(pieces: list[str]) -> None:
    numbers = SourceNumberFilter(count=3)

    written = "".join([*map(numbers.feed, pieces), numbers.finish()])

    assert written == drop_unknown_numbers("".join(pieces), count=3)


def test_plain_words_are_not_held_back() -> None:
    numbers = SourceNumberFilter(count=3)

    assert numbers.feed("It was in May") == "It was in May"
    assert numbers.feed(" [") == ""
    assert numbers.feed("9] and then.") == " and then."
