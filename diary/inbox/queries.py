"""Queries of a person's Inbox: waiting items, and items that were accepted or deleted."""

from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from diary.models import Entry, InboxBox, InboxItem


def list_waiting(owner_id: UUID) -> "QuerySet[InboxItem]":
    """Return the waiting items, the oldest first."""
    return InboxItem.objects.filter(owner_id=owner_id, deleted_at=None).order_by("created_at", "id")


def count_waiting(owner_id: UUID) -> int:
    """Return the number of a person's items and boxes, in one SQL query since every page shows it."""
    items, boxes = InboxItem._meta.db_table, InboxBox._meta.db_table
    statement = (
        f"SELECT (SELECT count(*) FROM {items} WHERE owner_id = %s AND deleted_at IS NULL) "  # noqa: S608 - own names
        f"+ (SELECT count(*) FROM {boxes} WHERE owner_id = %s)"
    )
    with connection.cursor() as cursor:
        (count,) = cursor.execute(statement, [owner_id.hex, owner_id.hex]).fetchone()
    return int(count)


def find_accepted_entry(owner_id: UUID, entry_id: UUID | None) -> Entry | None:
    """Return the entry that an accepted Inbox item became.

    Return None if the person has no entry with the id `entry_id`.
    """
    return Entry.objects.for_owner(owner_id).filter(id=entry_id).first() if entry_id else None


def find_deleted_id(owner_id: UUID, item_id: UUID | None) -> UUID | None:
    """Return `item_id` if the person has a deleted Inbox item with this id, else None."""
    if item_id is None:
        return None
    deleted = InboxItem.objects.filter(owner_id=owner_id, id=item_id, deleted_at__isnull=False)
    return item_id if deleted.exists() else None
