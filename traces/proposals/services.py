"""Having the model propose traces: when asked, or after a reply, and let go when its person goes on.

Needs the owner's keyring in force. A patient job: it is served when nobody else waits.
"""

import threading
from dataclasses import replace
from functools import partial
from uuid import UUID

from django.db import transaction

from accounts.models import Person
from diary.entries.queries import get_entry
from diary.generation.prompt_entries import build_prompt_entry
from diary.models import Entry
from llamora.crypto import Keyring, current
from llamora.database import write_transaction
from llamora.fields import new_id
from llamora.inference import model_server
from llamora.inference.job import Job
from llamora.inference.registry import NoEventLoop, copy_keyring, registry
from traces.matcher import name_matchers
from traces.names import clean_name, get_identity
from traces.proposals.queries import get_body, get_or_build_row, list_usual_traces
from traces.proposals.tasks import ProposalTask

MAX_KNOWN_NAMES = 40  # of a person's traces, that the model is told to take where they fit
_start_lock = threading.Lock()


def get_proposal_job(owner_id: UUID, entry_id: UUID) -> Job | None:
    """Return the job that proposes traces for an entry, under way or ended lately; the latest one."""
    jobs = reversed(registry.for_owner(owner_id))
    return next((job for job in jobs if _get_proposed_entry_id(job) == entry_id), None)


def _get_proposed_entry_id(job: Job) -> UUID | None:
    return job.task.entry_id if isinstance(job.task, ProposalTask) else None


def is_proposing(owner_id: UUID, entry_id: UUID) -> bool:
    """Return whether proposals for an entry are still to come."""
    job = get_proposal_job(owner_id, entry_id)
    return job is not None and not job.is_over


def propose_traces(*, person: Person, entry_id: UUID, keyring: Keyring, is_asked: bool) -> Job | None:
    """Have traces proposed for an entry; None where there is nobody to do it, or it is not wanted.

    By itself (not `is_asked`) nothing is sent to a model on another machine. Raise NotThere.
    """
    entry = get_entry(person.id, entry_id)
    status = model_server.get_status()
    if not status.is_ready or (not is_asked and (status.remote or not person.proposes_traces)):
        return None
    piece = build_prompt_entry(entry, zone=person.time_zone)
    if piece is None:
        return None
    with _start_lock:
        job = get_proposal_job(person.id, entry_id)
        if job is not None and not job.is_over:
            return job
        return _start_job(
            ProposalTask(
                id=new_id(),
                owner_id=person.id,
                entry_id=entry_id,
                piece=piece,
                known_names=_list_known_names(person.id),
                retry=_retry,
            ),
            copy_keyring(keyring),
        )


def _list_known_names(owner_id: UUID) -> tuple[str, ...]:
    names = name_matchers.for_owner(owner_id).names
    return tuple(names[id_] for id_ in list_usual_traces(owner_id, most=MAX_KNOWN_NAMES) if id_ in names)


def _start_job(errand: ProposalTask, keyring: Keyring) -> Job | None:
    model = Person.objects.get_model_name(errand.owner_id)
    try:
        return registry.start(errand, keyring=keyring, model=model, is_patient=True)
    except NoEventLoop:
        return None


def _retry(errand: ProposalTask) -> None:
    """Try once more, after the commit; the keyring of the job that failed is closed soon after."""
    second = replace(errand, id=new_id(), is_retry=True)
    keyring = copy_keyring(current())
    transaction.on_commit(partial(_start_job, second, keyring))


def stop_proposals(owner_id: UUID) -> None:
    """Stop what is being proposed for a person, who has sent something that matters more."""
    for job in registry.for_owner(owner_id):
        if _get_proposed_entry_id(job) and not job.is_over:
            registry.stop(job.id, patience=0)


def dismiss_proposal(*, owner_id: UUID, entry_id: UUID, name: str) -> Entry:
    """Have a name proposed no more for an entry; raise NotThere, NameRefused."""
    dismissed = get_identity(clean_name(name))
    with write_transaction():
        entry = get_entry(owner_id, entry_id)
        row = get_or_build_row(entry)
        body = get_body(row)
        if dismissed not in body["dismissed"]:
            row.body = {**body, "dismissed": [*body["dismissed"], dismissed]}
            row.save()
    return entry
