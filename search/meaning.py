"""One text's vectors as they are kept, and how they are made. The body of a Vector row, before it is sealed:

32 bytes   digest of the text under its owner's digest key: an edit shows, a new envelope does not
u16        number of chunks, little-endian like the rest
u16        width
chunks * (u32 start, u32 end)
chunks * width * float16
"""

import struct
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

import numpy as np

from search.chunks import Span, chunks
from search.documents import Document
from search.embedded import DIGEST, Embedded
from search.embedder import BATCH, Embedder

_HEAD: Final = struct.Struct(f"<{DIGEST}sHH")
# A limit-long entry of one-character paragraphs is still this many chunks at most.
_MOST: Final = 2**16 - 1


def to_body(text: Embedded) -> bytes:
    """Return the bytes of a Vector row."""
    spans = np.array(text.spans, dtype="<u4").reshape(-1, 2)
    width = text.matrix.shape[1]
    return _HEAD.pack(text.digest, len(spans), width) + spans.tobytes() + text.matrix.astype("<f2").tobytes()


def from_body(source: UUID, body: bytes) -> Embedded:
    """Return what `to_body` made bytes of; raise ValueError where they are no such thing."""
    try:
        digest, many, width = _HEAD.unpack_from(body)
        at = _HEAD.size + many * 8
        spans = np.frombuffer(body, "<u4", many * 2, _HEAD.size).reshape(many, 2)
        matrix = np.frombuffer(body, "<f2", -1, at).reshape(many, width)
    except (struct.error, ValueError):
        raise ValueError("not the body of a vector") from None
    return Embedded(source, digest, spans, matrix)


def embed(
    documents: Sequence[Document], embedder: Embedder, *, check: Callable[[], None] = lambda: None
) -> list[Embedded]:
    """Return the vectors of some texts; chunks of like length go together, since a batch is padded."""
    spans: list[list[Span]] = [chunks(document.text, embedder.counts)[:_MOST] for document in documents]
    flat = [(place, span) for place, own in enumerate(spans) for span in own]
    flat.sort(key=lambda item: item[1][1] - item[1][0])
    rows: dict[tuple[int, Span], np.ndarray] = {}
    for first in range(0, len(flat), BATCH):
        check()  # one text as long as they may be takes seconds
        batch = flat[first : first + BATCH]
        vectors = embedder.passages([documents[place].text[slice(*span)] for place, span in batch])
        rows.update(zip(batch, vectors, strict=True))
    return [
        Embedded(
            document.id, document.digest, own, _stacked([rows[place, span] for span in own], embedder.width)
        )
        for place, (document, own) in enumerate(zip(documents, spans, strict=True))
    ]


def _stacked(rows: list[np.ndarray], width: int) -> np.ndarray:
    return np.array(rows, dtype=np.float16).reshape(len(rows), width)
