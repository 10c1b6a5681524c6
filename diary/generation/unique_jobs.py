"""Unique jobs: a further request for the same text gets the existing job instead of a new one.

Replies, openings, recaps, trace proposals and trace summaries all start here. Two tabs that request the same
generation get the same job. A generation that nobody requested is never sent to another machine, and never
written by a model that is too small for the task.
"""

import threading
from collections.abc import Callable, Hashable
from typing import Protocol, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.keys.keyrings import copy_with_former_keys
from accounts.models import Person
from llamora.crypto import KeyId, Keyring, RealmKeyring, current_realm_keyring
from llamora.inference import model_server
from llamora.inference.job import GenerationTask, Job
from llamora.inference.registry import NoEventLoop, registry
from llamora.inference.status import ModelStatus
from llamora.llm.requests.sampling import merge_sampling


class UniqueTask(GenerationTask, Protocol):
    """A task that runs at most once at a time for each owner and `subject`, such as a day or an entry."""

    @property
    def subject(self) -> Hashable:
        """The value that identifies the work of the task, so that the same work is not started twice.

        Tasks of one class and owner with equal subjects do the same work: `get_or_start_job` returns the job
        of an equal task instead of starting another one.
        """


TaskT = TypeVar("TaskT", bound=UniqueTask)

# Held while looking for a job and starting one, never while reading the database.
_start_lock = threading.Lock()


def get_or_start_job(
    kind: type[TaskT],
    subject: Hashable,
    build_task: Callable[[], TaskT | None],
    *,
    person: Person,
    keyring: RealmKeyring,
    is_requested: bool,
    allow_repeat: bool = False,
    is_background: bool = False,
    starts_without_model: bool = False,
    replaces: UUID | None = None,
    model: str | None = None,
    gathered_for: str | None = None,
) -> Job | None:
    """Return the job of this kind and subject: an existing job, or a new one.

    `build_task` gathers the input of the model. It is called only if that input may be sent, and returns None
    if there is nothing to generate. The job gets a copy of `keyring`, which it closes.

    is_requested     the person explicitly asked for this generation: see `may_generate_unrequested`
    allow_repeat     start a new job even if a job of this subject has ended in the last minutes. By default
                     the ended job is returned, so that a failure is not retried at every page view. A job
                     that was stopped in favour of another job is never returned
    is_background    run when no other job waits, and stop as soon as another job starts
    starts_without_model
                     start even if no model is available; the state of the job then shows the failure
    replaces         the id of a job of the same subject that is just ending
    model            the name of a model to use in place of the one that the person has chosen
    gathered_for     the host of the model (empty for this machine) when the input was gathered, if that was
                     before this call. Which texts may be read depends on the host, so the input is sent to
                     no other host

    Return None if there is nothing to generate, if the model is not ready or may not generate this
    unrequested, or if no event loop runs.
    """
    job = _find_current_job(kind, subject, keyring.key_id, allow_repeat=allow_repeat, replaces=replaces)
    if job is not None:
        return job
    if not _may_start(person, is_requested=is_requested, starts_without_model=starts_without_model):
        return None
    # Which texts are gathered depends on the machine of the model, and they are sent to no other machine.
    host = model_server.get_status().host if gathered_for is None else gathered_for
    task = build_task()
    if task is None:
        return None
    if model_server.get_status().host != host:
        host = ""
    with _start_lock:
        job = _find_current_job(kind, subject, keyring.key_id, allow_repeat=allow_repeat, replaces=replaces)
        return job or _start(
            task,
            person=person,
            keyring=keyring,
            is_background=is_background,
            model=person.model if model is None else model,
            allowed_host=host,
        )


def start_job_after_commit(
    task: UniqueTask,
    *,
    person: Person,
    is_requested: bool,
    allow_repeat: bool = False,
    starts_without_model: bool = False,
    replaces: UUID | None = None,
) -> None:
    """Start a task in the background after the commit, unless a job already does the same work.

    The task gets a copy of the keyring in force, since the job that calls this closes that keyring at its
    end. The other arguments are those of `get_or_start_job`.
    """
    keyring = current_realm_keyring().copy()

    def start() -> None:
        try:
            get_or_start_job(
                type(task),
                task.subject,
                lambda: task,
                person=person,
                keyring=keyring,
                is_requested=is_requested,
                allow_repeat=allow_repeat,
                is_background=True,
                starts_without_model=starts_without_model,
                replaces=replaces,
            )
        finally:
            keyring.close()

    transaction.on_commit(start)


def may_send_unrequested(status: ModelStatus) -> bool:
    """Return whether texts may be sent to the model for a generation that the person did not request.

    `status` is the status of the model. Only a model on this machine may receive them: opening a page, or
    resting the pointer on a day of the calendar, is not a request to send text to another machine.
    """
    return not status.remote


def may_generate_unrequested(status: ModelStatus, *, chosen: str) -> bool:
    """Return whether this model may write a text that the person did not request.

    `chosen` is the model that the person has chosen, if any. A model that is too small mostly invents or
    repeats, so it writes only on request.
    """
    return may_send_unrequested(status) and not status.is_too_small_for(chosen)


def list_jobs(kind: type[TaskT]) -> list[Job]:
    """Return the current keyring's jobs of one kind, running or ended lately, oldest first.

    Raise VaultLocked if no keyring is in force.
    """
    return list_jobs_of_key(current_realm_keyring().key_id, kind)


def find_job(kind: type[TaskT], subject: Hashable) -> Job | None:
    """Return the current keyring's latest job of a kind and subject, running or ended lately, or None."""
    return next(reversed(_list_equal_jobs(current_realm_keyring().key_id, kind, subject)), None)


def get_task(job: Job, kind: type[TaskT]) -> TaskT:
    """Return the task of a job of this kind; raise TypeError if the job is of another kind."""
    if not isinstance(job.task, kind):
        raise TypeError(f"This job is no {kind.__name__}.")
    return job.task


def list_jobs_of_key(key_id: KeyId, kind: type[TaskT]) -> list[Job]:
    """Return the jobs of one kind that use the keyring with this id, oldest first.

    These are the jobs that are running or ended lately.
    """
    return [job for job in registry.list_jobs(key_id) if isinstance(job.task, kind)]


def stop_jobs(key_id: KeyId, kind: type[TaskT], *, subject: Hashable = None) -> None:
    """Stop the unfinished jobs of one kind that use the keyring with this id; do not wait for their end.

    With `subject`, stop only the jobs of this subject.
    """
    for job in list_jobs_of_key(key_id, kind) if subject is None else _list_equal_jobs(key_id, kind, subject):
        if not job.is_over:
            registry.stop(job.id, patience=0)


def _list_equal_jobs(key_id: KeyId, kind: type[TaskT], subject: Hashable) -> list[Job]:
    return [job for job in list_jobs_of_key(key_id, kind) if get_task(job, kind).subject == subject]


def _find_current_job(
    kind: type[TaskT], subject: Hashable, key_id: KeyId, *, allow_repeat: bool, replaces: UUID | None
) -> Job | None:
    job = next(reversed(_list_equal_jobs(key_id, kind, subject)), None)
    if job is None or job.id == replaces:
        return None
    return None if job.is_over and (allow_repeat or job.reason == "preempted") else job


def _may_start(person: Person, *, is_requested: bool, starts_without_model: bool) -> bool:
    status = model_server.get_status()
    if is_requested:
        return status.is_ready or starts_without_model
    # While the model is not ready, it is not known on which machine it runs.
    return status.is_ready and may_generate_unrequested(status, chosen=person.model)


def _start(
    task: UniqueTask,
    *,
    person: Person,
    keyring: RealmKeyring,
    is_background: bool,
    model: str,
    allowed_host: str,
) -> Job | None:
    for job in _list_equal_jobs(keyring.key_id, type(task), task.subject):
        if job.is_over:
            registry.discard(job.id)
    try:
        return registry.start(
            task,
            # While a rotation is unfinished, the texts that a result is compared with may have a former key.
            keyring=copy_with_former_keys(keyring) if isinstance(keyring, Keyring) else keyring.copy(),
            model=model,
            sampling=merge_sampling(settings.MODEL_SAMPLING, person.sampling),
            allowed_host=allowed_host,
            is_background=is_background,
        )
    except NoEventLoop:
        return None
