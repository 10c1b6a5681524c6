"""Versions: what an entry said before each edit, for thirty days, so that an edit takes nothing away."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from diary.entries import queries as entries_queries
from diary.models import Entry, Recap, Version
from llamora.crypto import EnvelopeError, WrongEpoch
from llamora.database import write_transaction

VERSION_LIFETIME = timedelta(days=30)


def replace_text(entry: Entry, text: str) -> None:
    """Put a text in place of an entry's and keep the one before as a version; call while writing."""
    Version.objects.create(
        owner_id=entry.owner_id,
        entry=entry,
        revision=entry.revision,
        text=entry.text,
        written_at=entry.edited_at or entry.created_at,
        replaced_at=timezone.now(),
    )
    _set_text(entry, text)


def _set_text(entry: Entry, text: str) -> None:
    entry.text, entry.revision, entry.edited_at = text, entry.revision + 1, timezone.now()
    entry.save(update_fields=["text", "revision", "edited_at"])
    Recap.objects.filter(owner_id=entry.owner_id, day=entry.day).delete()


def restore_version(*, owner_id: UUID, version_id: UUID) -> Entry:
    """Make an entry say again what it said; what it says now becomes a version. Raise NotThere.

    Of an entry whose bytes were damaged on the disk there is nothing to make a version of.
    """
    with write_transaction():
        version = entries_queries.get_version(owner_id, version_id)
        entry = entries_queries.get_entry(owner_id, version.entry_id)
        text = version.text
        try:
            is_same = entry.text == text
        except WrongEpoch:
            raise
        except EnvelopeError:
            _set_text(entry, text)
        else:
            if not is_same:
                replace_text(entry, text)
    return entry


def purge_versions(*, owner_id: UUID) -> int:
    """Delete for good what was replaced thirty days ago; return how many versions."""
    gone = Version.objects.filter(owner_id=owner_id, replaced_at__lt=timezone.now() - VERSION_LIFETIME)
    if not gone.exists():
        return 0
    with write_transaction():
        count, _ = gone.delete()
    return count
