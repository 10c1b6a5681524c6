"""The interface of all embedders, and the similarity thresholds of known models."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
EMBED_BATCH: Final = 4


class SimilarityFloors(NamedTuple):
    """Similarity thresholds: the lowest cosines at which a text counts as related to a question.

    `unknown` is the threshold for a question without any word of the diary. Nonsense can be as similar to
    some text as a hard question to its answer, but rarely contains a word that occurs in the diary.
    """

    known: float
    unknown: float


# By model: some call everything half alike. Of all-MiniLM-L6-v2, over 300 long days of a diary, 29 of 30
# pieces of nonsense reached 0.333 at most, and one 0.356; of 25 questions in other words six lay lower than
# that. Of 12 short entries, asked for without one of their words, eleven lay at 0.347 or above.
_SIMILARITY_FLOORS: Final = {
    "BAAI/bge-small-en-v1.5": SimilarityFloors(0.5, 0.5),
    "sentence-transformers/all-MiniLM-L6-v2": SimilarityFloors(0.2, 0.345),
}
_DEFAULT_FLOORS: Final = SimilarityFloors(0.2, 0.2)


class Embedder(Protocol):
    """An embedding model, which turns texts into unit vectors.

    Its `name` contains the digest of its weights: vectors of two exports of one model are not comparable.
    """

    name: str
    width: int
    floors: SimilarityFloors

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text."""

    def embed_passages(self, texts: Sequence[str]) -> Floats:
        """Return a unit vector for each text."""

    def embed_question(self, text: str) -> Floats:
        """Return the unit vector of a question."""


def get_floors(model: str) -> SimilarityFloors:
    """Return the lowest cosines at which, with this model, a text counts as related to a question."""
    return _SIMILARITY_FLOORS.get(model, _DEFAULT_FLOORS)


def normalize_rows(vectors: Iterable[Any]) -> Floats:
    """Return vectors as the rows of a matrix, each of length 1."""
    matrix = np.asarray(list(vectors), dtype=np.float32)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.asarray(matrix / np.maximum(lengths, 1e-12), dtype=np.float32)
