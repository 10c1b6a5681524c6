"""The column `provenance` of an entry: where it is from.

A JSON object; every key may be missing, and an entry that was written here has none at all:

    from          name of the app, program or file, one line of at most 80 characters
    import        id of the import that added it, as a UUID
    at            moment of that import
    restored      true where a damaged text was replaced by one from before, so that nobody knows its origin
    was           the origin before its owner said that it is theirs
    mine_at       moment when they said so
    mine_at_once  true if they said it of the whole import
    mine_from     the revision of the text of which they said so, without those before it

It is bound to its entry and not to a text. Whose a text is, its origin says, which the text is bound to: with
another provenance an untrusted text stays untrusted, and no other entry's provenance opens here. But whoever
writes to the database can put back an older provenance of the same entry, or take it away. Then the entry
names another source, or none; "This is mine" can be undone no more or once more; and earlier texts, from
before their owner said that the entry is theirs, count as theirs: in an export to a program, and when their
owner restores one. A digest of the text would not change that, since nothing tells an entry that never had a
provenance from one that lost it. Only an origin of its own for what was claimed would, since origins are
bound.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self
from uuid import UUID

from diary.models import TRUSTED_ORIGINS, Entry, Origin
from llamora.clock.services import get_cutoff
from llamora.fields import new_id
from llamora.source_names import clean_source_name

CLAIM_LIFETIME: Final = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """The source of an entry, and its origin before its owner said that it is theirs."""

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
        """Return what the entries of a new import have in common."""
        return cls(source=clean_source_name(source), import_id=new_id(), imported_at=at)

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Return the value of a column or of an export, whoever wrote it; what is wrong in it is left out."""
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
        """Return where an entry is from; nothing is known if the column is damaged."""
        return cls.from_json(entry.open_or("provenance", None))

    def withdraw_claim(self) -> Self:
        """Return where the entry is from, as before its owner said that it is theirs."""
        return replace(
            self, former_origin=None, claimed_at=None, is_claimed_with_import=False, claimed_revision=None
        )

    def to_json(self) -> dict[str, Any] | None:
        """Return the value of the column."""
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
    """Return whether somebody said in the last thirty days that a text is theirs, which can be undone."""
    return provenance.former_origin is not None and find_undo_end(provenance.claimed_at) is not None


def find_undo_end(claimed_at: datetime | None) -> datetime | None:
    """Return until when "This is mine" of this moment can be undone, or None if it can't be any more."""
    before = get_cutoff(CLAIM_LIFETIME)
    if claimed_at is None or (before is not None and claimed_at < before):
        return None
    return claimed_at + CLAIM_LIFETIME


def get_first_own_revision(entry: Entry) -> int:
    """Return the first revision of an entry that is its owner's, if the entry is: versions before are not."""
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
