"""This is mine: a person says that an entry, or a whole import, is their own text.

The text is sealed again with the new origin, since it is bound to it. What the origin was is stored beside
it, so that this can be undone for thirty days. A damaged text stays as it is.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from diary.entries.queries import get_entry
from diary.models import Entry, Origin, Recap
from diary.origins.imports import get_import
from diary.origins.provenance import Provenance
from llamora.clock.services import get_cutoff
from llamora.crypto import EnvelopeError, WrongEpoch
from llamora.database import write_transaction

CLAIM_LIFETIME: Final = timedelta(days=30)
# A save of the person waits for the current batch.
_BATCH_SIZE: Final = 100


def claim_entry(*, owner_id: UUID, entry_id: UUID) -> Entry:
    """Make an entry its owner's own; raise ObjectNotFound, or EnvelopeError if its text is damaged."""
    with write_transaction():
        entry = get_entry(owner_id, entry_id)
        if not entry.is_trusted:
            _claim(entry, is_with_import=False)
            _delete_recaps(owner_id, [entry.day])
    return entry


def unclaim_entry(*, owner_id: UUID, entry_id: UUID) -> Entry:
    """Give an entry the origin that it had before its owner said that it is theirs; raise as `claim_entry`.

    After thirty days nothing changes.
    """
    with write_transaction():
        entry = get_entry(owner_id, entry_id)
        if can_be_unclaimed(entry):
            _unclaim(entry)
            _delete_recaps(owner_id, [entry.day])
    return entry


def can_be_unclaimed(entry: Entry) -> bool:
    """Return whether an entry's owner said in the last thirty days that it is theirs."""
    return entry.is_trusted and _is_recent(Provenance.load(entry))


def _is_recent(provenance: Provenance) -> bool:
    before = get_cutoff(CLAIM_LIFETIME)
    if provenance.former_origin is None or provenance.claimed_at is None:
        return False
    return before is None or provenance.claimed_at >= before


def _claim(entry: Entry, *, is_with_import: bool) -> None:
    provenance = replace(
        Provenance.load(entry),
        former_origin=Origin(entry.origin),
        claimed_at=timezone.now(),
        is_claimed_with_import=is_with_import,
        claimed_revision=entry.revision,
    )
    _save(entry, Origin.OWN, provenance)


def _unclaim(entry: Entry) -> None:
    provenance = Provenance.load(entry)
    _save(entry, provenance.former_origin or Origin.IMPORTED, provenance.withdraw_claim())


def _save(entry: Entry, origin: Origin, provenance: Provenance) -> None:
    entry.origin, entry.provenance = origin, provenance.to_json()
    entry.save(update_fields=["text", "origin", "provenance"])


def _delete_recaps(owner_id: UUID, days: Iterable[date]) -> None:
    """Delete the recaps of these days, which were made of the texts that were trusted then."""
    Recap.objects.filter(owner_id=owner_id, day__in=set(days)).delete()


# --- Whole imports ---------------------------------------------------------------------------------------


def claim_import(*, owner_id: UUID, import_id: UUID) -> int:
    """Make the entries of an import their owner's own, and return how many; raise ObjectNotFound.

    In batches, each in one transaction: what was not reached when it is interrupted can be claimed again.
    """
    ids = get_import(owner_id, import_id).entry_ids
    return _change_all(
        owner_id,
        ids,
        is_wanted=lambda entry: not entry.is_trusted,
        change=lambda entry: _claim(entry, is_with_import=True),
    )


def unclaim_import(*, owner_id: UUID, import_id: UUID) -> int:
    """Undo `claim_import` for the entries for which it was called in the last thirty days.

    What their owner said of a single entry stays. Return how many were changed; raise ObjectNotFound.
    """
    ids = get_import(owner_id, import_id).entry_ids
    return _change_all(owner_id, ids, is_wanted=can_be_unclaimed_with_import, change=_unclaim)


def can_be_unclaimed_with_import(entry: Entry) -> bool:
    """Return whether the whole import of an entry was claimed in the last thirty days."""
    return Provenance.load(entry).is_claimed_with_import and can_be_unclaimed(entry)


def _change_all(
    owner_id: UUID,
    ids: Sequence[UUID],
    *,
    is_wanted: Callable[[Entry], bool],
    change: Callable[[Entry], None],
) -> int:
    count = 0
    for start in range(0, len(ids), _BATCH_SIZE):
        with write_transaction():
            entries = Entry.objects.filter(owner_id=owner_id, id__in=ids[start : start + _BATCH_SIZE])
            changed = [entry for entry in entries if is_wanted(entry) and _is_readable(entry)]
            for entry in changed:
                change(entry)
            _delete_recaps(owner_id, [entry.day for entry in changed])
            count += len(changed)
    return count


def _is_readable(entry: Entry) -> bool:
    """Return whether a text opens; a save that fails would undo those of the whole transaction."""
    try:
        return entry.text is not None
    except WrongEpoch:
        raise
    except EnvelopeError:
        return False
