"""Starting, stopping, retrying and deleting replies of the language model.

Call these functions inside `in_force`, which makes the owner's keys available.
"""

from dataclasses import replace
from uuid import UUID

from accounts.models import Person
from accounts.remote_hosts.services import find_refusal
from diary import messages
from diary.generation.prompt_record import PromptRecord
from diary.generation.unique_jobs import get_or_start_job, list_jobs
from diary.models import Reply
from diary.notes.persona import read_usable_persona
from diary.replies.errors import NoModel, TooManyReplies
from diary.replies.reply_kinds import ReplyKindChoice, get_reply_choice
from diary.replies.tasks import ReplyTask, gather_input
from llamora.crypto import EnvelopeError, Keyring, Realm, current_realm_keyring
from llamora.database import write_transaction
from llamora.fields import new_id
from llamora.inference import model_server
from llamora.inference.job import JobOutcome, JobState
from llamora.inference.messages import get_message, get_message_for
from llamora.inference.registry import registry

MAX_CONCURRENT = 8


def start_reply(*, person: Person, entry_id: UUID, keyring: Keyring, choice: ReplyKindChoice) -> ReplyTask:
    """Start a reply to an entry, and return its task.

    Raise ObjectNotFound, or ReplyRefused with the reason.
    """
    host = model_server.get_status().host
    task = _build_task(new_id(), person=person, entry_id=entry_id, choice=choice)
    _start(task, person=person, keyring=keyring, host=host)
    return task


def retry_reply(reply: Reply, *, person: Person, keyring: Keyring) -> ReplyTask:
    """Start another reply to the same entry, in the same style; raise ReplyRefused with the reason.

    If the reply has no text, it is generated again in its own row.
    """
    choice = get_reply_choice(reply)
    is_retry, host = not _has_text(reply), model_server.get_status().host
    task = _build_task(
        reply.id if is_retry else new_id(),
        person=person,
        entry_id=reply.entry_id,
        choice=choice,
        is_retry=is_retry,
    )
    if not _start(task, person=person, keyring=keyring, host=host):
        # It is being written, perhaps since another tab asked at the same moment.
        task = replace(task, id=new_id(), is_retry=False)
        _start(task, person=person, keyring=keyring, host=host)
    return task


def stop_reply(reply: Reply) -> None:
    """Stop a reply and save its text so far; do nothing if the reply has ended."""
    registry.stop(reply.id)


def delete_reply(reply: Reply) -> None:
    """Stop and delete a reply."""
    registry.stop(reply.id)
    with write_transaction():
        Reply.objects.filter(id=reply.id).delete()
    registry.discard(reply.id)


def _build_task(
    reply_id: UUID, *, person: Person, entry_id: UUID, choice: ReplyKindChoice, is_retry: bool = False
) -> ReplyTask:
    if sum(not job.is_over for job in list_jobs(ReplyTask)) >= MAX_CONCURRENT:
        raise TooManyReplies
    gathered = gather_input(person=person, entry_id=entry_id, choice=choice)
    of_skill = {Realm.NOTES} if choice.skill_revision is not None else ()
    return ReplyTask(
        id=reply_id,
        owner_id=person.id,
        entry_id=entry_id,
        context=gathered.context,
        record=PromptRecord(
            traces=list(gathered.recalled_by),
            near=list(gathered.near),
            facts=[fact.id for fact in gathered.context.facts],
            is_untrusted=not gathered.context.entry.is_trusted,
            not_read=gathered.not_read,
            realms=gathered.realms.union(of_skill),
        ),
        choice=choice,
        persona=read_usable_persona(
            current_realm_keyring(), is_beside_others=not gathered.context.entry.is_trusted
        ),
        is_retry=is_retry,
    )


def _start(task: ReplyTask, *, person: Person, keyring: Keyring, host: str) -> bool:
    """Start a reply; return False if another job already writes the reply; raise NoModel.

    `host` is the machine on which the model was when the task's input was gathered.
    """
    status = model_server.check_again()
    if status.is_missing:
        reason = get_message_for(status.code, is_administrator=person.is_staff)
        raise NoModel(messages.NO_REPLY_WITHOUT_MODEL.format(reason))
    if status.host and (refusal := find_refusal(person.id, status.host)):
        raise NoModel(messages.NO_REPLY_WITHOUT_MODEL.format(get_message(refusal)))
    job = get_or_start_job(
        ReplyTask,
        task.id,
        lambda: task,
        person=person,
        keyring=keyring,
        is_requested=True,
        allow_repeat=True,
        starts_without_model=True,
        gathered_for=host,
    )
    if job is None:
        # No event loop runs. The reply stands on its page all the same, and can be asked for again.
        with write_transaction():
            task.create_row()
            task.set_state(JobOutcome(text="", state=JobState.INTERRUPTED, reason="closing"))
        return True
    return job.task is task


def _has_text(reply: Reply) -> bool:
    try:
        return bool(reply.text.strip())
    except EnvelopeError:
        # Damaged, but a backup may still contain it: it is not overwritten.
        return True
