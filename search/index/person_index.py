"""The index of one unlocked person: opened from snapshots, updated after changes, closed when they lock.

    words     first: loaded from the snapshot; then the texts that changed since are read and added
    vectors   second: loaded from the snapshot or from their rows; then texts without vectors are embedded

A changed text is read from the database and written to the index under one lock, so that an older reading
cannot overwrite a newer one. The index has its own keyring, because the keyring of a request is closed with
the response; while a rotation is unfinished, it includes the former key.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from accounts.keys.keyrings import copy_with_former_keys
from llamora.crypto import KeyId, Keyring, VaultLocked, WrongEpoch, in_force
from llamora.database import NotWritten, write_transaction
from llamora.database.sqlite.reading import to_id
from search.embedder.types import Embedder, Floats
from search.errors import IndexClosed
from search.index import sources, vector_store
from search.index.snapshots import MANY_UNSAVED, IndexSnapshots, SnapshotFolder
from search.index.types import APART_KINDS, Document, EmbeddedText
from search.index.vector_store import embed_documents
from search.index.vectors import VectorsIndex
from search.index.words import WordsIndex
from search.query.result_tokens import ResultTokens

_MAX_QUESTIONS: Final = 64


class QuestionVectors:
    """A cache in memory that maps the name of an embedder and the text of a question to a vector.

    Only the vectors of recent questions are in it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._vectors: OrderedDict[tuple[str, str], Floats] = OrderedDict()

    def find(self, embedder: Embedder, text: str) -> Floats | None:
        """Return the cached vector of a question, or None if the question is not in the cache."""
        with self._lock:
            found = self._vectors.get((embedder.name, text))
            if found is not None:
                self._vectors.move_to_end((embedder.name, text))
            return found

    def embed(self, embedder: Embedder, text: str) -> Floats:
        """Compute the vector of a question, cache it and return it."""
        vector = embedder.embed_question(text)
        with self._lock:
            self._vectors[embedder.name, text] = vector
            while len(self._vectors) > _MAX_QUESTIONS:
                self._vectors.popitem(last=False)
        return vector

    def clear(self) -> None:
        """Delete all cached vectors of questions. No index is changed."""
        with self._lock:
            self._vectors.clear()


class IndexState:
    """Base class of PersonIndex with its state: its word index, its vector index, and flags.

    After `close`, every use raises IndexClosed.
    """

    def __init__(self, keyring: Keyring) -> None:
        self.owner: UUID = keyring.owner
        self.words_ready = threading.Event()
        self.words: WordsIndex | None = None
        self.vectors: VectorsIndex | None = None
        self.embedder: Embedder | None = None
        self.why_not_embedded = "opening"
        self.result_tokens = ResultTokens()
        self.question_vectors = QuestionVectors()
        self.polled_at = 0.0
        self.signature: tuple[object, ...] = ()
        self._keyring = copy_with_former_keys(keyring)
        self._changing = threading.RLock()
        # In the order in which they wait; a dict, to tell at once whether a text is among them.
        self._pending: OrderedDict[UUID, None] = OrderedDict()
        self._embedding_now = 0
        self._closed = False

    @property
    def key_id(self) -> KeyId:
        """Return the identity of the key that opened this index."""
        return self._keyring.key_id

    @property
    def is_closed(self) -> bool:
        """Return whether the index was closed, for example because the diary was locked."""
        return self._closed

    @property
    def pending(self) -> int:
        """Return the number of texts that have no vectors yet."""
        return len(self._pending) + self._embedding_now

    def _check_open(self) -> None:
        if self._closed:
            raise IndexClosed

    def size(self) -> int:
        """Return the approximate memory of the index in bytes."""
        try:
            return sum(part.size() for part in (self.words, self.vectors) if part is not None)
        except IndexClosed:
            return 0

    def close(self) -> None:
        """Close the index for good; searches in progress raise IndexClosed."""
        self._closed = True
        self._keyring.close()
        words = self.words
        if words is not None:
            words.close()  # before the lock: it interrupts whoever holds that in a query
        with self._changing:
            for part in (self.words, self.vectors):
                if part is not None:
                    part.close()
            self.words = self.vectors = self.embedder = None
            self._pending.clear()
            self.result_tokens.clear()
            self.question_vectors.clear()
        self.words_ready.set()  # whoever waits gets IndexClosed

    def _get_words(self) -> WordsIndex:
        if self._closed or self.words is None:
            raise IndexClosed
        return self.words

    def _get_vectors(self) -> VectorsIndex:
        if self._closed or self.vectors is None:
            raise IndexClosed
        return self.vectors


EMBED_AT_ONCE: Final = 8


class PersonIndex(IndexState):
    """The index of one person, updated after each change."""

    def __init__(self, keyring: Keyring, folder: SnapshotFolder) -> None:
        super().__init__(keyring)
        self._snapshots = IndexSnapshots(folder)
        self._digest = sources.get_digest_function(self._keyring)

    # --- opening -------------------------------------------------------------------------------------

    def open_words(self) -> None:
        """Load the words from their snapshot, or start empty, and add texts that changed since."""
        self._check_open()
        if self.words is None:
            self._set_words(self._snapshots.load_words(self._keyring))
        self.reconcile()
        self.words_ready.set()

    def _set_words(self, index: WordsIndex) -> None:
        with self._changing:
            if self._closed:
                index.close()
                raise IndexClosed
            self.words = index

    def reconcile(self) -> None:
        """Remove deleted texts from the index, and read the texts that are new or were encrypted again."""
        index = self._get_words()
        # First what is known: a text that is saved and added meanwhile is read twice. The other way round it
        # would be taken for one that is gone.
        known = index.list_stamps()
        now = sources.list_stamps(self.owner, keyring=self._keyring)
        gone = [UUID(id_) for id_ in known.keys() - now.keys()]
        # Of a damaged id another is made, which no row has.
        changed = [to_id(id_) for id_, stamp in now.items() if known.get(id_) != stamp]
        at_once = len(changed) <= vector_store.READ_BATCH
        # What is gone is read too: it may be back by now.
        different = [*gone, *changed]
        for first in range(0, len(different), vector_store.READ_BATCH):
            self._check_open()
            self.refresh(different[first : first + vector_store.READ_BATCH], update_terms=at_once)
        index.update_all_terms()

    def refresh(
        self, ids: Sequence[UUID], *, update_terms: bool = True, keyring: Keyring | None = None
    ) -> None:
        """Read these texts again and update them in the index; remove those that no longer exist.

        Without `update_terms`, the caller must call `WordsIndex.update_all_terms` later.
        """
        with self._changing:
            self._check_open()
            if self.words is None:
                return  # not opened yet: the opening will read them
            try:
                found = [d for batch in self._read(ids, keyring or self._keyring) for d in batch]
            except WrongEpoch:
                found = []  # another process rotated the key: read again once `rekey` has the new one
            self._upsert(found, update_terms=update_terms)
            there = {document.id for document in found}
            self._remove([id_ for id_ in ids if id_ not in there])

    def _read(self, ids: Iterable[UUID], keyring: Keyring) -> Iterable[list[Document]]:
        return sources.load_documents(ids, keyring=keyring, digest=self._digest)

    def _upsert(self, documents: list[Document], *, update_terms: bool) -> None:
        if not documents:
            return
        index = self._get_words()
        known = index.load_states([document.id for document in documents])
        # A rotation seals everything anew and changes no text.
        same = {d.id: d.stamp for d in documents if known.get(d.id) == (d.digest, d.day, d.entry)}
        if same:
            index.restamp(same)
        if len(same) < len(documents):
            index.upsert(
                [document for document in documents if document.id not in same], update_terms=update_terms
            )
        self._snapshots.words_changed += len(documents)
        if self.vectors is None:
            return
        made = self.vectors.get_digests([document.id for document in documents])
        stale = [document.id for document in documents if made.get(document.id) != document.digest]
        self.vectors.remove(stale)
        for id_ in stale:
            if id_ not in self._pending:
                self._pending[id_] = None
                self._pending.move_to_end(id_, last=False)

    def _remove(self, ids: Sequence[UUID]) -> None:
        if not ids:
            return
        with self._changing:
            self._get_words().remove(ids)
            self._snapshots.words_changed += len(ids)
            if self.vectors is not None:
                self.vectors.remove(ids)
                self._snapshots.vectors_changed += len(ids)

    def rekey(self, keyring: Keyring) -> None:
        """Use a keyring of a later epoch from now on, after a rotation."""
        with self._changing:
            if self._closed or keyring.epoch <= self._keyring.epoch:
                return
            old, self._keyring = self._keyring, copy_with_former_keys(keyring)
            old.close()
            # Snapshots of the old epoch open no more: what is in memory is to be saved anew.
            self._snapshots.mark_all_changed()

    # --- vectors ---------------------------------------------------------------------------------------

    def open_vectors(self, embedder: Embedder) -> None:
        """Load the saved vectors, and queue the texts without vectors."""
        index = self._snapshots.load_vectors(embedder, self._keyring)
        with self._changing:
            self._check_open()
            wanted = self._get_words().list_digests()
            index.remove([id_ for id_ in index.list_digests() if id_ not in wanted])
            self.vectors, self.embedder, self.why_not_embedded = index, embedder, ""
            self._pending = OrderedDict()
        self._load_stored_vectors(embedder, wanted)
        made = index.list_digests()
        with self._changing:
            stale = [
                id_ for id_, digest in self._get_words().list_digests().items() if made.get(id_) != digest
            ]
            index.remove(stale)
            self._pending = OrderedDict.fromkeys(stale)

    def _load_stored_vectors(self, embedder: Embedder, wanted: dict[UUID, bytes]) -> None:
        """Add the vectors that are in the database but not in the snapshot."""
        index = self._get_vectors()
        made = index.list_digests()
        missing = {id_ for id_, digest in wanted.items() if made.get(id_) != digest}
        if not missing:
            return
        for some in vector_store.iter_stored_vectors(
            self.owner, embedder, of=missing, keyring=lambda: self._keyring
        ):
            self._check_open()
            index.upsert(text for text in some if wanted.get(text.id) == text.digest)
            self._snapshots.vectors_changed += len(some)

    def embed_batch(self) -> bool:
        """Embed a few of the queued texts, the newest first; return whether the queue has more."""
        embedder, index = self.embedder, self.vectors
        if embedder is None or index is None:
            return False
        with self._changing:
            self._check_open()
            some = [
                self._pending.popitem(last=False)[0] for _ in range(min(EMBED_AT_ONCE, len(self._pending)))
            ]
            self._embedding_now = len(some)
        try:
            self._embed(some, embedder)
        finally:
            self._embedding_now = 0
        return bool(self._pending)

    def _embed(self, ids: Sequence[UUID], embedder: Embedder) -> None:
        documents = list(self._get_words().load_documents(ids).values())
        if not documents:
            return
        made = embed_documents(documents, embedder, check=self._check_open)
        apart = {document.id for document in documents if document.kind in APART_KINDS}
        # Vectors are sealed in the realm of entries, whose keys must tell nothing of facts and notes.
        unsaved = self._upsert_current([text for text in made if text.id in apart])
        self._snapshots.vectors_unsaved += len(unsaved)
        made = [text for text in made if text.id not in apart]
        try:
            self._store(made, embedder)
        except (NotWritten, VaultLocked):
            self._upsert_current(made)  # in memory alone: they are made again another time

    def _store(self, made: list[EmbeddedText], embedder: Embedder) -> None:
        if not made:
            return
        # The write lock first: whoever has it and has just committed waits for the other lock in
        # `refresh`.
        with in_force(self._keyring), write_transaction(), self._changing:
            vector_store.store_vectors(self.owner, self._upsert_current(made), embedder)

    def _upsert_current(self, made: list[EmbeddedText]) -> list[EmbeddedText]:
        """Add the vectors of texts that have not changed since they were embedded, and return these."""
        with self._changing:
            self._check_open()
            now = self._get_words().load_documents([text.id for text in made])
            fresh = [text for text in made if text.id in now and now[text.id].digest == text.digest]
            self._get_vectors().upsert(fresh)
            self._snapshots.vectors_changed += len(fresh)
            return fresh

    # --- snapshots --------------------------------------------------------------------------------------

    def save_snapshots(self, *, force: bool = False) -> None:
        """Write the snapshots of words and vectors, each if enough has changed."""
        index, vectors, embedder = self.words, self.vectors, self.embedder
        if index is None:
            return
        if self.words_ready.is_set():
            self._snapshots.save_words(index, self._keyring, force=force)
        if vectors is not None and embedder is not None:
            self._snapshots.save_vectors(vectors, embedder, self._keyring, words=index, force=force)

    @property
    def has_many_unsaved(self) -> bool:
        """Return whether many vectors are in neither a table nor a snapshot."""
        return self._snapshots.vectors_unsaved >= MANY_UNSAVED

    def renew_snapshots(self) -> None:
        """Delete the snapshots, which still contain a deleted fact. The next save writes new ones."""
        self._snapshots.renew(self.key_id)

    def delete_snapshots(self, key_id: KeyId | None = None) -> None:
        """Delete the snapshots of a key, by default the current one."""
        self._snapshots.delete(key_id or self.key_id)
