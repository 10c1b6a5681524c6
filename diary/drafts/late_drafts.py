"""Drafts that arrive while their owner is signed in but locked: sealed to them, folded in at the next unlock.

The public key is the one this process saw at the last unlock, never the one in the database, where it could
be planted. After a restart there is none, and the text stays in the page.
"""

import json
import logging
from contextlib import suppress
from typing import Any

from django.utils import timezone

from accounts.keys import key_pairs
from diary.drafts.services import MAX_DRAFT_LENGTH, SubmittedDraft, get_draft_day
from diary.entries import queries as entries_queries
from diary.entries.text_validation import clean_draft_text
from diary.errors import PublicKeyUnknown
from diary.models import Draft, LateDraft
from llamora.crypto import Context, EnvelopeError, Keyring, NotAuthentic, open_sealed, seal_to
from llamora.database import write_transaction

MAX_LATE_DRAFTS = 50
_SEPARATOR = "\n\n"
_log = logging.getLogger(__name__)


def store_late_draft(sent: SubmittedDraft) -> int:
    """Seal a draft to its locked owner and return its revision; raise TextRefused, NotThere, NoKeyHere."""
    written = clean_draft_text(sent.text, limit=MAX_DRAFT_LENGTH)
    public = key_pairs.get_public_key(sent.owner_id)
    if public is None or LateDraft.objects.filter(owner_id=sent.owner_id).count() >= MAX_LATE_DRAFTS:
        raise PublicKeyUnknown
    late = LateDraft(owner_id=sent.owner_id, day=get_draft_day(sent), entry_id=sent.entry_id)
    body = {"text": written, "revision": sent.revision, "based_on": sent.based_on}
    late.box = seal_to(public, json.dumps(body, ensure_ascii=False).encode(), context=_context(late))
    with write_transaction():
        late.save(force_insert=True)
    return sent.revision + 1


def _context(late: LateDraft) -> Context:
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
    """Put what arrived while locked into the drafts of its days; return how many were folded in.

    Call with the keyring in force. One that does not open, or whose draft does not, is left where it is.
    """
    waiting = list(LateDraft.objects.filter(owner_id=keyring.owner).order_by("made_at", "id"))
    if not waiting:
        return 0
    pairs = key_pairs.load_key_pairs(keyring)
    folded = 0
    for late in waiting:
        try:
            body = _open(late, pairs)
            with write_transaction():
                _merge(late, text=body["text"], revision=body["revision"], based_on=body.get("based_on"))
                late.delete()
        except EnvelopeError as error:
            _log.warning("A late draft is not folded in (%s): %s", error.code, late.id)
            continue
        folded += 1
    return folded


def _open(late: LateDraft, pairs: list[key_pairs.VaultKeyPair]) -> dict[str, Any]:
    """Return what a draft says, whichever pair it was sealed to: a rotation may lie between."""
    *others, last = pairs
    for pair in others:
        with suppress(NotAuthentic):
            return _open_with(late, pair)
    return _open_with(late, last)


def _open_with(late: LateDraft, pair: key_pairs.VaultKeyPair) -> dict[str, Any]:
    opened = open_sealed(pair.private, pair.public, bytes(late.box), context=_context(late))
    body: dict[str, Any] = json.loads(opened)
    return body


def _merge(late: LateDraft, *, text: str, revision: int, based_on: int | None) -> None:
    draft = entries_queries.find_draft(late.owner_id, day=late.day, entry_id=late.entry_id)
    if draft is None:
        if text:
            made = Draft(owner_id=late.owner_id, day=late.day, entry_id=late.entry_id, text=text)
            made.revision, made.based_on = revision + 1, based_on
            made.save(force_insert=True)
        return
    draft.text = _merge_texts(draft.text, text, follows=draft.revision == revision)
    # Never behind what the page was told when it handed the text in.
    draft.revision = max(draft.revision, revision) + 1
    draft.updated_at = timezone.now()
    draft.save(update_fields=["text", "revision", "updated_at"])


def _merge_texts(standing: str, late: str, *, follows: bool) -> str:
    """Return the later text where it follows from the one that stands, else both, one below the other."""
    if follows or late.startswith(standing):
        return late
    if standing.startswith(late):
        return standing
    return f"{standing}{_SEPARATOR}{late}"
