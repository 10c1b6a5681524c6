"""Tests of the source numbers in an answer: nonexistent ones are removed, also during streaming."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.generation.output_check import TextCheck
from llamora.inference.job import Cut
from search.ask.source_numbers import (
    NO_SOURCE,
    NOTHING,
    SourceCheck,
    SourceNumberFilter,
    drop_unknown_numbers,
)
from search.messages import NOTHING_ANSWERS

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


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("In May [1].", ""),
        ("In May. In June [3, 7].", ""),
        ("In May.", NO_SOURCE),
        ("In May [4].", NO_SOURCE),
        ("In [2021].", NO_SOURCE),
        (NOTHING_ANSWERS, ""),
        ('"nothing in your diary answers this"\n', ""),
        (f"{NOTHING_ANSWERS} But it was in May.", NO_SOURCE),
        ("", ""),
        ("[0]", NOTHING),
        ("Das steht nicht in deinem Tagebuch [0].", NOTHING),
        ("日記にはありません。[0]", NOTHING),
        ("In May [0]. Or in June [9].", NOTHING),
        ("In May [1]. No more is there [0].", ""),
    ],
)
def test_an_answer_without_a_source_is_refused_as_a_whole(written: str, reason: str) -> None:
    whole = SourceCheck(TextCheck(), count=3, nothing=NOTHING_ANSWERS)
    # It ends with its third word.
    cut = SourceCheck(TextCheck(max_words=3), count=3, nothing=NOTHING_ANSWERS)

    assert whole.feed(written) is None
    assert whole.finish() == (Cut(0, reason) if reason else None)
    assert cut.feed("It was then. [1] Or so.") == Cut(0, NO_SOURCE)
    cut.restart()
    assert cut.feed("It was [1] then. Or so.") == Cut(16, "")


def test_beside_facts_an_answer_needs_no_number_and_nothing_is_still_nothing() -> None:
    check = SourceCheck(TextCheck(), count=3, nothing=NOTHING_ANSWERS, needs_source=False)

    check.feed("You have a dog.")
    assert check.finish() is None
    check.restart()
    check.feed("Nichts davon [0].")
    assert check.finish() == Cut(0, NOTHING)
