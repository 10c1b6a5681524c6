"""Facts that bear on a text: they share a name or a rare word with it, or are near to it in meaning.

The threshold for meaning was measured for questions about a diary: see `search.ask.ranking`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

import numpy as np

from search import engine
from search.embedder.types import Embedder, Floats
from search.index.person_index import PersonIndex
from search.index.types import FACT_KIND, NearText
from search.index.vectors import VectorsIndex
from search.index.words import WordsIndex
from search.query.parser import SearchQuery
from search.query.subject_words import Subject, find_subject, weigh_shared_words

# A shared name counts up to 1 and a word in small letters half, less where more texts have it; nearness in
# meaning counts from 0 to 1. A fact bears on a text that has as much of one of them, or of both together.
_LEAST_SHARED: Final = 0.4
_LEAST_CLOSENESS: Final = 0.45
_LEAST_TOGETHER: Final = 0.55
_MAX_NEAR: Final = 24
# An embedder reads no further anyway.
_MAX_CHARACTERS: Final = 2_000
_MAX_PASSAGES: Final = 16


def rank_facts(
    index: PersonIndex, text: str, *, id_: UUID | None = None, limit: int, kind: str = FACT_KIND
) -> list[UUID]:
    """Return the ids of the facts (or notes) that bear on a text, the nearest first; raise IndexClosed.

    `id_` is the id of the text if it is in the index, so that its passages have vectors already.
    """
    words = index.words
    if words is None:
        return []
    subject = find_subject(text)
    weights, sharing = words.find_facts_sharing(subject.words, kind=kind)
    closeness = _measure_closeness(index, words, text, id_=id_, further=sharing, kind=kind)
    facts = words.load_documents({*sharing, *closeness})
    shared = {id_: _weigh(fact.text, subject, weights) for id_, fact in facts.items()}
    bearing = [fact for fact in facts.values() if _bears(shared[fact.id], closeness.get(fact.id, 0.0))]

    def rank(fact_id: UUID) -> tuple[float, int, UUID]:
        evidence = shared[fact_id] + closeness.get(fact_id, 0.0)
        return round(evidence, 3), facts[fact_id].day.toordinal(), fact_id

    return sorted((fact.id for fact in bearing), key=rank, reverse=True)[:limit]


def _weigh(fact: str, subject: Subject, weights: Mapping[str, float]) -> float:
    return weigh_shared_words(find_subject(fact), subject, weights)


def _bears(shared: float, closeness: float) -> bool:
    return shared >= _LEAST_SHARED or closeness >= _LEAST_CLOSENESS or shared + closeness >= _LEAST_TOGETHER


def _measure_closeness(
    index: PersonIndex, words: WordsIndex, text: str, *, id_: UUID | None, further: Iterable[UUID], kind: str
) -> dict[UUID, float]:
    """Return the closeness in meaning of the nearest facts and of `further`; empty without an embedder."""
    vectors, embedder = index.vectors, index.embedder
    if vectors is None or embedder is None:
        return {}
    found: dict[UUID, float] = {}
    for passage in _load_passages(vectors, embedder, text, id_):
        near = _find_near(words, vectors, passage, floor=embedder.floors.known, kind=kind)
        cosines = {one.id: one.score for one in near} | vectors.score_texts(passage, further)
        for fact, cosine in cosines.items():
            floor = embedder.floors.known
            found[fact] = max(found.get(fact, 0.0), (cosine - floor) / (1 - floor))
    return found


def _load_passages(
    vectors: VectorsIndex, embedder: Embedder, text: str, id_: UUID | None
) -> Sequence[Floats]:
    own = vectors.get_chunks(id_) if id_ is not None else None
    if own is None:  # a question, or an entry saved only just now
        return [embedder.embed_question(text[:_MAX_CHARACTERS])]
    matrix, _ = own
    return list(np.asarray(matrix[:: -(-len(matrix) // _MAX_PASSAGES)]))


def _find_near(
    words: WordsIndex, vectors: VectorsIndex, passage: Floats, *, floor: float, kind: str
) -> Sequence[NearText]:
    near, _ = engine.filter_near(
        words,
        SearchQuery(kinds=frozenset({kind})),
        lambda limit, allowed: vectors.search(passage, limit=limit, floor=floor, allowed=allowed),
        limit=_MAX_NEAR,
    )
    return near
