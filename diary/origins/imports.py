"""The imports of a person, collected from the provenance of their entries.

Entries that were imported before imports had ids are one group, with the id `EARLIER`.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.db.models import Q

from diary.entries.queries import get_digest_key
from diary.errors import ObjectNotFound
from diary.models import TRUSTED_ORIGINS, Entry, Origin
from diary.origins.provenance import Provenance
from llamora.crypto import EnvelopeError, current_realm_keyring, keyed_digest
from llamora.fields import SealedFieldError, SealedValue

EARLIER: Final = UUID(int=0)
_CHUNK: Final = 500
_REVIEW_LABEL: Final = b"diary.import.review"


class ShownEntry(NamedTuple):
    """An imported entry as a page showed it, to check later that it is unchanged.

    The revision stands for the text.
    """

    id: UUID
    day: date
    revision: int
    origin: str

    def encode(self) -> bytes:
        """Return the values of this entry as bytes; `compute_review` computes the digest of these bytes."""
        return self.id.bytes + f"{self.day.isoformat()} {self.revision} {self.origin}".encode()


@dataclass(kw_only=True)
class ImportRun:
    """An import: its name, its time, its entries, and how many of these now count as their owner's own."""

    id: UUID
    source: str = field(repr=False)
    imported_at: datetime | None
    # Those in the bin too, by day.
    entry_ids: list[UUID] = field(default_factory=list, repr=False)
    # Each as its page showed it, before it was claimed with the whole import.
    shown: list[ShownEntry] = field(default_factory=list, repr=False)
    own: int = 0
    # Claimed with the whole import, with the latest moment.
    claimed: int = 0
    claimed_at: datetime | None = None


def list_imports(owner_id: UUID) -> list[ImportRun]:
    """Return the imports of a person, the latest first; call inside `in_force` with their keyring."""
    runs: dict[UUID, ImportRun] = {}
    for shown, provenance in _iter_imported(owner_id):
        run_id = provenance.import_id or EARLIER
        run = runs.get(run_id)
        if run is None:
            run = runs[run_id] = ImportRun(
                id=run_id, source=provenance.source, imported_at=provenance.imported_at
            )
        is_own = shown.origin in TRUSTED_ORIGINS
        run.entry_ids.append(shown.id)
        run.own += is_own
        if is_own and provenance.is_claimed_with_import and provenance.claimed_at:
            run.claimed += 1
            run.claimed_at = max(run.claimed_at or provenance.claimed_at, provenance.claimed_at)
        run.shown.append(_undo_claim(shown, provenance))
    dated = [run for run in runs.values() if run.imported_at]
    undated = [run for run in runs.values() if not run.imported_at]
    return sorted(dated, key=lambda run: str(run.imported_at), reverse=True) + undated


def _undo_claim(shown: ShownEntry, provenance: Provenance) -> ShownEntry:
    """Return an entry as it was before it was claimed with its whole import; unchanged if it was not."""
    if shown.origin not in TRUSTED_ORIGINS or not provenance.is_claimed_with_import:
        return shown
    return shown._replace(
        revision=provenance.claimed_revision or shown.revision,
        origin=provenance.former_origin or shown.origin,
    )


def get_import(owner_id: UUID, import_id: UUID) -> ImportRun:
    """Return an import of a person; raise ObjectNotFound. Call inside `in_force` with their keyring."""
    found = next((run for run in list_imports(owner_id) if run.id == import_id), None)
    if found is None:
        raise ObjectNotFound
    return found


def compute_review(owner_id: UUID, run: ImportRun) -> str:
    """Return a BLAKE2 digest of the entries of an import that a person reviews on a page.

    By the digest, a claim notices that entries have changed since then. The digest stays the same while
    entries are claimed with the whole import. Needs the owner's keyring in force.
    """
    parts = [_REVIEW_LABEL, run.id.bytes, *(entry.encode() for entry in run.shown)]
    return keyed_digest(get_digest_key(owner_id), parts).hex()


def _iter_imported(owner_id: UUID) -> Iterator[tuple[ShownEntry, Provenance]]:
    """Yield the entries that an import added, by day, each with its provenance.

    Plain values are loaded: model instances take five times as long, and there may be 50,000 entries.
    """
    keyring, column = current_realm_keyring(), Entry._meta.get_field("provenance")
    found = Entry.objects.filter(owner_id=owner_id).filter(
        Q(provenance__isnull=False) | Q(origin=Origin.IMPORTED)
    )
    rows = found.order_by("day", "created_at", "id").values_list(
        "id", "day", "revision", "origin", "provenance"
    )
    for entry_id, day, revision, origin, sealed in rows.iterator(chunk_size=_CHUNK):
        provenance = Provenance()
        if isinstance(sealed, SealedValue):
            with suppress(EnvelopeError, SealedFieldError):
                opened = column.unseal(keyring, sealed.envelope, {"id": entry_id, "owner_id": owner_id})
                provenance = Provenance.from_json(column.decode(opened))
        is_imported = Origin.IMPORTED in (origin, provenance.former_origin)
        if is_imported and not provenance.is_restored:
            yield ShownEntry(entry_id, day, revision, origin), provenance
