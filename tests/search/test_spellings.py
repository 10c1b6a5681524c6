"""Tests that a word with several usual spellings is found and highlighted by any of them."""

import pytest

from search.index.words import WordsIndex
from search.query import snippets
from search.query.folding import find_long_numbers, is_same_number
from search.query.parser import parse
from tests.search.indexing import make_document

# The query, and texts of which each must be found, with what is marked in it between brackets.
SPELLINGS = {
    "arabic vowel marks": ("كتب", ["قد [كَتَبَ] لي", "قد [كتب] لي"]),
    "arabic vowel marks typed": ("كَتَبَ", ["قد [كتب] لي"]),
    "tatweel": ("كتاب", ["هذا [كتـــاب] جديد"]),
    "alef with hamza": ("احمد", ["قال [أحمد] نعم", "قال [إحمد] نعم"]),
    "alef with madda": ("آمن", ["قد [امن] به"]),
    "alef wasla": ("الله", ["بسم [ٱلله] هنا"]),
    "alef maksura": ("علي", ["جلس [على] هنا"]),
    "teh marbuta": ("مدرسه", ["هذه [مدرسة] هنا"]),
    "hebrew points": ("שלום", ["אמר [שָׁלוֹם] לי"]),
    "hebrew points typed": ("שָׁלוֹם", ["אמר [שלום] לי"]),
    "persian ye": ("علي", ["با [علی] رفتم"]),
    "persian kaf": ("كتاب", ["یک [کتاب] خوب"]),
    "urdu heh": ("هے", ["وہ [ہے] یہاں"]),
    "zero-width non-joiner": ("میروم", ["من [می‌روم] خانه"]),
    "persian digits": ("1402", ["سال [۱۴۰۲] بود"]),
    "hindi digits": ("१२", ["वर्ष [12] था"]),
    "right-to-left override": ("hello", ["say [he\u202ello] now"]),
    "isolates": ("\u2066shalom\u2069", ["say [shalom] now"]),
    "abbreviation": ("USA", ["the [U.S.A]. then", "the [USA] then"]),
    "abbreviation typed": ("U.S.A.", ["the [USA] then", "the [U.S.A]. then"]),
    "small abbreviation": ("eg", ["things, [e.g]. this"]),
    "percentage": ("50%", ["about [50 %] of", "about [50%] of"]),
    "percentage apart": ('"50 %"', ["about [50%] of"]),
    "sign before": ("€20", ["cost [20€] now", "cost [20 €] now", "cost [€20] now", "cost [€ 20] now"]),
    "sign after": ("20$", ["cost [$20] now", "cost [20$] now"]),
    "sign and cents": ("£1.50", ["cost [1.50£] now", "cost [£1.50] now"]),
    "telephone number in one": ("0301234567", ["call [030 123 45 67] now", "call [(030) 123-4567] now"]),
    "telephone number in groups": ("030 1234567", ["call [0301234567] now", "call [030/1234567] now"]),
    "telephone number of a country": ("+49 30 1234567", ["call [030 1234567] now"]),
    "telephone number at home": ("030 1234567", ["call [+49 30 1234567] now", "call [0049301234567] now"]),
    "emphasis inside a word": ("important", ["so **[im**portant] now", "so *[im*portant] now"]),
    "emphasis typed": (
        "**walk**",
        ["a [walk] now", "a **[walk]** now", "a ~~[walk]~~ now"],
    ),
    "highlight": ("==mark==", ["a [mark] now"]),
    "heading": ("#Heading", ["# [Heading]", "a [heading] now"]),
}


def index_text(text: str) -> WordsIndex:
    """Return a word index of this text alone."""
    index = WordsIndex()
    index.upsert([make_document(text)])
    return index


def mark_matches(text: str, typed: str) -> str:
    """Return the text with brackets around what a query marks in it."""
    query = parse(typed)
    numbers = [term.number for term in query.terms]
    marker = snippets.QueryMarker(snippets.build_patterns(query, {}), numbers=numbers)
    parts = snippets.build_snippet(text, marker)
    return "".join(f"[{part.text}]" if part.is_marked else part.text for part in parts)


@pytest.mark.parametrize(
    ("typed", "marked"),
    [(typed, marked) for typed, every in SPELLINGS.values() for marked in every],
    ids=[f"{name} {number}" for name, (_, every) in SPELLINGS.items() for number in range(len(every))],
)
def test_a_word_is_found_and_marked_in_each_usual_spelling(typed: str, marked: str) -> None:
    text = marked.replace("[", "").replace("]", "")
    index = index_text(text)

    found = index.find(parse(typed), limit=5)

    assert found.strict
    assert mark_matches(text, typed) == marked
    index.close()


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("U.S.A.", "the us a b"),
        ("50%", "about 50 of"),
        ("€20", "cost £20 now"),
        ("€20", "cost €205 now"),
        ("0301234567", "call 030 123 45 68 now"),
        ("030 1234567", "call 030 and then 1234567890123 then"),
        ("c#", "a c now"),
        ("2024-05-06", "call 020240506 now"),
    ],
)
def test_what_only_looks_alike_is_not_found(typed: str, text: str) -> None:
    index = index_text(text)

    assert not index.find(parse(typed), limit=5).strict
    index.close()


def test_removed_texts_are_not_found_by_their_numbers() -> None:
    text = make_document("call 030 123 45 67 now, or the U.S.A. for 50 %")
    index = WordsIndex()
    index.upsert([text])

    index.remove([text.id])

    assert [index.find(parse(typed), limit=5).strict for typed in ("0301234567", "USA", "50%")] == [
        [],
        [],
        [],
    ]
    index.close()


def test_days_times_and_amounts_are_no_long_numbers() -> None:
    assert find_long_numbers("on 2024-05-06 at 10:30:15.123456 it was 12 or 345,678") == []


def test_long_numbers_are_compared_without_the_code_of_a_country() -> None:
    (digits, span), *_ = find_long_numbers("call +49 30 1234567")

    assert (digits, span) == ("49301234567", (5, 19))
    assert is_same_number(digits, "301234567")
    assert not is_same_number(digits, "301234568")
