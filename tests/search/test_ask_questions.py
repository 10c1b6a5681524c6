"""Tests that the passages for questions are from the right days, without a language model."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from search.ask.ranking import rank_texts
from search.index.person_index import PersonIndex
from search.query.days import DayReader
from tests.people import Resident
from tests.search.ask_questions import (
    ANSWERED,
    ASKED_AT,
    CHECKED_ANSWERED,
    CHECKED_UNANSWERED,
    FURTHER_ANSWERED,
    FURTHER_UNANSWERED,
    PARAPHRASES,
    UNANSWERED,
)
from tests.search.indexing import make_document, open_index
from tests.search.questions import KINDS, QUESTIONS
from tests.search.test_questions import build_index, corpus, use_real_model

READER = DayReader(ASKED_AT, language="en-gb")
ListDays = Callable[[str], list[str]]


def build_lister(owner: Resident, index: PersonIndex, shared: Path) -> ListDays:
    """Return a function that lists the days of the first five texts for a question."""
    days = [day.isoformat() for day, _ in corpus(shared)]

    def list_days(question: str) -> list[str]:
        with owner.unlocked():
            asked = rank_texts(index, question, reader=READER)
        return [days[id_.int] for id_ in asked.select(asked.ids)[:5]]

    return list_days


def list_missed(asked: Iterable[tuple[str, set[str]]], list_days: ListDays) -> list[str]:
    return [question for question, right in asked if not right & set(list_days(question))]


def list_found(asked: Iterable[str], list_days: ListDays) -> list[str]:
    return [question for question in asked if list_days(question)]


def test_words_alone_find_the_day_of_questions(owner: Resident, shared: Path) -> None:
    index = open_index(owner)
    assert index.words is not None
    documents = [
        make_document(text, day=day, id_=UUID(int=n)) for n, (day, text) in enumerate(corpus(shared))
    ]
    index.words.upsert(documents, update_terms=False)
    index.words.update_all_terms()
    list_days = build_lister(owner, index, shared)

    in_its_words = [one for one in ANSWERED if one not in PARAPHRASES]
    missed = list_missed(in_its_words, list_days)

    assert len(in_its_words) - len(missed) >= 23, missed
    assert list_found([*UNANSWERED, *FURTHER_UNANSWERED, *CHECKED_UNANSWERED], list_days) == []


@pytest.mark.slow
def test_thirty_questions_find_their_day_among_the_first_five(
    owner: Resident, shared: Path, settings: Any
) -> None:
    use_real_model(settings, shared)
    list_days = build_lister(owner, build_index(owner, corpus(shared)), shared)

    missed = list_missed(ANSWERED, list_days)
    of_search = [(question, {day}) for asked in (*KINDS.values(), QUESTIONS) for question, day in asked]
    missed_of_search = list_missed(of_search, list_days)

    print(f"{len(ANSWERED) - len(missed)} of {len(ANSWERED)}, and of those of the search", end=" ")
    print(f"{len(of_search) - len(missed_of_search)} of {len(of_search)}")
    assert len(ANSWERED) == 30
    assert len(ANSWERED) - len(missed) >= 26, missed
    assert len(of_search) - len(missed_of_search) >= 50, missed_of_search
    assert list_found(UNANSWERED, list_days) == []
    further = {len(asked): list_missed(asked, list_days) for asked in (FURTHER_ANSWERED, CHECKED_ANSWERED)}
    found = list_found([*FURTHER_UNANSWERED, *CHECKED_UNANSWERED], list_days)
    print(f"of further ones: missed {further}; found, although nothing answers them: {found}")
    assert len(further[30]) <= 3
    assert len(further[20]) <= 3
    assert len(found) <= 3
