"""Drafts that arrive while their owner's diary is locked: sealed to a public key, merged at the next unlock.

The session cookie contains the browser's key. This key authenticates the public key in the row of the
sign-in, and makes the MAC of the draft (`accounts.keys.browser_keys`). Nothing has to be in memory, so this
works after a restart too. At the unlock, the data key opens the same browser key, and only drafts with a
valid MAC are merged. Every other row stays and is shown to its owner (`diary.drafts.unchecked_drafts`).

A browser has one row for each draft that it sends: a save replaces the row whose revision it names. Another
tab of the same browser does not know that revision, so the two tabs never replace each other's text.
"""

import logging
from datetime import date
from uuid import UUID

from django.utils import timezone

from accounts.keys import browser_keys, key_pairs
from accounts.keys.browser_keys import LockedBrowser, OpenedBrowserKey
from accounts.sessions.cookies import SessionCookie
from diary.drafts import late_draft_rows
from diary.drafts.late_draft_rows import LateText
from diary.drafts.services import (
    MAX_DRAFT_LENGTH,
    SubmittedDraft,
    create_first_revision,
    get_draft_day,
    merge_texts,
)
from diary.entries.queries import find_draft
from diary.entries.text_validation import clean_draft_text
from diary.errors import LateDraftRefused
from diary.inbox import box_rows
from diary.models import Draft, LateDraft
from diary.notes.drafts import SubmittedNoteDraft, merge_note_draft
from llamora.crypto import EnvelopeError, Keyring
from llamora.database import write_transaction

# For each browser.
MAX_LATE_DRAFTS = 50
_log = logging.getLogger(__name__)


def store_late_draft(sent: SubmittedDraft, *, cookie: SessionCookie | None) -> int:
    """Encrypt and store a draft for its owner, whose diary is locked; return its revision.

    Raise InvalidText, ObjectNotFound, or LateDraftRefused if the cookie confirms no public key, or if too
    many drafts of this browser are waiting.
    """
    text = clean_draft_text(sent.text, limit=MAX_DRAFT_LENGTH)
    with write_transaction():
        browser = _find_browser(sent.owner_id, cookie)
        new = LateDraft(
            owner_id=sent.owner_id, day=get_draft_day(sent), entry_id=sent.entry_id, follows=sent.revision
        )
        return _store(new, LateText(text=text, based_on=sent.based_on), browser=browser)


def store_late_note_draft(
    sent: SubmittedNoteDraft, *, owner_id: UUID, day: date, cookie: SessionCookie | None
) -> int:
    """Encrypt and store a draft of a note for its owner, whose diary is locked; return its revision.

    `day` is the day on which the draft was sent. It is not checked here whether the note exists, since that
    is seen when the draft is merged. Raise InvalidText, or LateDraftRefused as `store_late_draft`.
    """
    text, path = (clean_draft_text(each, limit=MAX_DRAFT_LENGTH) for each in (sent.text, sent.path))
    with write_transaction():
        browser = _find_browser(owner_id, cookie)
        new = LateDraft(
            owner_id=owner_id, day=day, is_of_note=True, note_id=sent.note_id, follows=sent.revision
        )
        return _store(new, LateText(text=text, path=path, based_on=sent.based_on), browser=browser)


def _find_browser(owner_id: UUID, cookie: SessionCookie | None) -> LockedBrowser:
    if cookie is not None:
        browser = browser_keys.find_locked_browser(
            owner=owner_id, sign_in_id=cookie.sign_in_id, half=cookie.half
        )
        if browser is not None:
            return browser
    raise LateDraftRefused


def _store(new: LateDraft, content: LateText, *, browser: LockedBrowser) -> int:
    """Seal a text into this new row, or into the one that it replaces, and return its revision."""
    late = _find_replaced_row(new, browser=browser)
    if late is not None:
        late.revision, late.made_at = late.revision + 1, timezone.now()
    elif _count_own_rows(new.owner_id, browser=browser) >= MAX_LATE_DRAFTS:
        raise LateDraftRefused
    else:
        late = new
        late.sign_in_id, late.revision = browser.sign_in_id, create_first_revision()
    late_draft_rows.seal_row(late, content, public_key=browser.public_key, browser_key=browser.secret)
    late.save()
    return late.revision


def _find_replaced_row(new: LateDraft, *, browser: LockedBrowser) -> LateDraft | None:
    """Return the row whose revision a save names, if this browser sent it for the same entry, day or note."""
    ids = late_draft_rows.list_ids(new.owner_id, sign_in_id=browser.sign_in_id)
    for late in LateDraft.objects.filter(id__in=ids, revision=new.follows):
        is_own = late_draft_rows.is_sent_by(late, sign_in_id=browser.sign_in_id, browser_key=browser.secret)
        if is_own and _get_place(late) == _get_place(new):
            return late
    return None


def _get_place(late: LateDraft) -> tuple[object, ...]:
    """Return the note, or the day and entry, that a draft is for; for a note, its day does not matter."""
    return (True, late.note_id) if late.is_of_note else (False, late.day, late.entry_id)


def _count_own_rows(owner_id: UUID, *, browser: LockedBrowser) -> int:
    """Return how many late drafts this browser sent, at most MAX_LATE_DRAFTS; forged rows do not count."""
    count = 0
    for late_id in late_draft_rows.list_ids(owner_id, sign_in_id=browser.sign_in_id):
        late = LateDraft.objects.filter(id=late_id).first()
        count += late is not None and late_draft_rows.is_sent_by(
            late, sign_in_id=browser.sign_in_id, browser_key=browser.secret
        )
        if count == MAX_LATE_DRAFTS:
            break
    return count


# --- Merging ---------------------------------------------------------------------------------------------


def merge_late_drafts(keyring: Keyring) -> int:
    """Merge drafts from locked pages into the drafts of days and notes; return how many were merged.

    Delete the browser keys and key pairs that are then not needed any more. Call with the keyring in force. A
    row is left as it is if it has no valid MAC of a browser, or if the draft with which it would be merged is
    damaged. A keyring of format 1 merges nothing; the first unlock replaces it.
    """
    if keyring.is_of_format_1:
        return 0
    try:
        with write_transaction():
            browser_keys.renew_merged_ids(keyring)
        keys = browser_keys.load_browser_keys(keyring)
        pairs = key_pairs.load_key_pairs(keyring)
        merged = sum(
            _merge_row(late_id, keyring=keyring, keys=keys, pairs=pairs)
            for late_id in late_draft_rows.list_ids(keyring.owner)
        )
        _delete_unused_keys(keyring)
    except EnvelopeError as error:
        _log.warning("Drafts sent after a lock could not be read (%s): %s", error.code, keyring.owner)
        return 0
    return merged


def _merge_row(
    late_id: UUID, *, keyring: Keyring, keys: list[OpenedBrowserKey], pairs: list[key_pairs.VaultKeyPair]
) -> bool:
    """Merge a row in one transaction, if it is genuine and can be decrypted; return whether it was merged."""
    if _find_genuine_row(late_id, keyring=keyring, keys=keys) is None:
        return False
    try:
        with write_transaction():
            # Loaded again: its browser may have replaced it meanwhile.
            late = _find_genuine_row(late_id, keyring=keyring, keys=keys)
            content = late_draft_rows.open_text(late, pairs) if late else None
            if late is None or content is None:
                return False
            _merge(late, content)
            late.delete()
            browser_keys.add_merged_id(keyring, late_id)
    except EnvelopeError as error:
        _log.warning("A draft sent after a lock could not be saved (%s): %s", error.code, late_id)
        return False
    return True


def _find_genuine_row(late_id: UUID, *, keyring: Keyring, keys: list[OpenedBrowserKey]) -> LateDraft | None:
    """Return a row that one of these browsers sent and that was not merged before."""
    late = LateDraft.objects.filter(id=late_id).first()
    if late is None or late_draft_rows.find_sender(late, keys) is None:
        return None
    return None if late_id in browser_keys.load_merged_ids(keyring) else late


def _delete_unused_keys(keyring: Keyring) -> None:
    with write_transaction():
        browser_keys.delete_unused_browser_keys(
            keyring, is_needed=lambda key: _exists_row_of(key, keyring=keyring)
        )
        # Rows that could not be checked are shown as long as a key pair opens them.
        if not late_draft_rows.exists(keyring.owner) and not box_rows.exists(keyring.owner):
            browser_keys.delete_unused_key_pairs(keyring)


def _exists_row_of(key: OpenedBrowserKey, *, keyring: Keyring) -> bool:
    ids = late_draft_rows.list_ids(keyring.owner, sign_in_id=key.sign_in_id)
    return any(_find_genuine_row(late_id, keyring=keyring, keys=[key]) for late_id in ids)


def _merge(late: LateDraft, content: LateText) -> None:
    if late.is_of_note:
        sent = SubmittedNoteDraft(
            text=content.text,
            path=content.path,
            revision=late.revision,
            note_id=late.note_id,
            based_on=content.based_on,
        )
        merge_note_draft(late.owner_id, sent, follows=late.follows)
        return
    draft = find_draft(late.owner_id, day=late.day, entry_id=late.entry_id)
    if draft is None:
        if content.text:
            draft = Draft(owner_id=late.owner_id, day=late.day, entry_id=late.entry_id, text=content.text)
            draft.revision, draft.based_on = late.revision, content.based_on
            draft.save(force_insert=True)
        return
    follows = draft.revision == late.follows
    text = merge_texts(draft.text, content.text, follows=follows)
    if not text:
        draft.delete()
        return
    draft.text = text
    # The revision that the page was given, if the draft now has the page's text; else one that no page has.
    draft.revision = late.revision if follows else max(draft.revision, late.revision) + 1
    draft.updated_at = timezone.now()
    draft.save(update_fields=["text", "revision", "updated_at"])
