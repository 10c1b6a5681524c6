"""Check-ins by hand and by schedule, and what a person does with their proposals.

Needs the owner's keyring in force. A check-in reads only trusted texts, sends nothing to another machine, and
changes nothing in the diary: it only leaves proposals, which the owner accepts or dismisses.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.models import Person
from accounts.preferences.time_zones import load_time_zone
from diary import days
from diary.entries.services import save_model_entry
from diary.errors import ObjectNotFound
from diary.generation.prompt_context import PromptFact
from diary.generation.prompt_entries import omit_middle
from diary.generation.prompt_record import PromptRecord
from diary.generation.unique_jobs import (
    get_or_start_job,
    get_task,
    list_jobs_of_key,
    may_generate_unrequested,
    may_send_unrequested,
)
from diary.models import Entry, Origin
from diary.notes.persona import read_persona
from diary.notes.queries import NoteText, find_note
from diary.notes.services import save_note
from llamora.crypto import KeyId, RealmKeyring, VaultLocked
from llamora.database import write_transaction
from llamora.fields import new_id
from llamora.inference import model_server
from llamora.inference.job import Job, JobOutcome, JobState
from llamora.inference.registry import registry
from search.ask.errors import LOCKED, IndexNotReady
from search.ask.retrieval import build_day_reader, retrieve
from search.checkins.answers import Proposal
from search.checkins.choices import CheckInChoices, load_choices, save_choices
from search.checkins.request_list import ListedRequest, build_query, list_open, mark_done
from search.checkins.tasks import CheckInPassage, CheckInTask
from search.fact_recall.services import recall_for_question
from search.models import CheckIn, CheckInProposal
from traces.facts.fact_body import FactText
from traces.facts.models import Fact
from traces.facts.services import FactOrigin, accept_fact, propose_fact

REQUESTS_PATH: Final = "HEARTBEAT.md"
# Why no check-in was made.
NO_REQUESTS: Final = "no_requests"
NO_MODEL: Final = "no_model"
REMOTE_MODEL: Final = "remote_model"
SMALL_MODEL: Final = "small_model"
NOT_READY: Final = "not_ready"
MADE_ALREADY: Final = "made_already"
# The same text is not proposed again within this time.
QUIET_TIME: Final = timedelta(hours=24)
_RECORD_LIFETIME: Final = timedelta(days=30)
# Beyond the time that one may take, it may wait for replies.
_QUEUE_SECONDS: Final = 120.0
_PASSAGES_PER_REQUEST: Final = 3
_MAX_PASSAGES: Final = 12
_MAX_FACTS: Final = 8
_LATEST_ENTRIES: Final = 3
_LATEST_CHARACTERS: Final = 600


@dataclass(frozen=True, kw_only=True)
class StartedCheckIn:
    """A started check-in, or the code of the reason why none was started."""

    job: Job | None = None
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class CheckInResult:
    """Result of a check-in: how it ended, and its proposals."""

    state: JobState
    reason: str
    model: str = ""
    proposals: Sequence[CheckInProposal] = field(default=(), repr=False)


def start_check_in(
    *,
    person: Person,
    keyring: RealmKeyring,
    due_at: datetime,
    now: datetime,
    is_by_hand: bool = False,
    is_by_program: bool = False,
) -> StartedCheckIn:
    """Start a check-in for the standing requests that are open now, or return why none was started.

    For a check-in that a program asks for, pass `is_by_hand` as well as `is_by_program`.
    """
    local = now.astimezone(load_time_zone(person.time_zone))
    requests = list_open_requests(keyring, now=local)
    if not requests:
        return StartedCheckIn(problem=NO_REQUESTS)
    if problem := _find_model_problem(person, is_by_hand=is_by_hand):
        return StartedCheckIn(problem=problem)
    try:
        passages, facts = _read_for(person, keyring, requests, now=now)
    except IndexNotReady as refused:
        return StartedCheckIn(problem=LOCKED if refused.code == LOCKED else NOT_READY)
    task = CheckInTask(
        id=new_id(),
        owner_id=person.id,
        due_at=due_at,
        is_by_hand=is_by_hand,
        is_by_program=is_by_program,
        now=local,
        requests=tuple(requests),
        passages=tuple(passages),
        facts=tuple(facts),
        persona=read_persona(keyring),
        save_proposals=save_proposals,
        record=PromptRecord(
            entries=[(passage.entry_id, passage.day) for passage in passages],
            facts=[fact.id for fact in facts],
        ),
    )
    if any(not job.is_over for job in list_jobs_of_key(keyring.key_id, CheckInTask)):
        return StartedCheckIn(problem=MADE_ALREADY)
    if not task.create_check_in():
        return StartedCheckIn(problem=MADE_ALREADY)
    job = get_or_start_job(
        CheckInTask,
        task.subject,
        lambda: task,
        person=person,
        keyring=keyring,
        is_requested=is_by_hand,
        allow_repeat=True,
        is_background=not is_by_hand,
    )
    if job is None:
        # No event loop runs, or the model went away since it was looked at.
        task.set_state(JobOutcome(text="", state=JobState.INTERRUPTED, reason="closing"))
        return StartedCheckIn(problem=NO_MODEL)
    return StartedCheckIn(job=job)


def wait_for_check_in(started: Job) -> CheckInResult:
    """Wait for the end of a check-in, or stop it at its time limit, and return the result.

    Do not call on the event loop.
    """
    if not registry.wait_until_over(started.id, patience=settings.MODEL_REPLY_SECONDS + _QUEUE_SECONDS):
        registry.stop(started.id)
    record = CheckIn.objects.filter(id=started.id).first()
    return CheckInResult(
        state=started.state,
        reason=record.reason if record is not None else started.reason,
        model=started.author.model,
        proposals=list(CheckInProposal.objects.filter(check_in_id=started.id)),
    )


def list_read_entries(started: Job) -> list[UUID]:
    """Return the ids of the entries that a check-in reads."""
    return [passage.entry_id for passage in get_task(started, CheckInTask).passages]


def list_open_requests(keyring: RealmKeyring, *, now: datetime) -> list[ListedRequest]:
    """Return the open requests of the owner's trusted note, at a moment in their time zone."""
    note = find_requests_note(keyring)
    return list_open(note.text, now=now) if note is not None and note.text is not None else []


def find_requests_note(keyring: RealmKeyring) -> NoteText | None:
    """Return the note with the standing requests, or None if it is missing, damaged or untrusted."""
    note = find_note(keyring, REQUESTS_PATH)
    return note if note is not None and note.is_trusted and not note.is_damaged else None


def stop_check_ins(key_id: KeyId) -> None:
    """Stop the check-ins that use the key `key_id`. Their records are saved without proposals."""
    for job in list_jobs_of_key(key_id, CheckInTask):
        if not job.is_over:
            registry.stop(job.id, patience=0)


def change_choices(owner_id: UUID, choices: CheckInChoices) -> CheckInChoices:
    """Save a person's settings and the time of this change. The next check-in is counted from that time."""
    saved = replace(choices, changed_at=timezone.now())
    save_choices(owner_id, saved)
    return saved


def pause(owner_id: UUID, *, is_paused: bool) -> CheckInChoices:
    """Pause check-ins, or resume them."""
    return change_choices(owner_id, replace(load_choices(owner_id), is_paused=is_paused))


def save_proposals(task: CheckInTask, proposals: Sequence[Proposal], outcome: JobOutcome) -> int:
    """Save the proposals, except those already made in the last day; return how many were saved.

    Call within a transaction.
    """
    since = task.now - QUIET_TIME
    rows = CheckInProposal.objects.filter(owner_id=task.owner_id, created_at__gt=since)
    known = {_fold(str(body.get("text", ""))) for row in rows if (body := row.open_or("body", None))}
    saved = 0
    for proposal in proposals:
        if _fold(proposal.text) in known:
            continue
        known.add(_fold(proposal.text))
        CheckInProposal(
            owner_id=task.owner_id,
            check_in_id=task.id,
            created_at=task.now,
            body={
                "request": task.requests[proposal.request].text,
                "text": proposal.text,
                "quotes": list(proposal.quotes),
                "model": outcome.author.model,
                "prompt": outcome.author.prompt,
                "read": [str(id_) for id_ in _list_read(task)],
            },
        ).save(force_insert=True)
        saved += 1
    return saved


# --- What a person does with a proposal ------------------------------------------------------------------


def accept_as_entry(person: Person, proposal_id: UUID) -> Entry:
    """Accept a proposal as an entry of today, with the origin `model`; raise ObjectNotFound."""
    with write_transaction():
        row, body = _get_open_proposal(person.id, proposal_id)
        entry = save_model_entry(
            owner_id=person.id,
            day=days.today(person.time_zone, now=timezone.now()),
            text=body["text"],
            model=body["model"],
            zone=person.time_zone,
        )
        _close(row)
    return entry


def accept_as_fact(person: Person, proposal_id: UUID) -> Fact | None:
    """Accept a proposal as a fact with its quote; return None if that fact exists or was declined.

    Raise ObjectNotFound, or InvalidFact for a text that can't be one.
    """
    with write_transaction():
        row, body = _get_open_proposal(person.id, proposal_id)
        details: dict[str, Any] = {"model": body["model"], "prompt": body["prompt"]}
        if body["quotes"]:
            details["quote"] = {"text": body["quotes"][0]}
        fact = propose_fact(
            owner_id=person.id,
            text=FactText.create(body["text"]),
            where=FactOrigin(origin=Origin.MODEL, details=details),
        )
        if fact is not None:
            fact = accept_fact(owner_id=person.id, fact_id=fact.id)
        _close(row)
    return fact


def finish_request(person: Person, keyring: RealmKeyring, proposal_id: UUID) -> bool:
    """Mark the standing request that led to a proposal as done, in the note of standing requests.

    Return False if the note no longer contains the request. Raise ObjectNotFound, or a NoteError.
    """
    with write_transaction():
        row, body = _get_open_proposal(person.id, proposal_id)
        note = find_requests_note(keyring)
        is_found = False
        if note is not None and note.text is not None:
            text = mark_done(note.text, body["request"])
            is_found = text != note.text
            if is_found:
                save_note(
                    keyring, note.path, text, note_id=note.id, based_on=note.revision, origin=Origin.OWN
                )
        _close(row)
    return is_found


def dismiss(owner_id: UUID, proposal_id: UUID) -> None:
    """Dismiss a proposal; raise ObjectNotFound. A second call changes nothing."""
    row = CheckInProposal.objects.filter(owner_id=owner_id, id=proposal_id).first()
    if row is None:
        raise ObjectNotFound
    with write_transaction():
        _close(row)


def delete_derived_from(owner_id: UUID, ids: Collection[UUID]) -> None:
    """Delete the proposals that were derived from deleted texts.

    Damaged proposals are deleted too. Without a key all are deleted, since it is unknown what they were
    derived from.
    """
    gone = {str(id_) for id_ in ids}
    rows = CheckInProposal.objects.filter(owner_id=owner_id)
    derived = [row.id for row in rows if _may_have_read(row, gone)]
    if derived:
        with write_transaction():
            CheckInProposal.objects.filter(owner_id=owner_id, id__in=derived).delete()


def purge_check_ins(owner_id: UUID, *, now: datetime) -> None:
    """Delete the records of check-ins older than a month, except those that still have an open proposal."""
    with write_transaction():
        old = CheckIn.objects.filter(owner_id=owner_id, due_at__lt=now - _RECORD_LIFETIME)
        old.exclude(proposals__is_open=True).delete()


# --- Parts -----------------------------------------------------------------------------------------------


def _find_model_problem(person: Person, *, is_by_hand: bool) -> str:
    status = model_server.get_status()
    if not status.is_ready:
        return NO_MODEL
    if not may_send_unrequested(status):
        return REMOTE_MODEL
    if not is_by_hand and not may_generate_unrequested(status, chosen=person.model):
        return SMALL_MODEL
    return ""


def _read_for(
    person: Person, keyring: RealmKeyring, requests: Sequence[ListedRequest], *, now: datetime
) -> tuple[list[CheckInPassage], list[PromptFact]]:
    """Return the owner's own passages and facts that bear on the requests; raise IndexNotReady."""
    reader = build_day_reader(person, now=now)
    passages: dict[UUID, CheckInPassage] = {}
    facts: dict[UUID, PromptFact] = {}
    for request in requests:
        found = retrieve(keyring, build_query(request), reader=reader, of_untrusted=False)
        for passage in found.passages[:_PASSAGES_PER_REQUEST]:
            passages.setdefault(
                passage.entry_id,
                CheckInPassage(
                    entry_id=passage.entry_id, day=passage.day, text=passage.excerpt, is_cut=passage.is_cut
                ),
            )
        for fact in recall_for_question(keyring, build_query(request)):
            facts.setdefault(fact.id, PromptFact(id=fact.id, text=fact.text))
    found_ones = list(passages.values())[:_MAX_PASSAGES]
    return [*found_ones, *_list_latest(person, besides=passages)], list(facts.values())[:_MAX_FACTS]


def _may_have_read(row: CheckInProposal, ids: Collection[str]) -> bool:
    try:
        body = row.open_or("body", None)
    except VaultLocked:
        return True
    return body is None or any(id_ in ids for id_ in body.get("read", ()))


def _list_read(task: CheckInTask) -> list[UUID]:
    return [*(id_ for id_, _ in task.record.entries), *task.record.facts]


def _list_latest(person: Person, *, besides: Collection[UUID]) -> list[CheckInPassage]:
    """Return the latest trusted entries, since a request may ask what was written lately, or was not."""
    entries = Entry.objects.for_owner(person.id).only_trusted().order_by("-day", "-created_at", "-id")
    latest = []
    for entry in entries[:_LATEST_ENTRIES]:
        text = entry.open_or("text", None)
        if text and entry.id not in besides:
            shown = omit_middle(text, limit=_LATEST_CHARACTERS)
            latest.append(CheckInPassage(entry_id=entry.id, day=entry.day, text=shown, is_cut=shown != text))
    return latest


def _get_open_proposal(owner_id: UUID, proposal_id: UUID) -> tuple[CheckInProposal, dict[str, Any]]:
    row = CheckInProposal.objects.filter(owner_id=owner_id, id=proposal_id, is_open=True).first()
    body = row.open_or("body", None) if row is not None else None
    if row is None or body is None:
        raise ObjectNotFound
    return row, {"request": "", "text": "", "model": "", "prompt": "", "quotes": [], **body}


def _close(row: CheckInProposal) -> None:
    if row.is_open:
        row.is_open = False
        row.save(update_fields=["is_open"])


def _fold(text: str) -> str:
    return " ".join(text.split()).casefold()
