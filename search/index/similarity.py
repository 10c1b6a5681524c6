"""Scores from cosines: the best of many, a threshold for hits, the score of a text from all its chunks."""

from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Scores = TypeVar("Scores", NDArray[np.floating[Any]], float)

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


def best_scores(scores: Floats, many: int) -> tuple[NDArray[np.int64], Floats]:
    """Return the indices of the best scores, best first, and the scores.

    There are more than `many` if the last are equal: which of them are wanted depends on days, which are not
    known here. What is below any cosine is left out.
    """
    many = min(many, len(scores))
    if not many:
        return np.zeros(0, dtype=np.int64), scores[:0]
    least = max(float(np.partition(scores, -many)[-many]), MIN_SCORE)
    indices = np.flatnonzero(scores >= least)
    indices = indices[np.argsort(-scores[indices], kind="stable")]
    return indices.astype(np.int64), scores[indices]


def relative_similarity(
    matrix: Floats, own: Floats, *, floor: float
) -> tuple[Floats, NDArray[np.int64], float]:
    """Return each row's similarity to the nearest of a text's own vectors, its number, and the threshold.

    The mean of all rows is subtracted first: any two days of a diary resemble each other, and otherwise the
    least specific texts would be nearest to every other. With few rows the mean is not reliable; then the
    plain cosine is returned, with a threshold somewhat above the `floor` for questions.
    """
    sample = matrix[:: get_sample_step(len(matrix))]
    many = int(np.count_nonzero(sample[:, 0]))
    if len(matrix) < _MIN_BASELINE_ROWS or not many:
        return *_get_row_maxima(matrix @ own.T), floor + _ABOVE_FLOOR * (1 - floor)
    shared = sample.sum(axis=0) / many
    # The cosine of (row - shared) and (one's own - shared), without a second matrix.
    own_shared, square = own @ shared, float(shared @ shared)
    products = matrix @ np.vstack([own, shared]).T
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
    """Return the step with which a sample is taken from this number of rows."""
    return max(1, many // _SAMPLE)


def compute_baseline(sample: Floats, *, among: int) -> float:
    """Return the threshold above which a cosine stands out from a sample of `among` rows."""
    if among < _MIN_BASELINE_ROWS:
        return MIN_SCORE
    return float(sample.mean() + _ABOVE_BASELINE * sample.std())


def blend_scores(nearest: Scores, whole: Scores) -> Scores:
    """Return the score of a text from the cosine of its nearest chunk and the mean of all its chunks."""
    return (nearest + _WHOLE_WEIGHT * whole) / (1 + _WHOLE_WEIGHT)
