"""Searches for facts through whole diaries: each trusted entry is read, the latest first.

A search runs in a thread of its own, at most until the diary is locked. It starts the next entry only while
no other job of the household uses a model. A person's request interrupts the current entry, which is read
again later; nothing of it is saved. The entries that were read are saved with the person's settings, so that
the next search continues where the last one ended.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from django.db import connection

from accounts.keys.keyrings import copy_with_former_keys
from accounts.keys.sealed_preferences import load_person
from accounts.sessions.registry import session_registry
from accounts.signals import data_key_rotated, person_deleted, vault_locked
from diary.errors import ObjectNotFound
from diary.models import Entry
from llamora.crypto import CryptoError, KeyId, Keyring, in_force
from llamora.database import NotWritten
from llamora.inference.job import Job, JobState
from llamora.inference.registry import registry
from traces.facts.models import Fact
from traces.facts.proposals.services import can_find_facts, find_facts, get_fact_job
from traces.facts.queries import load_choices
from traces.facts.services import save_read_entries

_log = logging.getLogger(__name__)
# Between two looks whether the model is free, and whether a job has ended.
POLL_SECONDS: Final = 0.3
# What was read is saved after so many entries, and at the end.
SAVED_EVERY: Final = 20
# So many entries in a row that the model failed at end a walk.
MAX_FAILURES: Final = 5
_DIGEST_BYTES: Final = 8
_guard = threading.Lock()
_walks: dict[UUID, "_WalkThread"] = {}


@dataclass(frozen=True, kw_only=True)
class WalkProgress:
    """Progress of a search for facts through a diary.

    `state` is running, waiting, no_model, stopped, finished or failed.
    """

    state: str
    read: int = 0
    total: int = 0
    found: int = 0

    @property
    def is_running(self) -> bool:
        """Whether the search has not ended."""
        return self.state in ("running", "waiting", "no_model")


class _WalkThread(threading.Thread):
    """Thread that searches the diary of one person."""

    def __init__(self, keyring: Keyring) -> None:
        super().__init__(name="facts of a diary", daemon=True)
        # A copy, because the request closes its keyring, and with former keys: a rotation may be unfinished.
        self._keyring = copy_with_former_keys(keyring)
        self.key_id: KeyId = keyring.key_id
        self.owner_id: UUID = keyring.owner
        self.stopping = threading.Event()
        self.progress = WalkProgress(state="running")
        self._read: set[bytes] = set()
        self._unsaved = 0

    def run(self) -> None:
        try:
            with in_force(self._keyring):
                self._walk()
        except (CryptoError, NotWritten) as error:
            _log.warning("Going through a diary was stopped: %s", error.code)
            self._set_state("failed")
        except Exception as error:
            # Only the type is logged: a database error can quote what was to be written.
            _log.error("Going through a diary was stopped: %s", type(error).__name__)
            self._set_state("failed")
        finally:
            self._keyring.close()
            connection.close()

    def _walk(self) -> None:
        self._read = split_digests(load_choices(self.owner_id).read_entries)
        unread = list(_iter_unread(self.owner_id, self._read))
        if not unread:
            # Everything was read before: whoever starts again wants it read again.
            self._read = set()
            unread = list(_iter_unread(self.owner_id, self._read))
        self.progress = WalkProgress(state="running", total=len(unread))
        failures = 0
        try:
            for entry_id, digest in unread:
                before = _count_proposals(self.owner_id, entry_id)
                state = self._read_entry(entry_id)
                if state is None:
                    break
                # One that the model failed at is read by the next walk.
                failures = failures + 1 if state == JobState.FAILED else 0
                if failures == MAX_FAILURES:
                    self._set_state("failed")
                    return
                self._count_entry(
                    digest if not failures else None, found=_count_proposals(self.owner_id, entry_id) - before
                )
        finally:
            self._save()
        self._set_state("stopped" if self.stopping.is_set() else "finished")

    def _read_entry(self, entry_id: UUID) -> JobState | None:
        """Return how the reading of an entry ended, or None if the walk is to end."""
        while self._wait_for_model():
            if not _is_readable(self.owner_id, entry_id):
                return JobState.DONE
            with suppress(ObjectNotFound):
                job = find_facts(person=load_person(self.owner_id), entry_id=entry_id, keyring=self._keyring)
                state = self._wait_for_end(job, entry_id) if job is not None else None
                if state in (JobState.DONE, JobState.FAILED) and can_find_facts():
                    return state
            self.stopping.wait(POLL_SECONDS)
        return None

    def _wait_for_model(self) -> bool:
        """Wait until a model is ready and idle; return False if the walk is to end."""
        while not self.stopping.is_set() and session_registry.is_held(self.key_id):
            if not can_find_facts():
                self._set_state("no_model")
            elif any(registry.count_queue()):
                self._set_state("waiting")
            else:
                self._set_state("running")
                return True
            self.stopping.wait(POLL_SECONDS)
        self.stopping.set()
        return False

    def _wait_for_end(self, job: Job, entry_id: UUID) -> JobState:
        """Return the state in which a job ended; if it was attempted twice, that of the second attempt."""
        while not registry.wait_until_over(job.id, patience=POLL_SECONDS):
            if self.stopping.is_set():
                registry.stop(job.id)
        following = get_fact_job(entry_id)
        if following is not None and following.id != job.id:
            return self._wait_for_end(following, entry_id)
        return JobState(job.state)

    def _count_entry(self, digest: bytes | None, *, found: int) -> None:
        now = self.progress
        self.progress = replace(now, read=now.read + 1, found=now.found + max(0, found))
        if digest is not None:
            self._read.add(digest)
            self._unsaved += 1
        if self._unsaved >= SAVED_EVERY:
            self._save()

    def _save(self) -> None:
        if self._unsaved:
            save_read_entries(owner_id=self.owner_id, digests=b"".join(sorted(self._read)))
            self._unsaved = 0

    def _set_state(self, state: str) -> None:
        self.progress = replace(self.progress, state=state)


def start_walk(keyring: Keyring) -> WalkProgress:
    """Start searching a diary, or return the progress of the search in progress."""
    with _guard:
        walk = _walks.get(keyring.owner)
        # One that has ended may still be closing its connection.
        is_over = walk is None or not walk.is_alive() or not walk.progress.is_running
        if walk is None or is_over or walk.key_id != keyring.key_id:
            if walk is not None:
                walk.stopping.set()
            walk = _walks[keyring.owner] = _WalkThread(keyring)
            walk.start()
        return walk.progress


def stop_walk(owner_id: UUID, *, timeout: float | None = None) -> None:
    """Stop searching a diary; with a timeout, wait for the end."""
    with _guard:
        walk = _walks.get(owner_id)
    if walk is not None:
        walk.stopping.set()
        if timeout is not None:
            walk.join(timeout)


def get_progress(owner_id: UUID) -> WalkProgress | None:
    """Return the progress of a person's search, or None if they started no search after the unlock."""
    with _guard:
        walk = _walks.get(owner_id)
    return walk.progress if walk is not None else None


def split_digests(digests: bytes) -> set[bytes]:
    """Split the saved bytes into BLAKE2 digests, one for each entry that was read."""
    return {digests[at : at + _DIGEST_BYTES] for at in range(0, len(digests), _DIGEST_BYTES)}


def _iter_unread(owner_id: UUID, read: set[bytes]) -> Iterator[tuple[UUID, bytes]]:
    entries = Entry.objects.for_owner(owner_id).only_trusted().order_by("-day", "-created_at", "-id")
    for entry_id, revision in entries.values_list("id", "revision"):
        digest = blake2b(b"%s %d" % (entry_id.bytes, revision), digest_size=_DIGEST_BYTES).digest()
        if digest not in read:
            yield entry_id, digest


def _is_readable(owner_id: UUID, entry_id: UUID) -> bool:
    """Return whether an entry still exists, is trusted, and has a text that can be decrypted."""
    entry = Entry.objects.for_owner(owner_id).only_trusted().filter(id=entry_id).first()
    return entry is not None and bool(str(entry.open_or("text", "")).strip())


def _count_proposals(owner_id: UUID, entry_id: UUID) -> int:
    return Fact.objects.only_proposed(owner_id).filter(entry_id=entry_id).count()


# --- Locks, keys, people -----------------------------------------------------------------------------------


def _stop_after_lock(sender: object, *, person_id: UUID, key_id: KeyId | None, last: bool, **_: Any) -> None:
    del sender
    if last and key_id is not None:
        _forget_walk(person_id)


def _stop_for_new_key(sender: object, *, person_id: UUID, keyring: Keyring, **_: Any) -> None:
    del sender
    progress = get_progress(person_id)
    _forget_walk(person_id)
    if progress is not None and progress.is_running:
        start_walk(keyring)


def _stop_after_deletion(sender: object, *, person_id: UUID, **_: Any) -> None:
    del sender
    _forget_walk(person_id)


def _forget_walk(owner_id: UUID) -> None:
    with _guard:
        walk = _walks.pop(owner_id, None)
    if walk is not None:
        walk.stopping.set()


def connect() -> None:
    """Connect the receivers; called once from `AppConfig.ready`."""
    vault_locked.connect(_stop_after_lock, dispatch_uid="traces.facts.walk.locked")
    data_key_rotated.connect(_stop_for_new_key, dispatch_uid="traces.facts.walk.rotated")
    person_deleted.connect(_stop_after_deletion, dispatch_uid="traces.facts.walk.deleted")
