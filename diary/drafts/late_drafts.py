"""Drafts that arrive while their owner's diary is locked: sealed to a public key, merged at the next unlock.

The public key is cached at each unlock and never read from the database, where an attacker could replace it;
it is the key of the browser that sends the draft, whoever else was let in under the owner's name. After a
restart no key is cached; then the draft is refused and the text stays in the page.
"""

import json
import logging
from contextlib import suppress
from typing import Any

from django.utils import timezone

from accounts.keys import key_pairs
from accounts.keys.row_shapes import read_bytes
from accounts.sessions.register import register
from diary.drafts.services import MAX_DRAFT_LENGTH, SubmittedDraft, get_draft_day
from diary.entries.queries import find_draft
from diary.entries.text_validation import clean_draft_text
from diary.errors import PublicKeyUnknown
from diary.models import Draft, LateDraft
from llamora.crypto import Context, EnvelopeError, Keyring, NotAuthentic, open_sealed, seal_to
from llamora.database import write_transaction

MAX_LATE_DRAFTS = 50
_SEPARATOR = "\n\n"
_log = logging.getLogger(__name__)


def store_late_draft(sent: SubmittedDraft) -> int:
    """Seal a draft to its locked owner and return its revision.

    Raise InvalidText, ObjectNotFound, or PublicKeyUnknown if no key is cached or too many drafts are waiting.
    """
    text = clean_draft_text(sent.text, limit=MAX_DRAFT_LENGTH)
    public = _find_public_key(sent)
    if public is None or LateDraft.objects.filter(owner_id=sent.owner_id).count() >= MAX_LATE_DRAFTS:
        raise PublicKeyUnknown
    late = LateDraft(owner_id=sent.owner_id, day=get_draft_day(sent), entry_id=sent.entry_id)
    body = {"text": text, "revision": sent.revision, "based_on": sent.based_on}
    late.box = seal_to(public, json.dumps(body, ensure_ascii=False).encode(), context=_build_context(late))
    with write_transaction():
        late.save(force_insert=True)
    return sent.revision + 1


def _find_public_key(sent: SubmittedDraft) -> bytes | None:
    """Return the public key of the data key that the draft's browser had opened.

    Of a browser that opened none since this process started, the owner's only known key is taken.
    """
    key_id = register.find_key_id(sent.sign_in_id) if sent.sign_in_id else None
    if key_id is not None:
        return key_pairs.get_public_key(key_id)
    known = key_pairs.list_public_keys(sent.owner_id)
    return known[0] if len(known) == 1 else None


def _build_context(late: LateDraft) -> Context:
    bound = [("diary.late_draft.day", late.day.isoformat().encode())]
    if late.entry_id is not None:
        bound.append(("diary.late_draft.entry", late.entry_id.bytes))
    return Context(
        purpose="late_draft",
        label="diary.late_draft.box",
        row=late.id,
        owner=late.owner_id,
        bound=tuple(bound),
    )


def merge_late_drafts(keyring: Keyring) -> int:
    """Merge late drafts into the drafts of their days; return their number.

    Call with the keyring in force. A damaged late draft, or one whose draft is damaged, is not merged.
    """
    waiting = list(LateDraft.objects.filter(owner_id=keyring.owner).order_by("made_at", "id"))
    if not waiting:
        return 0
    pairs = key_pairs.load_key_pairs(keyring)
    merged = 0
    for late in waiting:
        try:
            body = _open(late, pairs)
            with write_transaction():
                _merge(late, text=body["text"], revision=body["revision"], based_on=body.get("based_on"))
                late.delete()
        except EnvelopeError as error:
            _log.warning("A draft sent after a lock could not be saved (%s): %s", error.code, late.id)
            continue
        merged += 1
    return merged


def _open(late: LateDraft, pairs: list[key_pairs.VaultKeyPair]) -> dict[str, Any]:
    """Decrypt a late draft with the key pair it was sealed to, which may be older than the current one."""
    *others, oldest = pairs
    for pair in others:
        with suppress(NotAuthentic):
            return _open_with(late, pair)
    return _open_with(late, oldest)


def _open_with(late: LateDraft, pair: key_pairs.VaultKeyPair) -> dict[str, Any]:
    plaintext = open_sealed(pair.private, pair.public, read_bytes(late.box), context=_build_context(late))
    body: dict[str, Any] = json.loads(plaintext)
    return body


def _merge(late: LateDraft, *, text: str, revision: int, based_on: int | None) -> None:
    draft = find_draft(late.owner_id, day=late.day, entry_id=late.entry_id)
    if draft is None:
        if text:
            draft = Draft(owner_id=late.owner_id, day=late.day, entry_id=late.entry_id, text=text)
            draft.revision, draft.based_on = revision + 1, based_on
            draft.save(force_insert=True)
        return
    draft.text = _merge_texts(draft.text, text, follows=draft.revision == revision)
    # Not lower than the revision that the page got when it sent the text.
    draft.revision = max(draft.revision, revision) + 1
    draft.updated_at = timezone.now()
    draft.save(update_fields=["text", "revision", "updated_at"])


def _merge_texts(saved: str, late: str, *, follows: bool) -> str:
    """Return the late text if it continues the saved text, else both texts, the late one below."""
    if follows or late.startswith(saved):
        return late
    if saved.startswith(late):
        return saved
    return f"{saved}{_SEPARATOR}{late}"
