"""Drafts that arrived while the diary was locked, and that could not be verified afterwards.

Nothing proves that one of the owner's browsers sent these rows: they are older than format 2, were changed or
inserted in the database, or have the id of a draft that was merged already, such as a deleted row that
somebody restored. They appear in no composer and no export. A verified draft
that cannot be merged, because the draft of its day is damaged, is listed too.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from accounts.keys import browser_keys, key_pairs
from accounts.keys.browser_keys import OpenedBrowserKey
from diary.drafts import late_draft_rows
from diary.entries.queries import find_draft
from diary.errors import ObjectNotFound
from diary.models import LateDraft
from diary.notes.drafts import is_note_draft_damaged
from llamora.crypto import EnvelopeError, Keyring
from llamora.database import write_transaction

MAX_LISTED = 20
# So that no number of planted rows makes a page slow.
_MAX_READ = 500


@dataclass(frozen=True, kw_only=True)
class UncheckedDraft:
    """A late draft that is still stored, because it could not be verified or could not be merged.

    `is_checked` is true if it was verified. `text` is None if the draft cannot be decrypted.
    """

    id: UUID
    day: date
    sent_at: datetime
    is_of_entry: bool
    is_of_note: bool
    is_checked: bool
    text: str | None = field(repr=False)


def has_unchecked_drafts(keyring: Keyring) -> bool:
    """Return whether any late draft is damaged, unverified or could not be merged.

    Needs the keyring in force.
    """
    if not late_draft_rows.exists(keyring.owner):
        return False
    return bool(late_draft_rows.count_damaged(keyring.owner) or list_unchecked_drafts(keyring, limit=1))


def list_unchecked_drafts(keyring: Keyring, *, limit: int = MAX_LISTED) -> list[UncheckedDraft]:
    """Return the oldest late drafts that could not be verified or merged; call inside `in_force(keyring)`."""
    try:
        pairs = key_pairs.load_key_pairs(keyring)
    except EnvelopeError:
        pairs = []
    try:
        keys, merged = browser_keys.load_browser_keys(keyring), browser_keys.load_merged_ids(keyring)
    except EnvelopeError:
        # It is unknown which drafts were merged before, so none is taken for one that waits.
        keys, merged = [], set()
    found: list[UncheckedDraft] = []
    for late_id in late_draft_rows.list_ids(keyring.owner)[:_MAX_READ]:
        late = LateDraft.objects.filter(id=late_id).first()
        unchecked = late and _build_unchecked(late, keys=keys, pairs=pairs, merged=merged)
        if unchecked:
            found.append(unchecked)
        if len(found) == limit:
            break
    return found


def _build_unchecked(
    late: LateDraft,
    *,
    keys: list[OpenedBrowserKey],
    pairs: list[key_pairs.VaultKeyPair],
    merged: set[UUID],
) -> UncheckedDraft | None:
    """Return a row as it is shown, or None if it is verified and will be merged at the next unlock."""
    content = late_draft_rows.open_text(late, pairs)
    is_genuine = late.id not in merged and late_draft_rows.find_sender(late, keys) is not None
    is_checked = content is not None and is_genuine
    if is_checked and not _is_draft_damaged(late):
        return None
    return UncheckedDraft(
        id=late.id,
        day=late.day,
        sent_at=late.made_at,
        is_of_entry=late.entry_id is not None,
        is_of_note=late.is_of_note,
        is_checked=is_checked,
        text=content.text if content else None,
    )


def _is_draft_damaged(late: LateDraft) -> bool:
    if late.is_of_note:
        return is_note_draft_damaged(late.owner_id, late.note_id)
    draft = find_draft(late.owner_id, day=late.day, entry_id=late.entry_id)
    return draft is not None and draft.open_or("text", None) is None


def count_damaged_drafts(owner_id: UUID) -> int:
    """Return the number of late drafts that can't be read at all."""
    return late_draft_rows.count_damaged(owner_id)


def delete_unchecked_draft(*, owner_id: UUID, draft_id: UUID) -> None:
    """Delete a late draft for good, such as one that could not be verified; raise ObjectNotFound.

    Rows of damaged late drafts are deleted by `delete_damaged_drafts`.
    """
    with write_transaction():
        # In SQL: Django would load the row, which may be damaged.
        if draft_id not in late_draft_rows.list_ids(owner_id):
            raise ObjectNotFound
        LateDraft.objects.filter(owner_id=owner_id, id=draft_id).delete()


def delete_damaged_drafts(owner_id: UUID) -> None:
    """Delete the late drafts that can't be read at all."""
    late_draft_rows.delete_damaged(owner_id)
