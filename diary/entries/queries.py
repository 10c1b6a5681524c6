"""Queries that find the entries, drafts and versions of one person by id or day.

A further function, `get_digest_key`, returns the key with which digests of that person's texts are computed.
A row of another person is treated like a row that does not exist. The digest key is the same under every
epoch of the person's data key.
"""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from accounts.models import Vault
from diary.errors import get_first_or_404
from diary.models import Draft, Entry, Version
from llamora.crypto import current_realm_keyring
from llamora.database import CachedQuery
from llamora.database.lookups import build_owner_condition
from llamora.fields.rows import RowReader


def get_entry(owner_id: UUID, entry_id: UUID) -> Entry:
    """Return a person's entry; raise ObjectNotFound."""
    return get_first_or_404(Entry.objects.for_owner(owner_id).filter(id=entry_id))


def get_entry_or_deleted(owner_id: UUID, entry_id: UUID) -> Entry:
    """Return a person's entry, even if it is in the bin; raise ObjectNotFound."""
    return get_first_or_404(Entry.objects.filter(owner_id=owner_id, id=entry_id))


def get_version(owner_id: UUID, version_id: UUID) -> Version:
    """Return an earlier version of a person's entry; raise ObjectNotFound."""
    return get_first_or_404(Version.objects.filter(owner_id=owner_id, id=version_id))


def find_draft(owner_id: UUID, *, day: date, entry_id: UUID | None = None) -> Draft | None:
    """Return the draft of a new entry on a day, or with `entry_id` the draft of an edit of that entry."""
    if entry_id is not None:
        return Draft.objects.filter(owner_id=owner_id, entry_id=entry_id).first()
    return next(iter(_day_draft_query(owner_id=owner_id, day=day)), None)


_day_draft_query: CachedQuery[Draft] = CachedQuery(
    lambda owner_id, day: Draft.objects.filter(owner_id=owner_id, entry=None, day=day)
)


def list_drafts(owner_id: UUID, day: date) -> list[Draft]:
    """Return the drafts of a day: that of a new entry, and those of edits of entries."""
    return _day_drafts_query(owner_id=owner_id, day=day)


_day_drafts_query: CachedQuery[Draft] = CachedQuery(
    lambda owner_id, day: Draft.objects.filter(owner_id=owner_id, day=day)
)


def list_entries(owner_id: UUID, day: date) -> list[Entry]:
    """Return a person's entries of a day, in the order they were written."""
    return _day_entries_query(owner_id=owner_id, day=day)


_day_entries_query: CachedQuery[Entry] = CachedQuery(
    lambda owner_id, day: Entry.objects.for_owner(owner_id).on_day(day)
)


def list_own_ids(owner_id: UUID, ids: Collection[UUID] | None = None) -> frozenset[UUID]:
    """Return the ids of the entries that are their owner's own, including deleted entries.

    These are the entries that the owner wrote or claimed. If `ids` are given, only these are examined. Each
    text is decrypted: its origin is bound to it, so this proves that nobody changed the origin in the
    database. Needs the owner's keyring in force.
    """
    entries = Entry.objects.get_queryset().only_trusted().order_by()
    if ids is None:
        entries = entries.filter(owner_id=owner_id)
    else:
        entries = entries.filter(build_owner_condition(owner_id), id__in=ids)
    # A former key that was lost while its rotation was unfinished must not stop all exports of programs.
    reader = RowReader(entries, "text", ["id"], keyring=current_realm_keyring(), accepts_lost_keys=True)
    convert = reader.build_converter(["id"])
    return frozenset(convert(row)[0] for row, plaintext in reader if plaintext is not None)


def get_digest_key(owner_id: UUID) -> bytes:
    """Return the key of the BLAKE2 digests of a person's texts; call inside `in_force` with their keyring."""
    (vault,) = _vault_query(owner_id=owner_id)
    return bytes(vault.digest_key)


_vault_query: CachedQuery[Vault] = CachedQuery(lambda owner_id: Vault.objects.filter(owner_id=owner_id))
