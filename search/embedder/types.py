"""The interface of all embedders, and what follows from the model that one runs."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
EMBED_BATCH: Final = 4

# Below this cosine a text has nothing to do with the question, by model: some call everything half alike.
_SIMILARITY_FLOORS: Final = {"BAAI/bge-small-en-v1.5": 0.5}
_DEFAULT_FLOOR: Final = 0.2


class Embedder(Protocol):
    """An embedding model, which turns texts into unit vectors.

    Its `name` contains the digest of its weights: the vectors of two exports of one model lie apart.
    """

    name: str
    width: int
    floor: float

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text."""

    def embed_passages(self, texts: Sequence[str]) -> Floats:
        """Return a unit vector for each text."""

    def embed_question(self, text: str) -> Floats:
        """Return the unit vector of a question."""


def get_floor(model: str) -> float:
    """Return the lowest cosine of two texts that have to do with each other."""
    return _SIMILARITY_FLOORS.get(model, _DEFAULT_FLOOR)


def normalize_rows(vectors: Iterable[Any]) -> Floats:
    """Return vectors as the rows of a matrix, each with length 1."""
    matrix = np.asarray(list(vectors), dtype=np.float32)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.asarray(matrix / np.maximum(lengths, 1e-12), dtype=np.float32)
