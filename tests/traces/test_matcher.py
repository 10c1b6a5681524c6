"""Tests of finding the names of traces in a text, in any script."""

import sys
from uuid import UUID, uuid4

import pytest

from traces.matcher import NameMatcher


def build_matcher(*names: str) -> tuple[NameMatcher, dict[UUID, str]]:
    known = {uuid4(): name for name in names}
    return NameMatcher(known), known


def find_names(text: str, *names: str) -> list[str]:
    lexicon, known = build_matcher(*names)
    return [known[id_] for id_ in lexicon.find_in(text)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("garden", "In the garden."),
        ("garden", "Gardén, at last"),
        ("Größe", "die GRÖSSE zählt"),
        ("Привет", "сказал: «привет»!"),
        ("子供", "うちの子供達と遊んだ"),
        ("☕", "Coffee☕️, then work"),
        ("to-do", "wrote a To  do list"),
        ("Aunt Iris", "with aunt-iris"),
        ("バス", "バスに乗った"),
        ("엄마", "엄마가 왔다"),
        ("café", "the cafe"),
        ("C++", "some C++ today"),
        ("แมว", "ฉันเห็นแมวดำ"),
        ("हिंदी", "मैं हिंदी बोलता हूँ"),
    ],
)
def test_a_name_is_found_where_it_stands(name: str, text: str) -> None:
    assert find_names(text, name) == [name]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("art", "a party"),
        ("art", "arts"),
        ("バス", "バスケット"),
        ("мир", "мировой"),
        ("हि", "हिंदी"),
        ("👩", "👩\u200d👩\u200d👧"),
        ("10", "2010"),
        ("garden", ""),
    ],
)
def test_a_part_of_a_word_is_no_name(name: str, text: str) -> None:
    assert find_names(text, name) == []


def test_every_name_is_found_once_however_often_it_stands_there() -> None:
    assert find_names("weir, then the weir house, then weir", "weir house", "weir", "mill") == [
        "weir",
        "weir house",
    ]


def test_of_no_names_none_is_found() -> None:
    assert find_names("anything") == []


def test_names_are_completed_from_the_first_letter_on() -> None:
    lexicon, known = build_matcher("Größe", "the great weir", "weir", "子供")

    def completed(typed: str) -> list[str]:
        return [known[id_] for id_ in lexicon.find_by_prefix(typed, among=known)]

    assert completed("g") == ["Größe", "the great weir"]
    assert completed("GRO") == ["Größe"]
    assert completed("供") == ["子供"]
    assert completed("eir") == []
    assert completed(" ") == []


def test_the_work_for_a_text_has_a_bound_whatever_the_names() -> None:
    names = [" ".join("a" * count) for count in range(1, 32)]
    matcher = NameMatcher({uuid4(): name for name in names})
    steps = 0

    def count_step(*_: object) -> None:
        nonlocal steps
        steps += 1

    sys.setprofile(count_step)
    try:
        found = matcher.find_in("a " * 10_000)
    finally:
        sys.setprofile(None)

    assert len(found) == len(names)
    assert steps < 200_000
