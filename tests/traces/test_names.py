"""Tests of the identity of names, in any script."""

import unicodedata
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traces import names
from traces.names import (
    MAX_NAME_LENGTH,
    EmptyTraceName,
    InvalidTraceName,
    InvalidTraceNameCharacter,
    TraceNameTooLong,
    clean_name,
    get_identity,
)

NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=80)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Größe", "größe"),
        ("Größe", "GRÖSSE"),
        ("Größe", unicodedata.normalize("NFD", "Größe")),
        ("Привет", "ПРИВЕТ"),
        ("to-do", "To do"),
        ("to-do", "to \u2013  DO"),
        ("to-do", "to\u2011do"),
        ("☕", "☕\ufe0f"),
        ("ｓｕｓｈｉ", "Sushi"),
        ("ﬁre", "fire"),
        ("co\u00adop", "coop"),
    ],
)
def test_names_that_are_the_same(one: str, other: str) -> None:
    assert get_identity(one) == get_identity(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Größe", "Grosse"),
        ("to do", "todo"),
        ("子供", "子"),
        ("☕", "🍵"),
        ("👩", "👩\u200d👩\u200d👧"),
        ("й", "и"),
        ("-", "--"),
        ("C++", "C"),
    ],
)
def test_names_that_are_not_the_same(one: str, other: str) -> None:
    assert get_identity(one) != get_identity(other)


def test_any_gap_between_words_is_one_space() -> None:
    gaps = ["".join(gap) for length in (1, 2, 3) for gap in product(" \n-\u2014\u00a0", repeat=length)]

    assert {get_identity(f"{gap}to{gap}do{gap}") for gap in gaps} == {"to do"}


def test_a_name_is_shown_as_it_was_written() -> None:
    for name in ("Größe", "Привет", "子供", "☕", "to-do", "To do"):
        assert clean_name(f"  {name}\n") == name


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ("", EmptyTraceName),
        (" \n\t ", EmptyTraceName),
        ("\u200b\ufe0f", EmptyTraceName),
        ("a" * (MAX_NAME_LENGTH + 1), TraceNameTooLong),
        ("a\x00b", InvalidTraceNameCharacter),
        ("half \ud83d", InvalidTraceNameCharacter),
    ],
)
def test_what_is_no_name(typed: str, refusal: type[InvalidTraceName]) -> None:
    with pytest.raises(refusal) as refused:
        clean_name(typed)

    assert typed not in f"{refused.value!r}" or not typed


def test_the_identity_of_a_name_in_ascii_needs_no_unicode() -> None:
    for character in map(chr, range(128)):
        for name in (f"A{character}B-c", character * 2):
            folded = names._fold_case(name)
            identity = names._GAPS.sub(" ", folded).strip() or names._SPACES.sub("", folded)
            assert get_identity(name) == identity


@given(NAMES)
@settings(max_examples=500)
def test_of_a_name_that_is_kept_the_identity_is_there_and_stays(typed: str) -> None:
    try:
        name = clean_name(typed)
    except InvalidTraceName:
        return

    once = get_identity(name)
    assert once
    assert get_identity(once) == once
    assert get_identity(name.upper().upper()) == get_identity(name.upper())
    assert clean_name(name) == name
