"""Recaps: found while they are true, else made by a patient job. Needs the owner's keyring in force."""

import threading
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from accounts.models import Person
from diary.entries.queries import get_digest_key
from diary.generation.prompt_context import PromptEntry
from diary.generation.prompt_entries import build_prompt_entries
from diary.models import Entry, Recap
from diary.recaps.tasks import RecapTask
from llamora.crypto import EnvelopeError, Keyring, keyed_digest
from llamora.fields import new_id
from llamora.inference import model_server
from llamora.inference.job import Job
from llamora.inference.registry import NoEventLoop, copy_keyring, registry

_start_lock = threading.Lock()


def compute_digest(key: bytes, day: date, pieces: Sequence[PromptEntry]) -> str:
    """Return what says whether a day's entries are still the same."""
    told = (part for piece in pieces for part in (str(piece.id).encode(), piece.text.encode()))
    return keyed_digest(key, [day.isoformat().encode(), *told]).hex()


def find_recap(owner_id: UUID, day: date, *, digest: str) -> str | None:
    """Return a day's recap, if it was made from these entries."""
    row = Recap.objects.filter(owner_id=owner_id, day=day).first()
    if row is None:
        return None
    try:
        body = row.body
    except EnvelopeError:
        return None
    return str(body["text"]) if body["digest"] == digest else None


def get_or_start_recap(
    person: Person, day: date, *, keyring: Keyring, is_asked: bool = False, again: bool = False
) -> str | Job | None:
    """Return a finished day's recap, or the job that makes it; None where there is none to be had now.

    `is_asked`: it was asked for in so many words; `again`: also where that came to nothing a moment ago.
    """
    pieces = build_prompt_entries(Entry.objects.for_owner(person.id).on_day(day), zone=person.time_zone)
    if not pieces:
        return None
    digest = compute_digest(get_digest_key(person.id), day, pieces)
    if found := find_recap(person.id, day, digest=digest):
        return found
    with _start_lock:
        if job := _find_job(person.id, day, digest, again=again):
            return job
        errand = RecapTask(id=new_id(), owner_id=person.id, day=day, entries=pieces, digest=digest)
        return _start_job(errand, keyring, is_asked=is_asked)


def _find_job(owner_id: UUID, day: date, digest: str, *, again: bool) -> Job | None:
    """Return the job for this state of a day: under way, or failed so lately that another would too."""
    for job in registry.for_owner(owner_id):
        errand = job.task
        if isinstance(errand, RecapTask) and (errand.day, errand.digest) == (day, digest):
            if job.reason == "gave_way" or (again and job.is_over):
                registry.discard(job.id)
                continue
            return job
    return None


def _start_job(errand: RecapTask, keyring: Keyring, *, is_asked: bool) -> Job | None:
    status = model_server.get_status()
    # Resting on a day of the calendar is not asking for its text to leave the machine.
    if not status.is_ready or (status.remote and not is_asked):
        return None
    try:
        model = Person.objects.get_model_name(errand.owner_id)
        return registry.start(errand, keyring=copy_keyring(keyring), model=model, is_patient=True)
    except NoEventLoop:
        return None


def delete_recap(*, owner_id: UUID, day: date) -> None:
    """Delete what was made from a day of which something is being destroyed."""
    Recap.objects.filter(owner_id=owner_id, day=day).delete()
