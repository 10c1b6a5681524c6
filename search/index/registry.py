"""The indexes of all people who are unlocked in this process; only this module opens, finds and closes them.

A lock may come while an index is opened, at the unlock or at the first request after a restart. So after the
index is registered, the database is asked again whether the person is unlocked. A lock first deletes its row
and then closes the index: either the lock finds the registered index, or the check finds no row.
"""

import atexit
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connections
from django.utils import timezone

from accounts.models import Unlock
from llamora.crypto import CryptoError, Keyring
from search.embedder import embedders, get_search_settings
from search.errors import EmbedderUnavailable, IndexClosed
from search.index import sources, workers
from search.index.person_index import PersonIndex
from search.index.snapshots import SnapshotFolder

logger = logging.getLogger("llamora.search")

SWEEP_SECONDS: Final = 20.0
# Up to so many changed texts are put while the page waits, 1 ms each; more go to the worker.
MAX_UPDATES_IN_PAGE: Final = 40
POLL_SECONDS: Final = 5.0


def is_unlocked(owner: UUID) -> bool:
    """Return whether any session of this person is unlocked."""
    since = timezone.now() - timedelta(minutes=settings.IDLE_MINUTES)
    return Unlock.objects.filter(sign_in__person_id=owner, last_active__gt=since).exists()


class IndexRegistry:
    """The indexes by person, ordered by last use, the oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[UUID, PersonIndex] = OrderedDict()
        self._sweeper: threading.Thread | None = None
        self._ending = threading.Event()

    def for_owner(self, keyring: Keyring) -> PersonIndex:
        """Return a person's index, opened if necessary; raise IndexClosed if they locked meanwhile."""
        with self._lock:
            index = self._open.get(keyring.owner)
            if index is not None:
                self._open.move_to_end(keyring.owner)
        if index is not None:
            if index.rekey(keyring):
                workers.opening_worker.submit(index.owner, "reconcile", lambda: self._reconcile(index))
            return index
        return self._add(PersonIndex(keyring, SnapshotFolder(get_search_settings().folder, keyring.owner)))

    def _add(self, index: PersonIndex) -> PersonIndex:
        with self._lock:
            existing = self._open.setdefault(index.owner, index)
            self._start_sweeper()
        if existing is not index:
            index.close()
            return existing
        if not is_unlocked(index.owner):
            self.close(index.owner)
            raise IndexClosed
        workers.opening_worker.submit(index.owner, "open", lambda: self._open_words(index))
        return index

    def get(self, owner: UUID) -> PersonIndex | None:
        """Return a person's index, or None if it is not open."""
        with self._lock:
            return self._open.get(owner)

    def close(self, owner: UUID) -> None:
        """Close and remove a person's index."""
        with self._lock:
            index = self._open.pop(owner, None)
        workers.opening_worker.cancel(owner)
        workers.embedding_worker.cancel(owner)
        if index is not None:
            index.close()

    def close_all(self) -> None:
        """Close and remove the indexes of all people."""
        for owner in list(self._open):
            self.close(owner)

    # --- in the worker threads ---------------------------------------------------------------------------

    def _open_words(self, index: PersonIndex) -> None:
        try:
            index.open_words()
            workers.embedding_worker.submit(index.owner, "vectors", lambda: self._open_vectors(index))
            index.save_snapshots()
        except (IndexClosed, CryptoError):
            return
        except OSError as error:
            logger.warning("A search index could not be saved: %s", error.strerror)
        self._evict_over_limit(for_owner=index.owner)

    def _reconcile(self, index: PersonIndex) -> None:
        try:
            index.reconcile()
        except (IndexClosed, CryptoError):
            return
        workers.embedding_worker.submit(index.owner, "embed", lambda: self._embed(index))

    def _open_vectors(self, index: PersonIndex) -> None:
        try:
            index.open_vectors(embedders.get())
        except EmbedderUnavailable as away:
            index.why_not_embedded = away.code
            return
        except (IndexClosed, CryptoError):
            return
        workers.embedding_worker.submit(index.owner, "embed", lambda: self._embed(index))
        self._evict_over_limit(for_owner=index.owner)

    def _embed(self, index: PersonIndex) -> None:
        """Embed a few texts, then queue the rest behind the tasks of other people."""
        try:
            if index.embed_batch():
                workers.embedding_worker.submit(index.owner, "embed", lambda: self._embed(index))
            elif index.vectors is not None and index.vectors.needs_graph():
                index.vectors.build_graph()
        except (IndexClosed, CryptoError):
            return

    # --- changes ------------------------------------------------------------------------------------------

    def update(self, owner: UUID, ids: Sequence[UUID], *, keyring: Keyring | None = None) -> None:
        """Update an open index with texts that were written, moved or deleted."""
        index = self.get(owner)
        if index is None:
            return
        if len(ids) > MAX_UPDATES_IN_PAGE:
            workers.opening_worker.submit(owner, "reconcile", lambda: self._reconcile(index))
            return
        self._refresh(index, ids, keyring=keyring)

    def update_later(self, owner: UUID, ids: Sequence[UUID], *, changed_days: Sequence[date] = ()) -> None:
        """Update an open index in the background: these texts, and the openings and recaps of these days."""
        index = self.get(owner)
        if index is None:
            return
        if len(ids) + len(changed_days) > MAX_UPDATES_IN_PAGE:
            workers.opening_worker.submit(owner, "reconcile", lambda: self._reconcile(index))
            return
        what = f"read {[*map(str, ids), *map(str, changed_days)]}"
        workers.opening_worker.submit(
            owner,
            what,
            lambda: self._refresh(index, [*ids, *sources.find_derived_from_days(owner, changed_days)]),
        )

    def _refresh(self, index: PersonIndex, ids: Sequence[UUID], *, keyring: Keyring | None = None) -> None:
        try:
            index.refresh(ids, keyring=keyring)
        except (IndexClosed, CryptoError):
            return
        except Exception as error:
            self.discard(index, error)  # what was saved is saved, whatever becomes of its index
            return
        if index.pending:  # waking a thread costs as much as reading a text
            workers.embedding_worker.submit(index.owner, "embed", lambda: self._embed(index))

    def discard(self, index: PersonIndex, error: Exception) -> None:
        """Remove an index that failed; the next search opens a new index."""
        logger.error("A search index is damaged and will be rebuilt: %s", type(error).__name__)
        self.close(index.owner)

    def poll_changes(self, index: PersonIndex) -> None:
        """Check in the background, at most every few seconds, whether another process changed the diary."""
        now = time.monotonic()
        if now - index.polled_at < POLL_SECONDS:
            return
        index.polled_at = now
        workers.opening_worker.submit(index.owner, "poll", lambda: self._poll(index))

    def _poll(self, index: PersonIndex) -> None:
        seen, index.signature = index.signature, sources.get_change_signature(index.owner)
        if seen != index.signature:
            self._reconcile(index)

    def rekey(self, keyring: Keyring) -> None:
        """Use a person's next key, and delete the snapshots under the previous one."""
        index = self.get(keyring.owner)
        if index is None:
            SnapshotFolder(get_search_settings().folder, keyring.owner).delete_all()
            return
        index.rekey(keyring)
        index.delete_snapshots()
        workers.opening_worker.submit(index.owner, "reconcile", lambda: self._reconcile(index))

    def reconcile_all(self, index: PersonIndex) -> None:
        """Read all texts that changed, including changes by other processes."""
        workers.opening_worker.submit(index.owner, "reconcile", lambda: self._reconcile(index))

    # --- room and time ----------------------------------------------------------------------------------

    def _evict_over_limit(self, *, for_owner: UUID) -> None:
        """Close the least recently used indexes until the rest is within the memory limit.

        The index of `for_owner` stays open.
        """
        while True:
            with self._lock:
                others = [index for owner, index in self._open.items() if owner != for_owner]
                sizes = sum(index.size() for index in self._open.values())
            if sizes <= get_search_settings().memory or not others:
                return
            self._save_snapshots(others[0])
            self.close(others[0].owner)

    def _save_snapshots(self, index: PersonIndex) -> None:
        try:
            index.save_snapshots()
        except (IndexClosed, CryptoError):
            return
        except OSError as error:
            logger.warning("A search index could not be saved: %s", error.strerror)

    def evict_idle(self) -> None:
        """Close the indexes of people who are locked, and save the changes of the other indexes."""
        with self._lock:
            open_indexes = list(self._open.values())
        for index in open_indexes:
            if not is_unlocked(index.owner):
                self.close(index.owner)
            elif workers.opening_worker.is_idle(index.owner) and workers.embedding_worker.is_idle(
                index.owner
            ):
                self._save_snapshots(index)

    def _start_sweeper(self) -> None:
        if self._sweeper is None:
            self._sweeper = threading.Thread(target=self._run_sweeper, name="search-sweep", daemon=True)
            self._sweeper.start()

    def stop(self, *, timeout: float = 0.5) -> None:
        """Stop the sweeper thread, and wait `timeout` seconds for its sweep; called when the process ends."""
        self._ending.set()
        if self._sweeper is not None and self._sweeper is not threading.current_thread():
            self._sweeper.join(timeout)

    def _run_sweeper(self) -> None:
        while not self._ending.wait(SWEEP_SECONDS):
            try:
                self.evict_idle()
            except Exception as error:
                if self._ending.is_set():
                    return  # the database and the log may be gone already
                logger.error("Unused search indexes could not be closed: %s", type(error).__name__)  # noqa: TRY400 - a trace holds texts
            finally:
                connections.close_all()


indexes = IndexRegistry()
atexit.register(indexes.stop)
