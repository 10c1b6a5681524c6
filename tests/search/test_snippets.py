"""Tests of snippets: the passage around a match, marked in its original spelling."""

import pytest

from search.query import snippets
from search.query.parser import parse
from search.query.snippets import SNIPPET_LENGTH, QueryMarker, SnippetPart, find_surface_forms
from tests.hostile import count_calls


def marker(typed: str, forms: dict[str, list[str]] | None = None) -> QueryMarker:
    return QueryMarker(snippets.build_patterns(parse(typed), forms or {}))


def mark(text: str, typed: str, forms: dict[str, list[str]] | None = None) -> list[str]:
    return [part.text for part in snippets.build_snippet(text, marker(typed, forms)) if part.is_marked]


def test_words_are_marked_as_they_are_written() -> None:
    assert mark("A Café, and a CAFE.", "cafe ") == ["Café", "CAFE"]
    assert mark("decomposed Cafe\u0301 here", "café ") == ["Cafe\u0301"]
    assert mark("Straße", "strasse ") == ["Straße"]


def test_only_whole_words_are_marked_unless_the_word_goes_on() -> None:
    assert mark("art, start, artful", "art ") == ["art"]
    assert mark("art, start, artful", "art") == ["art", "art"]


def test_phrases_are_marked_whole_over_the_end_of_a_line() -> None:
    assert mark("He went\nto the sea.", '"to the sea"') == ["to the sea"]
    assert mark("Off to\nthe sea.", '"to the sea"') == ["to\nthe sea"]


def test_forms_unbroken_text_and_symbols_are_marked() -> None:
    assert mark("He walked.", "walk ", {"walk": ["walked"]}) == ["walked"]
    assert mark("今日は天気がいい", "天気") == ["天気"]
    assert mark("C++ it is", "c++") == ["C++"]
    assert mark("glad 😀", "😀") == ["😀"]


def test_the_place_with_most_of_the_words_is_shown() -> None:
    text = "heron " + "filler " * 200 + "the heron stood by the weir " + "filler " * 200

    parts = snippets.build_snippet(text, marker("heron weir "))

    assert [part.text for part in parts if part.is_marked] == ["heron", "weir"]
    assert sum(len(part.text) for part in parts) < SNIPPET_LENGTH + 20
    assert parts[0] == SnippetPart("… ", False)
    assert parts[-1].text.endswith(" …")


def test_a_hit_by_meaning_shows_the_chunk_it_was_found_by() -> None:
    text = "first paragraph " * 30 + "\n\nthe second one is it" + ", in so many words" * 20
    start = text.index("the second")

    parts = snippets.build_snippet(text, marker("nothing"), around=(start, len(text)))

    assert "".join(part.text for part in parts).startswith("… the second one is it, in so many")


def test_a_chunk_at_the_end_is_shown_with_what_comes_before_it() -> None:
    text = "first paragraph " * 30 + "\n\nand to bed."

    shown = "".join(
        p.text for p in snippets.build_snippet(text, marker("x"), around=(len(text) - 11, len(text)))
    )

    assert shown.startswith("… ")
    assert shown.endswith("paragraph \n\nand to bed.")
    assert len(shown) > SNIPPET_LENGTH // 3


def test_parts_put_together_are_the_text_itself() -> None:
    text = "Short, with words and words."

    assert "".join(part.text for part in snippets.build_snippet(text, marker("words "))) == text


def test_a_long_text_of_one_letter_is_no_trouble() -> None:
    text = "a" * 100_000

    assert mark(text, "a ") == []
    assert len(mark("a " * 50_000, "a ")) > 10


def test_surfaces_are_what_the_page_marks() -> None:
    text = "Walked far. He walked, walking."

    assert find_surface_forms(text, marker("walk ", {"walk": ["walked", "walking"]})) == [
        "Walked",
        "walked",
        "walking",
    ]


@pytest.mark.parametrize("place", [19_590, 19_999, 20_000, 55_000])
def test_a_match_far_down_a_long_text_is_found_whole(place: int) -> None:
    text = "x " * (place // 2) + "heron by the weir" + " x" * 20_000

    assert mark(text, "heron ") == ["heron"]
    assert mark(text, '"heron by the weir"') == ["heron by the weir"]


def test_no_part_of_a_word_is_marked_where_a_long_text_is_cut() -> None:
    text = "xherony" * 20_000

    assert mark(text, '"heron"') == []


@pytest.mark.parametrize(
    "text", ["a " * 50_000, "日" * 100_000, "x" * 60_000 + " a" * 20_000, "aaa" * 33_000]
)
@pytest.mark.parametrize("typed", ["a", "日", '"a a"', "a b c"])
def test_a_text_of_nothing_but_matches_takes_little_work(text: str, typed: str) -> None:
    calls = count_calls(lambda: snippets.build_snippet(text, marker(typed)))

    # Those of folding each character; scoring every match would take many millions.
    assert calls < 5 * len(text)
