"""Summaries of traces: kept until they are stale, made when asked for. Needs the owner's keyring in force.

What one was made from is known by a digest of the entries' ids, days and revisions and of the trace's name:
to say whether it is stale no entry is opened.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db.models import CharField
from django.db.models.functions import Cast

from accounts.models import Person
from diary.entries.queries import get_digest_key
from diary.generation.prompt_entries import omit_middle
from diary.models import Entry
from llamora.crypto import EnvelopeError, Keyring, keyed_digest
from llamora.fields import new_id
from llamora.inference import model_server
from llamora.inference.job import Job
from llamora.inference.registry import NoEventLoop, copy_keyring, registry
from traces.models import Trace
from traces.queries import get_display_name, get_entries_with_traces
from traces.summaries.tasks import SummaryEntry, SummaryTask

MAX_ENTRIES: Final = 60  # entries that are read at most
MAX_ENTRY_LENGTH: Final = 1_500  # characters of each
_start_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSummary:
    """What is kept of a trace in short: from `read` of `of` entries; stale when those have changed since."""

    text: str = field(repr=False)
    read: int
    of: int
    is_stale: bool


def compute_digest(trace: Trace) -> str:
    """Return what says whether a trace's entries and name are still the same."""
    entries = get_entries_with_traces(trace.owner_id, [trace.id]).order_by("id")
    # In letters: to make an id and a date of each of thousands takes longer than reading them.
    rows = entries.values_list(Cast("id", CharField()), Cast("day", CharField()), "revision")
    parts = (f"{id_} {day} {revision}".encode() for id_, day, revision in rows)
    return keyed_digest(get_digest_key(trace.owner_id), [get_display_name(trace).encode(), *parts]).hex()


def get_summary(trace: Trace) -> TraceSummary | None:
    """Return a trace's summary; None where there is none, or none that opens."""
    try:
        body = trace.summary
    except EnvelopeError:
        return None
    if body is None:
        return None
    is_stale = body["digest"] != compute_digest(trace)
    return TraceSummary(text=body["text"], read=body["read"], of=body["of"], is_stale=is_stale)


def get_summary_job(trace: Trace) -> Job | None:
    """Return the job that sums a trace up, under way or ended in the last minutes; the latest one."""
    jobs = reversed(registry.for_owner(trace.owner_id))
    return next((job for job in jobs if _is_summary_of(job, trace.id)), None)


def _is_summary_of(job: Job, trace_id: UUID) -> bool:
    return isinstance(job.task, SummaryTask) and job.task.trace_id == trace_id


def request_summary(person: Person, trace: Trace, *, keyring: Keyring) -> Job | None:
    """Have a trace summed up; None where it is already, or there is nobody or nothing to do it with."""
    with _start_lock:
        job = get_summary_job(trace)
        if job is not None and not job.is_over:
            return job
        there = get_summary(trace)
        if (there is not None and not there.is_stale) or not model_server.get_status().is_ready:
            return None
        if job is not None:
            registry.discard(job.id)
        return _start_job(_build_task(person, trace), keyring)


def _build_task(person: Person, trace: Trace) -> SummaryTask:
    entries = get_entries_with_traces(person.id, [trace.id]).order_by("-day", "-created_at", "-id")
    told = tuple(reversed(list(_iter_summary_entries(list(entries[:MAX_ENTRIES])))))
    return SummaryTask(
        id=new_id(),
        owner_id=person.id,
        trace_id=trace.id,
        name=get_display_name(trace),
        entries=told,
        count=entries.count(),
        digest=compute_digest(trace),
    )


def _iter_summary_entries(entries: list[Entry]) -> Iterator[SummaryEntry]:
    for entry in entries:
        try:
            yield SummaryEntry(day=entry.day, text=omit_middle(entry.text, most=MAX_ENTRY_LENGTH))
        except EnvelopeError:
            continue  # one that does not open must not hold up the others


def _start_job(errand: SummaryTask, keyring: Keyring) -> Job | None:
    if not errand.entries:
        return None
    model = Person.objects.get_model_name(errand.owner_id)
    try:
        return registry.start(errand, keyring=copy_keyring(keyring), model=model)
    except NoEventLoop:
        return None


def delete_summary(trace_id: UUID) -> None:
    """Let go of a trace's summary; needs no key."""
    trace = Trace.objects.filter(id=trace_id, summary__isnull=False).first()
    if trace is not None:
        trace.summary = None
        trace.save(update_fields=["summary"])
