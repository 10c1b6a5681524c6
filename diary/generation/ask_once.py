"""The one function that starts a generation, and the one rule about models on other machines.

Replies, openings, recaps, trace proposals and trace summaries all start here. Two tabs that ask for the same
thing get the same job, and what nobody requested is never sent to another machine.
"""

import threading
from collections.abc import Callable, Hashable
from typing import Protocol, TypeVar
from uuid import UUID

from accounts.models import Person
from llamora.crypto import Keyring
from llamora.inference import model_server
from llamora.inference.job import GenerationTask, Job
from llamora.inference.registry import NoEventLoop, registry
from llamora.inference.status import ModelStatus


class UniqueTask(GenerationTask, Protocol):
    """A task of which one at a time runs for each subject of its owner."""

    @property
    def subject(self) -> Hashable:
        """Two tasks of one class and owner with equal subjects do the same work."""


TaskT = TypeVar("TaskT", bound=UniqueTask)

# Held while looking for a job and starting one, never while reading the database.
_start_lock = threading.Lock()


def ask_once(
    kind: type[TaskT],
    subject: Hashable,
    build_task: Callable[[], TaskT | None],
    *,
    person: Person,
    keyring: Keyring,
    is_requested: bool,
    again: bool = False,
    is_background: bool = False,
    waits_for_model: bool = False,
    replaces: UUID | None = None,
) -> Job | None:
    """Return the job of this kind and subject: the present one, or one that is started now.

    `build_task` reads what the model is to be given. It is called only where that may be sent, and returns
    None where there is nothing to do. The job gets a copy of `keyring`, which it closes.

    is_requested     the person asked for this generation in so many words: see `may_send_unrequested`
    again            a job that is over does not count; otherwise one that ended lately does, so that what
                     failed is not tried at every look. One that gave way to others never counts
    is_background    runs when nobody else waits, and gives way as soon as somebody does
    waits_for_model  is started without a model too; the job then says how that went
    replaces         the id of a job of the same subject that is ending just now

    Return None where nothing is to be done, where the model is not ready, and where no event loop runs.
    """
    job = _find_current_job(kind, subject, person.id, again=again, replaces=replaces)
    if job is not None:
        return job
    if not _may_start(is_requested=is_requested, waits_for_model=waits_for_model):
        return None
    task = build_task()
    if task is None:
        return None
    with _start_lock:
        job = _find_current_job(kind, subject, person.id, again=again, replaces=replaces)
        return job or _start(task, person=person, keyring=keyring, is_background=is_background)


def may_send_unrequested(status: ModelStatus) -> bool:
    """Return whether a model may be sent text without a request: only one on this machine may.

    Nothing is sent to a model on another machine unless the person asked for it in so many words. Opening a
    page, or resting on a day of the calendar, is not asking for its text to leave the machine.
    """
    return not status.remote


def list_jobs(owner_id: UUID, kind: type[TaskT]) -> list[Job]:
    """Return a person's jobs of one kind, the finished ones of the last minutes included, oldest first."""
    return [job for job in registry.for_owner(owner_id) if isinstance(job.task, kind)]


def find_job(owner_id: UUID, kind: type[TaskT], subject: Hashable) -> Job | None:
    """Return the latest job of a kind and subject, running or ended in the last minutes."""
    return next(reversed(_list_equal_jobs(owner_id, kind, subject)), None)


def get_task(job: Job, kind: type[TaskT]) -> TaskT:
    """Return the task of a job of that kind; raise TypeError for a job of another."""
    if not isinstance(job.task, kind):
        raise TypeError(f"This job is no {kind.__name__}.")
    return job.task


def _list_equal_jobs(owner_id: UUID, kind: type[TaskT], subject: Hashable) -> list[Job]:
    return [job for job in list_jobs(owner_id, kind) if get_task(job, kind).subject == subject]


def _find_current_job(
    kind: type[TaskT], subject: Hashable, owner_id: UUID, *, again: bool, replaces: UUID | None
) -> Job | None:
    job = find_job(owner_id, kind, subject)
    if job is None or job.id == replaces:
        return None
    return None if job.is_over and (again or job.reason == "gave_way") else job


def _may_start(*, is_requested: bool, waits_for_model: bool) -> bool:
    status = model_server.get_status()
    if is_requested:
        return status.is_ready or waits_for_model
    # It is not known of a model that is not ready on which machine it is.
    return status.is_ready and may_send_unrequested(status)


def _start(task: UniqueTask, *, person: Person, keyring: Keyring, is_background: bool) -> Job | None:
    for job in _list_equal_jobs(person.id, type(task), task.subject):
        if job.is_over:
            registry.discard(job.id)
    try:
        return registry.start(
            task, keyring=keyring.own_copy(), model=person.model, is_background=is_background
        )
    except NoEventLoop:
        return None
