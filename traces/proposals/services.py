"""Proposals of traces by the model, on request or after a reply. A more urgent request stops them.

Generation runs in the background, when no other job waits for the model.

Call these functions inside `in_force`, which makes the owner's keys available.
"""

from functools import partial
from uuid import UUID

from accounts.models import Person
from diary.entries.queries import get_entry
from diary.generation.entry_tasks import start_second_attempt
from diary.generation.prompt_entries import build_prompt_entry
from diary.generation.unique_jobs import find_job, get_or_start_job, stop_jobs
from diary.models import TRUSTED_ORIGINS, Entry
from llamora.crypto import KeyId, Keyring
from llamora.database import write_transaction
from llamora.fields import new_id
from llamora.inference.job import Job
from traces.matcher import name_matchers
from traces.models import EntryTrace
from traces.names import clean_name, get_identity
from traces.proposals.queries import get_body, get_or_build_row, list_usual_traces
from traces.proposals.tasks import ProposalTask

MAX_KNOWN_NAMES = 40  # names of traces in the prompt, which the model takes where they fit


def get_proposal_job(entry_id: UUID) -> Job | None:
    """Return the latest job, unfinished or lately ended, that proposes traces for an entry, or None."""
    return find_job(ProposalTask, entry_id)


def is_proposing(entry_id: UUID) -> bool:
    """Return whether a job that proposes traces for an entry is unfinished."""
    job = get_proposal_job(entry_id)
    return job is not None and not job.is_over


def propose_traces(*, person: Person, entry_id: UUID, keyring: Keyring, is_requested: bool) -> Job | None:
    """Start proposals of traces for an entry; return None if the person opted out or no model is ready.

    Also return None for an entry that its owner did not write, since its text may instruct the model.
    `is_requested` if the person explicitly asked for proposals. Raise ObjectNotFound.
    """
    entry = get_entry(person.id, entry_id)
    if not entry.is_trusted or (not is_requested and not person.proposes_traces):
        return None
    return get_or_start_job(
        ProposalTask,
        entry_id,
        lambda: _build_task(entry, person=person, is_requested=is_requested),
        person=person,
        keyring=keyring,
        is_requested=is_requested,
        allow_repeat=True,
        is_background=True,
    )


def stop_proposals(key_id: KeyId) -> None:
    """Stop all jobs under a key that propose traces, so that a more urgent job can run."""
    stop_jobs(key_id, ProposalTask)


def dismiss_proposal(*, owner_id: UUID, entry_id: UUID, name: str) -> Entry:
    """Dismiss a suggested name for an entry for good; raise ObjectNotFound, InvalidTraceName."""
    dismissed = get_identity(clean_name(name))
    with write_transaction():
        entry = get_entry(owner_id, entry_id)
        row = get_or_build_row(entry)
        body = get_body(row)
        if dismissed not in body["dismissed"]:
            row.body = {**body, "dismissed": [*body["dismissed"], dismissed]}
            row.save()
    return entry


def _build_task(entry: Entry, *, person: Person, is_requested: bool) -> ProposalTask | None:
    prompt_entry = build_prompt_entry(entry, zone=person.time_zone)
    if prompt_entry is None:
        return None
    return ProposalTask(
        id=new_id(),
        owner_id=person.id,
        entry_id=entry.id,
        prompt_entry=prompt_entry,
        known_names=_list_known_names(person.id),
        retry=partial(start_second_attempt, person, is_requested),
    )


def _list_known_names(owner_id: UUID) -> tuple[str, ...]:
    names = name_matchers.get_current().names
    usual = list_usual_traces(owner_id, limit=MAX_KNOWN_NAMES)
    # A name that stands on no entry of its owner's own came with an import.
    own = EntryTrace.objects.for_owner(owner_id).filter(trace_id__in=usual, entry__origin__in=TRUSTED_ORIGINS)
    own_ids = set(own.order_by().values_list("trace_id", flat=True))
    return tuple(names[id_] for id_ in usual if id_ in names and id_ in own_ids)
