"""Asking for a reply, stopping it, asking again, deleting it. Needs the owner's keyring in force."""

import threading
from uuid import UUID

from django.utils import timezone

from accounts.models import Person
from diary.models import Reply, ReplyState
from diary.reading import Reading
from diary.replies.errand import ReplyErrand, gather
from diary.replies.kinds import Asked, asked_before
from diary.replies.refusals import TooMany
from llamora.crypto import EnvelopeError, Keyring
from llamora.database import writing
from llamora.fields import new_id
from llamora.inference.jobs import LIVE, NotServing, Outcome, State, own_keyring, registry

MOST_AT_ONCE = 8
_asking = threading.Lock()


def respond(*, person: Person, entry_id: UUID, keyring: Keyring, asked: Asked) -> ReplyErrand:
    """Have an entry answered; the reply's row and words come at once after. Raise NotThere, ReplyRefused."""
    return _begin(new_id(), person=person, entry_id=entry_id, keyring=keyring, asked=asked, is_again=False)


def _refuse_too_many(owner_id: UUID) -> None:
    replies = (job for job in registry.of(owner_id) if isinstance(job.errand, ReplyErrand))
    if sum(not job.is_over for job in replies) >= MOST_AT_ONCE:
        raise TooMany


def _begin(
    reply_id: UUID, *, person: Person, entry_id: UUID, keyring: Keyring, asked: Asked, is_again: bool
) -> ReplyErrand:
    _refuse_too_many(person.id)
    gathered = gather(person=person, entry_id=entry_id, asked=asked)
    errand = ReplyErrand(
        id=reply_id,
        owner_id=person.id,
        entry_id=entry_id,
        material=gathered.material,
        reading=Reading(traces=list(gathered.recalled_by), near=list(gathered.near)),
        asked=asked,
        is_again=is_again,
    )
    try:
        registry.start(errand, keyring=own_keyring(keyring), model=person.model)
    except NotServing:
        with writing():
            errand.root()
            errand.mark(Outcome(text="", state=State.INTERRUPTED, reason="closing"))
    return errand


def stop(reply: Reply) -> None:
    """Stop a reply that is being written; what came is kept. Does nothing to one that is over."""
    registry.stop(reply.id)


def again(reply: Reply, *, person: Person, keyring: Keyring) -> ReplyErrand:
    """Have the same entry answered once more, in the same way; one without a word is taken up again itself.

    Raise ReplyRefused.
    """
    asked = asked_before(reply)
    # One at a time: two tabs that ask at once must not both take up the same reply.
    with _asking:
        job = registry.get(reply.id)
        is_empty = (job is None or job.is_over) and not _has_words(reply)
        reply_id = reply.id if is_empty else new_id()
        return _begin(
            reply_id,
            person=person,
            entry_id=reply.entry_id,
            keyring=keyring,
            asked=asked,
            is_again=is_empty,
        )


def _has_words(reply: Reply) -> bool:
    try:
        return bool(reply.text.strip())
    except EnvelopeError:
        # They cannot be read, but they may be in a backup: nothing is put in their place.
        return True


def delete(reply: Reply) -> None:
    """Delete a reply; one that is being written is stopped first."""
    registry.stop(reply.id)
    with writing():
        Reply.objects.filter(id=reply.id).delete()
    registry.forget(reply.id)


def mark_interrupted() -> int:
    """Mark what a dead process left unfinished; call once, in the process that serves."""
    unfinished = Reply.objects.filter(state__in=LIVE)
    ours = [reply_id for reply_id in unfinished.values_list("id", flat=True) if registry.get(reply_id)]
    with writing():
        return unfinished.exclude(id__in=ours).update(
            state=ReplyState.INTERRUPTED, reason="crashed", finished_at=timezone.now()
        )
