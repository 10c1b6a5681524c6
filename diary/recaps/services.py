"""Recaps of days: a valid recap is loaded; if there is none, a background job generates one.

Call these functions inside `in_force`, which makes the owner's keys available.
`delete_recap` needs no keys.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from accounts.models import Person
from diary.entries.queries import get_digest_key
from diary.generation.prompt_context import PromptEntry
from diary.generation.prompt_entries import build_prompt_entries
from diary.generation.prompt_record import load_author
from diary.generation.unique_jobs import get_or_start_job
from diary.models import TRUSTED_ORIGINS, Entry, Recap
from diary.recaps.tasks import RecapTask, list_read_entries
from llamora.crypto import EnvelopeError, Keyring, keyed_digest
from llamora.fields import new_id
from llamora.inference.job import Author, Job


class SavedRecap(NamedTuple):
    """The recap of a day, its author, and whether it was generated from trusted texts alone."""

    text: str
    author: Author
    is_clean: bool


def compute_digest(key: bytes, day: date, entries: Sequence[PromptEntry]) -> str:
    """Return a BLAKE2 digest of a day's entries, which changes when one of the entries does."""
    parts = (part for entry in entries for part in (str(entry.id).encode(), entry.text.encode()))
    return keyed_digest(key, [day.isoformat().encode(), *parts]).hex()


def find_recap(owner_id: UUID, day: date, *, digest: str) -> SavedRecap | None:
    """Return the recap of a day if it was generated from the present entries, else None.

    `digest` is the BLAKE2 digest of the present entries.
    """
    row = Recap.objects.filter(owner_id=owner_id, day=day).first()
    if row is None:
        return None
    try:
        body = row.body
    except EnvelopeError:
        return None
    if body["digest"] != digest:
        return None
    return SavedRecap(str(body["text"]), load_author(body.get("author")), body.get("clean") is True)


def get_or_start_recap(
    person: Person, day: date, *, keyring: Keyring, is_requested: bool = False, retry_failed: bool = False
) -> SavedRecap | Job | None:
    """Return a past day's recap, or else the job that generates it.

    Return None if no job can be started now, or if the day has no entries to read. `is_requested` if the
    person explicitly asked for it; `retry_failed` to repeat a recently failed job.
    """
    entries = build_prompt_entries(list_read_entries(person.id, day), zone=person.time_zone)
    if not entries:
        return None
    digest = compute_digest(get_digest_key(person.id), day, entries)
    if recap := find_recap(person.id, day, digest=digest):
        return recap
    job = get_or_start_job(
        RecapTask,
        (day, digest),
        lambda: RecapTask(id=new_id(), owner_id=person.id, day=day, entries=entries, digest=digest),
        person=person,
        keyring=keyring,
        is_requested=is_requested,
        allow_repeat=retry_failed,
        is_background=True,
    )
    if job is not None and job.is_over:
        # It may have saved the recap after it was looked for.
        return find_recap(person.id, day, digest=digest) or job
    return job


def count_not_read(owner_id: UUID, day: date) -> int:
    """Return how many entries of a day its recap leaves out because their owner did not write them."""
    return Entry.objects.for_owner(owner_id).filter(day=day).exclude(origin__in=TRUSTED_ORIGINS).count()


def delete_recap(*, owner_id: UUID, day: date) -> None:
    """Delete the recap of a day: it may quote an entry that is being deleted for good."""
    Recap.objects.filter(owner_id=owner_id, day=day).delete()
