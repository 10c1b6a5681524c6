"""Tests of names in a text as suggested traces without a model."""

import json
import re
import sys
from pathlib import Path
from random import Random

import pytest

from tests.people import Resident
from tests.traces.tagging import add_traces, list_suggested
from traces.names import get_content
from traces.proposals import text_names
from traces.proposals.text_names import drop_contained, find_names, leave_out_frequent


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            "Met Anna at the Red Lion and saw the Thames. Anna laughed.",
            ["Anna", "Red Lion", "Thames"],
        ),
        ("Aunt Iris came. We baked bread, and then Iris and I went to the weir.", ["Aunt Iris"]),
        (
            "I read Middlemarch by George Eliot. It rained in March too.",
            ["Middlemarch", "George Eliot"],
        ),
        ("A call with Dr. Meyer on Monday. Mum’s cat slept; I told Mum so.", ["Mum", "Dr. Meyer"]),
        ("So to Sir Wm. Penn, and he to the Duke of York.", ["Sir Wm. Penn", "Duke of York"]),
        ("# Garden\n\n- Sowed beans.\n- Then rain.\n\n“Well”, she said. He: Yes.", []),
        ("Bread, and more Bread. The bread was good.", []),
        ("", []),
        ("I. A. B.", []),
        ("Ich war in Paris.", ["Paris"]),
        ("今日は市場に行った。", []),
    ],
)
def test_names_stand_inside_sentences(text: str, names: list[str]) -> None:
    assert find_names(text) == names


def test_where_every_noun_has_a_capital_only_longer_names_are_seen() -> None:
    text = "Heute war ich mit Anna Weber im Garten. Die Äpfel sind reif. Am Montag fahren wir nach Bad Tölz."

    assert find_names(text, writes_nouns_large=True) == ["Anna Weber", "Bad Tölz"]


def test_at_most_eight_and_those_that_are_named_often_first() -> None:
    text = "we saw Ada, Bea, Cleo, Dora and Eve, Fay, Gil, Hal, Ida, and again Eve and Bea, then Eve."

    assert find_names(text) == ["Eve", "Bea", "Ada", "Cleo", "Dora", "Fay", "Gil", "Hal"]


def test_a_name_is_usual_if_all_its_words_are_but_titles() -> None:
    names = ["Mr. Moore", "Westminster Hall", "Duke of York", "Pope’s Head", "Delft"]

    rare = leave_out_frequent(names, {"Moore", "Westminster", "Hall", "Duke", "Head", "York"})

    assert rare == ["Pope’s Head", "Delft"]


def test_a_name_within_another_is_left_out() -> None:
    assert drop_contained(["iris", "aunt iris", "bruno", "duke of york", "york"]) == [
        "aunt iris",
        "bruno",
        "duke of york",
    ]


@pytest.mark.parametrize(
    ("name", "words"), [("The Plague", {"plague"}), ("die Pest", {"pest"}), ("The", {"the"})]
)
def test_an_article_is_not_what_a_name_says(name: str, words: set[str]) -> None:
    assert get_content(name) == words


def test_every_name_of_a_real_diary_stands_in_its_text(shared: Path) -> None:
    lines = (shared / "corpus" / "pepys_1660_1664.jsonl").read_text(encoding="utf-8").splitlines()
    found = 0

    for line in lines[::12]:
        text = json.loads(line)["text"]
        names = find_names(text)
        found += len(names)
        assert all(name in text for name in names)

    assert found > 600  # of 1,200 at most, from 151 days


def test_the_work_for_a_text_does_not_grow_with_the_square_of_its_names() -> None:
    syllables = [a + b + c for a in "bdgklm" for b in "aeiou" for c in "mnrs"]
    names = [f"{first.capitalize()}{second}" for first in syllables[:24] for second in syllables[:24]]
    text = f"Met {', '.join(names)}."
    steps = 0

    def count_step(*_: object) -> None:
        nonlocal steps
        steps += 1

    assert find_names("Met Anna.") == ["Anna"]  # loads the names of months
    sys.setprofile(count_step)
    try:
        found = find_names(text)
    finally:
        sys.setprofile(None)

    assert found == names[:8]
    assert steps < 300 * len(names)


# --- Short cuts ------------------------------------------------------------------------------------------

PIECES = [
    *"ABIabi1_'’.,-–\"!² \n",
    " ",
    ". ",
    "Anna",
    "anna",
    "St",
    "of",
    "É",
    "é",
    "ß",
    "İ",
    "ǅ",
    "한",
    "\u0301",
]


@pytest.fixture(scope="module")
def odd_texts() -> list[str]:
    """Return texts in which words, signs and spaces of all kinds stand side by side."""
    random = Random(12)
    return ["".join(random.choices(PIECES, k=random.randint(1, 40))) for _ in range(3_000)]


def test_the_words_with_capitals_are_those_among_all_words(odd_texts: list[str]) -> None:
    for text in odd_texts:
        large = [match.span() for match in text_names._LARGE_WORD.finditer(text)]
        words = [match for match in text_names._WORD.finditer(text) if not "a" <= match[0][0] <= "z"]

        assert large == [match.span() for match in words]


def test_a_word_is_small_if_it_is_among_all_words_with_a_small_letter(odd_texts: list[str]) -> None:
    sought = [piece.casefold() for piece in PIECES if piece.isalpha()] + ["a.b", "st’anna", "ab"]
    found = 0

    for text in odd_texts:
        words = {word for word in text_names._WORD.findall(text) if word[0].islower()}
        small = text_names._SmallWords(text)
        found += len(words.intersection(sought))
        assert {word for word in sought if word in small} == words.intersection(sought)

    assert found > 1_000


def test_a_sentence_begins_after_a_sign_that_no_letter_follows(odd_texts: list[str]) -> None:
    begun = 0

    for text in odd_texts[::4]:
        for place in range(len(text)):
            before = text[:place]
            gap = before[len(before.rstrip("".join(sign for sign in PIECES if not _is_of_word(sign)))) :]
            begins = gap == before or bool(text_names._SIGNS.intersection(gap))
            abbreviated = re.search(r"(?<!\w)[^\W\d_]{1,3}\.\s$", before)
            begun += begins
            assert text_names._begins_sentence(text, place) == (begins and not abbreviated)

    assert begun > 500


def _is_of_word(piece: str) -> bool:
    return any(character.isalnum() or character == "_" for character in piece)


# --- On the page -----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_new_diary_without_a_model_is_offered_the_names_of_its_first_entry(owner: Resident) -> None:
    owner.write("Walked with Anna to the Red Lion.")

    assert list_suggested(owner) == ["Anna", "Red Lion"]


@pytest.mark.django_db
def test_a_page_offers_at_most_four_new_names_for_an_entry(owner: Resident) -> None:
    owner.write("we saw Ada, Bea, Cleo, Dora and Eve.")

    assert list_suggested(owner) == ["Ada", "Bea", "Cleo", "Dora"]


@pytest.mark.django_db
def test_a_name_that_says_the_same_as_a_trace_is_not_offered_beside_it(owner: Resident) -> None:
    add_traces(owner, owner.write("a"), "The Plague", "Aunt Iris")
    owner.write("Of the Plague they talk in Delft, and so does Iris. We hear of the Plague daily.")

    assert list_suggested(owner) == ["The Plague", "Delft"]
