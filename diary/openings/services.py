"""Openings: made once for a day, dismissed, made again, switched off. Needs the owner's keyring in force."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from uuid import UUID

from accounts.models import Person
from diary.beside import labels_of
from diary.digests import digest_key
from diary.made import Opening, Preferences
from diary.models import Entry
from diary.openings.errand import OpeningErrand, Told, both_ends
from diary.pieces import pieces_of
from diary.recaps.services import digest_of, kept, recap_of
from diary.replies.context import Piece
from llamora.crypto import EnvelopeError, Keyring
from llamora.database import writing
from llamora.fields import new_id
from llamora.inference import endpoint
from llamora.inference.jobs import Job, NotServing, own_keyring, registry

LATEST = 3  # written days that are read
MOST_OF_LATEST = 4_000  # characters of each entry of the latest day
MOST_OF_OTHERS = 600  # and of each on the days before it
_asking = threading.Lock()


def are_wanted(owner_id: UUID) -> bool:
    """Return whether a person wants their days opened."""
    row = Preferences.objects.filter(owner_id=owner_id).first()
    return row is None or row.makes_openings


def want(owner_id: UUID, *, wanted: bool) -> None:
    """Switch openings on or off; those that are there stay."""
    with writing():
        Preferences.objects.update_or_create(owner_id=owner_id, defaults={"makes_openings": wanted})


def job_of(owner_id: UUID, day: date) -> Job | None:
    """Return the job that opens a day, under way or ended in the last minutes; the latest one."""
    jobs = registry.of(owner_id)
    return next((job for job in reversed(jobs) if _opens(job, day)), None)


def _opens(job: Job, day: date) -> bool:
    return isinstance(job.errand, OpeningErrand) and job.errand.day == day


def opened(person: Person, day: date, *, keyring: Keyring, again: bool = False) -> Job | None:
    """Have a day opened; None where it is open already, or there is nothing or nobody to open it with.

    `again` makes another in the place of one that is there, or that came to nothing a moment ago.
    """
    with _asking:
        job = job_of(person.id, day)
        if job is not None and (not job.is_over or not again):
            return job
        row = Opening.objects.filter(owner_id=person.id, day=day)
        status = endpoint.status()
        if not status.is_ready or (not again and (status.remote or row.exists())):
            return None
        errand = _errand(person, day, standing=_words_of(row.first()))
        if not errand.told or (started := _started(errand, keyring=keyring, before=job)) is None:
            return None
    _put_in_short(person, errand.told, keyring=keyring)
    return started


def _started(errand: OpeningErrand, *, keyring: Keyring, before: Job | None) -> Job | None:
    if before is not None:
        registry.forget(before.id)
    try:
        model = Person.objects.model_of(errand.owner_id)
        return registry.start(errand, keyring=own_keyring(keyring), model=model)
    except NotServing:
        return None


def _put_in_short(person: Person, told: Sequence[Told], *, keyring: Keyring) -> None:
    """Have the latest day's recap made, patiently, where the next opening would have to cut that day."""
    latest = told[-1].day
    if any(len(one.text) > MOST_OF_OTHERS for one in told if one.day == latest):
        recap_of(person, latest, keyring=keyring)


def _words_of(row: Opening | None) -> str:
    try:
        return str(row.text) if row is not None else ""
    except EnvelopeError:
        return ""


def _errand(person: Person, day: date, *, standing: str) -> OpeningErrand:
    written = Entry.objects.of(person.id).filter(day__lt=day).order_by("-day")
    found = list(written.values_list("day", flat=True).distinct()[: LATEST + 1])
    told = tuple(_told(person, day, sorted(found[:LATEST])))
    is_new = len(found) <= LATEST
    return OpeningErrand(
        id=new_id(), owner_id=person.id, day=day, told=told, is_new=is_new, standing=standing
    )


def _told(person: Person, day: date, before: Sequence[date]) -> Iterator[Told]:
    by_day: dict[date, list[Entry]] = defaultdict(list)
    entries = Entry.objects.of(person.id).filter(day__in=before)
    rows = list(entries.order_by("day", "created_at", "id"))
    for entry in rows:
        by_day[entry.day].append(entry)
    labels = labels_of(rows)
    key = digest_key(person.id) if before else b""
    for there in before:
        pieces = pieces_of(by_day[there], zone=person.time_zone)
        if there == before[-1]:
            yield from _entries(there, day, pieces, most=MOST_OF_LATEST, labels=labels)
        elif recap := kept(person.id, there, digest=digest_of(key, there, pieces)):
            named = dict.fromkeys(name for entry in by_day[there] for name in labels.get(entry.id, ()))
            yield Told(
                day=there,
                ago=(day - there).days,
                text=recap,
                recapped=tuple(piece.id for piece in pieces if piece.id),
                labels=tuple(named),
            )
        else:
            yield from _entries(there, day, pieces, most=MOST_OF_OTHERS, labels=labels)


def _entries(
    there: date, day: date, pieces: Sequence[Piece], *, most: int, labels: Mapping[UUID, Sequence[str]]
) -> Iterator[Told]:
    for piece in pieces:
        text = both_ends(piece.text, most=most)
        is_cut = text != piece.text
        named = tuple(labels.get(piece.id, ())) if piece.id else ()
        yield Told(day=there, ago=(day - there).days, text=text, id=piece.id, is_cut=is_cut, labels=named)


def dismiss(owner_id: UUID, day: date) -> None:
    """Let go of a day's opening and of its words; no other is made for that day by itself."""
    if job := job_of(owner_id, day):
        # Its answer is not waited for: the page thread is everybody's.
        registry.stop(job.id, patience=0)
        registry.forget(job.id)
    with writing():
        Opening.objects.filter(owner_id=owner_id, day=day).delete()
        Opening(owner_id=owner_id, day=day, text="", is_dismissed=True).save(force_insert=True)
