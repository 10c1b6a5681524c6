"""Generating, replacing and dismissing the opening of a day, the text at the top of its page.

Call these functions inside `in_force`, which makes the owner's keys available.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from uuid import UUID

from accounts.models import Person
from diary.entries.queries import get_digest_key
from diary.generation.prompt_entries import build_prompt_entries, omit_middle
from diary.generation.prompt_record import PromptRecord
from diary.generation.unique_jobs import find_job, get_or_start_job
from diary.hooks import get_labels
from diary.models import TRUSTED_ORIGINS, Entry, Opening
from diary.openings.tasks import OpeningSource, OpeningTask
from diary.recaps.services import SavedRecap, compute_digest, find_recap, get_or_start_recap
from llamora.crypto import EnvelopeError, Keyring
from llamora.database import write_transaction
from llamora.fields import new_id
from llamora.inference.job import Job
from llamora.inference.registry import registry

DAYS_READ = 3  # days with entries
MAX_CHARACTERS_LATEST_DAY = 4_000  # of each entry
MAX_CHARACTERS_EARLIER_DAYS = 600  # of each entry


def get_opening_job(day: date) -> Job | None:
    """Return the latest job that writes the opening of a day, running or ended in the last minutes."""
    return find_job(OpeningTask, day)


def start_opening(person: Person, day: date, *, keyring: Keyring, is_replacement: bool = False) -> Job | None:
    """Start a job that writes the opening of a day, and return the job.

    If a job writes it already, return that job. Return None if the day has an opening (also a dismissed one),
    if there is no earlier entry, or if no job can be started. With `is_replacement`, the person asked for
    another opening in place of the present one or of one that failed.
    """
    task: OpeningTask | None = None

    def build_task() -> OpeningTask | None:
        nonlocal task
        row = Opening.objects.filter(owner_id=person.id, day=day).first()
        if row is None or is_replacement:
            task = _build_task(person, day, replaced_text=_load_text(row))
        return task if task and task.sources else None

    job = get_or_start_job(
        OpeningTask,
        day,
        build_task,
        person=person,
        keyring=keyring,
        is_requested=is_replacement,
        allow_repeat=is_replacement,
    )
    if job is not None and task is not None and job.task is task:
        _start_recap(person, task.sources, keyring=keyring)
    return job


def dismiss(owner_id: UUID, day: date) -> None:
    """Dismiss the opening of a day; another is generated for that day only on request."""
    if job := get_opening_job(day):
        # Not waited for: this thread also serves the pages of others.
        registry.stop(job.id, patience=0)
        registry.discard(job.id)
    with write_transaction():
        Opening.objects.filter(owner_id=owner_id, day=day).delete()
        Opening(owner_id=owner_id, day=day, text="", is_dismissed=True).save(force_insert=True)


def _start_recap(person: Person, sources: Sequence[OpeningSource], *, keyring: Keyring) -> None:
    """Start a recap of the latest day if the next opening would otherwise have to shorten its entries."""
    latest = sources[-1].day
    if any(len(one.text) > MAX_CHARACTERS_EARLIER_DAYS for one in sources if one.day == latest):
        get_or_start_recap(person, latest, keyring=keyring)


def _build_task(person: Person, day: date, *, replaced_text: str) -> OpeningTask:
    before = Entry.objects.for_owner(person.id).filter(day__lt=day).order_by("-day")
    latest_days = list(before.only_trusted().values_list("day", flat=True).distinct()[: DAYS_READ + 1])
    others = before.exclude(origin__in=TRUSTED_ORIGINS)
    not_read = others.filter(day__gte=min(latest_days[:DAYS_READ])).count() if latest_days else 0
    return OpeningTask(
        id=new_id(),
        owner_id=person.id,
        day=day,
        sources=tuple(_collect_sources(person, day, sorted(latest_days[:DAYS_READ]))),
        is_diary_new=len(latest_days) <= DAYS_READ,
        replaced_text=replaced_text,
        record=PromptRecord(not_read=not_read),
    )


def _collect_sources(person: Person, day: date, days_read: Sequence[date]) -> Iterator[OpeningSource]:
    """Yield the sources of an opening: the whole latest day, and recaps or short entries of earlier days."""
    by_day: dict[date, list[Entry]] = defaultdict(list)
    entries = Entry.objects.for_owner(person.id).only_trusted().filter(day__in=days_read)
    rows = list(entries.order_by("day", "created_at", "id"))
    for entry in rows:
        by_day[entry.day].append(entry)
    labels = get_labels(rows)
    key = get_digest_key(person.id) if days_read else b""
    for source_day in days_read:
        day_entries = build_prompt_entries(by_day[source_day], zone=person.time_zone)
        ago = (day - source_day).days
        if source_day == days_read[-1]:
            limit = MAX_CHARACTERS_LATEST_DAY
        elif recap := _find_clean_recap(
            person.id, source_day, digest=compute_digest(key, source_day, day_entries)
        ):
            names = dict.fromkeys(name for entry in by_day[source_day] for name in labels.get(entry.id, ()))
            yield OpeningSource(
                day=source_day,
                ago=ago,
                text=recap.text,
                recapped=tuple(entry.id for entry in day_entries if entry.id),
                labels=tuple(names),
            )
            continue
        else:
            limit = MAX_CHARACTERS_EARLIER_DAYS
        for prompt_entry in day_entries:
            text = omit_middle(prompt_entry.text, limit=limit)
            yield OpeningSource(
                day=source_day,
                ago=ago,
                text=text,
                id=prompt_entry.id,
                is_cut=text != prompt_entry.text,
                labels=tuple(labels.get(prompt_entry.id, ())) if prompt_entry.id else (),
            )


def _find_clean_recap(owner_id: UUID, day: date, *, digest: str) -> SavedRecap | None:
    recap = find_recap(owner_id, day, digest=digest)
    return recap if recap is not None and recap.is_clean else None


def _load_text(row: Opening | None) -> str:
    try:
        return str(row.text) if row is not None else ""
    except EnvelopeError:
        return ""
