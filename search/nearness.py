"""What a cosine is worth: the best of many, those above the ordinary, and a text by all of its chunks."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LEAST: Final = -1.0
# How much the mean of a text's chunks counts beside its nearest one: a text that is about the question all
# along stands before one that touches on it. Over 25 questions, 0.3 to 0.5 found one more than none or 1.
_WHOLE: Final = 0.3
# How much nearer than to a question that they answer two texts must be to each other.
_KINDRED: Final = 0.3
# How far above the ordinary a cosine must lie, in standard deviations, once there are enough to know the
# ordinary.
_ABOVE: Final = 2.2
_KNOWN_ORDINARY: Final = 200
_SAMPLE: Final = 4096


def best(scores: Floats, many: int) -> tuple[NDArray[np.int64], Floats]:
    """Return the places of the best scores, best first, and these scores."""
    many = min(many, len(scores))
    places = np.argpartition(-scores, many - 1)[:many] if many else np.zeros(0, dtype=np.int64)
    places = places[np.argsort(-scores[places], kind="stable")]
    return places.astype(np.int64), scores[places]


def unit(vector: Floats) -> Floats:
    """Return the vector of length 1 that points the same way."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), dtype=np.float32)


def kindred(floor: float) -> float:
    """Return the cosine from which two texts speak of the same; `floor` is where a model's texts begin to."""
    return floor + _KINDRED * (1 - floor)


def step_of(many: int) -> int:
    """Return which of so many rows a sample takes: each of these."""
    return max(1, many // _SAMPLE)


def ordinary(sample: Floats, *, among: int) -> float:
    """Return what a cosine must reach to stand out from a sample of `among` rows."""
    if among < _KNOWN_ORDINARY:
        return LEAST
    return float(sample.mean() + _ABOVE * sample.std())


def blended(nearest: float, whole: Floats) -> float:
    """Return the score of a text by its nearest chunk and by all of its chunks."""
    return (nearest + _WHOLE * float(whole.mean())) / (1 + _WHOLE)
