"""Claims of entries ("This is mine"): a person says that an entry or a whole import is their own text.

The text is sealed again with the new origin, to which it is bound. The former origin is stored in the
provenance, so that the claim can be undone for thirty days. A damaged text stays as it is.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from hmac import compare_digest
from typing import Final
from uuid import UUID

from django.utils import timezone

from diary.entries.queries import get_entry
from diary.errors import ImportChanged, ObjectNotFound
from diary.models import Entry, ImportClaim, Origin, Recap
from diary.origins.imports import ImportRun, compute_review, get_import
from diary.origins.provenance import Provenance, is_claim_recent
from llamora.crypto import EnvelopeError, WrongEpoch
from llamora.database import write_transaction

# A save of the person waits for the current batch.
_BATCH_SIZE: Final = 10
# About a second.
MOST_AT_ONCE: Final = 500
_log = logging.getLogger(__name__)


def claim_entry(*, owner_id: UUID, entry_id: UUID) -> Entry:
    """Mark an entry as its owner's own; raise ObjectNotFound, or EnvelopeError if its text is damaged."""
    with write_transaction():
        entry = get_entry(owner_id, entry_id)
        if not entry.is_trusted:
            _claim(entry, is_with_import=False)
            _delete_recaps(owner_id, [entry.day])
    return entry


def unclaim_entry(*, owner_id: UUID, entry_id: UUID) -> Entry:
    """Undo the claim of an entry: give the entry the origin that it had before.

    After thirty days nothing changes. The errors are those of `claim_entry`.
    """
    with write_transaction():
        entry = get_entry(owner_id, entry_id)
        if can_be_unclaimed(entry):
            _unclaim(entry)
            _delete_recaps(owner_id, [entry.day])
    return entry


def can_be_unclaimed(entry: Entry) -> bool:
    """Return whether an entry was claimed in the last thirty days."""
    return entry.is_trusted and is_claim_recent(Provenance.load(entry))


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
    """Delete the recaps of these days: a recap reads only trusted texts, and these have just changed."""
    Recap.objects.filter(owner_id=owner_id, day__in=set(days)).delete()


# --- Whole imports ---------------------------------------------------------------------------------------


def claim_import(*, owner_id: UUID, import_id: UUID, review: str) -> int | None:
    """Mark the entries of an import as their owner's own, and return how many were changed.

    `review` is the digest that `compute_review` returned when the import was shown. For a large import, only
    save the claim and return None: `continue_claims` changes the entries. Raise ObjectNotFound, or
    ImportChanged if the import is not the same now; then nothing is changed.
    """
    run = get_import(owner_id, import_id)
    if not compare_digest(compute_review(owner_id, run).encode(), review.encode("utf-8", "replace")):
        raise ImportChanged
    claim = ImportClaim(owner_id=owner_id, body={"import": str(import_id), "review": review})
    with write_transaction():
        _delete_claims(owner_id, import_id)
        claim.save(force_insert=True)
    if len(run.entry_ids) > MOST_AT_ONCE:
        return None
    return _continue_claim(claim, run, is_stopped=lambda: False)


def continue_claims(owner_id: UUID, *, is_stopped: Callable[[], bool]) -> int:
    """Continue each claim of an import that is not complete; call inside `in_force` with the owner's keyring.

    Return how many entries were changed. If an import has changed since its owner saw it, only its claim is
    deleted. An entry that is edited while a claim is being applied is left as it is.
    """
    count = 0
    for claim in ImportClaim.objects.filter(owner_id=owner_id).order_by("id"):
        run = _find_claimed_run(claim)
        if run is None:
            # The claim cannot be continued; the page of the import shows the entries that are left.
            _log.warning("An import is not what its owner saw when they said that it is theirs: %s", owner_id)
            with write_transaction():
                claim.delete()
            continue
        count += _continue_claim(claim, run, is_stopped=is_stopped)
    return count


def has_claims(owner_id: UUID) -> bool:
    """Return whether a person has unfinished claims: claimed imports with entries not updated yet."""
    return ImportClaim.objects.filter(owner_id=owner_id).exists()


def list_claimed_imports(owner_id: UUID) -> set[UUID]:
    """Return the ids of a person's claimed imports in which some entries are not updated yet.

    Call inside `in_force` with the person's keyring.
    """
    return {found for claim in ImportClaim.objects.filter(owner_id=owner_id) if (found := _get_id(claim))}


def _get_id(claim: ImportClaim) -> UUID | None:
    body = claim.open_or("body", None)
    try:
        return UUID(body["import"]) if isinstance(body, dict) else None
    except (KeyError, ValueError, AttributeError):
        return None


def _find_claimed_run(claim: ImportClaim) -> ImportRun | None:
    """Return the import of a claim, or None if the import is gone or has changed since its owner saw it."""
    import_id = _get_id(claim)
    if import_id is None:
        return None
    try:
        run = get_import(claim.owner_id, import_id)
    except ObjectNotFound:
        return None
    return run if compute_review(claim.owner_id, run) == claim.body.get("review") else None


def _delete_claims(owner_id: UUID, import_id: UUID) -> None:
    for claim in ImportClaim.objects.filter(owner_id=owner_id):
        if _get_id(claim) in (None, import_id):
            claim.delete()


def _continue_claim(claim: ImportClaim, run: ImportRun, *, is_stopped: Callable[[], bool]) -> int:
    """Claim the rest of an import in batches, each in one transaction; return how many entries were changed.

    Stop if `is_stopped` returns True, or if the row of the claim was deleted meanwhile. At the end, delete
    it.
    """
    seen = {entry.id: entry.revision for entry in run.shown}
    count = 0
    for ids in _iter_batches(run.entry_ids):
        if is_stopped():
            return count
        with write_transaction():
            if not ImportClaim.objects.filter(id=claim.id).exists():
                return count
            count += _change_batch(
                claim.owner_id,
                ids,
                is_wanted=lambda entry: not entry.is_trusted and entry.revision == seen[entry.id],
                change=lambda entry: _claim(entry, is_with_import=True),
            )
    with write_transaction():
        ImportClaim.objects.filter(id=claim.id).delete()
    return count


def unclaim_import(*, owner_id: UUID, import_id: UUID) -> int:
    """Undo `claim_import` for the entries claimed with it in the last thirty days.

    Entries that were claimed one by one stay claimed. Return how many were changed; raise ObjectNotFound.
    """
    with write_transaction():
        _delete_claims(owner_id, import_id)
    ids = get_import(owner_id, import_id).entry_ids
    count = 0
    for batch in _iter_batches(ids):
        with write_transaction():
            count += _change_batch(owner_id, batch, is_wanted=can_be_unclaimed_with_import, change=_unclaim)
    return count


def can_be_unclaimed_with_import(entry: Entry) -> bool:
    """Return whether an entry was claimed together with its whole import in the last thirty days."""
    return Provenance.load(entry).is_claimed_with_import and can_be_unclaimed(entry)


def _iter_batches(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    return (ids[start : start + _BATCH_SIZE] for start in range(0, len(ids), _BATCH_SIZE))


def _change_batch(
    owner_id: UUID,
    ids: Sequence[UUID],
    *,
    is_wanted: Callable[[Entry], bool],
    change: Callable[[Entry], None],
) -> int:
    entries = Entry.objects.filter(owner_id=owner_id, id__in=ids)
    changed = [entry for entry in entries if is_wanted(entry) and _is_readable(entry)]
    for entry in changed:
        change(entry)
    _delete_recaps(owner_id, [entry.day for entry in changed])
    return len(changed)


def _is_readable(entry: Entry) -> bool:
    """Return whether a text can be decrypted: saving a damaged one fails, and would undo the whole batch."""
    try:
        return entry.text is not None
    except WrongEpoch:
        raise
    except EnvelopeError:
        return False
