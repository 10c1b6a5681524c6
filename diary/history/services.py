"""Versions: the earlier texts of an entry, stored for thirty days so that an edit loses nothing."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from diary.entries.queries import get_entry, get_version
from diary.models import TRUSTED_ORIGINS, Entry, Origin, Recap, Version
from diary.origins.provenance import Provenance
from llamora.clock.services import delete_expired
from llamora.crypto import EnvelopeError, WrongEpoch
from llamora.database import write_transaction

VERSION_LIFETIME = timedelta(days=30)


def replace_text(entry: Entry, text: str, *, origin: str = Origin.OWN) -> None:
    """Replace the text of an entry and store the previous text as a version; call in a write transaction.

    `origin` is that of the new text: an entry does not stay its owner's own with a text that is not.
    """
    Version.objects.create(
        owner_id=entry.owner_id,
        entry=entry,
        revision=entry.revision,
        text=entry.text,
        written_at=entry.edited_at or entry.created_at,
        replaced_at=timezone.now(),
    )
    if origin in TRUSTED_ORIGINS or not entry.is_trusted:
        _set_text(entry, text)
        return
    entry.origin = origin if origin in Origin.values else Origin.IMPORTED
    entry.provenance = Provenance.load(entry).withdraw_claim().to_json()
    _set_text(entry, text, also=["origin", "provenance"])


def _set_text(entry: Entry, text: str, *, also: Sequence[str] = ()) -> None:
    entry.text, entry.revision, entry.edited_at = text, entry.revision + 1, timezone.now()
    entry.save(update_fields=["text", "revision", "edited_at", *also])
    Recap.objects.filter(owner_id=entry.owner_id, day=entry.day).delete()


def restore_version(*, owner_id: UUID, version_id: UUID) -> Entry:
    """Restore an earlier text of an entry; the current text becomes a version. Raise ObjectNotFound.

    If the current text is damaged, it cannot become a version and is overwritten. The origin and the UTC
    offset that were bound to it are then unknown: the entry counts as imported, and shows times in its
    owner's current time zone. If the version is older than its owner's claim of the entry, the entry gets its
    origin from before the claim.
    """
    with write_transaction():
        version = get_version(owner_id, version_id)
        entry = get_entry(owner_id, version.entry_id)
        replace_with_text(entry, version.text, origin=_find_origin(entry, version))
    return entry


def _find_origin(entry: Entry, version: Version) -> str:
    provenance = Provenance.load(entry)
    is_claimed = version.revision >= (provenance.claimed_revision or entry.revision)
    return provenance.former_origin or entry.origin if not is_claimed else entry.origin


def replace_with_text(entry: Entry, text: str, *, origin: str) -> None:
    """Replace the text of an entry with an earlier text, as described in `restore_version`.

    The present text may be damaged.
    """
    try:
        is_same = entry.text == text
    except WrongEpoch:
        raise
    except EnvelopeError:
        entry.origin, entry.utc_offset = Origin.IMPORTED, None
        entry.provenance = Provenance(is_restored=True).to_json()
        entry.renew_macs()
        _set_text(entry, text, also=["origin", "provenance", "utc_offset", "mac"])
    else:
        if not is_same:
            replace_text(entry, text, origin=origin)


def purge_versions(*, owner_id: UUID) -> int:
    """Delete the versions that were replaced at least thirty days ago; return their number."""
    rows = Version.objects.filter(owner_id=owner_id)
    return delete_expired(rows, moment="replaced_at", age=VERSION_LIFETIME)
