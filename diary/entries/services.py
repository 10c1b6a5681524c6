"""Saving, editing, moving and deleting entries.

A repeated save returns the entry of the first save, an edit names the revision it is based on, and a deleted
entry stays in the bin for thirty days.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from diary import days
from diary.drafts.services import delete_draft_if_saved, delete_edit_draft_if_saved
from diary.entries.queries import find_draft, get_digest_key, get_entry, get_entry_or_deleted
from diary.entries.text_validation import clean_entry_text
from diary.errors import DayNotBegun, EditConflict, ObjectNotFound
from diary.history.services import replace_text
from diary.models import Draft, Entry, Origin, Recap, Version
from diary.openings.purge import delete_openings_derived_from
from diary.origins.provenance import Provenance
from llamora.clock.services import get_cutoff, get_latest_time
from llamora.crypto import EnvelopeError, keyed_digest
from llamora.database import FIRST_MOMENT, CachedQuery, split_into_parts, write_transaction
from llamora.source_names import clean_source_name

BIN_LIFETIME = timedelta(days=30)
_DELETED_AT_ONCE = 5
_SAVE_KEY_LABEL = b"diary.entry.keep_key"


class SavedEntry(NamedTuple):
    """A saved entry, and whether the save created it; a new entry has no replies or traces yet."""

    entry: Entry
    is_new: bool


def save_entry(
    *, owner_id: UUID, day: date, text: str, key: UUID, draft_revision: int, zone: str | None = None
) -> SavedEntry:
    """Save a text as an entry of a day and delete its draft, in one commit; raise InvalidText, DayNotBegun.

    A repeated idempotency key with the same text returns the existing entry, with another text a new one.
    `zone` is the person's time zone at the save, so that the entry always shows the time of that zone.
    """
    now = timezone.now()
    _check_has_begun(day)
    text = clean_entry_text(text, limit=settings.MAX_TEXT)
    save_key = _compute_save_key(owner_id, key, text)
    offset = None if zone is None else days.utc_offset(now, zone)
    with write_transaction():
        existing = _find_saved_entry(owner_id, save_key, text)
        entry = existing or Entry.objects.create(
            owner_id=owner_id, day=day, text=text, created_at=now, keep_key=save_key, utc_offset=offset
        )
        delete_draft_if_saved(owner_id=owner_id, day=day, text=text, revision=draft_revision)
    return SavedEntry(entry, is_new=existing is None)


def save_token_entry(*, owner_id: UUID, day: date, text: str, source: str, zone: str) -> Entry:
    """Save an entry that its owner typed in a program and sent with an access token.

    Raise InvalidText or DayNotBegun. `source` is the name of the program. A keyring with only the realm
    `content` is enough.
    """
    return _save_with_source(owner_id, day, text, origin=Origin.OWN_TOKEN, source=source, zone=zone)


def save_model_entry(*, owner_id: UUID, day: date, text: str, model: str, zone: str) -> Entry:
    """Save an entry. A model wrote its text, and the owner of the diary has accepted the text.

    The entry has the origin `Origin.MODEL`. `model` is the name of the model. The errors are those of
    `save_entry`.
    """
    return _save_with_source(owner_id, day, text, origin=Origin.MODEL, source=model, zone=zone)


def _save_with_source(
    owner_id: UUID, day: date, text: str, *, origin: Origin, source: str, zone: str
) -> Entry:
    now = timezone.now()
    _check_has_begun(day)
    with write_transaction():
        return Entry.objects.create(
            owner_id=owner_id,
            day=day,
            text=clean_entry_text(text, limit=settings.MAX_TEXT),
            created_at=now,
            utc_offset=days.utc_offset(now, zone),
            origin=origin,
            provenance=Provenance(source=clean_source_name(source)).to_json(),
        )


def _check_has_begun(day: date) -> None:
    if not days.has_begun(day, now=timezone.now()):
        raise DayNotBegun(is_clock_behind=days.has_begun(day, now=get_latest_time()))


def _compute_save_key(owner_id: UUID, key: UUID, text: str) -> UUID:
    """Return the idempotency key of a save, from its composer and text; a rotation does not change it."""
    parts = [_SAVE_KEY_LABEL, key.bytes, text.encode()]
    return UUID(bytes=keyed_digest(get_digest_key(owner_id), parts)[:16])


_save_key_query: CachedQuery[Entry] = CachedQuery(
    lambda owner_id, save_key: Entry.objects.filter(owner_id=owner_id, keep_key=save_key)
)


def _find_saved_entry(owner_id: UUID, save_key: UUID, text: str) -> Entry | None:
    """Return the entry of the first save of this text, or None; one in the bin is restored."""
    entry = next(iter(_save_key_query(owner_id=owner_id, save_key=save_key)), None)
    if entry is None:
        return None
    if not _has_had_text(entry, text):
        # Nothing binds the key to its entry. An entry that got it without a key is not what was saved.
        Entry.objects.filter(id=entry.id).update(keep_key=None)
        return None
    if entry.deleted_at is not None:
        # Sent again after it was deleted: the text was still in a composer, so it is wanted.
        entry.deleted_at = None
        entry.save(update_fields=["deleted_at"])
    return entry


def _has_had_text(entry: Entry, text: str) -> bool:
    rows: Iterable[Entry | Version] = chain([entry], entry.versions.all())
    return any(row.open_or("text", None) == text for row in rows)


def edit_entry(
    *,
    owner_id: UUID,
    entry_id: UUID,
    text: str,
    revision: int,
    draft_revision: int | None = None,
    origin: str = Origin.OWN,
) -> Entry:
    """Replace the text of an entry; the previous text becomes a version.

    `origin` is the origin of the new text. Raise InvalidText, ObjectNotFound, or EditConflict if another
    revision was saved meanwhile.
    """
    text = clean_entry_text(text, limit=settings.MAX_TEXT)
    with write_transaction():
        entry = get_entry(owner_id, entry_id)
        if entry.text != text:
            if entry.revision != revision:
                raise EditConflict(entry)
            replace_text(entry, text, origin=origin)
        delete_edit_draft_if_saved(owner_id=owner_id, entry_id=entry_id, text=text, revision=draft_revision)
    return entry


def move_entry(*, owner_id: UUID, entry_id: UUID, day: date) -> date:
    """Move an entry and the draft of its edit to another day; return the previous day.

    The text is sealed again, since the day is bound to it. Raise ObjectNotFound, DayNotBegun.
    """
    _check_has_begun(day)
    with write_transaction():
        entry = get_entry(owner_id, entry_id)
        before: date = entry.day
        if day != before:
            first = entry.first_day or before
            entry.day, entry.first_day = day, None if first == day else first
            entry.save(update_fields=["day", "first_day", "text"])
            _move_draft(find_draft(owner_id, day=before, entry_id=entry_id), day)
            Recap.objects.filter(owner_id=owner_id, day__in=[before, day]).delete()
    return before


def _move_draft(draft: Draft | None, day: date) -> None:
    if draft is None:
        return
    draft.day = day
    try:
        draft.save(update_fields=["day", "text"])
    except EnvelopeError:
        # A damaged draft stays on its day; it must not keep its entry from moving.
        return


def delete_entry(*, owner_id: UUID, entry_id: UUID) -> Entry:
    """Move an entry to the bin; do nothing if it is in the bin already."""
    with write_transaction():
        entry = get_entry_or_deleted(owner_id, entry_id)
        if entry.deleted_at is None:
            entry.deleted_at = timezone.now()
            entry.save(update_fields=["deleted_at"])
    return entry


def restore_entry(*, owner_id: UUID, entry_id: UUID) -> Entry:
    """Restore an entry from the bin."""
    with write_transaction():
        entry = get_entry_or_deleted(owner_id, entry_id)
        if entry.deleted_at is not None:
            entry.deleted_at = None
            entry.save(update_fields=["deleted_at"])
    return entry


def destroy_entry(*, owner_id: UUID, entry_id: UUID) -> None:
    """Delete an entry in the bin for good, with replies and versions; raise ObjectNotFound."""
    with write_transaction():
        if not _delete_for_good(Entry.objects.in_bin(owner_id).filter(id=entry_id), owner_id=owner_id):
            raise ObjectNotFound


def empty_bin(*, owner_id: UUID) -> int:
    """Delete all entries in a person's bin for good, in parts; return their number."""
    return _delete_many_for_good(Entry.objects.in_bin(owner_id), owner_id=owner_id)


def purge_bin(*, owner_id: UUID) -> int:
    """Delete for good the entries that have been in a person's bin for thirty days; return their number."""
    before = get_cutoff(BIN_LIFETIME)
    if before is None:
        return 0
    expired = Entry.objects.in_bin(owner_id).filter(deleted_at__gte=FIRST_MOMENT, deleted_at__lt=before)
    if not expired.exists():
        return 0
    return _delete_many_for_good(expired, owner_id=owner_id)


def _delete_many_for_good(entries: "QuerySet[Entry]", *, owner_id: UUID) -> int:
    """Delete entries for good, in parts, after deleting all openings that may quote any of them."""
    found = list(entries.only("id", "day", "first_day"))
    with write_transaction():
        delete_openings_derived_from(found, owner_id=owner_id)
    ids, count = [entry.id for entry in found], 0
    # Deleting one entry takes as many statements as deleting a few.
    few = (ids[first : first + _DELETED_AT_ONCE] for first in range(0, len(ids), _DELETED_AT_ONCE))
    for part in split_into_parts(few):
        with write_transaction():
            for some in part:
                # What was restored meanwhile stays.
                _, by_model = entries.filter(id__in=some).delete()
                count += by_model.get(Entry._meta.label, 0)
    return count


def _delete_for_good(entries: "QuerySet[Entry]", *, owner_id: UUID) -> int:
    # Once for all of them: it reads every opening of the person.
    delete_openings_derived_from(list(entries.only("id", "day", "first_day")), owner_id=owner_id)
    _, by_model = entries.delete()
    return by_model.get(Entry._meta.label, 0)


def write_origins(owner_id: UUID) -> None:
    """Set the origin of entries that were saved before origins were stored.

    Entries with a source become imported; all others become their owner's own. Called once, in the
    transaction that moves a diary to format 2; it then seals each text again, bound to its origin.
    """
    table = Entry._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET origin = iif(source IS NULL, %s, %s) WHERE owner_id = %s",  # noqa: S608 - our own name
            [Origin.OWN, Origin.IMPORTED, owner_id.hex],
        )
