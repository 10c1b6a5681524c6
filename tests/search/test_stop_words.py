"""Tests that stop words are not highlighted if a query has other words."""

from datetime import date

import pytest

from search.engine import build_marker
from search.index.words import WordsIndex
from search.query import snippets
from search.query.parser import parse
from tests.page import read
from tests.people import Resident
from tests.search.indexing import make_document, open_index

TEXT = "What did the dog do? He saw the heron, and the dogs don't."


def list_marks(typed: str, *, others: int = 0) -> list[str]:
    """Return the words marked in the text, in a diary in which as many others have no stop word."""
    index = WordsIndex()
    index.upsert([make_document(TEXT), *(make_document("Rain all night.") for _ in range(others))])
    parts = snippets.build_snippet(TEXT, build_marker(index, parse(typed)))
    return [part.text for part in parts if part.is_marked]


@pytest.mark.parametrize(
    ("typed", "marked"),
    [
        ("what did the dog do", ["dog", "dogs"]),
        ("the dog and the", ["dog", "dogs"]),
        ("don't heron the ", ["heron"]),
        ('the dog "and the"', ["dog", "and the", "dogs"]),
        ('"the"', ["the"] * 3),
        ("the 😀 ", []),
        ("the and", ["the", "and", "the", "the"]),
    ],
)
def test_stop_words_are_marked_only_without_others_or_in_quotes(typed: str, marked: list[str]) -> None:
    assert sorted(list_marks(typed)) == sorted(marked)


def test_signs_are_marked_with_the_stop_word_they_stand_on() -> None:
    index = WordsIndex()
    index.upsert([make_document("C++ and the dog")])

    assert build_marker(index, parse("the dog c++")).find_spans("C++ and the dog") == [
        ((0, 3), 4),
        ((12, 15), 2),
    ]


def test_what_is_rare_in_this_diary_is_marked() -> None:
    assert list_marks("the dog ", others=60) == ["the", "dog", "the", "the", "dogs"]


def test_the_opened_day_marks_the_same_words(owner: Resident) -> None:
    entry = owner.write(TEXT, day=date(2025, 5, 4))
    open_index(owner)
    answer = owner.post("/search/", q="what did the heron ", script=True)
    token = read(answer).first(".hit a").get("href").partition("found=")[2].partition("#")[0]

    marks = owner.post("/search/place/", script=True, found=token, id=str(entry.id)).json()["marks"]

    assert marks == ["heron"]
    assert read(answer).texts("mark") == ["heron"]
