"""Tests of the language that a prompt names, and of its word for "you"."""

import pytest

from diary.generation import text_language
from diary.generation.text_language import UNKNOWN, describe_language

GERMAN = "Es ist noch nicht Tag, und ich bin schon wach."


@pytest.mark.parametrize(
    ("texts", "language", "you"),
    [
        ((GERMAN,), "German", "du"),
        (("It is not yet day, and I am awake already.",), "English", "you"),
        (("Il n'est pas encore jour, et je suis dans la cuisine.",), "French", "tu"),
        (("Nebel.", GERMAN), "German", "du"),
        ((GERMAN, "It is not yet day, and I am awake already."), "German", "du"),
        (("Nebel.", ""), UNKNOWN, "you"),
        ((), UNKNOWN, "you"),
    ],
)
def test_the_first_text_whose_language_is_certain_names_it(
    texts: tuple[str, ...], language: str, you: str
) -> None:
    assert describe_language(*texts) == {"language": language, "you": you}


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"a{chr(code)}B{chr(code)}" for code in range(128)),
        "It’s — “well”, she said… 20£ and ‘so on’",
        "Es ist schön… und „neu“ für uns – 5²",
        "a_b 1c d2e\u2060f",
    ],
)
def test_the_words_of_a_text_are_its_runs_of_letters(text: str) -> None:
    assert text_language._split_words(text) == text_language._WORD.findall(text.lower())
