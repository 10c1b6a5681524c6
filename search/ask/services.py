"""Asking a question, waiting for its answer, stopping it; renaming and deleting conversations.

Needs the owner's keyring in force, which may be that of a program with the realm `content`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.models import Person
from accounts.preferences.time_zones import load_time_zone
from diary.entries.text_validation import EmptyText, InvalidText, clean_entry_text
from diary.errors import ObjectNotFound
from diary.generation.prompt_context import PromptFact, PromptNote
from diary.generation.prompt_record import PromptRecord
from diary.generation.unique_jobs import get_or_start_job, get_task, list_jobs, may_send_unrequested
from diary.messages import JOB_FAILED
from diary.models import Origin
from diary.notes.persona import read_usable_persona
from diary.notes.recall import read_remembered
from llamora.crypto import RealmKeyring
from llamora.database import write_transaction
from llamora.fields import new_id
from llamora.inference import model_server
from llamora.inference.job import Job, JobState
from llamora.inference.registry import registry
from search.ask.conversations import (
    NO_MODEL,
    compose_answer,
    describe_question,
    find_answer_realms,
    have_untrusted_sources,
    load_questions,
    load_turns,
)
from search.ask.errors import QuestionInvalid, TooManyQuestions
from search.ask.passages import FoundPassages
from search.ask.retrieval import add_passages, build_day_reader, retrieve
from search.ask.source_numbers import NOTHING, WITHOUT_TEXT, drop_unknown_numbers
from search.ask.sources import Source, list_sources, load_sources, read_sources
from search.ask.tasks import AnswerTask
from search.fact_recall.notes import recall_notes_for_question
from search.fact_recall.services import recall_for_question
from search.models import Question
from search.query.folding import fold
from traces.facts.recall import list_read_texts

MAX_QUESTION_LENGTH: Final = 2_000
MAX_NAME_LENGTH: Final = 120
MAX_CONCURRENT: Final = 8
# Of these: so that a program that asks without end refuses nothing to its owner.
MAX_CONCURRENT_OF_PROGRAMS: Final = 4
MAX_TURNS: Final = 6
# Beyond the time that an answer may take, it may wait for others.
_QUEUE_SECONDS: Final = 120.0
_SAVING_SECONDS: Final = 5.0


@dataclass(frozen=True, kw_only=True)
class AskedQuestion:
    """A question with its sources; `job` generates its answer, and is None if the answer is complete."""

    id: UUID
    owner_id: UUID
    session_id: UUID
    sources: Sequence[Source] = field(repr=False)
    has_read_imported: bool
    model: str = ""
    job: Job | None = None
    # What is shown where no model writes, or was written before, and why it ended.
    answer: str = field(default="", repr=False)
    state: JobState = JobState.DONE
    reason: str = ""
    facts: Sequence[PromptFact] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True)
class WrittenAnswer:
    """An answer to a question, with its state. `reason` is a code that explains the state, or empty."""

    text: str = field(repr=False)
    state: JobState
    reason: str = ""
    model: str = ""
    # What was sent to the model with the passages.
    facts: Sequence[PromptFact] = field(default=(), repr=False)

    @property
    def is_complete(self) -> bool:
        """Whether the answer is final: done, stopped by its owner, or replaced by a fixed sentence."""
        return self.state in (JobState.DONE, JobState.STOPPED) or self.reason in WITHOUT_TEXT


def ask(
    *,
    person: Person,
    keyring: RealmKeyring,
    question: str,
    session_id: UUID | None = None,
    origin: Origin = Origin.OWN,
    reads_untrusted: bool = False,
    model: str = "",
    tells_not_read: bool = True,
    question_id: UUID | None = None,
) -> AskedQuestion:
    """Save a question and start its answer; without `session_id`, the question begins a conversation.

    With `session_id`, it is the next question of that conversation.

    `question_id` is an unused id for the question, and `origin` the origin of its text. With
    `reads_untrusted`, entries that their owner did not write may be searched: the first question of a
    conversation decides whether it reads these or the trusted ones, whichever answer it better. `model` is
    the name of a model on the model server, by default the person's choice. Without `tells_not_read`, an
    answer that no model writes does not say how many matching texts were not read: with many questions, a
    program would learn their words.

    Raise QuestionInvalid, TooManyQuestions, IndexNotReady, or ObjectNotFound for the conversation.
    """
    try:
        text = clean_entry_text(question, limit=MAX_QUESTION_LENGTH)
    except InvalidText as refused:
        raise QuestionInvalid(refused.code) from None
    if not fold(text).strip():
        # Only characters without a width, for which a search by meaning would still find something.
        raise QuestionInvalid(EmptyText.code)
    before = (
        # Its owner also goes on where an entry that was read is gone.
        load_questions(person.id, session_id, reads_untrusted=reads_untrusted or origin == Origin.OWN)
        if session_id is not None
        else []
    )
    _check_room(origin)
    inherits = have_untrusted_sources(before)
    if inherits and not reads_untrusted:
        raise ObjectNotFound
    # Facts and notes are read by a model on this machine alone, so that none on another may write the answer
    # if this one is gone by then.
    host = model_server.get_status().host
    found = _find_passages(
        person=person, keyring=keyring, question=text, before=before, reads_untrusted=reads_untrusted
    )
    has_read_imported = inherits or (found.is_untrusted and bool(found.passages))
    facts = [] if has_read_imported else recall_for_question(keyring, text)
    notes = [] if has_read_imported else _list_notes(keyring, text, is_answered=bool(found.passages or facts))
    task = AnswerTask(
        id=question_id or new_id(),
        owner_id=person.id,
        session_id=session_id or new_id(),
        origin=origin.value,
        question=text,
        found=found,
        turns=load_turns(before, origin=origin, most=MAX_TURNS, of_entries_alone=bool(host)),
        facts=tuple(PromptFact(id=fact.id, text=fact.text) for fact in facts),
        notes=tuple(notes),
        persona=read_usable_persona(keyring, is_beside_others=has_read_imported),
        has_read_imported=has_read_imported,
        today=timezone.now().astimezone(load_time_zone(person.time_zone)).date(),
        language=person.language,
        record=PromptRecord(facts=[fact.id for fact in facts], realms=find_answer_realms(before)),
    )
    return _start(task, person=person, keyring=keyring, model=model, tells_not_read=tells_not_read, host=host)


def _list_notes(keyring: RealmKeyring, question: str, *, is_answered: bool) -> list[PromptNote]:
    """Return the notes that are read for a question, the least important last.

    The note of what to remember is read only if something else was found, since it answers nothing alone. A
    model on another machine gets no notes, since the person did not choose to send them.
    """
    if not may_send_unrequested(model_server.get_status()):
        return []
    found = recall_notes_for_question(keyring, question)
    remembered = read_remembered(keyring) if found or is_answered else None
    return [*([remembered] if remembered else []), *found]


def find_asked(
    *, person: Person, keyring: RealmKeyring, question_id: UUID, reads_untrusted: bool
) -> AskedQuestion | None:
    """Return a question that was asked before, with its answer or with the running job.

    Return None if there is no such question. A question whose answer failed is deleted, so that it can be
    asked again under its id; then return None too. Raise ObjectNotFound if its conversation may not be read.
    """
    job = registry.get(question_id, keyring.key_id)
    if job is not None and job.is_over:
        # Until what it wrote is saved.
        registry.wait_until_over(question_id, patience=_SAVING_SECONDS)
    elif job is not None:
        registry.wait_for_row(question_id)
    row = Question.objects.filter(owner_id=person.id, id=question_id).first()
    if row is None:
        return None
    load_questions(person.id, row.session_id, reads_untrusted=reads_untrusted)
    if job is not None and not job.is_over:
        model = model_server.get_status().get_model_for(job.model or person.model)
        return replace(_describe(get_task(job, AnswerTask)), job=job, model=model)
    if row.state not in (JobState.DONE, JobState.STOPPED):
        with write_transaction():
            row.delete()
        registry.discard(question_id)
        return None
    found = describe_question(row, language=person.language, reads_untrusted=reads_untrusted)
    record = PromptRecord.from_json(row.open_or("read", None)) or PromptRecord()
    return AskedQuestion(
        id=row.id,
        owner_id=row.owner_id,
        session_id=row.session_id,
        sources=found.sources,
        has_read_imported=row.has_read_imported,
        model=found.author.model,
        answer=found.answer,
        state=JobState(row.state),
        reason=found.reason,
        facts=[PromptFact(id=id_, text=text) for id_, text in list_read_texts(row.owner_id, record.facts)],
    )


def wait_for_answer(asked: AskedQuestion, *, patience: float | None = None) -> WrittenAnswer:
    """Wait for the answer and return it; stop it after `patience` seconds. Do not call on the event loop."""
    job = asked.job
    if job is None:
        return read_answer(asked)
    seconds = settings.MODEL_REPLY_SECONDS + _QUEUE_SECONDS if patience is None else patience
    if not registry.wait_until_over(job.id, patience=seconds):
        registry.stop(job.id)
    return read_answer(asked)


def read_answer(asked: AskedQuestion) -> WrittenAnswer:
    """Return the answer so far."""
    job = asked.job
    if job is None:
        return WrittenAnswer(
            text=asked.answer, state=asked.state, reason=asked.reason, model=asked.model, facts=asked.facts
        )
    # Before the text: an answer that is said to be whole has all of it.
    state, reason = job.state, job.reason
    text = drop_unknown_numbers(job.text, count=len(asked.sources))
    if reason in WITHOUT_TEXT:
        text = JOB_FAILED[reason]
    return WrittenAnswer(
        text=text,
        state=state,
        reason=reason,
        model=job.author.model or asked.model,
        facts=get_task(job, AnswerTask).list_sent_facts(),
    )


def stop_answer(asked: AskedQuestion) -> None:
    """Stop an answer and save its text so far; do nothing if it is complete."""
    if asked.job is not None and not asked.job.is_over:
        registry.stop(asked.job.id)


def rename_conversation(owner_id: UUID, session_id: UUID, name: str, *, reads_untrusted: bool = True) -> None:
    """Rename a conversation; an empty `name` removes its name. Raise ObjectNotFound or QuestionInvalid."""
    first = load_questions(owner_id, session_id, reads_untrusted=reads_untrusted)[0]
    line = " ".join(name.split())
    if line:
        try:
            line = clean_entry_text(line, limit=MAX_NAME_LENGTH)
        except InvalidText as refused:
            raise QuestionInvalid(refused.code) from None
    first.name = line or None
    with write_transaction():
        first.save(update_fields=["name"])


def delete_conversation(owner_id: UUID, session_id: UUID, *, reads_untrusted: bool = True) -> None:
    """Delete a conversation, after stopping its answers in progress; raise ObjectNotFound."""
    ids = [one.id for one in load_questions(owner_id, session_id, reads_untrusted=reads_untrusted)]
    for question_id in ids:
        registry.stop(question_id)
    with write_transaction():
        Question.objects.filter(owner_id=owner_id, session_id=session_id).delete()
    for question_id in ids:
        registry.discard(question_id)


def _check_room(origin: str) -> None:
    """Raise TooManyQuestions if too many answers are in progress to start another of this origin."""
    origins = [get_task(job, AnswerTask).origin for job in list_jobs(AnswerTask) if not job.is_over]
    of_programs = sum(one != Origin.OWN for one in origins)
    is_full = origin != Origin.OWN and of_programs >= MAX_CONCURRENT_OF_PROGRAMS
    if is_full or len(origins) >= MAX_CONCURRENT:
        raise TooManyQuestions


def _find_passages(
    *,
    person: Person,
    keyring: RealmKeyring,
    question: str,
    before: Sequence[Question],
    reads_untrusted: bool,
) -> FoundPassages:
    """Return the passages for a question, followed by those of the previous question."""
    reader = build_day_reader(person, now=timezone.now())
    of_untrusted: bool | None = have_untrusted_sources(before)
    if not before and reads_untrusted:
        of_untrusted = None
    found = retrieve(keyring, question, reader=reader, of_untrusted=of_untrusted)
    if not before:
        return found
    former = load_sources(
        person.id, read_sources(before[-1].open_or("sources", [])), reads_untrusted=bool(of_untrusted)
    )
    return add_passages(
        found,
        [
            source.passage
            for source in former
            if source.passage is not None and source.passage.is_trusted != bool(of_untrusted)
        ],
    )


def _start(
    task: AnswerTask,
    *,
    person: Person,
    keyring: RealmKeyring,
    model: str,
    tells_not_read: bool,
    host: str,
) -> AskedQuestion:
    """Start the answer, or answer at once if there is nothing to read or no model to write it.

    `host` is the machine on which the model ran when the task's input was gathered.
    """
    status = model_server.check_again() if task.found.passages or task.facts or task.notes else None
    if status is None or (status.is_missing and not task.found.passages):
        # Without a model, facts and notes alone are no answer.
        task = replace(task, notes=())
        return _answer_at_once(task, person=person, reason=NOTHING, tells_not_read=tells_not_read)
    if status.is_missing:
        return _answer_at_once(task, person=person, reason=NO_MODEL)
    job = get_or_start_job(
        AnswerTask,
        task.id,
        lambda: task,
        person=person,
        keyring=keyring,
        is_requested=True,
        allow_repeat=True,
        starts_without_model=True,
        model=model or None,
        gathered_for=host,
    )
    if job is None:
        # No event loop runs: the server is stopping.
        return _answer_at_once(task, person=person, reason=NO_MODEL)
    registry.wait_for_row(job.id)
    asked = _describe(task)
    return replace(asked, job=job, model=status.get_model_for(model or person.model))


def _answer_at_once(
    task: AnswerTask, *, person: Person, reason: str, tells_not_read: bool = False
) -> AskedQuestion:
    with write_transaction():
        task.insert(state=JobState.DONE, reason=reason)
    asked = _describe(task)
    not_read = task.found.not_read if tells_not_read else 0
    answer = compose_answer(
        "", reason=reason, sources=asked.sources, not_read=not_read, language=person.language
    )
    return replace(asked, answer=answer, reason=reason)


def _describe(task: AnswerTask) -> AskedQuestion:
    return AskedQuestion(
        id=task.id,
        owner_id=task.owner_id,
        session_id=task.session_id,
        sources=list_sources(task.found.passages, task.notes),
        has_read_imported=task.has_read_imported,
    )
