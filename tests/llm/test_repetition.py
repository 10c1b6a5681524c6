"""Tests of detecting repetition: found early, but not in prose, songs, lists and tables."""

import random

import pytest

from llamora.llm.repetition import RepetitionDetector, is_repeating
from tests.fakes.script import make_words


def get_detection_length(text: str, *, step: int = 7) -> int | None:
    """Return the number of characters before repetition is detected, or None."""
    guard = RepetitionDetector()
    for start in range(0, len(text), step):
        if guard.feed(text[start : start + step]):
            return start + step
    return None


@pytest.mark.parametrize(
    "passage", ["la ", "!", "\n", "I am here for you. ", "一二三四五", "He went out.\n\nShe came in. " * 5]
)
def test_a_repeated_passage_is_noticed(passage: str) -> None:
    after = get_detection_length("It began well, on a quiet day. " + passage * 3000)

    assert after is not None
    assert after < 1200 + 6 * len(passage)


def test_a_numbered_circle_is_noticed() -> None:
    assert get_detection_length(
        "".join(f"{number}. Rest a little and drink some tea.\n" for number in range(200))
    )


@pytest.mark.parametrize("seed", range(5))
def test_prose_is_left_alone(seed: int) -> None:
    pick = random.Random(seed)
    vocabulary = [word.strip() for word in make_words(60)]

    text = " ".join(pick.choice(vocabulary) for _ in range(8000))

    assert get_detection_length(text) is None


def test_a_refrain_a_rule_and_a_table_are_left_alone() -> None:
    verses = "".join(f"{verse}\nOh the rain, the rain\n" * 3 for verse in make_words(40))
    table = "| a | b |\n|" + "-" * 80 + "|" + "-" * 80 + "|\n"

    assert get_detection_length(verses + table + "so it was, in the end. " * 8) is None


def test_a_short_text_is_never_a_circle() -> None:
    assert not is_repeating("ha " * 100)
