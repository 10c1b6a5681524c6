"""Provenance of an entry, sealed in the column of that name: where the entry is from.

A JSON object; every key is optional, and an entry that was written here has no provenance:

    from          name of the app, program or file, one line of at most 80 characters
    import        id of the import that added it, as a UUID
    at            moment of that import
    restored      true if a damaged text was replaced by an earlier one, so that its origin is unknown
    was           the origin before its owner claimed it ("This is mine")
    mine_at       moment of that claim
    mine_at_once  true if the whole import was claimed
    mine_from     the revision of the claimed text; earlier versions are not claimed

A provenance is bound to its entry, not to a text. Trust depends on the origin, which is bound to the text:
another provenance never makes a text trusted, and that of another entry cannot be decrypted here. But whoever
writes to the database can restore an older provenance of the same entry, or delete it. Then the entry names
another source or none, and its claim can be undone again, or cannot be undone. Versions from before the claim
then count as their owner's own: in an export to a program, and when restored. A digest of the text would not
prevent this, since a deleted provenance looks like one that never existed. Only a separate origin for claimed
texts would, since origins are bound to texts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self
from uuid import UUID

from diary.models import TRUSTED_ORIGINS, Entry, Origin
from llamora.clock.services import compute_end, get_cutoff
from llamora.fields import new_id
from llamora.source_names import clean_source_name

CLAIM_LIFETIME: Final = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """The source of an entry, and its origin before its owner claimed it."""

    source: str = field(default="", repr=False)
    import_id: UUID | None = None
    imported_at: datetime | None = None
    is_restored: bool = False
    former_origin: Origin | None = None
    claimed_at: datetime | None = None
    is_claimed_with_import: bool = False
    claimed_revision: int | None = None

    @classmethod
    def create_import(cls, *, source: str, at: datetime) -> Self:
        """Return a provenance with a new import id, for all entries of one import."""
        return cls(source=clean_source_name(source), import_id=new_id(), imported_at=at)

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Return a provenance from JSON that anyone may have written; invalid values are left out."""
        if not value:
            # Nearly all entries have none, and each page and call reads that of every entry it shows.
            return cls()
        row: Mapping[str, Any] = value if isinstance(value, dict) else {}
        source, was, revision = row.get("from"), row.get("was"), row.get("mine_from")
        return cls(
            source=clean_source_name(source) if isinstance(source, str) else "",
            import_id=_parse_uuid(row.get("import")),
            imported_at=_parse_moment(row.get("at")),
            is_restored=row.get("restored") is True,
            # An origin that is trusted was never claimed.
            former_origin=Origin(was) if was in Origin.values and was not in TRUSTED_ORIGINS else None,
            claimed_at=_parse_moment(row.get("mine_at")),
            is_claimed_with_import=row.get("mine_at_once") is True,
            claimed_revision=revision if type(revision) is int and revision > 0 else None,
        )

    @classmethod
    def load(cls, entry: Entry) -> Self:
        """Return the provenance of an entry; an unknown one if the column is damaged."""
        return cls.from_json(entry.open_or("provenance", None))

    def withdraw_claim(self) -> Self:
        """Return the provenance as it was before its owner's claim."""
        return replace(
            self, former_origin=None, claimed_at=None, is_claimed_with_import=False, claimed_revision=None
        )

    def to_json(self) -> dict[str, Any] | None:
        """Return the provenance as JSON for the column."""
        row = {
            "from": self.source,
            "import": str(self.import_id) if self.import_id else None,
            "at": self.imported_at.isoformat() if self.imported_at else None,
            "restored": self.is_restored,
            "was": str(self.former_origin) if self.former_origin else None,
            "mine_at": self.claimed_at.isoformat() if self.claimed_at else None,
            "mine_at_once": self.is_claimed_with_import,
            "mine_from": self.claimed_revision,
        }
        return {key: value for key, value in row.items() if value} or None


def is_claim_recent(provenance: Provenance) -> bool:
    """Return whether a text was claimed in the last thirty days, so that this can be undone."""
    return provenance.former_origin is not None and find_undo_end(provenance.claimed_at) is not None


def find_undo_end(claimed_at: datetime | None) -> datetime | None:
    """Return the moment until which a claim can be undone, or None if it is past or there is no claim."""
    before = get_cutoff(CLAIM_LIFETIME)
    if claimed_at is None or (before is not None and claimed_at < before):
        return None
    return compute_end(claimed_at, CLAIM_LIFETIME)


def get_first_own_revision(entry: Entry) -> int:
    """Return the revision since which the text of a trusted entry is its owner's own.

    That is 0, or the revision that the owner claimed.
    """
    provenance = Provenance.load(entry)
    if provenance.former_origin is None:
        return 0
    return provenance.claimed_revision or entry.revision


def _parse_uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _parse_moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None
