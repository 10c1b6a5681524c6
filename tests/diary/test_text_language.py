"""Tests of the language that a prompt names, and of its word for "you"."""

import pytest

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
