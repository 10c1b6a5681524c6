"""Tests of `scan`: the expressions that it finds in sentences of a diary, and the words that it ignores."""

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from llamora.dates import Direction, scan
from tests.dates.test_expressions import describe

EVENING = datetime(2024, 5, 15, 21, 0, tzinfo=timezone(timedelta(hours=2)))
SENTENCES = [
    (line[:2], line[4:])
    for line in (Path(__file__).parent / "sentences.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
_BRACKETS = re.compile(r"\[(.*?)\|(.*?)\]")


@pytest.mark.parametrize(("language", "marked"), SENTENCES)
def test_a_sentence_holds_the_marked_expressions(language: str, marked: str) -> None:
    sentence = _BRACKETS.sub(r"\1", marked)

    found = scan(sentence, EVENING, languages=[language])

    assert [(mention.text, describe(mention.when)) for mention in found] == _BRACKETS.findall(marked)
    assert all(mention.text == sentence[mention.start : mention.end] for mention in found)


def test_a_text_in_two_languages_is_read_in_both() -> None:
    text = "Gestern in Berlin, and next Friday in London."

    found = scan(text, EVENING, languages=["de", "en"])

    assert [(mention.text, mention.language) for mention in found] == [
        ("Gestern", "de"),
        ("next Friday", "en"),
    ]


def test_a_given_direction_outweighs_the_tense() -> None:
    sentence = "On Saturday we met."

    past, future = (
        scan(sentence, EVENING, languages=["en"], direction=direction)[0]
        for direction in (Direction.PAST, Direction.FUTURE)
    )

    assert (describe(past.when), describe(future.when)) == ("2024-05-11", "2024-05-18")
