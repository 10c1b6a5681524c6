"""Similarity of vectors: the best rows by cosine, thresholds, and the score of a text."""

from collections.abc import Iterator
from typing import Any, Final, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Scores = TypeVar("Scores", NDArray[np.floating[Any]], float)

# A selection of rows: their numbers, or a slice of them.
RowSelection = slice | list[int] | NDArray[np.int64]

MIN_SCORE: Final = -1.0
# How much the mean of a text's chunks counts beside its nearest one: a text that is about the question all
# along stands before one that touches on it. Over 25 questions, 0.3 to 0.5 found one more than none or 1.
_WHOLE_WEIGHT: Final = 0.3
# Two passages can speak of the same from this cosine on, with what all share taken away. It is low, because
# they must share rare words as well.
_SIMILAR_MARGIN: Final = 0.3
# Where that common part is not known: from this fraction of the distance between the floor and 1.
_ABOVE_FLOOR: Final = 0.3
# How far above the ordinary a cosine must lie, in standard deviations, once there are enough to know the
# ordinary.
_ABOVE_BASELINE: Final = 2.2
_MIN_BASELINE_ROWS: Final = 200
_SAMPLE: Final = 4096
# So many rows are made floats at once, which stay in the processor's cache.
_ROWS_AT_ONCE: Final = 1024
_LARGEST: Final = 32_767


class VectorRows:
    """Unit vectors as rows of 16-bit integers, each with a factor. This takes half the memory of float32.

    Comparing 100,000 of these takes two thirds of the time, since memory is the bottleneck. The rounding
    error is at most 1/65534 of the largest number in the row, less than that of the float16 in which vectors
    are saved. Integers of 8 bits would need a second comparison, which takes the time that they save.
    """

    def __init__(self, width: int, room: int) -> None:
        self.width = width
        self._integers = np.zeros((room, width), dtype=np.int16)
        self._factors = np.zeros(room, dtype=np.float32)

    def __len__(self) -> int:
        return len(self._factors)

    @property
    def nbytes(self) -> int:
        """The memory of the rows in bytes."""
        return self._integers.nbytes + self._factors.nbytes

    def enlarge(self, room: int) -> None:
        """Make room for this many rows; the new ones are zeros."""
        former, self._integers = self._integers, np.zeros((room, self.width), dtype=np.int16)
        self._integers[: len(former)] = former
        self._factors = np.concatenate([self._factors, np.zeros(room - len(former), dtype=np.float32)])

    def set(self, rows: RowSelection, vectors: NDArray[np.floating[Any]]) -> None:
        """Replace the rows at these indices by `vectors`, one vector for each row."""
        floats = vectors.astype(np.float32)
        factors = np.abs(floats).max(axis=1, initial=0.0) / np.float32(_LARGEST)
        floats /= np.where(factors > 0, factors, 1)[:, None]
        self._integers[rows] = np.rint(floats, out=floats)
        self._factors[rows] = factors

    def set_first(self, vectors: NDArray[np.floating[Any]]) -> None:
        """Replace the first rows by these vectors."""
        for some in _iter_blocks(len(vectors)):
            self.set(some, vectors[some])

    def clear(self, rows: RowSelection) -> None:
        """Fill rows with zeros."""
        self._integers[rows], self._factors[rows] = 0, 0

    def get(self, rows: RowSelection) -> Floats:
        """Return these rows as an array of float32. Each row is approximately a unit vector."""
        return np.asarray(self._integers[rows] * self._factors[rows, None], dtype=np.float32)

    def copy(self, rows: NDArray[np.int64]) -> Self:
        """Return a copy of some rows."""
        copied = type(self)(self.width, 0)
        copied._integers, copied._factors = self._integers[rows], self._factors[rows]
        return copied

    def find_changed(self, rows: NDArray[np.int64], former: Self) -> NDArray[np.int64]:
        """Return those of `rows` that differ from `former`, an earlier copy of the same rows."""
        is_same = (self._integers[rows] == former._integers).all(axis=1)
        is_changed: NDArray[np.bool_] = ~(is_same & (self._factors[rows] == former._factors))
        return np.asarray(rows[is_changed], dtype=np.int64)

    def pack(self, rows: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return rows as 16-bit floats, the format in which they are saved."""
        packed = np.empty((len(rows), self.width), dtype=np.float16)
        for some in _iter_blocks(len(rows)):
            packed[some] = self.get(rows[some])
        return packed

    def multiply(self, vectors: Floats, *, used: int) -> Floats:
        """Return the products of the first rows with `vectors`. `used` is the number of these rows.

        `vectors` is one vector, or a matrix whose columns are vectors.
        """
        products = np.empty((used, *vectors.shape[1:]), dtype=np.float32)
        floats = np.empty((_ROWS_AT_ONCE, self.width), dtype=np.float32)
        for some in _iter_blocks(used):
            block = floats[: some.stop - some.start]
            np.copyto(block, self._integers[some])
            np.dot(block, vectors, out=products[some])
        factors = self._factors[:used]
        return np.multiply(products, factors if vectors.ndim == 1 else factors[:, None], out=products)

    def are_nonzero(self, used: int) -> NDArray[np.bool_]:
        """Return which of the first rows are not zeros, as booleans. `used` is the number of these rows.

        The rows of removed texts, and of texts that the embedder could not read, are zeros.
        """
        return self._factors[:used] > 0


def _iter_blocks(many: int) -> Iterator[slice]:
    for start in range(0, many, _ROWS_AT_ONCE):
        yield slice(start, min(many, start + _ROWS_AT_ONCE))


def find_best_scores(scores: Floats, many: int) -> tuple[NDArray[np.int64], Floats]:
    """Return the indices of the best scores, best first, and the scores.

    If several scores equal the last of the best `many`, all of them are returned: the caller chooses among
    them by day. Scores below MIN_SCORE, which no cosine has, are left out.
    """
    many = min(many, len(scores))
    if not many:
        return np.zeros(0, dtype=np.int64), scores[:0]
    least = max(float(np.partition(scores, -many)[-many]), MIN_SCORE)
    indices = np.flatnonzero(scores >= least)
    indices = indices[np.argsort(-scores[indices], kind="stable")]
    return indices.astype(np.int64), scores[indices]


def compute_relative_similarity(
    rows: VectorRows, own: Floats, *, used: int, floor: float
) -> tuple[Floats, NDArray[np.int64], float]:
    """Return each row's similarity to its nearest vector in `own`, that vector's index, and a threshold.

    The threshold is the similarity at which a row counts as similar. Only the first `used` rows are
    compared. Their mean is subtracted first, because any two days of a diary resemble each other: without
    this, the least specific texts would be nearest to all. With few rows the mean is not reliable. Then the
    similarity is the plain cosine, and the threshold is somewhat above `floor`, the threshold for questions.
    """
    step = get_sample_step(used)
    many = int(np.count_nonzero(rows.are_nonzero(used)[::step]))
    if used < _MIN_BASELINE_ROWS or not many:
        return *_get_row_maxima(rows.multiply(own.T, used=used)), floor + _ABOVE_FLOOR * (1 - floor)
    shared = rows.get(slice(0, used, step)).sum(axis=0) / many
    # The cosine of (row - shared) and (one's own - shared), without a second matrix.
    own_shared, square = own @ shared, float(shared @ shared)
    products = rows.multiply(np.vstack([own, shared]).T, used=used)
    rows_shared = products[:, -1]
    lengths = np.sqrt(np.maximum(1 - 2 * rows_shared + square, 1e-6))
    own_lengths = np.sqrt(np.maximum(1 - 2 * own_shared + square, 1e-6))
    scores = products[:, :-1] - rows_shared[:, None] - own_shared[None] + square
    best, nearest = _get_row_maxima(scores / own_lengths[None])
    return best / lengths, nearest, _SIMILAR_MARGIN


def _get_row_maxima(scores: Floats) -> tuple[Floats, NDArray[np.int64]]:
    nearest = scores.argmax(axis=1)
    return np.asarray(scores[np.arange(len(scores)), nearest], dtype=np.float32), nearest


def get_sample_step(many: int) -> int:
    """Return a number n so that every n-th of `many` rows makes a sample of bounded size."""
    return max(1, many // _SAMPLE)


def compute_threshold(sample: Floats, *, among: int) -> float:
    """Return the threshold above which the cosine of a vector to the query counts as exceptionally high.

    If there are few rows, the threshold is MIN_SCORE. `sample` contains the cosines of some rows, each of
    which is a vector, and `among` is the number of all rows.
    """
    if among < _MIN_BASELINE_ROWS:
        return MIN_SCORE
    return float(sample.mean() + _ABOVE_BASELINE * sample.std())


def blend_scores(nearest: Scores, whole: Scores) -> Scores:
    """Return the score of a text from the cosine of its nearest chunk and the mean of all its chunks."""
    return (nearest + _WHOLE_WEIGHT * whole) / (1 + _WHOLE_WEIGHT)
