"""Drafts, saved while typing. A save states which revision it replaces, and never overwrites a newer one."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from diary.entries.queries import find_draft, get_entry
from diary.entries.text_validation import clean_draft_text
from diary.errors import EditConflict
from diary.models import Draft, Entry
from llamora.database import write_transaction

# A draft may be longer than an entry, so that a text that is too long can be shortened at leisure.
MAX_DRAFT_LENGTH = 10 * settings.MAX_TEXT
_SEPARATOR = "\n\n"
_JUST_SAVED = timedelta(minutes=2)
_MAX_FIRST_REVISION = 2**30


@dataclass(frozen=True, kw_only=True)
class SubmittedDraft:
    """A draft sent by a page; `revision` is the revision of the draft that it replaces.

    `based_on` is the revision of the entry that is being edited, if any. `previous_text` is the text of the
    page's previous request, if the page has not received its revision yet.
    """

    owner_id: UUID
    day: date
    text: str
    revision: int
    entry_id: UUID | None = None
    based_on: int | None = None
    previous_text: str | None = None


class SavedDraft(NamedTuple):
    """The revision and text of a draft that was saved."""

    revision: int
    text: str


def save_draft(sent: SubmittedDraft) -> SavedDraft:
    """Save a draft; raise EditConflict if another tab saved another text.

    Raise InvalidText, or ObjectNotFound if the draft is of an entry that does not exist.
    """
    text = clean_draft_text(sent.text, limit=MAX_DRAFT_LENGTH)
    with write_transaction():
        day = get_draft_day(sent)
        draft = find_draft(sent.owner_id, day=day, entry_id=sent.entry_id)
        if draft is None:
            return _create(sent, day=day, text=text)
        if draft.revision == sent.revision:
            # An edit that is back at the text of its entry is no edit any more.
            is_undone = sent.entry_id is not None and _is_saved(sent, day=day, text=text)
            return _update(draft, "" if is_undone else text, based_on=sent.based_on)
        if draft.text == text:
            return SavedDraft(draft.revision, text)
        # The response to the last save was lost, and the page wrote on: the saved text is the beginning of
        # this one, or what the page says it sent before.
        if draft.text and (text.startswith(draft.text) or draft.text == sent.previous_text):
            return _update(draft, text, based_on=sent.based_on)
        raise EditConflict(draft)


def get_draft_day(sent: SubmittedDraft) -> date:
    """Return the day of a draft, or of the entry that the draft edits; raise ObjectNotFound."""
    return sent.day if sent.entry_id is None else get_entry(sent.owner_id, sent.entry_id).day


def create_first_revision() -> int:
    """Return the revision of a new draft.

    It is random: a page that still shows another draft of the day must not match this one by its revision.
    """
    return secrets.randbelow(_MAX_FIRST_REVISION) + 1


def _create(sent: SubmittedDraft, *, day: date, text: str) -> SavedDraft:
    if not text or _is_saved(sent, day=day, text=text):
        return SavedDraft(sent.revision, "")
    revision = create_first_revision()
    draft = Draft(owner_id=sent.owner_id, day=day, entry_id=sent.entry_id, text=text, revision=revision)
    draft.based_on = sent.based_on
    draft.save(force_insert=True)
    return SavedDraft(revision, text)


def _is_saved(sent: SubmittedDraft, *, day: date, text: str) -> bool:
    """Return whether this text was saved before its draft arrived: in the entry, or just now as a new one."""
    if sent.entry_id is not None:
        return bool(get_entry(sent.owner_id, sent.entry_id).text == text)
    return _is_just_saved(sent.owner_id, day=day, text=text)


def _is_just_saved(owner_id: UUID, *, day: date, text: str) -> bool:
    since = timezone.now() - _JUST_SAVED
    recent = Entry.objects.for_owner(owner_id).filter(day=day, created_at__gte=since)
    return any(entry.text == text for entry in recent)


def _update(draft: Draft, text: str, *, based_on: int | None) -> SavedDraft:
    draft.revision += 1
    if not text:
        draft.delete()
        return SavedDraft(draft.revision, "")
    draft.text, draft.updated_at, draft.based_on = text, timezone.now(), based_on
    draft.save(update_fields=["text", "revision", "updated_at", "based_on"])
    return SavedDraft(draft.revision, text)


def delete_draft_if_saved(*, owner_id: UUID, day: date, text: str, revision: int) -> None:
    """Delete the draft of an entry that is being saved, unless another tab has changed the draft."""
    draft = find_draft(owner_id, day=day)
    if draft is not None and (draft.revision == revision or _matches(draft, text.startswith)):
        draft.delete()


def delete_edit_draft_if_saved(*, owner_id: UUID, entry_id: UUID, text: str, revision: int | None) -> None:
    """Delete the draft of an edit that is being saved, unless another tab has changed the draft."""
    draft = Draft.objects.filter(owner_id=owner_id, entry_id=entry_id).first()
    if draft is not None and (draft.revision == revision or _matches(draft, text.__eq__)):
        draft.delete()


def _matches(draft: Draft, test: Callable[[str], bool]) -> bool:
    """Return whether a draft's text passes a test; a damaged draft never does."""
    text = draft.open_or("text", None)
    return text is not None and test(text)


def discard_draft(*, owner_id: UUID, entry_id: UUID) -> None:
    """Delete the draft of an edit."""
    with write_transaction():
        Draft.objects.filter(owner_id=owner_id, entry_id=entry_id).delete()


def merge_texts(saved: str, late: str, *, follows: bool) -> str:
    """Return the longer text if it begins with the other, else both, the late text below the saved one.

    The late text alone is returned if it `follows` the saved text: then its page had that text.
    """
    if follows or late.startswith(saved):
        return late
    if saved.startswith(late):
        return saved
    return f"{saved}{_SEPARATOR}{late}"
