"""Groups of notes that were not written here: one for each import, and one for all programs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from diary.entries.queries import get_digest_key
from diary.errors import ObjectNotFound
from diary.notes.queries import NoteLine, list_notes
from llamora.crypto import Keyring, in_force, keyed_digest

# Notes of programs, and of imports from before these had ids.
OTHERS: Final = UUID(int=0)
_REVIEW_LABEL: Final = b"diary.note.review"


@dataclass(kw_only=True)
class NoteGroup:
    """The notes of one import, or of all programs, sorted by path."""

    id: UUID
    source: str = field(default="", repr=False)
    imported_at: datetime | None = None
    lines: list[NoteLine] = field(default_factory=list, repr=False)

    @property
    def waiting(self) -> list[NoteLine]:
        """The notes that are not used until their owner claims them."""
        return [line for line in self.lines if not line.is_used]

    @property
    def claimed_at(self) -> datetime | None:
        """The moment of the latest claim of the whole group, or None if there was no such claim."""
        moments = [
            line.provenance.claimed_at
            for line in self.lines
            if line.is_trusted and line.provenance.is_claimed_with_import and line.provenance.claimed_at
        ]
        return max(moments, default=None)


def list_note_groups(lines: Iterable[NoteLine]) -> list[NoteGroup]:
    """Return the notes that were not written here, in groups.

    There is a group for each import, the latest first, and then one for the notes of programs.
    """
    groups: dict[UUID, NoteGroup] = {}
    for line in lines:
        said = line.provenance
        if line.is_damaged or not (said.import_id or said.former_origin or not line.is_used):
            continue
        id_ = said.import_id or OTHERS
        group = groups.setdefault(id_, NoteGroup(id=id_))
        if id_ != OTHERS:
            group.source, group.imported_at = said.source, said.imported_at
        group.lines.append(line)
    others = groups.pop(OTHERS, None)
    found = sorted(groups.values(), key=lambda group: (str(group.imported_at), group.id), reverse=True)
    return found + ([others] if others else [])


def get_note_group(keyring: Keyring, group_id: UUID) -> NoteGroup:
    """Return one group of `list_note_groups` by its id; raise ObjectNotFound."""
    found = next((group for group in list_note_groups(list_notes(keyring)) if group.id == group_id), None)
    if found is None:
        raise ObjectNotFound
    return found


def compute_note_review(keyring: Keyring, group: NoteGroup) -> str:
    """Return a BLAKE2 digest of those notes of a group that their owner is to review on a page.

    These are the notes in `group.waiting`. The digest changes when one of these notes does.
    """
    with in_force(keyring):
        key = get_digest_key(keyring.owner)
    parts = [line.id.bytes + f"{line.revision} {line.origin}".encode() for line in group.waiting]
    return keyed_digest(key, [_REVIEW_LABEL, group.id.bytes, *sorted(parts)]).hex()
