"""Searches for facts in an entry: on request, or after a reply if its owner has chosen that.

Needs the owner's keyring in force. Only a model on this machine is used, and only for trusted entries. A
search runs in the background, when no other job waits for the model. Its proposals are saved in one
transaction, and none is accepted without the owner.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from accounts.models import Person
from diary import days
from diary.entries.queries import get_entry
from diary.generation.entry_tasks import start_second_attempt
from diary.generation.prompt_entries import build_prompt_entry
from diary.generation.unique_jobs import (
    find_job,
    get_or_start_job,
    may_send_unrequested,
    start_job_after_commit,
    stop_jobs,
)
from diary.models import TRUSTED_ORIGINS, Entry, Origin
from llamora.crypto import KeyId, Keyring
from llamora.fields import new_id
from llamora.inference import model_server
from llamora.inference.job import Author, Job
from traces.facts.changes import BY_MODEL, ChangeAuthor
from traces.facts.comparison import Strategy
from traces.facts.fact_body import get_text
from traces.facts.models import Fact
from traces.facts.proposals.answers import ClaimedFact
from traces.facts.proposals.checks import CheckedFact, check_claims
from traces.facts.proposals.conflict_tasks import ConflictTask
from traces.facts.proposals.tasks import FactTask
from traces.facts.queries import find_touched, load_choices
from traces.facts.services import FactOrigin, propose_fact, save_advice

# Of accepted facts that a model may read: those of their owner, and proposals of a model here.
_OWN: Final = frozenset({*TRUSTED_ORIGINS, Origin.MODEL})


def can_find_facts() -> bool:
    """Return whether a model on this machine is ready, which may search for facts."""
    status = model_server.get_status()
    return status.is_ready and may_send_unrequested(status)


def find_facts(*, person: Person, entry_id: UUID, keyring: Keyring, is_requested: bool = True) -> Job | None:
    """Start a search for facts in an entry. Return None if the entry is untrusted or no model can be used.

    An entry that its owner did not write is not searched, since its text may instruct the model. A model that
    is too small is used only if the person asked for the search. Raise ObjectNotFound.
    """
    entry = get_entry(person.id, entry_id)
    if not entry.is_trusted or not can_find_facts():
        return None
    return get_or_start_job(
        FactTask,
        entry_id,
        lambda: _build_task(entry, person=person, is_requested=is_requested),
        person=person,
        keyring=keyring,
        is_requested=is_requested,
        allow_repeat=True,
        is_background=True,
    )


def find_facts_after_reply(*, person: Person, entry_id: UUID, keyring: Keyring) -> Job | None:
    """Start a search for facts after a reply. Return None if the owner did not enable these searches.

    Return None also where `find_facts` does. Raise ObjectNotFound.
    """
    if not load_choices(person.id).proposes_after_reply:
        return None
    return find_facts(person=person, entry_id=entry_id, keyring=keyring, is_requested=False)


def get_fact_job(entry_id: UUID) -> Job | None:
    """Return the latest job, unfinished or lately ended, that searches an entry for facts, or None."""
    return find_job(FactTask, entry_id)


def is_finding(entry_id: UUID) -> bool:
    """Return whether a job that searches an entry for facts is unfinished."""
    job = get_fact_job(entry_id)
    return job is not None and not job.is_over


def stop_finding(key_id: KeyId, *, entry_id: UUID | None = None) -> None:
    """Stop the searches for facts under a key, or those in one entry; their results are discarded.

    Without an entry, comparisons of facts (`ConflictTask`) are stopped too.
    """
    if entry_id is None:
        stop_jobs(key_id, ConflictTask)
    stop_jobs(key_id, FactTask, subject=entry_id)


def save_claims(task: FactTask, claims: Sequence[ClaimedFact], author: Author, *, person: Person) -> int:
    """Propose the facts in a model's answer that the entry supports. Return how many proposals are new.

    Nothing is proposed if the entry was changed, deleted or is no longer its owner's own since it was read.
    """
    entry = Entry.objects.for_owner(task.owner_id).filter(id=task.entry_id).first()
    if entry is None or not entry.is_trusted or entry.open_or("text", None) != task.prompt_entry.text:
        return 0
    checked = check_claims(
        claims, text=task.prompt_entry.text, anchor=get_anchor(entry, zone=person.time_zone)
    )
    saved = [fact for each in checked if (fact := _propose(entry, each, author)) is not None]
    for fact in saved:
        _compare_after_commit(fact, person)
    return len(saved)


def get_anchor(entry: Entry, *, zone: str) -> datetime:
    """Return the moment to which relative dates in an entry refer: the day and time of the entry."""
    written_at = days.to_original_time(entry.created_at, offset=entry.utc_offset, zone_name=zone)
    return written_at.replace(year=entry.day.year, month=entry.day.month, day=entry.day.day)


def _propose(entry: Entry, checked: CheckedFact, author: Author) -> Fact | None:
    details = {
        "quote": {"text": checked.quote, "start": checked.span[0], "end": checked.span[1]},
        "model": author.model,
        "prompt": author.prompt,
        **({"when": checked.when} if checked.when else {}),
    }
    where = FactOrigin(origin=Origin.MODEL, entry_id=entry.id, details=details)
    return propose_fact(
        owner_id=entry.owner_id, text=checked.text, where=where, author=ChangeAuthor(by=BY_MODEL)
    )


def _build_task(entry: Entry, *, person: Person, is_requested: bool) -> FactTask | None:
    prompt_entry = build_prompt_entry(entry, zone=person.time_zone)
    if prompt_entry is None or not prompt_entry.text.strip():
        return None
    return FactTask(
        id=new_id(),
        owner_id=person.id,
        entry_id=entry.id,
        day=entry.day,
        prompt_entry=prompt_entry,
        save_claims=partial(save_claims, person=person),
        retry=partial(start_second_attempt, person, is_requested),
    )


def _compare_after_commit(fact: Fact, person: Person) -> None:
    """Let the model compare a proposal with an accepted fact if the tables can't decide."""
    text = get_text(fact.body)
    earlier = next(iter(find_touched(fact.owner_id, text, besides=fact.id)), None)
    if earlier is None or not earlier.comparison.takes_advice or earlier.fact.origin not in _OWN:
        return
    task = ConflictTask(
        id=new_id(),
        owner_id=fact.owner_id,
        fact_id=fact.id,
        earlier_id=earlier.fact.id,
        earlier_fact=get_text(earlier.fact.body).text,
        later_fact=text.text,
        save_advice=_save_advice,
    )
    start_job_after_commit(task, person=person, is_requested=False)


def _save_advice(task: ConflictTask, strategy: Strategy) -> None:
    save_advice(owner_id=task.owner_id, fact_id=task.fact_id, earlier_id=task.earlier_id, strategy=strategy)
