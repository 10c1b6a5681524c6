"""Values that are stored in the indexes and returned from them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from search.chunks import Span

FACT_KIND: Final = "fact"
NOTE_KIND: Final = "note"
# Texts that belong to no page of a day, and whose realm is not that of entries.
APART_KINDS: Final = frozenset({FACT_KIND, NOTE_KIND})


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A searchable text.

    `stamp` changes whenever the row is sealed again, so that a saved index knows which rows to read again
    without decrypting any. `digest` changes only with the text, so that a rotation does not cause texts to be
    embedded again.
    """

    id: UUID
    kind: str
    entry: UUID
    day: date
    stamp: bytes
    digest: bytes = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TextOutline:
    """The kind, day and entry of a text, without its words; equal texts have the same digest.

    `number` is the row id in the word index.
    """

    kind: str
    day: date
    entry: UUID
    digest: bytes = field(repr=False)
    number: int = 0


DIGEST_SIZE: Final = 32


@dataclass(frozen=True, slots=True)
class NearText:
    """A text near in meaning, with its nearest chunk."""

    id: UUID
    score: float
    span: Span


@dataclass(frozen=True, slots=True)
class SimilarChunk:
    """A chunk that is similar to a chunk of another text.

    `own` is the number of the other text's chunk; `score` is the cosine of the two.
    """

    id: UUID
    score: float
    span: Span
    own: int


@dataclass(frozen=True, slots=True)
class EmbeddedText:
    """The vectors of a text, and the digest of the text from which they were computed."""

    id: UUID
    digest: bytes
    spans: Sequence[Span] | NDArray[np.uint32]
    matrix: NDArray[np.float16]
