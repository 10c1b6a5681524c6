"""The type of a question: whether it asks for the latest time, the first, or how often. Pure.

The words that express the type are left out of the search: hardly an entry says "last" or "how often".
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from search.query.days import DayReader


class QuestionType(Enum):
    """The type of a question: it asks for the best texts, the latest, the first, or their number."""

    BEST = "best"
    LATEST = "latest"
    FIRST = "first"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class ParsedQuestion:
    """A parsed question: its type, and its words without those that express the type."""

    wanted: QuestionType
    subject: str


# In English, German, French, Spanish, Italian, Dutch and Portuguese.
_PHRASES: Final = {
    QuestionType.NUMBER: (
        *("how often", "how many times", "how many days", "wie oft", "wie viele male", "combien de fois"),
        *("cuántas veces", "con qué frecuencia", "quante volte", "hoe vaak", "hoeveel keer", "quantas vezes"),
    ),
    QuestionType.LATEST: (
        *("the last time", "last time", "most recently", "most recent", "latest", "zum letzten mal"),
        *("das letzte mal", "letztes mal", "zuletzt", "la dernière fois", "dernière fois", "en dernier"),
        *(
            "por última vez",
            "la última vez",
            "última vez",
            "l'ultima volta",
            "l’ultima volta",
            "ultima volta",
        ),
        *("de laatste keer", "laatste keer", "voor het laatst", "a última vez", "pela última vez"),
    ),
    QuestionType.FIRST: (
        *("for the first time", "the first time", "first time", "zum ersten mal", "das erste mal"),
        *("la première fois", "première fois", "por primera vez", "la primera vez", "primera vez"),
        *("la prima volta", "prima volta", "voor het eerst", "de eerste keer", "eerste keer"),
        *("pela primeira vez", "a primeira vez", "primeira vez"),
    ),
}
_TYPE_BY_PHRASE: Final = {phrase: wanted for wanted, phrases in _PHRASES.items() for phrase in phrases}
# The longest first, so that none of its words is left.
_ALTERNATIVES: Final = "|".join(
    re.escape(phrase).replace(r"\ ", r"\s{1,3}")
    for phrase in sorted(_TYPE_BY_PHRASE, key=lambda phrase: -len(phrase))
)
_PHRASE: Final = re.compile(rf"\b(?:{_ALTERNATIVES})\b", re.IGNORECASE)
# "When did I last see her", but not "last summer".
_ASKS_WHEN: Final = re.compile(r"\bwhen\b", re.IGNORECASE)
_SINGLE: Final = re.compile(r"\b(last|first)\b(?:\s{1,3}(\w{1,30}))?", re.IGNORECASE)


def parse_question(question: str, *, reader: DayReader | None = None) -> ParsedQuestion:
    """Return the parsed question; `reader` knows which words are a day, as in "last summer"."""
    found = _PHRASE.search(question)
    if found:
        phrase = " ".join(found[0].lower().split())
        return ParsedQuestion(_TYPE_BY_PHRASE[phrase], _cut(question, found.start(), found.end()))
    if not _ASKS_WHEN.search(question):
        return ParsedQuestion(QuestionType.BEST, question)
    for single in _SINGLE.finditer(question):
        is_day = reader is not None and single[2] and reader.read(f"{single[1]} {single[2]}") is not None
        if not is_day:
            wanted = QuestionType.LATEST if single[1].lower() == "last" else QuestionType.FIRST
            return ParsedQuestion(wanted, _cut(question, *single.span(1)))
    return ParsedQuestion(QuestionType.BEST, question)


def _cut(text: str, start: int, end: int) -> str:
    return f"{text[:start]} {text[end:]}"
