"""Encoding of all vectors of one person as bytes, which reveal the texts and therefore must be sealed.

Little-endian:

u32 width | u32 texts | u32 rows
texts * (16 bytes id, 32 bytes digest, u32 rows of this text)
rows * (u32 start, u32 end)          the chunk's span in its text
rows * width * float16
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from search.errors import SnapshotRefused

# A text's id, its digest, and how many rows it has.
PackedText = tuple[UUID, bytes, int]

_HEAD: Final = struct.Struct("<III")
_TEXT: Final = np.dtype([("id", "V16"), ("digest", "V32"), ("rows", "<u4")])


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedVectors:
    """The vectors of several texts: the rows of the first text, then those of the next."""

    texts: Iterator[PackedText]
    spans: NDArray[np.uint32]
    matrix: NDArray[np.float16]


def pack_vectors(
    texts: Sequence[PackedText], *, spans: NDArray[np.uint32], matrix: NDArray[np.float16]
) -> bytes:
    """Return the rows of vectors and their texts, encoded."""
    head = _HEAD.pack(matrix.shape[1], len(texts), len(matrix))
    named = np.array([(id_.bytes, digest, rows) for id_, digest, rows in texts], dtype=_TEXT)
    return b"".join([head, named.tobytes(), spans.astype("<u4").tobytes(), matrix.astype("<f2").tobytes()])


def unpack_vectors(data: bytes, *, width: int) -> PackedVectors:
    """Return the vectors that `pack_vectors` encoded; raise SnapshotRefused."""
    try:
        stored_width, texts, rows = _HEAD.unpack_from(data)
    except struct.error:
        raise SnapshotRefused("torn") from None
    spans_at = _HEAD.size + texts * _TEXT.itemsize
    matrix_at = spans_at + rows * 8
    if stored_width != width or len(data) != matrix_at + rows * width * 2:
        raise SnapshotRefused("old" if stored_width != width else "torn")
    named = np.frombuffer(data, _TEXT, texts, _HEAD.size).tolist()
    return PackedVectors(
        texts=((UUID(bytes=id_), digest, many) for id_, digest, many in named),
        spans=np.frombuffer(data, "<u4", rows * 2, spans_at).reshape(rows, 2),
        matrix=np.frombuffer(data, "<f2", rows * width, matrix_at).reshape(rows, width),
    )
