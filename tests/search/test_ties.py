"""Tests that the day decides between equal hits, in whatever order their texts were added to the index."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from uuid import UUID

import numpy as np
import pytest

from search.engine import filter_near
from search.index.fts_queries import MAX_RANKED
from search.index.types import Document, EmbeddedText
from search.index.vectors import VectorsIndex
from search.index.words import WordsIndex
from search.query.parser import SearchQuery, parse
from tests.search.indexing import make_document

FIRST = date(2020, 1, 1)
# Orders in which thirty days may come: as lived, imported backwards, and mixed.
ORDERS = (range(30), range(29, -1, -1), [number * 7 % 30 for number in range(30)])


def make_days(text: str, *, many: int = 30) -> list[Document]:
    """Return the same text on so many days."""
    return [
        make_document(text, day=FIRST + timedelta(number), id_=UUID(int=number + 1)) for number in range(many)
    ]


def fill_words(documents: Sequence[Document], order: Sequence[int], *, at_once: int) -> WordsIndex:
    index = WordsIndex()
    for first in range(0, len(order), at_once):
        index.upsert([documents[number] for number in order[first : first + at_once]])
    return index


LATEST_FIRST = [UUID(int=number) for number in range(30, 0, -1)]


@pytest.mark.parametrize("at_once", [1, 8, 30])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("typed", "ranking"),
    [
        ("rain", "strict"),
        ("all day", "phrases"),
        ("all day", "strict"),
        ("rained all day", "strict"),
        ("rain hail", "loose"),
        ("in:entries", "strict"),
        ("rain from:2020", "strict"),
    ],
)
def test_of_equal_words_the_latest_day_comes_first(
    order: Sequence[int], at_once: int, typed: str, ranking: str
) -> None:
    index = fill_words(make_days("Rain all day."), order, at_once=at_once)

    assert getattr(index.find(parse(typed), limit=50), ranking) == LATEST_FIRST


def test_an_edit_and_a_move_leave_a_text_at_its_day() -> None:
    documents = make_days("Rain all day.")
    index = fill_words(documents, ORDERS[0], at_once=30)

    index.upsert([documents[3]])
    assert index.find(parse("rain"), limit=50).strict == LATEST_FIRST

    index.upsert([make_document("Rain all day.", day=FIRST - timedelta(1), id_=documents[29].id)])
    assert index.find(parse("rain"), limit=50).strict == [*LATEST_FIRST[1:], documents[29].id]


def test_a_text_that_stays_takes_no_number_of_another() -> None:
    documents = [make_document("Rain.", day=FIRST, id_=UUID(int=number)) for number in range(1, 4)]
    index = WordsIndex()
    index.upsert(documents[:2])

    index.upsert([documents[2], documents[1]])
    index.remove([documents[1].id])
    index.upsert([documents[1], documents[0]])

    assert set(index.find(parse("rain"), limit=9).strict) == {document.id for document in documents}


def test_a_word_of_every_day_gives_the_latest_days() -> None:
    many = MAX_RANKED + 20
    documents = make_days("Rain.", many=many)
    index = fill_words(documents, [number * 7 % many for number in range(many)], at_once=200)

    assert index.find(parse("rain"), limit=5).strict == [UUID(int=many - number) for number in range(5)]


def test_a_day_may_have_any_number_of_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.index.fts_queries.NUMBERS_OF_DAY", 4)
    documents = [make_document("Rain.", day=FIRST, id_=UUID(int=number)) for number in range(1, 12)]
    index = WordsIndex()

    for first in range(0, len(documents), 3):
        index.upsert(documents[first : first + 3])
    index.upsert(documents[5:9])

    assert set(index.find(parse("rain"), limit=50).strict) == {document.id for document in documents}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("rain on:2025-05-02", range(1, 12)),
        ("rain from:2025-05-03", [20, 21]),
        ("rain to:2025-05-01", [10**6]),
        ("rain from:2025-05-02", [*range(1, 12), 20, 21]),
        ("rain to:2025-05-02", [*range(1, 12), 10**6]),
        ("rain to:2025-05-02 -hail", [*range(2, 11), 10**6]),
        ("-hail on:2025-05-02", range(2, 11)),
        ("-hail to:2025-05-01", [10**6]),
        ("rain in:entries on:2025-05-02", range(1, 12)),
    ],
)
def test_filters_by_days_know_the_days_of_texts_beyond_the_numbers_of_a_day(
    typed: str, found: Iterable[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.index.fts_queries.NUMBERS_OF_DAY", 4)
    busy = date(2025, 5, 2)
    days = [date(2025, 5, 1), *[busy] * 11, *[date(2025, 5, 3)] * 2]
    ids = [UUID(int=number) for number in (10**6, *range(1, 12), 20, 21)]
    texts = ["Rain and hail." if id_.int in (1, 11) else "Rain." for id_ in ids]
    index = WordsIndex()
    index.upsert(
        [make_document(text, day=day, id_=id_) for text, day, id_ in zip(texts, days, ids, strict=True)]
    )

    hits = index.find(parse(typed), limit=50)

    assert sorted(id_.int for id_ in hits.strict) == list(found)
    assert hits.total == len(hits.strict)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("typed", ["rain", "rain in:entries"])
def test_of_equally_near_texts_the_latest_days_are_found(order: Sequence[int], typed: str) -> None:
    documents = make_days("Rain all day.")
    words = fill_words(documents, ORDERS[0], at_once=30)
    vectors = VectorsIndex(4)
    same = np.array([[1, 0, 0, 0]], dtype=np.float16)
    vectors.upsert(
        EmbeddedText(documents[number].id, documents[number].digest, [(0, 5)], same) for number in order
    )
    asked = np.array([0.9, 0.1, 0, 0], dtype=np.float32)

    def nearest(limit: int, allowed: object) -> list[object]:
        return vectors.search(asked, limit=limit, allowed=allowed)  # type: ignore[arg-type, return-value]

    found, _ = filter_near(words, parse(typed), nearest, limit=3)  # type: ignore[arg-type]

    assert [near.id for near in found] == LATEST_FIRST[:3]


def test_what_is_nearer_still_comes_first() -> None:
    documents = make_days("Rain all day.")
    words = fill_words(documents, ORDERS[0], at_once=30)
    vectors = VectorsIndex(2)
    angles = [number / 20 for number in range(30)]
    vectors.upsert(
        EmbeddedText(one.id, one.digest, [(0, 5)], np.array([[np.cos(a), np.sin(a)]], dtype=np.float16))
        for one, a in zip(documents, angles, strict=True)
    )
    asked = np.array([1, 0], dtype=np.float32)

    found, _ = filter_near(words, SearchQuery(), lambda n, few: vectors.search(asked, limit=n), limit=4)

    assert [near.id for near in found] == [UUID(int=number) for number in range(1, 5)]
