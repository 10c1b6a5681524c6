"""When two names are one and the same, in any script."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traces.names import MAX_NAME, BadName, EmptyName, LongName, NameRefused, identity, written

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
    assert identity(one) == identity(other)


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
    assert identity(one) != identity(other)


def test_a_name_is_shown_as_it_was_written() -> None:
    for name in ("Größe", "Привет", "子供", "☕", "to-do", "To do"):
        assert written(f"  {name}\n") == name


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ("", EmptyName),
        (" \n\t ", EmptyName),
        ("\u200b\ufe0f", EmptyName),
        ("a" * (MAX_NAME + 1), LongName),
        ("a\x00b", BadName),
        ("half \ud83d", BadName),
    ],
)
def test_what_is_no_name(typed: str, refusal: type[NameRefused]) -> None:
    with pytest.raises(refusal) as refused:
        written(typed)

    assert typed not in f"{refused.value!r}" or not typed


@given(NAMES)
@settings(max_examples=500, deadline=None)
def test_of_a_name_that_is_kept_the_identity_is_there_and_stays(typed: str) -> None:
    try:
        name = written(typed)
    except NameRefused:
        return

    once = identity(name)
    assert once
    assert identity(once) == once
    assert identity(name.upper().upper()) == identity(name.upper())
    assert written(name) == name
