"""Starting, stopping and deleting look-backs on a week or a month.

Call these functions inside `in_force`, which makes the owner's keys available.
`delete_derived_from` needs no keys.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import Person
from diary.errors import get_first_or_404
from diary.generation.prompt_record import PromptRecord, find_read_realms
from diary.generation.unique_jobs import get_or_start_job
from diary.hooks import ExportRule
from diary.models import Entry
from llamora.crypto import EnvelopeError, Keyring, VaultLocked, current_realm_keyring
from llamora.database import write_transaction
from llamora.fields import new_id
from llamora.inference import model_server
from llamora.inference.job import Job
from llamora.inference.registry import registry
from search.look_backs.day_texts import load_days
from search.look_backs.errors import NoLookBackModel, NothingToLookBackOn
from search.look_backs.periods import Period
from search.look_backs.tasks import LookBackTask
from search.models import LookBack


def start_look_back(person: Person, period: Period, *, keyring: Keyring) -> Job:
    """Start a look-back, or return the one in progress for this week or month.

    Raise NothingToLookBackOn, or NoLookBackModel.
    """
    # Facts are read by a model on this machine alone.
    host = model_server.get_status().host
    found = load_days(person, period, with_facts=not host)
    if not found.days:
        raise NothingToLookBackOn(found.not_read)
    status = model_server.check_again()
    if status.is_missing:
        raise NoLookBackModel(status.code)
    job = get_or_start_job(
        LookBackTask,
        period,
        lambda: LookBackTask(
            id=new_id(),
            owner_id=person.id,
            period=period,
            found=found,
            language=person.language,
            record=PromptRecord(not_read=found.not_read),
        ),
        person=person,
        keyring=keyring,
        is_requested=True,
        allow_repeat=True,
        starts_without_model=True,
        gathered_for=host,
    )
    if job is None:
        # No event loop runs: the server is stopping.
        raise NoLookBackModel("off")
    registry.wait_for_row(job.id)
    return job


def get_look_back(owner_id: UUID, look_back_id: UUID) -> LookBack:
    """Return a person's look-back; raise ObjectNotFound."""
    return get_first_or_404(LookBack.objects.filter(owner_id=owner_id, id=look_back_id))


def delete_look_back(row: LookBack) -> None:
    """Stop and delete a look-back."""
    registry.stop(row.id)
    with write_transaction():
        LookBack.objects.filter(id=row.id).delete()
    registry.discard(row.id)


def delete_derived_from(entry: Entry) -> None:
    """Delete the look-backs that may quote an entry, before it is deleted for good. This needs no key.

    Those are look-backs on its day and on the day on which it was first written. If it was moved, they are
    also all that read it, or that can't be decrypted to find out.
    """
    of_owner = LookBack.objects.filter(owner_id=entry.owner_id)
    _filter_days(of_owner, {entry.day, entry.first_day or entry.day}).delete()
    if entry.first_day is not None:
        ids = [row.id for row in of_owner if _may_have_read(row, entry.id)]
        LookBack.objects.filter(id__in=ids).delete()


def _filter_days(rows: QuerySet[LookBack], of_days: Iterable[date]) -> QuerySet[LookBack]:
    is_about = Q()
    for day in of_days:
        earliest = date.fromordinal(max(1, day.toordinal() - 6))
        is_about |= Q(span="week", first_day__gte=earliest, first_day__lte=day)
        is_about |= Q(span="month", first_day=day.replace(day=1))
    return rows.filter(is_about)


def _may_have_read(row: LookBack, entry_id: UUID) -> bool:
    try:
        body: Any = row.body
    except (EnvelopeError, VaultLocked):
        return True
    record = PromptRecord.from_json(body.get("read") if isinstance(body, dict) else None)
    return record is None or entry_id in record.source_ids


def build_export_rule(owner_id: UUID, own_ids: frozenset[UUID]) -> ExportRule:
    """Return the function that selects look-backs for an export limited to the owner's own texts."""
    del owner_id
    keyring = current_realm_keyring()

    def is_clean(row: LookBack, entry: Entry | None) -> bool:
        del entry
        opened: Any = row.open_or("body", None)
        body = opened if isinstance(opened, dict) else {}
        text, record = str(body.get("text", "")), PromptRecord.from_json(body.get("read"))
        if record is None or not record.is_clean(text):
            return False
        has_keys = keyring.has_realms(find_read_realms(body.get("read"), text))
        return has_keys and record.source_ids <= own_ids

    return is_clean
