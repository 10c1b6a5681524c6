"""Tests that related-entry search finds nothing for nonsense, with the included embedder."""

import json
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from search.embedder.holder import embedders
from search.embedder.included import IncludedEmbedder
from search.embedder.types import SimilarityFloors
from search.engine import search
from search.index.person_index import PersonIndex
from search.index.types import EmbeddedText
from search.index.vector_store import embed_documents
from search.index.vectors import VectorsIndex
from search.query.parser import parse
from tests.people import Resident
from tests.search.indexing import BagOfWords, make_document, open_index

NONSENSE = (
    *("zzzzqqq", "qwxz vbnm", "asdfghjkl", "xkcd qqqq wwww", "blorptang fizzwick", "hjkl hjkl", "ppppp"),
    *("🌻", "😀😀😀", "ⵣⴰⵎⴰⵣⵉⵖ", "ᚠᚢᚦᚨᚱᚲ", "ⰀⰁⰂⰃ", "𓀀𓀁𓀂", "አማርኛ", "ꙮ", "꧁꧂"),
    *("fghfghfgh", "xzxzxz", "1234567890123", "؟؟؟"),
)
ENTRIES = (
    "We walked along the river with the dog until it was dark.",
    "Ran into an old schoolmate at the market.",
    "Quarrelled with Ada about money.",
    "The baby said its first word today.",
    "Snow at last, the whole garden white.",
    "Got the job! I start in May.",
    "Grandma's funeral. Everyone came.",
    "Missed the train and waited two hours at the station.",
)
IN_OTHER_WORDS = {
    "evening stroll beside water": 0,
    "bumped into somebody known as child": 1,
    "argument over finances": 2,
    "child begins talking": 3,
    "winter weather": 4,
    "new employment": 5,
    "burial of relative": 6,
    "delayed journey": 7,
}


def fill(index: PersonIndex, texts: list[tuple[date, str]]) -> PersonIndex:
    """Return the index with these texts, without database rows."""
    assert index.words is not None
    assert index.vectors is not None
    documents = [make_document(text, day=day) for day, text in texts]
    index.words.upsert(documents)
    index.vectors.upsert(embed_documents(documents, embedders.get()))
    return index


@pytest.fixture
def index(owner: Resident, settings: Any, shared: Path) -> PersonIndex:
    """A diary of some short entries and of the openings of days of another one."""
    settings.SEARCH_MODEL = ""
    lines = (shared / "corpus" / "pepys_1660_1664.jsonl").read_text(encoding="utf-8").splitlines()
    other = [(date(2025, 1, 1), json.loads(line)["text"][:160]) for line in lines[::80]]
    return fill(open_index(owner), [(date(2026, 1, 1), text) for text in ENTRIES] + other)


def test_nonsense_emoji_and_unknown_scripts_find_nothing_and_other_words_do(index: PersonIndex) -> None:
    assert [typed for typed in NONSENSE if search(index, parse(typed)).hits] == []

    for typed, number in IN_OTHER_WORDS.items():
        hits = search(index, parse(typed), limit=5).hits
        assert ENTRIES[number] in {"".join(part.text for part in hit.parts) for hit in hits}, typed


def test_a_text_of_unknown_tokens_is_near_to_nothing(settings: Any) -> None:
    embedder = IncludedEmbedder(threads=1)

    vectors = embedder.embed_passages(["ⵣⴰⵎⴰⵣⵉⵖ", "🌻", "", "Sunflower 🌻"])

    assert vectors.any(axis=1).tolist() == [False, False, False, True]


def test_nothing_is_like_a_text_that_could_not_be_read() -> None:
    index = VectorsIndex(2)
    rows = np.array([[0, 0], [0, 1]], dtype=np.float16)
    index.upsert(EmbeddedText(UUID(int=number), b"d", [(0, 5)], rows[[number % 2]]) for number in range(300))
    unread, read = np.float32([[0, 0]]), np.float32([[0, 0], [0.6, 0.8]])

    assert index.search(unread[0], limit=5) == []
    weights = {UUID(int=number): 1.0 for number in range(300)}
    assert index.find_similar(unread, floor=-1, weights=weights, least=-1, limit=5) == []
    found = index.find_similar(read, floor=-1, weights=weights, least=-1, limit=5)
    assert all(near.id.int % 2 for near in found)


class Vague(BagOfWords):
    """An embedder that makes every question somewhat similar to every text."""

    floors = SimilarityFloors(0.2, 0.4)

    def embed_passages(self, texts: Any) -> NDArray[np.float32]:
        return np.tile(np.float32([1, 0]), (len(texts), 1))

    def embed_question(self, text: str) -> NDArray[np.float32]:
        return np.array([0.3, 0.954], dtype=np.float32)


class Credulous(Vague):
    """An embedder with such low thresholds that nothing is nonsense."""

    floors = SimilarityFloors(0.2, 0.2)


@pytest.mark.parametrize(
    ("typed", "is_found"),
    [("mmm", False), ("jjjj", False), ("Mmm rrr", False), ("mm", True), ("mmmh", True), ("mmm tea", True)],
)
def test_a_letter_again_and_again_is_near_to_nothing_unless_it_was_written(
    owner: Resident, settings: Any, typed: str, *, is_found: bool
) -> None:
    settings.SEARCH_MODEL = Credulous.name
    embedders.set_embedder(Credulous(width=2))
    index = fill(
        open_index(owner), [(date(2026, 1, 1), "A heron in the weir."), (date(2026, 1, 2), "Zzz, it snores.")]
    )

    assert bool(search(index, parse(typed)).hits) is is_found
    assert "meaning" in {reason for hit in search(index, parse("zzz")).hits for reason in hit.why}


@pytest.mark.parametrize(
    ("typed", "is_found"),
    [
        ("zzzzqqq", False),
        ("what is zzzzqqq", False),
        ("zzzzqqq herons", True),
        ("what is this", True),
    ],
)
def test_a_question_without_a_word_of_the_diary_must_be_nearer(
    owner: Resident, settings: Any, typed: str, *, is_found: bool
) -> None:
    settings.SEARCH_MODEL = Vague.name
    embedders.set_embedder(Vague(width=2))
    index = fill(
        open_index(owner), [(date(2026, 1, 1), "A heron in the weir."), (date(2026, 1, 2), "It is.")]
    )

    hits = search(index, parse(typed)).hits

    assert any("meaning" in hit.why for hit in hits) is is_found
