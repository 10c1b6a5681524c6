"""Values that go into the indexes and come out of them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from search.chunks import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A text that can be found.

    `stamp` differs whenever its envelope does, so that a saved index knows what to read again without
    opening it; `digest` differs only with the text, so that a new envelope alone re-embeds nothing.
    """

    id: UUID
    kind: str
    entry: UUID
    day: date
    stamp: bytes
    digest: bytes = field(repr=False)
    text: str = field(repr=False)


DIGEST_SIZE: Final = 32


@dataclass(frozen=True, slots=True)
class NearText:
    """A text near in meaning, by its nearest chunk."""

    id: UUID
    score: float
    span: Span


@dataclass(frozen=True, slots=True)
class EmbeddedText:
    """The vectors of one text, and the digest of the text they were made from."""

    id: UUID
    digest: bytes
    spans: Sequence[Span] | NDArray[np.uint32]
    matrix: NDArray[np.float16]
