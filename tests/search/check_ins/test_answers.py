"""Tests of parsing and checking the proposals in an answer of the model."""

import json
from typing import Any

import pytest

from search.checkins.answers import MAX_PROPOSALS, Proposal, check_proposals, parse_answer

READ = ["Met Anna at the weir,\nand it rained.", "Anna has a boat"]


def build(**parts: Any) -> dict[str, Any]:
    return {"request": 1, "text": "You met Anna.", "quotes": ["Anna at the weir"], **parts}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('{"nothing": true, "proposals": []}', []),
        ('{"nothing": true, "proposals": [{"request": 1}]}', []),
        ('{"nothing": false, "proposals": [{"request": 1}]}', [{"request": 1}]),
        ('Here it is: {"proposals": [{"request": 1}, 5, "x"]} Done.', [{"request": 1}]),
        ("Nothing to tell.", None),
        ("", None),
        ("[]", None),
        ('{"other": 1}', None),
        ("{" * 3000, None),
    ],
)
def test_an_answer_is_read_or_not(answer: str, expected: list[dict[str, Any]] | None) -> None:
    assert parse_answer(answer) == expected


def test_no_more_than_some_proposals_are_read() -> None:
    answer = json.dumps({"nothing": False, "proposals": [build()] * 9})

    assert len(parse_answer(answer) or []) == MAX_PROPOSALS


def test_quotes_stand_in_what_was_read() -> None:
    [proposal] = check_proposals(
        [build(quotes=["weir, AND it", "Bob at the weir", "a boat"])], requests=1, read=READ
    )

    assert proposal == Proposal(request=0, text="You met Anna.", quotes=("weir, AND it", "a boat"))


def test_without_quotes_it_is_a_question_of_the_request() -> None:
    [proposal] = check_proposals([build(quotes=[])], requests=1, read=READ)

    assert proposal.quotes == ()


@pytest.mark.parametrize(
    "bad",
    [
        build(request=0),
        build(request=2),
        build(request=True),
        build(request="1"),
        build(text=""),
        build(text=" \n"),
        build(text="x" * 501),
        build(text=None),
        build(quotes=["Bob at the weir"]),
        build(quotes="Anna"),
        {},
    ],
)
def test_what_was_not_asked_for_or_not_read_is_dropped(bad: dict[str, Any]) -> None:
    assert check_proposals([bad], requests=1, read=READ) == []


def test_marks_that_are_no_writing_are_dropped_from_the_text() -> None:
    [proposal] = check_proposals([build(text="You met\u202e\x1b Anna.\n")], requests=1, read=READ)

    assert proposal.text == "You met Anna."
