"""A thread for each person with check-ins, while their diary is unlocked.

If check-ins are off or paused, or the diary is locked, there is no thread. A thread sleeps until a check-in
is due and no job uses or waits for the model, makes one check-in, and stops it half an interval after it was
due. All check-ins that were due while the diary was locked are replaced by one.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts.keys.keyrings import copy_with_former_keys
from accounts.keys.sealed_preferences import load_person
from accounts.models import Person
from accounts.preferences.time_zones import load_time_zone
from accounts.sessions.registry import session_registry
from accounts.signals import data_key_rotated, person_deleted, vault_locked, vault_opened, vault_unlocked
from llamora.crypto import CryptoError, KeyId, Keyring, in_force
from llamora.database import NotWritten
from llamora.inference.registry import registry
from search.checkins.choices import CheckInChoices, load_choices
from search.checkins.schedule import compute_next
from search.checkins.services import (
    MADE_ALREADY,
    NOT_READY,
    purge_check_ins,
    start_check_in,
    stop_check_ins,
)
from search.models import CheckIn

_log = logging.getLogger(__name__)
# Between two looks whether the model is free, and whether a check-in has ended.
POLL_SECONDS: Final = 0.5
# The clock may be set, and a laptop may sleep: the time is looked at again after so long.
MAX_SLEEP_SECONDS: Final = 300.0
# After a check-in that was interrupted by a reply, or that found search not ready.
RETRY: Final = timedelta(minutes=1)
_guard = threading.Lock()
_threads: dict[UUID, "CheckInThread"] = {}


class Timetable:
    """The times of one person's check-ins since an unlock: the latest, and when the next is due."""

    def __init__(self, *, unlocked: datetime, latest: datetime | None) -> None:
        self._unlocked = unlocked
        self._latest = latest
        self._retry: datetime | None = None

    def compute_next(self, choices: CheckInChoices, *, zone: str) -> datetime:
        """Return when the next check-in is due."""
        due = compute_next(
            latest=self._latest,
            switched_on=choices.changed_at,
            unlocked=self._unlocked,
            interval=choices.interval,
            hours=choices.hours,
            zone=load_time_zone(zone),
        )
        return due if self._retry is None else choices.hours.find_next(self._retry, zone=load_time_zone(zone))

    def record_check_in(self, due_at: datetime) -> None:
        """Record that the check-in due at this time was made, or that no check-in is needed."""
        self._latest, self._retry = due_at, None

    def record_postponed(self, until: datetime) -> None:
        """Record that the check-in which is due must be tried again at the time `until`."""
        self._retry = until


class CheckInThread(threading.Thread):
    """Thread that makes the check-ins of one person."""

    def __init__(self, keyring: Keyring, *, now: Callable[[], datetime] = timezone.now) -> None:
        super().__init__(name="check-ins of a diary", daemon=True)
        # A copy, because the request closes its keyring, and with former keys: a rotation may be unfinished.
        self._keyring = copy_with_former_keys(keyring)
        self.key_id: KeyId = keyring.key_id
        self.owner_id: UUID = keyring.owner
        self.stopping = threading.Event()
        self._now = now
        self.unlocked = now()

    def run(self) -> None:
        try:
            with in_force(self._keyring):
                self._make_check_ins()
        except (CryptoError, NotWritten, Person.DoesNotExist) as error:
            _log.warning("Check-ins of a diary were stopped: %s", type(error).__name__)
        except Exception as error:
            # Only the type is logged: a database error can quote what was to be written.
            _log.error("Check-ins of a diary were stopped: %s", type(error).__name__)
        finally:
            self._keyring.close()
            connection.close()

    def stop(self) -> None:
        """End the thread, and the check-in in progress."""
        self.stopping.set()
        stop_check_ins(self.key_id)

    def _make_check_ins(self) -> None:
        purge_check_ins(self.owner_id, now=self._now())
        timetable = Timetable(unlocked=self.unlocked, latest=find_latest_due(self.owner_id))
        while not self.stopping.is_set() and session_registry.is_held(self.key_id):
            person, choices = load_person(self.owner_id), load_choices(self.owner_id)
            if not choices.runs:
                return
            due = timetable.compute_next(choices, zone=person.time_zone)
            wait = (due - self._now()).total_seconds()
            connection.close()
            if wait > 0:
                self.stopping.wait(min(wait, MAX_SLEEP_SECONDS))
                continue
            self._make_check_in(person, choices, timetable)

    def _make_check_in(self, person: Person, choices: CheckInChoices, timetable: Timetable) -> None:
        """Make the check-in that is due now."""
        due_at = self._now().astimezone(UTC)
        deadline = due_at + choices.interval / 2
        while any(registry.count_queue()):
            if self.stopping.wait(POLL_SECONDS) or self._now() > deadline:
                timetable.record_check_in(due_at)
                return
        started = start_check_in(person=person, keyring=self._keyring, due_at=due_at, now=self._now())
        if started.problem in (NOT_READY, MADE_ALREADY):
            timetable.record_postponed(self._now() + RETRY)
            return
        timetable.record_check_in(due_at)
        if started.job is None:
            return
        while not registry.wait_until_over(started.job.id, patience=POLL_SECONDS):
            if self.stopping.is_set() or self._now() > deadline:
                registry.stop(started.job.id)
        if started.job.reason == "preempted":
            timetable.record_postponed(self._now() + RETRY)


def find_latest_due(owner_id: UUID) -> datetime | None:
    """Return when the latest scheduled check-in was due, or None if there was none."""
    records = CheckIn.objects.filter(owner_id=owner_id, is_by_hand=False).order_by("-due_at")
    return records.values_list("due_at", flat=True).first()


def find_next_due(person: Person, *, now: datetime) -> datetime | None:
    """Return when the next scheduled check-in of a person is due, or None if there is none."""
    with _guard:
        thread = _threads.get(person.id)
    if thread is None or not thread.is_alive():
        return None
    choices = load_choices(person.id)
    timetable = Timetable(unlocked=thread.unlocked, latest=find_latest_due(person.id))
    return max(timetable.compute_next(choices, zone=person.time_zone), now) if choices.runs else None


def follow_choices(keyring: Keyring) -> None:
    """Start, restart or end a person's thread, according to their settings; needs their keyring in force."""
    choices = load_choices(keyring.owner)
    end_check_ins(keyring.owner)
    if choices.runs and session_registry.is_held(keyring.key_id):
        thread = CheckInThread(keyring)
        with _guard:
            former, _threads[keyring.owner] = _threads.get(keyring.owner), thread
        if former is not None:
            former.stop()
        thread.start()


def end_check_ins(owner_id: UUID) -> None:
    """End the thread of a person, if there is one, and the check-in in progress."""
    with _guard:
        thread = _threads.pop(owner_id, None)
    if thread is not None:
        thread.stop()


def has_thread(owner_id: UUID) -> bool:
    """Return whether a person has a running thread for check-ins."""
    with _guard:
        thread = _threads.get(owner_id)
    return thread is not None and thread.is_alive()


# --- Locks, keys, people -----------------------------------------------------------------------------------


def _start_after_unlock(sender: object, *, person_id: UUID, keyring: Keyring, **_: Any) -> None:
    del sender
    with _guard:
        thread = _threads.get(person_id)
    if thread is not None and thread.is_alive() and thread.key_id == keyring.key_id:
        # Another browser of the same person.
        return
    with suppress(CryptoError), in_force(keyring):
        follow_choices(keyring)


def _end_after_lock(sender: object, *, person_id: UUID, last: bool, **_: Any) -> None:
    del sender
    if last:
        end_check_ins(person_id)


def _end_after_deletion(sender: object, *, person_id: UUID, **_: Any) -> None:
    del sender
    end_check_ins(person_id)


def connect() -> None:
    """Connect the receivers; called once from `AppConfig.ready`."""
    vault_unlocked.connect(_start_after_unlock, dispatch_uid="search.check_ins.unlocked")
    vault_opened.connect(_start_after_unlock, dispatch_uid="search.check_ins.opened")
    vault_locked.connect(_end_after_lock, dispatch_uid="search.check_ins.locked")
    data_key_rotated.connect(_start_after_unlock, dispatch_uid="search.check_ins.rotated")
    person_deleted.connect(_end_after_deletion, dispatch_uid="search.check_ins.deleted")
