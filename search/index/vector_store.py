"""The vectors of one person as sealed rows: stored when embedded, loaded into an index, replaced on change.

The body of a `Vector` row, before it is sealed, little-endian:

    32 bytes   digest of the text under its owner's digest key: an edit changes it, resealing does not
    u16        number of chunks
    u16        width
    chunks * (u32 start, u32 end)
    chunks * width * float16
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import numpy as np

from llamora.crypto import Keyring
from search import chunks
from search.chunks import Span, split_into_chunks
from search.embedder.types import EMBED_BATCH, Embedder
from search.index.sources import open_or_none
from search.index.types import DIGEST_SIZE, Document, EmbeddedText
from search.models import Vector

_HEAD: Final = struct.Struct(f"<{DIGEST_SIZE}sHH")
# A limit-long entry of one-character paragraphs is still this many chunks at most.
_MAX_CHUNKS: Final = 2**16 - 1


def encode_embedded_text(text: EmbeddedText) -> bytes:
    """Return the vectors, the spans and the digest of an `EmbeddedText` as bytes.

    A row of `Vector` stores these bytes sealed.
    """
    spans = np.array(text.spans, dtype="<u4").reshape(-1, 2)
    width = text.matrix.shape[1]
    return _HEAD.pack(text.digest, len(spans), width) + spans.tobytes() + text.matrix.astype("<f2").tobytes()


def decode_vectors(source: UUID, body: bytes) -> EmbeddedText:
    """Return the `EmbeddedText` that `encode_embedded_text` encoded.

    Raise ValueError if `body` is malformed. `source` is the id of the text.
    """
    try:
        digest, many, width = _HEAD.unpack_from(body)
        at = _HEAD.size + many * 8
        spans = np.frombuffer(body, "<u4", many * 2, _HEAD.size).reshape(many, 2)
        matrix = np.frombuffer(body, "<f2", -1, at).reshape(many, width)
    except (struct.error, ValueError):
        raise ValueError("not the body of a vector") from None
    return EmbeddedText(source, digest, spans, matrix)


def embed_documents(
    documents: Sequence[Document], embedder: Embedder, *, check: Callable[[], None] = lambda: None
) -> list[EmbeddedText]:
    """Return the vectors of texts.

    Chunks of about the same length are embedded in one batch, since a model pads each to the longest one.
    """
    spans: list[list[Span]] = [
        split_into_chunks(document.text, embedder.count_tokens)[:_MAX_CHUNKS] for document in documents
    ]
    flat = [(number, span) for number, own in enumerate(spans) for span in own]
    flat.sort(key=lambda item: item[1][1] - item[1][0])
    rows: dict[tuple[int, Span], np.ndarray] = {}
    for first in range(0, len(flat), EMBED_BATCH):
        check()  # one text as long as they may be takes seconds
        batch = flat[first : first + EMBED_BATCH]
        vectors = embedder.embed_passages([documents[number].text[slice(*span)] for number, span in batch])
        rows.update(zip(batch, vectors, strict=True))
    return [
        EmbeddedText(
            document.id,
            document.digest,
            own,
            _stack_rows([rows[number, span] for span in own], embedder.width),
        )
        for number, (document, own) in enumerate(zip(documents, spans, strict=True))
    ]


def _stack_rows(rows: list[np.ndarray], width: int) -> np.ndarray:
    return np.array(rows, dtype=np.float16).reshape(len(rows), width)


READ_BATCH: Final = 250


def iter_stored_vectors(
    owner: UUID, embedder: Embedder, *, of: set[UUID], keyring: Callable[[], Keyring]
) -> Iterator[list[EmbeddedText]]:
    """Yield the stored vectors of these texts in batches; rows that do not open are skipped.

    `keyring` is called for each row, because the index may switch to a later one meanwhile.
    """
    rows = Vector.objects.filter(owner_id=owner, embedder=embedder.name, rule=chunks.CHUNK_RULE)
    if len(of) <= READ_BATCH:
        rows = rows.filter(source__in=of)
    body = Vector._meta.get_field("body")
    some: list[EmbeddedText] = []
    for id_, source, sealed in rows.values_list("id", "source", "body").iterator(chunk_size=READ_BATCH):
        if source not in of:
            continue
        columns: dict[str, Any] = {"id": id_, "owner_id": owner, "source": source}
        columns |= {"embedder": embedder.name, "rule": chunks.CHUNK_RULE}
        plain = open_or_none(body, columns, sealed, keyring())
        with suppress(ValueError):
            some += [decode_vectors(source, plain)] if plain is not None else []
        if len(some) >= READ_BATCH:
            yield some
            some = []
    yield some


def store_vectors(owner: UUID, made: Sequence[EmbeddedText], embedder: Embedder) -> None:
    """Replace the stored vectors of these texts; call with a keyring in force, in a transaction."""
    Vector.objects.filter(owner_id=owner, source__in=[text.id for text in made]).delete()
    Vector.objects.bulk_create(
        Vector(
            owner_id=owner,
            source=text.id,
            embedder=embedder.name,
            rule=chunks.CHUNK_RULE,
            body=encode_embedded_text(text),
        )
        for text in made
    )
