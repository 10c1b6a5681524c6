"""Embedders without model files, documents, and test steps that open indexes."""

import re
import threading
import zlib
from collections.abc import Sequence
from datetime import date
from uuid import UUID, uuid4

import numpy as np
from numpy.typing import NDArray

from search.embedder.types import SimilarityFloors
from search.index import workers
from search.index.person_index import PersonIndex
from search.index.registry import indexes
from search.index.types import Document
from tests.fakes.waiting import PATIENCE
from tests.people import Resident

_WORD = re.compile(r"\w+")


class BagOfWords:
    """A simple embedder: texts that share words are similar."""

    name = "tests/bag-of-words"
    floors = SimilarityFloors(0.1, 0.1)

    def __init__(self, width: int = 64) -> None:
        self.width = width
        self.embedded: list[str] = []

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(_WORD.findall(text)) for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.embedded += texts
        return np.array([self._vector(text) for text in texts], dtype=np.float32)

    def embed_question(self, text: str) -> NDArray[np.float32]:
        return self._vector(text)

    def _vector(self, text: str) -> NDArray[np.float32]:
        vector = np.zeros(self.width, dtype=np.float32)
        for word in _WORD.findall(text.lower()):
            vector += np.random.default_rng(zlib.crc32(word.encode())).standard_normal(self.width)
        length = float(np.linalg.norm(vector))
        return vector / length if length else vector


class BlockingEmbedder(BagOfWords):
    """An embedder that waits in the middle of a text until the test releases it."""

    def __init__(self) -> None:
        super().__init__()
        self.has_begun, self.may_end = threading.Event(), threading.Event()

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.has_begun.set()
        assert self.may_end.wait(PATIENCE), "nobody let the embedder go"
        return super().embed_passages(texts)


def make_document(
    text: str, *, day: date = date(2026, 1, 1), kind: str = "entry", id_: UUID | None = None
) -> Document:
    """Return a document for an index, without a database row."""
    id_ = id_ or uuid4()
    return Document(
        id=id_,
        kind=kind,
        entry=id_,
        day=day,
        stamp=b"s" * 24,
        digest=text.encode().ljust(32, b"\0")[:32],
        text=text,
    )


def open_index(someone: Resident) -> PersonIndex:
    """Return the index of an unlocked person, once it is complete."""
    index = indexes.for_owner(someone.keyring)
    wait_until_idle(someone)
    return index


def wait_until_idle(someone: Resident) -> None:
    """Wait until no search task of a person runs or is queued."""
    for _ in range(20):
        assert workers.opening_worker.wait_idle(key_id=someone.keyring.key_id, timeout=PATIENCE), (
            "opening took too long"
        )
        assert workers.embedding_worker.wait_idle(key_id=someone.keyring.key_id, timeout=PATIENCE), (
            "embedding took too long"
        )
        if workers.opening_worker.is_idle(someone.keyring.key_id) and workers.embedding_worker.is_idle(
            someone.keyring.key_id
        ):
            return
