"""Drafts that arrive while their owner is signed in but locked: sealed to them, folded in at the next unlock.

The public key is the one this process saw at the last unlock, never the one in the database, where it could
be planted. After a restart there is none, and the text stays in the page.
"""

import json
import logging
from contextlib import suppress
from typing import Any

from django.utils import timezone

from accounts import vault_keys
from diary import access
from diary.errors import NoKeyHere
from diary.models import Draft, LateDraft
from diary.services.drafts import MAX_DRAFT, DraftSent, day_of
from diary.texts import to_draft
from llamora.crypto import Context, EnvelopeError, Keyring, NotAuthentic, open_sealed, seal_to
from llamora.database import writing

MAX_WAITING = 50
_SEPARATOR = "\n\n"
_log = logging.getLogger(__name__)


def hold_late_draft(sent: DraftSent) -> int:
    """Seal a draft to its locked owner and return its revision; raise TextRefused, NotThere, NoKeyHere."""
    written = to_draft(sent.text, limit=MAX_DRAFT)
    public = vault_keys.public_key_of(sent.owner_id)
    if public is None or LateDraft.objects.filter(owner_id=sent.owner_id).count() >= MAX_WAITING:
        raise NoKeyHere
    late = LateDraft(owner_id=sent.owner_id, day=day_of(sent), entry_id=sent.entry_id)
    body = {"text": written, "revision": sent.revision, "based_on": sent.based_on}
    late.box = seal_to(public, json.dumps(body, ensure_ascii=False).encode(), context=_context(late))
    with writing():
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


def fold_late_drafts(keyring: Keyring) -> int:
    """Put what arrived while locked into the drafts of its days; return how many were folded in.

    Call with the keyring in force. One that does not open, or whose draft does not, is left where it is.
    """
    waiting = list(LateDraft.objects.filter(owner_id=keyring.owner).order_by("made_at", "id"))
    if not waiting:
        return 0
    pairs = vault_keys.pairs(keyring)
    folded = 0
    for late in waiting:
        try:
            body = _opened(late, pairs)
            with writing():
                _fold(late, text=body["text"], revision=body["revision"], based_on=body.get("based_on"))
                late.delete()
        except EnvelopeError as error:
            _log.warning("A late draft is not folded in (%s): %s", error.code, late.id)
            continue
        folded += 1
    return folded


def _opened(late: LateDraft, pairs: list[vault_keys.Pair]) -> dict[str, Any]:
    """Return what a draft says, whichever pair it was sealed to: a rotation may lie between."""
    *others, last = pairs
    for pair in others:
        with suppress(NotAuthentic):
            return _opened_with(late, pair)
    return _opened_with(late, last)


def _opened_with(late: LateDraft, pair: vault_keys.Pair) -> dict[str, Any]:
    opened = open_sealed(pair.private, pair.public, bytes(late.box), context=_context(late))
    body: dict[str, Any] = json.loads(opened)
    return body


def _fold(late: LateDraft, *, text: str, revision: int, based_on: int | None) -> None:
    draft = access.draft_of(late.owner_id, day=late.day, entry_id=late.entry_id)
    if draft is None:
        if text:
            made = Draft(owner_id=late.owner_id, day=late.day, entry_id=late.entry_id, text=text)
            made.revision, made.based_on = revision + 1, based_on
            made.save(force_insert=True)
        return
    draft.text = _both(draft.text, text, follows=draft.revision == revision)
    # Never behind what the page was told when it handed the text in.
    draft.revision = max(draft.revision, revision) + 1
    draft.updated_at = timezone.now()
    draft.save(update_fields=["text", "revision", "updated_at"])


def _both(standing: str, late: str, *, follows: bool) -> str:
    """Return the later text where it follows from the one that stands, else both, one below the other."""
    if follows or late.startswith(standing):
        return late
    if standing.startswith(late):
        return standing
    return f"{standing}{_SEPARATOR}{late}"
