"""Having the model propose traces: when asked, or after a reply, and let go when its person goes on.

Needs the owner's keyring in force. A patient job: it is served when nobody else waits.
"""

import threading
from dataclasses import replace
from functools import partial
from uuid import UUID

from django.db import transaction

from accounts.models import Person
from diary.access import entry_of
from diary.pieces import piece_of
from llamora.crypto import Keyring, current
from llamora.fields import new_id
from llamora.inference import endpoint
from llamora.inference.jobs import Job, NotServing, own_keyring, registry
from traces.errand import ProposalErrand
from traces.lexicons import lexicons
from traces.proposals import are_wanted, usual

KNOWN = 40  # of a person's traces, that the model is told to take where they fit
_asking = threading.Lock()


def job_of(owner_id: UUID, entry_id: UUID) -> Job | None:
    """Return the job that proposes traces for an entry, under way or ended lately; the latest one."""
    jobs = reversed(registry.of(owner_id))
    return next((job for job in jobs if _proposes(job) == entry_id), None)


def _proposes(job: Job) -> UUID | None:
    return job.errand.entry_id if isinstance(job.errand, ProposalErrand) else None


def is_under_way(owner_id: UUID, entry_id: UUID) -> bool:
    """Return whether proposals for an entry are still to come."""
    job = job_of(owner_id, entry_id)
    return job is not None and not job.is_over


def propose(*, person: Person, entry_id: UUID, keyring: Keyring, is_asked: bool) -> Job | None:
    """Have traces proposed for an entry; None where there is nobody to do it, or it is not wanted.

    By itself (not `is_asked`) nothing is sent to a model on another machine. Raise NotThere.
    """
    entry = entry_of(person.id, entry_id)
    status = endpoint.status()
    if not status.is_ready or (not is_asked and (status.remote or not are_wanted(person.id))):
        return None
    piece = piece_of(entry, zone=person.time_zone)
    if piece is None:
        return None
    with _asking:
        job = job_of(person.id, entry_id)
        if job is not None and not job.is_over:
            return job
        return _start(
            ProposalErrand(
                id=new_id(),
                owner_id=person.id,
                entry_id=entry_id,
                piece=piece,
                known=_known(person.id),
                again=_again,
            ),
            own_keyring(keyring),
        )


def _known(owner_id: UUID) -> tuple[str, ...]:
    names = lexicons.of(owner_id).names
    return tuple(names[id_] for id_ in usual(owner_id, most=KNOWN) if id_ in names)


def _start(errand: ProposalErrand, keyring: Keyring) -> Job | None:
    model = Person.objects.model_of(errand.owner_id)
    try:
        return registry.start(errand, keyring=keyring, model=model, is_patient=True)
    except NotServing:
        return None


def _again(errand: ProposalErrand) -> None:
    """Try once more, after the commit; the keyring of the job that failed is closed soon after."""
    second = replace(errand, id=new_id(), is_second=True)
    keyring = own_keyring(current())
    transaction.on_commit(partial(_start, second, keyring))


def let_go(owner_id: UUID) -> None:
    """Stop what is being proposed for a person, who has sent something that matters more."""
    for job in registry.of(owner_id):
        if _proposes(job) and not job.is_over:
            registry.stop(job.id, patience=0)
