"""What goes into an index of vectors, and what comes out of it, as plain values. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from search.chunks import Span

DIGEST: Final = 32


@dataclass(frozen=True, slots=True)
class Near:
    """A text near in meaning, by its nearest chunk."""

    id: UUID
    score: float
    span: Span


@dataclass(frozen=True, slots=True)
class Embedded:
    """The vectors of one text, and the digest of the text they were made from."""

    id: UUID
    digest: bytes
    spans: Sequence[Span] | NDArray[np.uint32]
    matrix: NDArray[np.float16]
