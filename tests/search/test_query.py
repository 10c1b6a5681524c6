"""Tests of the query parser, with any input."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.index.words import WordsIndex
from search.query.parser import MAX_TERMS, parse
from tests.search.indexing import make_document

NASTY = [
    '"',
    "-",
    "*",
    ":",
    "(",
    ")",
    "^",
    "+",
    "'",
    "from:",
    "to:",
    "in:",
    "trace:",
    "NEAR",
    "AND",
    "NOT",
    "\0",
    "\ud800",
]
PIECES = st.one_of(st.sampled_from(NASTY), st.text(max_size=12))


def list_words(typed: str) -> list[tuple[str, ...]]:
    return [term.words for term in parse(typed).terms]


def test_words_phrases_and_exclusions_are_told_apart() -> None:
    query = parse('tea "with milk" -sugar -"so sweet"')

    assert [term.words for term in query.terms] == [("tea",), ("with", "milk")]
    assert [term.quoted for term in query.terms] == [False, True]
    assert [term.words for term in query.without] == [("sugar",), ("so", "sweet")]
    assert query.text == "tea with milk"


@pytest.mark.parametrize(
    "typed", ['"with milk', '"with milk”', '„with milk"', "“with milk”", "„with milk“", "«with milk»"]
)
def test_quotes_of_any_kind_count_and_need_no_end(typed: str) -> None:
    query = parse(typed)

    assert list_words(typed) == [("with", "milk")]
    assert query.terms[0].quoted


@pytest.mark.parametrize("typed", ["\u200b", " \u200b\n", "\u2060 a", "\u200b-", '"\u200b"', "-\u200b"])
def test_characters_without_a_width_make_no_term(typed: str) -> None:
    query = parse(typed)

    assert all(term.words or term.literal for term in (*query.terms, *query.without))


@pytest.mark.parametrize("typed", ['"with «cold» milk"', '"with“ -cold milk"'])
def test_straight_quotes_hold_others(typed: str) -> None:
    query = parse(typed)

    assert list_words(typed) == [("with", "cold", "milk")]
    assert not query.without


@pytest.mark.parametrize(
    ("typed", "since", "until"),
    [
        ("from:2026-01 to:2026-03", date(2026, 1, 1), date(2026, 3, 31)),
        ("from:2024-02-29", date(2024, 2, 29), None),
        ("to:2024-02", None, date(2024, 2, 29)),
        ("from:1660 to:1660", date(1660, 1, 1), date(1660, 12, 31)),
        ("FROM:2026-1-5", date(2026, 1, 5), None),
    ],
)
def test_days_months_and_years_include_both_ends(typed: str, since: date | None, until: date | None) -> None:
    query = parse(typed)

    assert (query.since, query.until) == (since, until)
    assert query.terms == ()


@pytest.mark.parametrize(
    "typed", ["from:yesterday", "from:2026-13", "to:2025-02-30", "in:bed", "10:30", "from:"]
)
def test_what_only_looks_like_a_filter_is_searched_for(typed: str) -> None:
    query = parse(typed)

    assert not query.is_filtered
    assert query.terms


def test_kinds_and_traces_narrow() -> None:
    query = parse('in:replies in:entry trace:garden trace:"long walks" rain')

    assert query.kinds == {"reply", "entry"}
    assert query.traces == ("garden", "long walks")
    assert list_words("in:replies rain") == [("rain",)]


def test_a_hyphenated_word_is_also_looked_for_in_one() -> None:
    (term,) = parse("e-mail ").terms

    assert term.words == ("e", "mail")
    assert term.joined == "email"


@pytest.mark.parametrize(("typed", "literal"), [("c++", "c++"), ("C#", "c#"), ("@home", "@home")])
def test_symbols_that_belong_to_a_word_are_looked_for_as_they_stand(typed: str, literal: str) -> None:
    (term,) = parse(typed).terms

    assert term.literal == literal


@pytest.mark.parametrize("typed", ["hello, world", "hello... (world)", "“hello” world!", "hello\nworld?"])
def test_punctuation_around_words_is_no_part_of_them(typed: str) -> None:
    assert list_words(typed)[:2] == [("hello",), ("world",)]
    assert not any(term.literal for term in parse(typed).terms)


def test_the_last_word_may_go_on_until_something_follows_it() -> None:
    assert parse("red gard").terms[-1].prefix
    assert not parse("red gard ").terms[-1].prefix
    assert not parse("red gard!").terms[-1].prefix
    assert parse("gard* red ").terms[0].prefix


def test_a_query_is_bounded() -> None:
    query = parse(" ".join(f"word{n}" for n in range(500)))

    assert len(query.terms) <= MAX_TERMS
    assert len(query.text) <= 400


@pytest.mark.parametrize("typed", ["", "   ", "\n"])
def test_nothing_typed_asks_nothing(typed: str) -> None:
    assert parse(typed).is_empty


@given(st.lists(PIECES, max_size=8).map(" ".join), st.lists(PIECES, max_size=8).map("".join))
def test_anything_at_all_can_be_typed(spaced: str, dense: str) -> None:
    for typed in (spaced, dense):
        INDEX.find(parse(typed), limit=5)


INDEX = WordsIndex()
INDEX.upsert(
    [make_document("Anything at all, e-mail, c++ and 10:30."), make_document("今日は天気がいい 😀 naïve")]
)
