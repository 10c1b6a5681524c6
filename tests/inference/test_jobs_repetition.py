"""Tests that endless repetition is cut off where it began."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamora.llm.repetition import strip_repetition

OPENING = "It was a long day and the rain kept on. "


@pytest.mark.parametrize("passage", ["round and round it goes. ", "ha ", "\n1. The same line again."])
def test_circles_are_left_out_and_what_came_before_stays(passage: str) -> None:
    assert strip_repetition(OPENING + passage * 60) == OPENING.strip()


def test_a_numbered_list_of_one_sentence_is_a_circle() -> None:
    text = OPENING + "".join(f"\n{number}. Take a walk by the river." for number in range(1, 60))

    assert strip_repetition(text) == OPENING.strip()


def test_a_circle_broken_off_in_its_middle_is_one_too() -> None:
    text = OPENING + ("round and round it goes. " * 60)[:-13]

    assert strip_repetition(text) == OPENING.strip()


@given(st.text(max_size=200))
def test_what_is_left_is_always_a_beginning(text: str) -> None:
    assert text.startswith(strip_repetition(text))
