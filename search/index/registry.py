"""The indexes of all people who are unlocked in this process; only this module opens, finds and closes them.

A person may lock their diary while their index is being opened. So a new index is first registered, and then
the database is asked whether the person is still unlocked. Locking first deletes the row of the session, and
then closes the index. So either the locking finds the registered index, or the check finds no row.
"""

import atexit
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Final
from uuid import UUID

from django.db import connections

from accounts.sessions.registry import session_registry
from llamora.crypto import CryptoError, KeyId, Keyring
from search.embedder.holder import embedders
from search.embedder.search_settings import get_search_settings
from search.errors import EmbedderUnavailable, IndexClosed
from search.index import sources, workers
from search.index.person_index import PersonIndex
from search.index.snapshots import SnapshotFolder

logger = logging.getLogger("llamora.search")

SWEEP_SECONDS: Final = 20.0
# Up to so many changed texts are put while the page waits, 1 ms each; more go to the worker.
MAX_UPDATES_IN_PAGE: Final = 40
POLL_SECONDS: Final = 5.0
# Seconds until what a program wrote is embedded: several texts at a time take half as long as one by one.
EMBEDDING_PAUSE: Final = 1.0


class IndexRegistry:
    """The open indexes by key id, the least recently used first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[KeyId, PersonIndex] = OrderedDict()
        self._sweeper: threading.Thread | None = None
        self._ending = threading.Event()

    def for_owner(self, keyring: Keyring) -> PersonIndex:
        """Return a person's index, and open it if necessary; raise IndexClosed if the diary was locked."""
        with self._lock:
            index = self._open.get(keyring.key_id)
            if index is not None:
                self._open.move_to_end(keyring.key_id)
        if index is not None:
            return index
        return self._add(PersonIndex(keyring, SnapshotFolder(get_search_settings().folder, keyring.owner)))

    def _add(self, index: PersonIndex) -> PersonIndex:
        with self._lock:
            existing = self._open.setdefault(index.key_id, index)
            self._start_sweeper()
        if existing is not index:
            index.close()
            return existing
        if not session_registry.is_unlocked(index.key_id):
            self.close(index.key_id)
            raise IndexClosed
        workers.opening_worker.submit(index.key_id, "open", lambda: self._open_words(index))
        return index

    def get(self, key_id: KeyId) -> PersonIndex | None:
        """Return the index under a key, or None if it is not open."""
        with self._lock:
            return self._open.get(key_id)

    def list_for_owner(self, owner: UUID) -> list[PersonIndex]:
        """Return the open indexes of a person, one for each key; usually there is only one."""
        with self._lock:
            return [index for key_id, index in self._open.items() if key_id.owner == owner]

    def close(self, key_id: KeyId) -> None:
        """Close and remove the index under a key."""
        with self._lock:
            index = self._open.pop(key_id, None)
        workers.opening_worker.cancel(key_id)
        workers.embedding_worker.cancel(key_id)
        if index is not None:
            index.close()

    def close_for_owner(self, owner: UUID) -> None:
        """Close and remove every index of a person."""
        for index in self.list_for_owner(owner):
            self.close(index.key_id)

    def close_all(self) -> None:
        """Close and remove the indexes of all people."""
        for key_id in list(self._open):
            self.close(key_id)

    # --- in the worker threads ---------------------------------------------------------------------------

    def _open_words(self, index: PersonIndex) -> None:
        try:
            index.open_words()
            workers.embedding_worker.submit(index.key_id, "vectors", lambda: self._open_vectors(index))
            index.save_snapshots()
        except (IndexClosed, CryptoError):
            return
        except OSError as error:
            logger.warning("A search index could not be saved: %s", error.strerror)
        self._evict_over_limit(for_key=index.key_id)

    def _reconcile(self, index: PersonIndex) -> None:
        try:
            index.reconcile()
        except (IndexClosed, CryptoError):
            return
        workers.embedding_worker.submit(index.key_id, "embed", lambda: self._embed(index))

    def _open_vectors(self, index: PersonIndex) -> None:
        try:
            index.open_vectors(embedders.get())
        except EmbedderUnavailable as away:
            index.why_not_embedded = away.code
            return
        except (IndexClosed, CryptoError):
            return
        workers.embedding_worker.submit(index.key_id, "embed", lambda: self._embed(index))
        self._evict_over_limit(for_key=index.key_id)

    def _embed(self, index: PersonIndex) -> None:
        """Embed a few texts, then queue the rest behind the tasks of other people."""
        try:
            if index.embed_batch():
                workers.embedding_worker.submit(index.key_id, "embed", lambda: self._embed(index))
                return
            if index.has_many_unsaved:
                workers.opening_worker.submit(index.key_id, "save", partial(self._save_snapshots, index))
            if index.vectors is not None and index.vectors.needs_graph():
                index.vectors.build_graph()
        except (IndexClosed, CryptoError):
            return

    # --- changes ------------------------------------------------------------------------------------------

    def update(self, owner: UUID, ids: Sequence[UUID], *, keyring: Keyring | None = None) -> None:
        """Update a person's open index with texts that were written, moved or deleted."""
        for index in self.list_for_owner(owner):
            if len(ids) > MAX_UPDATES_IN_PAGE:
                self.reconcile_all(index)
            else:
                is_same_key = keyring is not None and keyring.key_id == index.key_id
                self._refresh(index, ids, keyring=keyring if is_same_key else None)

    def update_later(self, owner: UUID, ids: Sequence[UUID], *, changed_days: Sequence[date] = ()) -> None:
        """Update texts in a person's open index, in the background.

        These are the texts with these ids, and the openings and recaps that may quote entries of
        `changed_days`.
        """
        what = f"read {[*map(str, ids), *map(str, changed_days)]}"
        for index in self.list_for_owner(owner):
            if len(ids) + len(changed_days) > MAX_UPDATES_IN_PAGE:
                self.reconcile_all(index)
            else:
                refresh = partial(self._refresh_later, index, ids, changed_days)
                workers.opening_worker.submit(index.key_id, what, refresh)

    def _refresh_later(self, index: PersonIndex, ids: Sequence[UUID], changed_days: Sequence[date]) -> None:
        self._refresh(index, [*ids, *sources.find_derived_from_days(index.owner, changed_days)])

    def _refresh(self, index: PersonIndex, ids: Sequence[UUID], *, keyring: Keyring | None = None) -> None:
        try:
            index.refresh(ids, keyring=keyring)
        except (IndexClosed, CryptoError):
            return
        except Exception as error:
            self.discard(index, error)  # what was saved is saved, whatever becomes of its index
            return
        if index.pending:  # waking a thread costs as much as reading a text
            # What came from no page of its owner's comes in numbers.
            pause = 0.0 if keyring is not None else EMBEDDING_PAUSE
            workers.embedding_worker.submit(index.key_id, "embed", lambda: self._embed(index), pause=pause)

    def discard(self, index: PersonIndex, error: Exception) -> None:
        """Remove an index that failed; the next search opens a new index."""
        logger.error("A search index is damaged and will be rebuilt: %s", type(error).__name__)
        self.close(index.key_id)

    def poll_changes(self, index: PersonIndex) -> None:
        """Check in the background, at most every few seconds, whether another process changed the diary."""
        now = time.monotonic()
        if now - index.polled_at < POLL_SECONDS:
            return
        index.polled_at = now
        workers.opening_worker.submit(index.key_id, "poll", lambda: self._poll(index))

    def _poll(self, index: PersonIndex) -> None:
        seen, index.signature = index.signature, sources.get_change_signature(index.owner)
        if seen != index.signature:
            self._reconcile(index)

    def rekey(self, former_key_id: KeyId, keyring: Keyring) -> None:
        """Move an index to its person's next key, and delete the snapshots under the previous one."""
        index = self.get(former_key_id)
        if index is None:
            SnapshotFolder(get_search_settings().folder, keyring.owner).delete(former_key_id)
            return
        workers.opening_worker.cancel(former_key_id)
        workers.embedding_worker.cancel(former_key_id)
        index.rekey(keyring)
        with self._lock:
            self._open.pop(former_key_id, None)
            # A page that was opened with the next key a moment ago may have an index of its own.
            early = self._open.get(index.key_id)
            self._open[index.key_id] = index
        if early is not None:
            early.close()
        index.delete_snapshots(former_key_id)
        workers.opening_worker.submit(index.key_id, "reconcile", lambda: self._reconcile(index))

    def renew_snapshots(self, owner: UUID, *, key_id: KeyId | None) -> None:
        """Delete a person's snapshots, since they contain a deleted fact. Open indexes write new ones.

        If no index of the person is open, only the snapshots of `key_id` are deleted, or all if it is None.
        """
        opened = self.list_for_owner(owner)
        for index in opened:
            index.renew_snapshots()
            workers.opening_worker.submit(index.key_id, "save", partial(self._save_snapshots, index))
        if not opened:
            folder = SnapshotFolder(get_search_settings().folder, owner)
            folder.delete(key_id) if key_id is not None else folder.delete_all()

    def reconcile_all(self, index: PersonIndex) -> None:
        """Update all texts of an index in the background, including those that other processes changed."""
        workers.opening_worker.submit(index.key_id, "reconcile", lambda: self._reconcile(index))

    # --- room and time ----------------------------------------------------------------------------------

    def _evict_over_limit(self, *, for_key: KeyId) -> None:
        """Close the least recently used indexes until the rest is within the memory limit.

        The index of `for_key` stays open.
        """
        while True:
            with self._lock:
                others = [index for key_id, index in self._open.items() if key_id != for_key]
                sizes = sum(index.size() for index in self._open.values())
            if sizes <= get_search_settings().memory or not others:
                return
            self._save_snapshots(others[0])
            self.close(others[0].key_id)

    def _save_snapshots(self, index: PersonIndex) -> None:
        try:
            index.save_snapshots()
        except (IndexClosed, CryptoError):
            return
        except OSError as error:
            logger.warning("A search index could not be saved: %s", error.strerror)

    def close_locked(self) -> None:
        """Close the indexes of diaries that are locked. Save the changes of the other indexes.

        While no index is open, the embedder is not in memory either.
        """
        with self._lock:
            open_indexes = list(self._open.values())
        for index in open_indexes:
            if not session_registry.is_unlocked(index.key_id):
                self.close(index.key_id)
            elif workers.opening_worker.is_idle(index.key_id) and workers.embedding_worker.is_idle(
                index.key_id
            ):
                self._save_snapshots(index)
        if not self._open:
            embedders.unload()

    def _start_sweeper(self) -> None:
        if self._sweeper is None:
            self._sweeper = threading.Thread(target=self._run_sweeper, name="search-sweep", daemon=True)
            self._sweeper.start()

    def stop(self, *, timeout: float = 0.5) -> None:
        """Stop the sweeper thread, and wait up to `timeout` seconds; called when the process ends."""
        self._ending.set()
        if self._sweeper is not None and self._sweeper is not threading.current_thread():
            self._sweeper.join(timeout)

    def _run_sweeper(self) -> None:
        while not self._ending.wait(SWEEP_SECONDS):
            try:
                self.close_locked()
            except Exception as error:
                if self._ending.is_set():
                    return  # the database and the log may be gone already
                logger.error("Unused search indexes could not be closed: %s", type(error).__name__)  # noqa: TRY400 - a trace holds texts
            finally:
                connections.close_all()


indexes = IndexRegistry()
atexit.register(indexes.stop)
