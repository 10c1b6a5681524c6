"""Tests of the type of a question: for the latest or first time, or how often."""

from datetime import UTC, datetime

import pytest

from search.ask.question.question_type import QuestionType, parse_question
from search.query.days import DayReader

READER = DayReader(datetime(2026, 3, 5, 12, tzinfo=UTC), language="en-gb")
QUESTIONS = (
    ("When did I last see Anna?", QuestionType.LATEST, "When did I see Anna?"),
    ("When was the last time I was ill?", QuestionType.LATEST, "When was I was ill?"),
    ("When did I first see Anna?", QuestionType.FIRST, "When did I see Anna?"),
    ("How often did we row?", QuestionType.NUMBER, "did we row?"),
    ("HOW MANY  TIMES did we row?", QuestionType.NUMBER, "did we row?"),
    ("Wann habe ich Anna zuletzt gesehen?", QuestionType.LATEST, "Wann habe ich Anna gesehen?"),
    ("Wie oft war ich krank?", QuestionType.NUMBER, "war ich krank?"),
    ("Quand ai-je vu Anna pour la dernière fois ?", QuestionType.LATEST, "Quand ai-je vu Anna pour ?"),
    ("¿Cuántas veces fui al mar?", QuestionType.NUMBER, "¿ fui al mar?"),
    ("Quante volte sono stato malato?", QuestionType.NUMBER, "sono stato malato?"),
    ("Wanneer zag ik Anna voor het laatst?", QuestionType.LATEST, "Wanneer zag ik Anna ?"),
    ("Quantas vezes fui ao mar?", QuestionType.NUMBER, "fui ao mar?"),
)
PLAIN = (
    "What did Anna say?",
    "When did we row last summer?",
    "When was the rain of last October?",
    "The last of the wine",
    "",
    "last",
)


@pytest.mark.parametrize(("question", "wanted", "subject"), QUESTIONS)
def test_what_is_asked_for_is_read_and_left_out_of_the_subject(
    question: str, wanted: QuestionType, subject: str
) -> None:
    asked = parse_question(question, reader=READER)

    assert asked.wanted is wanted
    assert " ".join(asked.subject.split()) == subject


@pytest.mark.parametrize("question", PLAIN)
def test_other_questions_stay_as_they_are(question: str) -> None:
    asked = parse_question(question, reader=READER)

    assert (asked.wanted, asked.subject) == (QuestionType.BEST, question)
