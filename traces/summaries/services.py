"""Summaries of traces, generated on request. A change of a trace's name or entries makes its summary stale.

Call these functions inside `in_force`, which makes the owner's keys available.
`delete_summary` needs no keys.

A digest of the trace's name and of the ids, days and revisions of its entries shows whether a summary is
stale, so that no entry has to be decrypted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db.models import CharField, Q
from django.db.models.functions import Cast

from accounts.models import Person
from diary.entries.queries import get_digest_key
from diary.generation.prompt_record import load_author
from diary.generation.unique_jobs import find_job, get_or_start_job
from diary.models import TRUSTED_ORIGINS, Entry
from llamora.crypto import EnvelopeError, Keyring, keyed_digest
from llamora.fields import new_id
from llamora.inference.job import UNKNOWN_AUTHOR, Author, Job
from traces.models import Trace
from traces.queries import get_display_name, get_entries_with_traces, load_latest_entries
from traces.summaries.tasks import SummaryEntry, SummaryTask, shorten_around

MAX_ENTRIES: Final = 60
MAX_ENTRY_LENGTH: Final = 1_500  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSummary:
    """The summary of a trace. It is stale if the trace's name or entries have changed since.

    `of` is the number of entries that the trace had, and `read` the number of those that the model read.
    """

    text: str = field(repr=False)
    read: int
    of: int
    is_stale: bool
    author: Author = UNKNOWN_AUTHOR


def compute_digest(trace: Trace) -> str:
    """Return a digest of a trace, which changes with its name and its entries."""
    entries = get_entries_with_traces(trace.owner_id, [trace.id]).order_by("id")
    # As text: to convert thousands of ids and dates takes longer than to read them.
    rows = entries.values_list(Cast("id", CharField()), Cast("day", CharField()), "revision")
    parts = (f"{id_} {day} {revision}".encode() for id_, day, revision in rows)
    return keyed_digest(get_digest_key(trace.owner_id), [get_display_name(trace).encode(), *parts]).hex()


def get_summary(trace: Trace) -> TraceSummary | None:
    """Return the summary of a trace, or None if it is missing or damaged."""
    try:
        body = trace.summary
    except EnvelopeError:
        return None
    if body is None:
        return None
    is_stale = body["digest"] != compute_digest(trace)
    return TraceSummary(
        text=body["text"],
        read=body["read"],
        of=body["of"],
        is_stale=is_stale,
        author=load_author(body.get("author")),
    )


def get_summary_job(trace: Trace) -> Job | None:
    """Return the latest job, unfinished or lately ended, that summarises a trace, or None."""
    return find_job(SummaryTask, trace.id)


def request_summary(person: Person, trace: Trace, *, keyring: Keyring) -> Job | None:
    """Start a summary. Return None if the saved one is current, or if entries or a model are missing."""
    return get_or_start_job(
        SummaryTask,
        trace.id,
        lambda: _build_task(trace),
        person=person,
        keyring=keyring,
        is_requested=True,
        allow_repeat=True,
    )


def delete_summary(trace_id: UUID) -> None:
    """Delete the summary of a trace; needs no key."""
    trace = Trace.objects.filter(id=trace_id, summary__isnull=False).first()
    if trace is not None:
        trace.summary = None
        trace.save(update_fields=["summary"])


def _build_task(trace: Trace) -> SummaryTask | None:
    present = get_summary(trace)
    if present is not None and not present.is_stale:
        return None
    is_trusted = Q(origin__in=TRUSTED_ORIGINS)
    found = load_latest_entries(trace.owner_id, [trace.id], limit=MAX_ENTRIES, where=is_trusted)
    name = get_display_name(trace)
    latest = tuple(reversed(list(_iter_summary_entries([entry for entry, _ in found], name=name))))
    if not latest:
        return None
    return SummaryTask(
        id=new_id(),
        owner_id=trace.owner_id,
        trace_id=trace.id,
        name=name,
        entries=latest,
        count=get_entries_with_traces(trace.owner_id, [trace.id]).filter(is_trusted).count(),
        digest=compute_digest(trace),
    )


def _iter_summary_entries(entries: list[Entry], *, name: str) -> Iterator[SummaryEntry]:
    for entry in entries:
        try:
            text = shorten_around(str(entry.text), name, limit=MAX_ENTRY_LENGTH)
            yield SummaryEntry(day=entry.day, text=text, name=name)
        except EnvelopeError:
            continue  # a damaged one must not block the others
