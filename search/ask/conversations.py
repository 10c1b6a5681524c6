"""Conversations: a person's questions with their answers, loaded as pages show them.

Call these functions inside `in_force`, which makes the owner's keys available.

If no model wrote an answer, the text shown is made from the sources, so that no words of an entry are stored
twice. State and reason of such questions:

    done, "nothing"    no passage was found
    failed, "nothing"  the model found that nothing answers the question
    done, "no_model"   the passages are the answer
    failed, "no_source"  the model made a claim without a source
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Final
from uuid import UUID

from accounts.preferences.languages import get_date_words
from diary.entries.queries import list_own_ids
from diary.errors import ObjectNotFound
from diary.generation.prompt_record import BESIDE_ENTRIES, PromptRecord, find_read_realms
from diary.hooks import ExportRule
from diary.messages import JOB_FAILED
from diary.models import TRUSTED_ORIGINS, Entry
from diary.rendering.excerpts import get_first_words
from llamora.crypto import EnvelopeError, Realm, current_realm_keyring
from llamora.inference.job import UNKNOWN_AUTHOR, Author
from search import messages
from search.ask.source_numbers import NO_SOURCE, NOTHING, WITHOUT_TEXT, drop_unknown_numbers
from search.ask.sources import ENTRY_KIND, Source, load_sources, read_sources
from search.models import Question

NO_MODEL: Final = "no_model"
_NAME_LENGTH: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredQuestion:
    """A question with its answer, complete or unfinished, and its sources."""

    id: UUID
    session_id: UUID
    question: str = field(repr=False)
    answer: str = field(repr=False)
    state: str
    reason: str
    sources: Sequence[Source] = field(repr=False)
    has_read_imported: bool
    author: Author
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation in a list: its name (or how its first question begins), and its number of questions."""

    session_id: UUID
    name: str = field(repr=False)
    questions: int
    created_at: datetime
    last_asked_at: datetime
    has_read_imported: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """An answered question, for the prompt of a later question."""

    question: str = field(repr=False)
    answer: str = field(repr=False)

    def describe(self) -> dict[str, object]:
        """Return the question and the answer, as they appear in the prompt."""
        return {"question": self.question, "answer": self.answer}


def list_conversations(owner_id: UUID, *, reads_untrusted: bool = True) -> list[Conversation]:
    """Return a person's conversations, the one with the latest question first.

    Without `reads_untrusted`, leave out conversations that read an untrusted entry, or one that is gone.
    """
    by_session: dict[UUID, list[Question]] = {}
    opens_all = current_realm_keyring().has_realms(BESIDE_ENTRIES)
    unread = [*(["sources"] if reads_untrusted else []), *(["answer"] if opens_all else [])]
    for question in Question.objects.filter(owner_id=owner_id).defer(*unread):
        by_session.setdefault(question.session_id, []).append(question)
    by_session = {id_: questions for id_, questions in by_session.items() if _may_read(questions)}
    if not reads_untrusted:
        own_ids = _list_own_sources(owner_id, chain.from_iterable(by_session.values()))
        by_session = {id_: each for id_, each in by_session.items() if _is_of_own(each, own_ids)}
    found = [
        Conversation(
            session_id=session_id,
            name=_name(questions[0]),
            questions=len(questions),
            created_at=questions[0].created_at,
            last_asked_at=questions[-1].created_at,
            has_read_imported=any(question.has_read_imported for question in questions),
        )
        for session_id, questions in by_session.items()
    ]
    return sorted(found, key=lambda one: (one.last_asked_at, one.session_id), reverse=True)


def _name(question: Question) -> str:
    return question.open_or("name", None) or get_first_words(
        str(question.open_or("text", "")), length=_NAME_LENGTH
    )


def load_questions(owner_id: UUID, session_id: UUID, *, reads_untrusted: bool) -> list[Question]:
    """Return the questions of a conversation, oldest first; raise ObjectNotFound.

    Without `reads_untrusted`, that is also raised if an untrusted entry was read for the conversation, or one
    that is gone: whoever can write to the database can delete an entry and so hide that it was untrusted.
    """
    questions = list(Question.objects.filter(owner_id=owner_id, session_id=session_id))
    if not questions or not _may_read(questions):
        raise ObjectNotFound
    if not reads_untrusted and not _is_of_own(questions, _list_own_sources(owner_id, questions)):
        raise ObjectNotFound
    return questions


def _may_read(questions: Sequence[Question]) -> bool:
    """Return whether the keyring in force has the keys of all texts that were read for these questions."""
    keyring = current_realm_keyring()
    return keyring.has_realms(BESIDE_ENTRIES) or keyring.has_realms(find_answer_realms(questions))


def _is_of_own(questions: Sequence[Question], own_ids: Set[UUID]) -> bool:
    """Return whether all entries read for these questions are in `own_ids`; False if that is unknown."""
    return all(
        not question.has_read_imported and (ids := _list_source_ids(question)) is not None and ids <= own_ids
        for question in questions
    )


def _list_own_sources(owner_id: UUID, questions: Iterable[Question]) -> frozenset[UUID]:
    return list_own_ids(owner_id, set[UUID]().union(*(_list_source_ids(one) or () for one in questions)))


def find_answer_realms(questions: Sequence[Question]) -> frozenset[Realm]:
    """Return the realms of the texts, other than entries, that were read for the answers to `questions`."""
    return frozenset[Realm]().union(
        *(
            find_read_realms(question.open_or("read", None), question.open_or("answer", None))
            for question in questions
        )
    )


def load_conversation(
    owner_id: UUID, session_id: UUID, *, language: str, reads_untrusted: bool = True
) -> list[AnsweredQuestion]:
    """Return the questions of a conversation with their answers, oldest first; raise ObjectNotFound."""
    return [
        describe_question(question, language=language, reads_untrusted=reads_untrusted)
        for question in load_questions(owner_id, session_id, reads_untrusted=reads_untrusted)
    ]


def describe_question(question: Question, *, language: str, reads_untrusted: bool = True) -> AnsweredQuestion:
    """Return a question with its answer and sources. Parts that cannot be decrypted are left empty."""
    stored = read_sources(question.open_or("sources", []))
    sources = load_sources(question.owner_id, stored, reads_untrusted=reads_untrusted)
    record = PromptRecord.from_json(question.open_or("read", None)) or PromptRecord()
    written = str(question.open_or("answer", ""))
    reason = _check_reason(question.reason, written)
    return AnsweredQuestion(
        id=question.id,
        session_id=question.session_id,
        question=str(question.open_or("text", "")),
        answer=compose_answer(
            written, reason=reason, sources=sources, not_read=record.not_read, language=language
        ),
        state=question.state,
        reason=reason,
        sources=sources,
        has_read_imported=question.has_read_imported,
        author=record.author if written else UNKNOWN_AUTHOR,
        created_at=question.created_at,
        finished_at=question.finished_at,
    )


def _check_reason(reason: str, written: str) -> str:
    """Return the reason of a question, or none if it says that the model wrote no text although it did.

    Reasons are not sealed: whoever writes to the database must not hide an answer with one.
    """
    return "" if written and reason in (NO_MODEL, *WITHOUT_TEXT) else reason


def compose_answer(
    written: str, *, reason: str, sources: Sequence[Source], not_read: int, language: str
) -> str:
    """Return the text to show as the answer to a question.

    This is the text of the model. If no model was available, it is a list of the passages that were found. If
    nothing was found, it is a sentence that says so.
    """
    if reason == NOTHING:
        return " ".join(filter(None, [messages.NOTHING_ANSWERS, messages.get_not_read_message(not_read)]))
    if reason == NO_SOURCE:
        return JOB_FAILED[NO_SOURCE]
    if reason != NO_MODEL:
        return drop_unknown_numbers(written, count=len(sources))
    words = get_date_words(language)
    lines = [
        f"[{source.number}] {name}: {' '.join(source.snippet.split())}"
        for source in sources
        for name in [words.day(source.stored.day) if source.stored.day else source.name]
        if source.snippet
    ]
    return "\n\n".join([messages.PASSAGES_INSTEAD, *lines] if lines else [messages.PASSAGES_GONE])


# --- follow-ups ----------------------------------------------------------------------------------------


def build_export_rule(owner_id: UUID, own_ids: frozenset[UUID]) -> ExportRule:
    """Return the function that selects questions for an export limited to the owner's own texts."""
    del owner_id
    return lambda question, _: (
        question.is_trusted
        and question.open_or("text", None) is not None
        and _is_of_own([question], own_ids)
        and _may_read([question])
    )


def have_untrusted_sources(questions: Sequence[Question]) -> bool:
    """Return whether an answer to these questions used a text that its owner did not write.

    An answer whose sources cannot be decrypted counts as such an answer.
    """
    return any(question.has_read_imported or not _has_trusted_sources(question) for question in questions)


def _has_trusted_sources(question: Question) -> bool:
    ids = _list_source_ids(question)
    if ids is None:
        return False
    there = Entry.objects.filter(owner_id=question.owner_id, id__in=ids).values_list("id", flat=True)
    return list_own_ids(question.owner_id, ids).issuperset(there)


def _list_source_ids(question: Question) -> set[UUID] | None:
    """Return the ids of the entries read for an answer, or None if its sources can't be decrypted."""
    stored = question.open_or("sources", None)
    if stored is None:
        return None
    return {source.id for source in read_sources(stored) if source.kind == ENTRY_KIND}


def load_turns(
    questions: Sequence[Question], *, origin: str, most: int, of_entries_alone: bool = False
) -> tuple[Turn, ...]:
    """Return the last `most` answered questions of a conversation for a prompt, oldest first.

    If `origin` is trusted, questions of programs are left out. With `of_entries_alone`, the first answer for
    which facts or notes were read is left out, and all later ones, whose prompts may contain it.
    """
    turns: list[Turn] = []
    has_read_others = False
    for question in questions:
        record = PromptRecord.from_json(question.open_or("read", None))
        has_read_others |= record is None or bool(record.facts or record.notes)
        if of_entries_alone and has_read_others:
            break
        if origin in TRUSTED_ORIGINS and question.origin not in TRUSTED_ORIGINS:
            continue
        try:
            turn = Turn(str(question.text), str(question.answer))
        except EnvelopeError:
            continue
        if turn.answer.strip():
            turns.append(turn)
    return tuple(turns[-most:])
