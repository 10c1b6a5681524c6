"""What of one person's index is kept between sessions: read back, and written when enough changed.

Writing and throwing away take turns: after `forget` nothing is written any more under a keyring that was
closed before it, so that a new key leaves no snapshot of the old one behind.
"""

from threading import Lock
from typing import Final

from llamora.crypto import Keyring
from search import chunks, words
from search.embedder import Embedder
from search.errors import SnapshotRefused
from search.snapshots import SnapshotFolder
from search.vectors import VectorsIndex
from search.words import WordsIndex

_WORTH_KEEPING: Final = 20
_EVERYTHING: Final = 1_000_000


class Keeping:
    """The snapshots of one person, and how many texts changed since each was written."""

    def __init__(self, folder: SnapshotFolder) -> None:
        self._folder = folder
        self._turn = Lock()
        self.words_changed = self.vectors_changed = 0

    def words(self, keyring: Keyring) -> WordsIndex:
        """Return the words as they were kept, or none."""
        try:
            return WordsIndex(self._folder.read(kind="words", rule=words.RULE, keyring=keyring))
        except SnapshotRefused:
            return WordsIndex()

    def vectors(self, embedder: Embedder, keyring: Keyring) -> VectorsIndex:
        """Return the vectors as they were kept, or none."""
        try:
            kept = self._folder.read(kind="vectors", rule=_vector_rule(embedder), keyring=keyring)
            return VectorsIndex.load(kept, width=embedder.width)
        except SnapshotRefused:
            return VectorsIndex(embedder.width)

    def keep_words(self, index: WordsIndex, keyring: Keyring, *, whatever: bool) -> None:
        """Write the words if enough of them changed; raise OSError where the disk takes nothing."""
        if _is_worth(self.words_changed, index, whatever=whatever):
            with self._turn:
                self.words_changed = 0
                self._folder.write(kind="words", rule=words.RULE, data=index.dump(), keyring=keyring)

    def keep_vectors(
        self, index: VectorsIndex, embedder: Embedder, keyring: Keyring, *, held: WordsIndex, whatever: bool
    ) -> None:
        """Write the vectors if enough of them changed; raise OSError where the disk takes nothing."""
        if _is_worth(self.vectors_changed, held, whatever=whatever):
            with self._turn:
                self.vectors_changed = 0
                rule = _vector_rule(embedder)
                self._folder.write(kind="vectors", rule=rule, data=index.dump(), keyring=keyring)

    def all_changed(self) -> None:
        """Have everything written anew at the next occasion."""
        self.words_changed = self.vectors_changed = _EVERYTHING

    def forget(self) -> None:
        """Throw the snapshots away."""
        with self._turn:
            self._folder.forget()


def _is_worth(changed: int, index: WordsIndex, *, whatever: bool) -> bool:
    return bool(changed) and (whatever or changed >= max(_WORTH_KEEPING, index.count() // 50))


def _vector_rule(embedder: Embedder) -> str:
    return f"{embedder.name}|{chunks.RULE}"
