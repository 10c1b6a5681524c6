"""Tests that paraphrased questions find the right day, with the real model and texts."""

import json
import random
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from diary.models import Entry
from search.embedder.holder import embedders
from search.engine import search
from search.index.person_index import PersonIndex
from search.index.vector_store import embed_documents
from search.query.days import DayReader
from search.query.folding import split_words
from search.query.parser import parse
from search.related_entries import find_near_entries
from tests.people import Resident
from tests.search.indexing import make_document, open_index
from tests.search.questions import KINDS, QUESTIONS
from tests.search.test_nonsense import NONSENSE

_PHRASE = re.compile(r"[A-Za-z]+(?: [A-Za-z]+){5}")


def use_real_model(settings: Any, shared: Path) -> None:
    """Use the small embedding model of the shared folder."""
    settings.SEARCH_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
    settings.SEARCH_MODEL_PATH = str(shared / "models" / "all-MiniLM-L6-v2-int8")
    settings.SEARCH_THREADS = 1


@pytest.fixture
def real_model(settings: Any, shared: Path) -> None:
    """The small embedding model of the shared folder."""
    use_real_model(settings, shared)


def corpus(shared: Path) -> list[tuple[date, str]]:
    lines = (shared / "corpus" / "pepys_1660_1664.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [(date.fromisoformat(row["date"]), row["text"]) for row in rows]


def list_answered_questions(
    index: PersonIndex, *, first: int, asked: tuple[tuple[str, str], ...]
) -> list[str]:
    """Return the questions whose day is among the first hits."""
    reader = DayReader(datetime(1665, 1, 1, 12, tzinfo=UTC), language="en-gb")
    hits = {typed: search(index, parse(typed, reader=reader), limit=first).hits for typed, _ in asked}
    return [typed for typed, day in asked if day in {hit.day.isoformat() for hit in hits[typed]}]


def build_index(owner: Resident, days: list[tuple[date, str]]) -> PersonIndex:
    """Return an index of these days, without database rows."""
    index = open_index(owner)
    assert index.words is not None
    assert index.vectors is not None
    documents = [
        make_document(text, day=day, id_=UUID(int=number)) for number, (day, text) in enumerate(days)
    ]
    index.words.upsert(documents, update_terms=False)
    index.words.update_all_terms()
    for first in range(0, len(documents), 32):
        index.vectors.upsert(embed_documents(documents[first : first + 32], embedders.get()))
    return index


def test_the_real_model_finds_what_is_said_in_other_words(
    owner: Resident, real_model: None, shared: Path
) -> None:
    wanted = {"1660-10-05", "1662-12-11", "1661-01-28", "1660-03-16"}
    days = [(day, text) for day, text in corpus(shared) if day.isoformat() in wanted or day.day == 9]
    asked = (
        ("people gliding over the ice in the park", "1662-12-11"),
        ("would I go to sea as a secretary", "1660-03-16"),
        ("hit the animal that had got loose", "1661-01-28"),
    )

    index = build_index(owner, days[:16] + [pair for pair in days if pair[0].isoformat() in wanted])

    assert list_answered_questions(index, first=5, asked=asked) == [typed for typed, _ in asked]


@pytest.mark.slow
def test_questions_of_four_kinds_find_their_day_among_the_first_five(
    owner: Resident, real_model: None, shared: Path
) -> None:
    index = build_index(owner, corpus(shared))

    found = {kind: list_answered_questions(index, first=5, asked=asked) for kind, asked in KINDS.items()}
    paraphrased = list_answered_questions(index, first=5, asked=QUESTIONS)

    print({kind: len(answered) for kind, answered in found.items()}, len(paraphrased), "of", len(QUESTIONS))
    assert sum(map(len, found.values())) >= 34
    assert len(paraphrased) >= 20
    assert [typed for typed in NONSENSE if search(index, parse(typed)).hits] == []


def test_two_hundred_random_phrases_find_their_day_first(owner: Resident, shared: Path) -> None:
    days = corpus(shared)
    index = open_index(owner)
    assert index.words is not None
    documents = [make_document(text, day=day, id_=UUID(int=n)) for n, (day, text) in enumerate(days)]
    index.words.upsert(documents, update_terms=False)
    index.words.update_all_terms()
    chance = random.Random(1660)

    missed = []
    for day, text in chance.sample([(day, text) for day, text in days if _PHRASE.search(text)], 200):
        phrase = chance.choice(_PHRASE.findall(text))
        hits = search(index, parse(phrase), limit=1).hits
        # Some phrases are on several days.
        if not hits or phrase.lower() not in " ".join(split_words(days[hits[0].id.int][1])):
            missed.append((day, phrase))
    assert missed == []


def test_a_day_recalls_the_day_that_spoke_of_the_same(
    owner: Resident, real_model: None, shared: Path
) -> None:
    feast = date(1663, 11, 8)  # the Lord Mayor's, and what to wear for it
    days = [(day, text) for day, text in corpus(shared) if day.day == 8 and day.month > 8 and day <= feast]
    index = build_index(owner, days)
    number = [day for day, _ in days].index(feast)

    near = find_near_entries(index, Entry(id=UUID(int=number), day=feast, text=days[number][1]))

    recalled = {days[one.id.int][0]: days[one.id.int][1][slice(*one.span)] for one in near}
    assert "Lord Mayor" in recalled[date(1661, 11, 8)]
