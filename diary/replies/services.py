"""Asking for a reply, stopping it, asking again, deleting it. Needs the owner's keyring in force."""

import threading
from uuid import UUID

from django.utils import timezone

from accounts.models import Person
from diary.generation.prompt_record import PromptRecord
from diary.models import Reply
from diary.replies.errors import TooManyReplies
from diary.replies.reply_kinds import ReplyKindChoice, get_reply_choice
from diary.replies.tasks import ReplyTask, gather_input
from llamora.crypto import EnvelopeError, Keyring
from llamora.database import write_transaction
from llamora.fields import new_id
from llamora.inference.job import LIVE_STATES, JobOutcome, JobState
from llamora.inference.registry import NoEventLoop, copy_keyring, registry

MAX_CONCURRENT = 8
_start_lock = threading.Lock()


def start_reply(*, person: Person, entry_id: UUID, keyring: Keyring, asked: ReplyKindChoice) -> ReplyTask:
    """Have an entry answered; the reply's row and words come at once after. Raise NotThere, ReplyRefused."""
    return _start(new_id(), person=person, entry_id=entry_id, keyring=keyring, asked=asked, is_again=False)


def _refuse_too_many(owner_id: UUID) -> None:
    replies = (job for job in registry.for_owner(owner_id) if isinstance(job.task, ReplyTask))
    if sum(not job.is_over for job in replies) >= MAX_CONCURRENT:
        raise TooManyReplies


def _start(
    reply_id: UUID,
    *,
    person: Person,
    entry_id: UUID,
    keyring: Keyring,
    asked: ReplyKindChoice,
    is_again: bool,
) -> ReplyTask:
    _refuse_too_many(person.id)
    gathered = gather_input(person=person, entry_id=entry_id, asked=asked)
    errand = ReplyTask(
        id=reply_id,
        owner_id=person.id,
        entry_id=entry_id,
        context=gathered.context,
        record=PromptRecord(traces=list(gathered.recalled_by), near=list(gathered.near)),
        choice=asked,
        is_retry=is_again,
    )
    try:
        registry.start(errand, keyring=copy_keyring(keyring), model=person.model)
    except NoEventLoop:
        with write_transaction():
            errand.create_row()
            errand.set_state(JobOutcome(text="", state=JobState.INTERRUPTED, reason="closing"))
    return errand


def stop_reply(reply: Reply) -> None:
    """Stop a reply that is being written; what came is kept. Does nothing to one that is over."""
    registry.stop(reply.id)


def retry_reply(reply: Reply, *, person: Person, keyring: Keyring) -> ReplyTask:
    """Have the same entry answered once more, in the same way; one without a word is taken up again itself.

    Raise ReplyRefused.
    """
    asked = get_reply_choice(reply)
    # One at a time: two tabs that ask at once must not both take up the same reply.
    with _start_lock:
        job = registry.get(reply.id)
        is_empty = (job is None or job.is_over) and not _has_text(reply)
        reply_id = reply.id if is_empty else new_id()
        return _start(
            reply_id,
            person=person,
            entry_id=reply.entry_id,
            keyring=keyring,
            asked=asked,
            is_again=is_empty,
        )


def _has_text(reply: Reply) -> bool:
    try:
        return bool(reply.text.strip())
    except EnvelopeError:
        # They cannot be read, but they may be in a backup: nothing is put in their place.
        return True


def delete_reply(reply: Reply) -> None:
    """Delete a reply; one that is being written is stopped first."""
    registry.stop(reply.id)
    with write_transaction():
        Reply.objects.filter(id=reply.id).delete()
    registry.discard(reply.id)


def mark_interrupted() -> int:
    """Mark what a dead process left unfinished; call once, in the process that serves."""
    unfinished = Reply.objects.filter(state__in=LIVE_STATES)
    ours = [reply_id for reply_id in unfinished.values_list("id", flat=True) if registry.get(reply_id)]
    with write_transaction():
        return unfinished.exclude(id__in=ours).update(
            state=JobState.INTERRUPTED, reason="crashed", finished_at=timezone.now()
        )
