"""Template data of conversations and answers, for pages and open tabs.

Call these functions inside `in_force`, which makes the owner's keys available.

An answer is shown from its job while it is generated, later from its row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

from accounts.models import Person
from diary import hooks
from diary.generation.job_status import describe_state
from diary.generation.page_tasks import PageSection, build_from_job
from diary.generation.prompt_record import PromptRecord
from diary.generation.unique_jobs import get_task
from diary.models import Entry
from diary.origins.labels import OriginLabel
from diary.rendering.page_texts import render_page_text
from llamora.crypto import current_keyring
from llamora.inference.job import LIVE_STATES, JobState
from llamora.inference.registry import registry
from search import messages
from search.ask.conversations import NO_MODEL, AnsweredQuestion, describe_question, load_questions
from search.ask.section import (
    AnswerView,
    SourceView,
    build_note_source_view,
    build_source_view,
    link_source_numbers,
    list_remarks,
    render_section,
)
from search.ask.source_numbers import NOTHING, WITHOUT_TEXT
from search.ask.sources import Source
from search.ask.tasks import AnswerTask
from search.models import Question

# Shorter pieces of a passage stand in many places of a text.
_LEAST_PIECE: Final = 12


@dataclass(frozen=True, kw_only=True)
class QuestionView:
    """Template data of a question with its answer."""

    id: UUID
    text: str = field(repr=False)
    asked_at: datetime
    label: OriginLabel | None
    answer: AnswerView


def build_conversation_view(person: Person, session_id: UUID) -> list[QuestionView]:
    """Return the questions of a conversation, oldest first; raise ObjectNotFound."""
    rows = load_questions(person.id, session_id, reads_untrusted=True)
    return [
        QuestionView(
            id=row.id,
            text=str(row.open_or("text", "")),
            asked_at=row.created_at,
            label=_get_question_label(row),
            answer=build_answer_view(row, language=person.language),
        )
        for row in rows
    ]


def _get_question_label(row: Question) -> OriginLabel | None:
    words = messages.QUESTION_ORIGINS.get(row.origin)
    return OriginLabel(words=words) if words else None


def find_section(question_id: UUID, *, owner_id: UUID) -> PageSection | None:
    """Return the page section with the answer to a question, or None if the person has no such question."""
    row = Question.objects.filter(owner_id=owner_id, id=question_id).first()
    if row is None:
        return None
    person = Person.objects.only("language").get(id=owner_id)
    return render_section(build_answer_view(row, language=person.language), owner_id=owner_id)


def build_answer_view(row: Question, *, language: str) -> AnswerView:
    """Return the template data of an answer, from its job or from its row."""
    job = registry.get(row.id, current_keyring().key_id)
    if job is not None:
        return build_from_job(job, get_task(job, AnswerTask).build_view)
    answered = describe_question(row, language=language)
    # A row that no job of this process writes: the process that wrote it is gone.
    is_orphan = row.state in LIVE_STATES
    state, reason = (JobState.INTERRUPTED.value, "crashed") if is_orphan else (row.state, answered.reason)
    text = "" if reason in (NO_MODEL, *WITHOUT_TEXT) else answered.answer
    record = PromptRecord.from_json(row.open_or("read", None)) or PromptRecord()
    sources = _build_sources(answered, owner_id=row.owner_id, language=language)
    return AnswerView(
        id=row.id,
        session_id=row.session_id,
        state=state,
        html=link_source_numbers(
            render_page_text(text, has_links=False), question_id=row.id, count=len(sources)
        ),
        note=_describe_end(answered, state=state, reason=reason),
        sources=sources,
        facts=hooks.list_source_facts(row.owner_id, record.facts),
        remarks=list_remarks(
            has_read_imported=answered.has_read_imported and bool(sources),
            record=record,
            author=answered.author,
        ),
    )


def _describe_end(answered: AnsweredQuestion, *, state: str, reason: str) -> str:
    if reason == NOTHING:
        return messages.NOTHING_ANSWERS
    if reason == NO_MODEL:
        is_there = any(source.snippet for source in answered.sources)
        return messages.PASSAGES_INSTEAD if is_there else messages.PASSAGES_GONE
    return describe_state(state=state, reason=reason, is_empty=not answered.answer)


def _build_sources(answered: AnsweredQuestion, *, owner_id: UUID, language: str) -> list[SourceView]:
    ids = [source.stored.id for source in answered.sources if not source.stored.is_note]
    days = dict(Entry.objects.for_owner(owner_id).filter(id__in=ids).order_by().values_list("id", "day"))
    return [_build_source(source, answered.id, days=days, language=language) for source in answered.sources]


def _build_source(
    source: Source, question_id: UUID, *, days: Mapping[UUID, date], language: str
) -> SourceView:
    stored = source.stored
    if stored.day is None:
        return build_note_source_view(source.number, stored=stored, name=source.name, snippet=source.snippet)
    return build_source_view(
        question_id,
        number=source.number,
        entry_id=stored.id,
        # It may have been moved to another one.
        day=days.get(stored.id, stored.day),
        origin=stored.origin,
        snippet=source.snippet,
        language=language,
        is_there=stored.id in days,
    )


def list_marked_pieces(owner_id: UUID, question_id: UUID, number: int, *, id_: UUID) -> list[str]:
    """Return the pieces of an entry to mark on its page: the lines of a passage that an answer used.

    It is the passage with the source number `number`. If this passage is not from the entry `id_`, return an
    empty list.
    """
    row = Question.objects.filter(owner_id=owner_id, id=question_id).first()
    if row is None:
        return []
    sources: Sequence[Source] = describe_question(row, language="en-gb").sources
    passage = next((one.passage for one in sources if one.number == number), None)
    if passage is None or passage.id != id_:
        return []
    pieces = (piece.strip(" *_#>-") for piece in passage.snippet.strip("… ").splitlines())
    return [piece for piece in pieces if len(piece) >= _LEAST_PIECE]
