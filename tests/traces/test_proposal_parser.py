"""Tests of parsing the names in the model's answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traces.proposals.parser import parse_strict, parse_tolerant


def test_an_answer_that_keeps_to_the_form() -> None:
    assert parse_strict('{"emoji": "☕", "traces": ["the weir", "Aunt Iris"]}') == [
        "☕",
        "the weir",
        "Aunt Iris",
    ]


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "Sure! Here are some traces.",
        "[]",
        "42",
        '{"emoji": "☕"}',
        '{"emoji": "☕", "traces": "weir"}',
        '{"emoji": "coffee", "traces": ["weir", "mill"]}',
        '{"emoji": "☕", "traces": ["weir"]}',
        '{"emoji": "☕", "traces": ["weir", "WEIR"]}',
        '{"emoji": null, "traces": [1, 2, 3]}',
        "{" * 100_000,
    ],
)
def test_an_answer_that_does_not(answer: str) -> None:
    assert parse_strict(answer) == []


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ('Here:\n```json\n{"emoji": "🌊", "traces": ["weir", "#mill."]}\n```', ["🌊", "weir", "mill"]),
        ('["weir", "mill"]', ["weir", "mill"]),
        ("- weir\n- mill\n", ["weir", "mill"]),
        ("1. weir\n2) Größe", ["weir", "Größe"]),
        ('{"traces": ["weir"]}', ["weir"]),
        ("I cannot help with that.", []),
        ('{"emoji": "☕", "traces": []}', []),
    ],
)
def test_what_can_be_made_of_it(answer: str, names: list[str]) -> None:
    assert parse_tolerant(answer) == names


def test_no_more_than_four_and_each_once() -> None:
    assert parse_tolerant('["a", "b", "A", "c", "d", "e"]') == ["a", "b", "c", "d"]


@pytest.mark.parametrize("score", ["mood 7/10", "80%", "3 out of 5", "★★★", "weir 4 / 5"])
def test_a_score_is_no_trace(score: str) -> None:
    assert parse_tolerant(f'["{score}", "weir"]') == ["weir"]


@pytest.mark.parametrize("emoji", ["☕", "🌊", "👩‍🌾", "🇳🇱", "❤️", "👍🏽"])
def test_one_emoji_of_any_make(emoji: str) -> None:
    assert parse_strict(f'{{"emoji": "{emoji}", "traces": ["a", "b"]}}')[0] == emoji


@pytest.mark.parametrize("sign", ["☕☕", "a", "!", "⭐", "\u200d", "🙂🙂🙂"])
def test_what_is_not_one_emoji(sign: str) -> None:
    assert parse_strict(f'{{"emoji": "{sign}", "traces": ["a", "b"]}}') == []


@given(st.text(max_size=200))
def test_nothing_a_model_says_fails(answer: str) -> None:
    assert isinstance(parse_strict(answer), list)
    assert all(isinstance(name, str) and name for name in parse_tolerant(answer))
