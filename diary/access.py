"""The one gate to things of the diary: not yours and not there are the same."""

from datetime import date
from uuid import UUID

from diary.errors import NotThere
from diary.models import Draft, Entry, Version
from llamora.database import Prepared


def entry_of(owner_id: UUID, entry_id: UUID) -> Entry:
    """Return a person's entry; raise NotThere."""
    entry = Entry.objects.of(owner_id).filter(id=entry_id).first()
    if entry is None:
        raise NotThere
    return entry


def entry_or_deleted_of(owner_id: UUID, entry_id: UUID) -> Entry:
    """Return a person's entry, also from the bin; raise NotThere."""
    entry = Entry.objects.filter(owner_id=owner_id, id=entry_id).first()
    if entry is None:
        raise NotThere
    return entry


def version_of(owner_id: UUID, version_id: UUID) -> Version:
    """Return an earlier version of a person's entry; raise NotThere."""
    version = Version.objects.filter(owner_id=owner_id, id=version_id).first()
    if version is None:
        raise NotThere
    return version


def draft_of(owner_id: UUID, *, day: date, entry_id: UUID | None = None) -> Draft | None:
    """Return what a person is writing on a day, or in an entry of it."""
    if entry_id is not None:
        return Draft.objects.filter(owner_id=owner_id, entry_id=entry_id).first()
    return next(iter(_draft_on(owner_id=owner_id, day=day)), None)


_draft_on: Prepared[Draft] = Prepared(
    lambda owner_id, day: Draft.objects.filter(owner_id=owner_id, entry=None, day=day)
)


def drafts_on(owner_id: UUID, day: date) -> list[Draft]:
    """Return what a person is writing on a day and in its entries."""
    return _drafts_on(owner_id=owner_id, day=day)


_drafts_on: Prepared[Draft] = Prepared(lambda owner_id, day: Draft.objects.filter(owner_id=owner_id, day=day))


def entries_on(owner_id: UUID, day: date) -> list[Entry]:
    """Return a person's entries of a day, in its order."""
    return _entries_on(owner_id=owner_id, day=day)


_entries_on: Prepared[Entry] = Prepared(lambda owner_id, day: Entry.objects.of(owner_id).on(day))
