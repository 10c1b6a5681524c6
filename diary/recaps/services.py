"""Recaps: found while they are true, else made by a patient job. Needs the owner's keyring in force."""

import threading
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from accounts.models import Person
from diary.digests import digest_key
from diary.made import Recap
from diary.models import Entry
from diary.pieces import pieces_of
from diary.recaps.errand import RecapErrand
from diary.replies.context import Piece
from llamora.crypto import EnvelopeError, Keyring, keyed_digest
from llamora.fields import new_id
from llamora.inference import endpoint
from llamora.inference.jobs import Job, NotServing, own_keyring, registry

_asking = threading.Lock()


def digest_of(key: bytes, day: date, pieces: Sequence[Piece]) -> str:
    """Return what says whether a day's entries are still the same."""
    told = (part for piece in pieces for part in (str(piece.id).encode(), piece.text.encode()))
    return keyed_digest(key, [day.isoformat().encode(), *told]).hex()


def kept(owner_id: UUID, day: date, *, digest: str) -> str | None:
    """Return a day's recap, if it was made from these entries."""
    row = Recap.objects.filter(owner_id=owner_id, day=day).first()
    if row is None:
        return None
    try:
        body = row.body
    except EnvelopeError:
        return None
    return str(body["text"]) if body["digest"] == digest else None


def recap_of(
    person: Person, day: date, *, keyring: Keyring, is_asked: bool = False, again: bool = False
) -> str | Job | None:
    """Return a finished day's recap, or the job that makes it; None where there is none to be had now.

    `is_asked`: it was asked for in so many words; `again`: also where that came to nothing a moment ago.
    """
    pieces = pieces_of(Entry.objects.of(person.id).on(day), zone=person.time_zone)
    if not pieces:
        return None
    digest = digest_of(digest_key(person.id), day, pieces)
    if found := kept(person.id, day, digest=digest):
        return found
    with _asking:
        if job := _job_for(person.id, day, digest, again=again):
            return job
        errand = RecapErrand(id=new_id(), owner_id=person.id, day=day, pieces=pieces, digest=digest)
        return _started(errand, keyring, is_asked=is_asked)


def _job_for(owner_id: UUID, day: date, digest: str, *, again: bool) -> Job | None:
    """Return the job for this state of a day: under way, or failed so lately that another would too."""
    for job in registry.of(owner_id):
        errand = job.errand
        if isinstance(errand, RecapErrand) and (errand.day, errand.digest) == (day, digest):
            if job.reason == "gave_way" or (again and job.is_over):
                registry.forget(job.id)
                continue
            return job
    return None


def _started(errand: RecapErrand, keyring: Keyring, *, is_asked: bool) -> Job | None:
    status = endpoint.status()
    # Resting on a day of the calendar is not asking for its text to leave the machine.
    if not status.is_ready or (status.remote and not is_asked):
        return None
    try:
        model = Person.objects.model_of(errand.owner_id)
        return registry.start(errand, keyring=own_keyring(keyring), model=model, is_patient=True)
    except NotServing:
        return None


def forget(*, owner_id: UUID, day: date) -> None:
    """Delete what was made from a day of which something is being destroyed."""
    Recap.objects.filter(owner_id=owner_id, day=day).delete()
