"""Tests of the check of a model's text: its length, echoes of the prompt, and invented entries."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.generation.output_check import TextCheck, get_headings
from llamora.inference.job import Cut

FIXED = [
    "Take one particular thing in the entry: a person, a remark, a choice.\n\n",
    "\n\nThe entry to answer:\n\n",
    "\nThe entry to ask about:\n",
    "The day of the entry: ",
    "\nThe latest days:\n",
    "You have already answered this entry. Take another thing in it this time:\n",
]


def run_check(check: TextCheck, text: str, *, size: int) -> Cut | None:
    for start in range(0, len(text), size):
        if cut := check.feed(text[start : start + size]):
            return cut
    return check.finish()


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("text", "stays", "reason"),
    [
        ("Iris again. Take one particular thing in the entry: a person.", "Iris again. ", "echo"),
        ("TAKE  ONE particular\nthing, in the entry; a person", "", "echo"),
        ("Well. \n\nThe entry to answer:\n\nToday I", "Well. \n\n", "echo"),
        ("The entry to answer is:", "", "echo"),
        ("The entry to answer", "", "echo"),
        ("Iris again.\nThe entry to ask about the subject of", "Iris again.\n", "echo"),
        ("Iris again.\n\n  **The entry to\task**", "Iris again.\n\n", "echo"),
        ("Well.\n2. The entry to ask about.\n", "Well.\n", "echo"),
        ("1. The day of the entry: Monday", "", "echo"),
        ("Well.\nThe day of the", "Well.\n", "echo"),
        ("Well.\nYou have already answered this entry, take", "Well.\n", "echo"),
        ("28 November 2026\nToday.\nThe entry to answer is:", "", "forged"),
        ("28 November 2026\nTake one particular thing in the entry: a person, a", "", "forged"),
        ("Well.\nThe latest days:\n28 November 2026\nToday", "Well.\n", "echo"),
        ("Well.\n<text 0123456789abcdef0123456789abcdef>\nToday", "Well.\n", "echo"),
        ("Well.\nAefc8194da0bde9c2b6f6b82d220abd7.", "Well.\n", "echo"),
        ("text 0123456789abcdef0", "", "echo"),
        ('{"text": "You went home."}', "", "echo"),
        ('\n```json\n{ "reply": "You went home."}', "", "echo"),
        ("Saturday, 28 November 2026\n\nToday I went", "", "forged"),
        ("She will like it.\n\n**28 November 2026**\nToday", "She will like it.\n\n", "forged"),
        ("[14:05]\nToday I went", "", "forged"),
        ("She will.\n[8.15] Up early", "She will.\n", "forged"),
        ("Tuesday, 5 May 1664.", "", "forged"),  # a Monday in our calendar
        ("Samstag, 28. November 2026", "", "forged"),
    ],
)
def test_an_echo_and_a_forged_entry_end_the_text_before_they_begin(
    text: str, stays: str, reason: str, size: int
) -> None:
    assert run_check(TextCheck(fixed_texts=FIXED), text, size=size) == Cut(len(stays), reason)


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(
    "text",
    [
        "You take one particular thing in the entry and leave the rest.",
        "On 28 November 2026 you were there as well.",
        "Was it at [14:05], as you wrote?",
        "1664\nThat was the year.",
        'She wrote {"text"} in it.',
        "{Sic} she wrote.",
        "It is the entry to answer the others.",
        "The entry to\nsomething else.",
        "The entry to askance looks.",
        "The day of the wedding, when it rained.",
        "2 the entry.",
        "The latest days were quiet.",
        "You have already answered this question yourself.",
        "The card is 4929123412341234, the word faded.",
    ],
)
def test_what_only_looks_alike_stays(text: str, size: int) -> None:
    assert run_check(TextCheck(fixed_texts=FIXED), text, size=size) is None


def test_words_of_the_prompt_that_the_person_wrote_as_well_may_be_quoted() -> None:
    words = "Take one particular thing in the entry: a person"
    check = TextCheck(fixed_texts=FIXED, own_text=f"My teacher said: {words}, always.")

    assert run_check(check, f"Your teacher said: {words}!", size=5) is None


def test_a_number_that_the_person_wrote_as_well_is_no_code() -> None:
    check = TextCheck(fixed_texts=FIXED, own_text="Commit 0A1B2C3D4E5F60718293 at last.")

    assert run_check(check, "What is in 0a1b2c3d4e5f60718293?", size=3) is None


def test_words_of_a_heading_that_the_person_wrote_as_well_may_begin_a_line() -> None:
    check = TextCheck(fixed_texts=FIXED, own_text="Today the entry to ask about: where is it?")

    assert run_check(check, "Well.\nThe entry to ask about was yours.", size=3) is None


@pytest.mark.parametrize("text", ["28 November 2026\n[14:05] The boat.", '{"mood": "The boat."}'])
def test_a_form_that_the_person_has_described_is_no_forged_entry(text: str) -> None:
    check = TextCheck(fixed_texts=FIXED, allows_heads=True, allows_json=True)

    assert run_check(check, text, size=4) is None


def test_an_answer_may_be_a_date_and_not_json() -> None:
    for text, outcome in (("28 November 2026.\n\nThe boat.", None), ('{"number": 1}', Cut(0, "echo"))):
        assert run_check(TextCheck(fixed_texts=FIXED, allows_heads=True), text, size=4) == outcome


@pytest.mark.parametrize("size", [1, 2, 1000])
@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("One two three. Four five six. Seven.", "One two three. Four five six."),
        ("One two three four five", "One two three four five"),
        ("One two three four 3.5 litres. Six.", "One two three four 3.5 litres."),
        ("One two three four five! And more.", "One two three four five!"),
        ("“One two three four five.” He left.", "“One two three four five.”"),
    ],
)
def test_a_long_text_ends_with_the_sentence_in_which_it_reached_its_length(
    text: str, stays: str, size: int
) -> None:
    cut = run_check(TextCheck(max_words=5), text, size=size)

    assert text[: cut.length if cut else None] == stays
    assert cut is None or cut.reason == ""


def test_text_that_was_thinking_counts_no_more() -> None:
    check = TextCheck(max_words=5)
    check.feed("One two three four five six")
    check.restart()

    assert run_check(check, "One two. Three.", size=3) is None


@given(st.text(max_size=200), st.integers(min_value=1, max_value=9))
def test_the_pieces_in_which_a_text_comes_change_nothing(text: str, size: int) -> None:
    def judge(pieces: int) -> Cut | None:
        return run_check(TextCheck(fixed_texts=FIXED, max_words=9), text, size=pieces)

    whole, split = judge(1000), judge(size)
    assert (whole and whole.reason) == (split and split.reason)
    assert whole is None or whole.length == (split.length if split else -1)


def test_only_lines_that_introduce_something_are_headings() -> None:
    assert get_headings(["JSON:", "The entry\nto answer:", "a: b"]) == frozenset({"to answer"})
    assert not any(re.search(r"[A-Z:]", heading) for heading in get_headings(FIXED))
