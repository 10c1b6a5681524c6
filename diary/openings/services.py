"""Openings: made once for a day, dismissed, made again. Needs the owner's keyring in force."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from uuid import UUID

from accounts.models import Person
from diary.entries.queries import get_digest_key
from diary.generation.prompt_context import PromptEntry
from diary.generation.prompt_entries import build_prompt_entries, omit_middle
from diary.hooks import get_labels
from diary.models import Entry, Opening
from diary.openings.tasks import OpeningSource, OpeningTask
from diary.recaps.services import compute_digest, find_recap, get_or_start_recap
from llamora.crypto import EnvelopeError, Keyring
from llamora.database import write_transaction
from llamora.fields import new_id
from llamora.inference import model_server
from llamora.inference.job import Job
from llamora.inference.registry import NoEventLoop, copy_keyring, registry

DAYS_READ = 3  # written days that are read
MAX_CHARACTERS_LATEST_DAY = 4_000  # characters of each entry of the latest day
MAX_CHARACTERS_EARLIER_DAYS = 600  # and of each on the days before it
_start_lock = threading.Lock()


def find_job(owner_id: UUID, day: date) -> Job | None:
    """Return the job that opens a day, under way or ended in the last minutes; the latest one."""
    jobs = registry.for_owner(owner_id)
    return next((job for job in reversed(jobs) if _is_job_of_day(job, day)), None)


def _is_job_of_day(job: Job, day: date) -> bool:
    return isinstance(job.task, OpeningTask) and job.task.day == day


def start_opening(person: Person, day: date, *, keyring: Keyring, again: bool = False) -> Job | None:
    """Have a day opened; None where it is open already, or there is nothing or nobody to open it with.

    `again` makes another in the place of one that is there, or that came to nothing a moment ago.
    """
    with _start_lock:
        job = find_job(person.id, day)
        if job is not None and (not job.is_over or not again):
            return job
        row = Opening.objects.filter(owner_id=person.id, day=day)
        status = model_server.get_status()
        if not status.is_ready or (not again and (status.remote or row.exists())):
            return None
        errand = _build_task(person, day, standing=_load_text(row.first()))
        if not errand.sources or (started := _start_job(errand, keyring=keyring, before=job)) is None:
            return None
    _start_recap(person, errand.sources, keyring=keyring)
    return started


def _start_job(errand: OpeningTask, *, keyring: Keyring, before: Job | None) -> Job | None:
    if before is not None:
        registry.discard(before.id)
    try:
        model = Person.objects.get_model_name(errand.owner_id)
        return registry.start(errand, keyring=copy_keyring(keyring), model=model)
    except NoEventLoop:
        return None


def _start_recap(person: Person, told: Sequence[OpeningSource], *, keyring: Keyring) -> None:
    """Have the latest day's recap made, patiently, where the next opening would have to cut that day."""
    latest = told[-1].day
    if any(len(one.text) > MAX_CHARACTERS_EARLIER_DAYS for one in told if one.day == latest):
        get_or_start_recap(person, latest, keyring=keyring)


def _load_text(row: Opening | None) -> str:
    try:
        return str(row.text) if row is not None else ""
    except EnvelopeError:
        return ""


def _build_task(person: Person, day: date, *, standing: str) -> OpeningTask:
    written = Entry.objects.for_owner(person.id).filter(day__lt=day).order_by("-day")
    found = list(written.values_list("day", flat=True).distinct()[: DAYS_READ + 1])
    told = tuple(_collect_sources(person, day, sorted(found[:DAYS_READ])))
    is_new = len(found) <= DAYS_READ
    return OpeningTask(
        id=new_id(), owner_id=person.id, day=day, sources=told, is_new=is_new, replaced_text=standing
    )


def _collect_sources(person: Person, day: date, before: Sequence[date]) -> Iterator[OpeningSource]:
    by_day: dict[date, list[Entry]] = defaultdict(list)
    entries = Entry.objects.for_owner(person.id).filter(day__in=before)
    rows = list(entries.order_by("day", "created_at", "id"))
    for entry in rows:
        by_day[entry.day].append(entry)
    labels = get_labels(rows)
    key = get_digest_key(person.id) if before else b""
    for there in before:
        pieces = build_prompt_entries(by_day[there], zone=person.time_zone)
        if there == before[-1]:
            yield from _entry_sources(there, day, pieces, most=MAX_CHARACTERS_LATEST_DAY, labels=labels)
        elif recap := find_recap(person.id, there, digest=compute_digest(key, there, pieces)):
            named = dict.fromkeys(name for entry in by_day[there] for name in labels.get(entry.id, ()))
            yield OpeningSource(
                day=there,
                ago=(day - there).days,
                text=recap,
                recapped=tuple(piece.id for piece in pieces if piece.id),
                labels=tuple(named),
            )
        else:
            yield from _entry_sources(there, day, pieces, most=MAX_CHARACTERS_EARLIER_DAYS, labels=labels)


def _entry_sources(
    there: date, day: date, pieces: Sequence[PromptEntry], *, most: int, labels: Mapping[UUID, Sequence[str]]
) -> Iterator[OpeningSource]:
    for piece in pieces:
        text = omit_middle(piece.text, most=most)
        is_cut = text != piece.text
        named = tuple(labels.get(piece.id, ())) if piece.id else ()
        yield OpeningSource(
            day=there, ago=(day - there).days, text=text, id=piece.id, is_cut=is_cut, labels=named
        )


def dismiss(owner_id: UUID, day: date) -> None:
    """Let go of a day's opening and of its words; no other is made for that day by itself."""
    if job := find_job(owner_id, day):
        # Its answer is not waited for: the page thread is everybody's.
        registry.stop(job.id, patience=0)
        registry.discard(job.id)
    with write_transaction():
        Opening.objects.filter(owner_id=owner_id, day=day).delete()
        Opening(owner_id=owner_id, day=day, text="", is_dismissed=True).save(force_insert=True)
