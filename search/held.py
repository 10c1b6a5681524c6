"""What is held of one unlocked person, and how it is forgotten: for good, whoever is using it."""

import threading
from collections import deque
from uuid import UUID

from accounts.keys.keyrings import copy_with_former_key
from llamora.crypto import Keyring
from search.embedder import Embedder
from search.errors import IndexClosed
from search.places import Places
from search.vectors import VectorsIndex
from search.words import WordsIndex


class Held:
    """Words and vectors of one person; every use after `close` raises IndexClosed."""

    def __init__(self, keyring: Keyring) -> None:
        self.owner: UUID = keyring.owner
        self.words_ready = threading.Event()
        self.words: WordsIndex | None = None
        self.vectors: VectorsIndex | None = None
        self.embedder: Embedder | None = None
        self.why_no_meaning = "opening"
        self.places = Places()
        self.glanced_at = 0.0
        self.signature: tuple[object, ...] = ()
        self._keyring = copy_with_former_key(keyring)
        self._changing = threading.RLock()
        self._pending: deque[UUID] = deque()
        self._in_hand = 0
        self._closed = False

    @property
    def is_closed(self) -> bool:
        """Return whether the person locked, or the index made room for another."""
        return self._closed

    @property
    def pending(self) -> int:
        """Return how many texts still wait for their vectors."""
        return len(self._pending) + self._in_hand

    def _check(self) -> None:
        if self._closed:
            raise IndexClosed

    def size(self) -> int:
        """Return how many bytes of memory the index takes, about."""
        try:
            return sum(part.size() for part in (self.words, self.vectors) if part is not None)
        except IndexClosed:
            return 0

    def close(self) -> None:
        """Forget everything, for good; searches under way end with IndexClosed."""
        self._closed = True
        self._keyring.close()
        held = self.words
        if held is not None:
            held.close()  # before the lock: it interrupts whoever holds that in a query
        with self._changing:
            for part in (self.words, self.vectors):
                if part is not None:
                    part.close()
            self.words = self.vectors = self.embedder = None
            self._pending.clear()
            self.places.clear()
        self.words_ready.set()  # whoever waits is told by IndexClosed

    def _words(self) -> WordsIndex:
        if self._closed or self.words is None:
            raise IndexClosed
        return self.words

    def _vectors(self) -> VectorsIndex:
        if self._closed or self.vectors is None:
            raise IndexClosed
        return self.vectors
