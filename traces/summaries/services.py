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
from diary.digests import digest_key
from diary.models import Entry
from diary.openings.errand import both_ends
from llamora.crypto import EnvelopeError, Keyring, keyed_digest
from llamora.fields import new_id
from llamora.inference import endpoint
from llamora.inference.jobs import Job, NotServing, own_keyring, registry
from traces.models import Trace
from traces.presenting import name_of
from traces.summaries.errand import SummaryErrand, Told
from traces.tallies import entries_with

LATEST: Final = 60  # entries that are read at most
MOST: Final = 1_500  # characters of each
_asking = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What is kept of a trace in short: from `read` of `of` entries; stale when those have changed since."""

    text: str = field(repr=False)
    read: int
    of: int
    is_stale: bool


def digest_of(trace: Trace) -> str:
    """Return what says whether a trace's entries and name are still the same."""
    entries = entries_with(trace.owner_id, [trace.id]).order_by("id")
    # In letters: to make an id and a date of each of thousands takes longer than reading them.
    rows = entries.values_list(Cast("id", CharField()), Cast("day", CharField()), "revision")
    parts = (f"{id_} {day} {revision}".encode() for id_, day, revision in rows)
    return keyed_digest(digest_key(trace.owner_id), [name_of(trace).encode(), *parts]).hex()


def kept(trace: Trace) -> Summary | None:
    """Return a trace's summary; None where there is none, or none that opens."""
    try:
        body = trace.summary
    except EnvelopeError:
        return None
    if body is None:
        return None
    is_stale = body["digest"] != digest_of(trace)
    return Summary(text=body["text"], read=body["read"], of=body["of"], is_stale=is_stale)


def job_of(trace: Trace) -> Job | None:
    """Return the job that sums a trace up, under way or ended in the last minutes; the latest one."""
    jobs = reversed(registry.of(trace.owner_id))
    return next((job for job in jobs if _sums_up(job, trace.id)), None)


def _sums_up(job: Job, trace_id: UUID) -> bool:
    return isinstance(job.errand, SummaryErrand) and job.errand.trace_id == trace_id


def asked(person: Person, trace: Trace, *, keyring: Keyring) -> Job | None:
    """Have a trace summed up; None where it is already, or there is nobody or nothing to do it with."""
    with _asking:
        job = job_of(trace)
        if job is not None and not job.is_over:
            return job
        there = kept(trace)
        if (there is not None and not there.is_stale) or not endpoint.status().is_ready:
            return None
        if job is not None:
            registry.forget(job.id)
        return _started(_errand(person, trace), keyring)


def _errand(person: Person, trace: Trace) -> SummaryErrand:
    entries = entries_with(person.id, [trace.id]).order_by("-day", "-created_at", "-id")
    told = tuple(reversed(list(_told(list(entries[:LATEST])))))
    return SummaryErrand(
        id=new_id(),
        owner_id=person.id,
        trace_id=trace.id,
        name=name_of(trace),
        told=told,
        count=entries.count(),
        digest=digest_of(trace),
    )


def _told(entries: list[Entry]) -> Iterator[Told]:
    for entry in entries:
        try:
            yield Told(day=entry.day, text=both_ends(entry.text, most=MOST))
        except EnvelopeError:
            continue  # one that does not open must not hold up the others


def _started(errand: SummaryErrand, keyring: Keyring) -> Job | None:
    if not errand.told:
        return None
    model = Person.objects.model_of(errand.owner_id)
    try:
        return registry.start(errand, keyring=own_keyring(keyring), model=model)
    except NotServing:
        return None


def forget(trace_id: UUID) -> None:
    """Let go of a trace's summary; needs no key."""
    trace = Trace.objects.filter(id=trace_id, summary__isnull=False).first()
    if trace is not None:
        trace.summary = None
        trace.save(update_fields=["summary"])
