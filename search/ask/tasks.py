"""The generation of an answer from passages, with one call of the model."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from itertools import zip_longest
from typing import ClassVar
from uuid import UUID

from django.utils import timezone

from diary import days
from diary.generation import prompt_templates
from diary.generation.budget import ensure_unlocked, fit_persona, get_token_budget
from diary.generation.job_status import describe_job
from diary.generation.page_tasks import PageSection, RenderedText
from diary.generation.prompt_context import MIN_ENTRY_CHARACTERS, PromptFact, PromptNote, fit_latest
from diary.generation.prompt_entries import omit_middle
from diary.generation.prompt_record import PromptRecord
from diary.generation.prompts import build_prompt
from diary.generation.text_language import describe_language
from diary.hooks import SourceFact
from diary.models import TRUSTED_ORIGINS
from llamora.inference.job import (
    LIVE_STATES,
    UNKNOWN_AUTHOR,
    Job,
    JobOutcome,
    JobState,
    Prompt,
    RowDeleted,
    TokenCounter,
)
from llamora.llm.deltas import ChatMessages
from search import messages
from search.ask.conversations import Turn
from search.ask.passages import FoundPassages, Tally
from search.ask.section import (
    AnswerView,
    SourceView,
    build_note_source_view,
    build_source_view,
    link_source_numbers,
    list_remarks,
    render_section,
)
from search.ask.source_numbers import SourceCheck, SourceNumberFilter, drop_unknown_numbers
from search.ask.sources import list_sources, store_sources
from search.models import Question
from traces.facts.recall import build_source_fact


@dataclass(frozen=True, kw_only=True)
class NumberedPassage:
    """A passage in a prompt, with the number of its source."""

    number: int
    entry_id: UUID
    day: date
    text: str = field(repr=False)
    is_cut: bool
    is_trusted: bool

    def describe(self) -> dict[str, object]:
        """Return the number, day and text of the passage, as they appear in the prompt."""
        return {
            "number": self.number,
            "day": _name_day(self.day),
            "imported": not self.is_trusted,
            "only_a_part": self.is_cut,
            "text": self.text,
        }

    def halve(self) -> "NumberedPassage | None":
        """Return the passage with half of its text, or None if the text is too short."""
        half = len(self.text) // 2
        if half <= MIN_ENTRY_CHARACTERS:
            return None
        return replace(self, text=omit_middle(self.text, limit=half), is_cut=True)


@dataclass(frozen=True, kw_only=True)
class PromptTally:
    """The number of days on which the words of a question occur, as the prompt shows it."""

    tally: Tally

    def describe(self) -> dict[str, object]:
        """Return, for the prompt, the number of days with the question's words, and the first and latest."""
        return {
            "number_of_days": self.tally.days,
            "first_day": _name_day(self.tally.first),
            "latest_day": _name_day(self.tally.latest),
        }


@dataclass(frozen=True, kw_only=True)
class NumberedNote:
    """A note in a prompt, with the number of its source."""

    number: int
    note: PromptNote

    def describe(self) -> dict[str, object]:
        """Return the number, name and text of the note, as they appear in the prompt."""
        return {"number": self.number, **self.note.describe()}


Part = NumberedPassage | NumberedNote | Turn | PromptFact


@dataclass(frozen=True, kw_only=True)
class AnswerTask:
    """Task that answers a question, and saves question and answer in a row."""

    has_existing_row: ClassVar[bool] = False
    id: UUID
    owner_id: UUID
    session_id: UUID
    origin: str
    question: str = field(repr=False)
    found: FoundPassages = field(repr=False)
    turns: tuple[Turn, ...] = field(default=(), repr=False)
    facts: tuple[PromptFact, ...] = field(default=(), repr=False)
    # The least important last.
    notes: tuple[PromptNote, ...] = field(default=(), repr=False)
    # The text of its owner's persona note.
    persona: str = field(default="", repr=False)
    has_read_imported: bool = False
    today: date
    # Of its owner, for the days in the sources.
    language: str = "en-gb"
    record: PromptRecord = field(default_factory=PromptRecord)

    @property
    def subject(self) -> UUID:
        """The id of the question, which identifies this task among those of its owner."""
        return self.id

    @property
    def page_subject(self) -> UUID:
        """The id of the conversation whose page shows the answer."""
        return self.session_id

    @property
    def source_count(self) -> int:
        """The number of sources: passages and notes."""
        return len(self.found.passages) + len(self.notes)

    def create_filter(self) -> SourceNumberFilter:
        """Return a filter that removes source numbers that do not exist."""
        return SourceNumberFilter(count=self.source_count)

    def build_view(self, job: Job, text: RenderedText) -> AnswerView:
        """Return the answer with its text so far. When the job is over, add the sources of the answer."""
        sources = self._build_sources() if job.is_over else ()
        return AnswerView(
            id=self.id,
            session_id=self.session_id,
            state=job.state.value,
            html=link_source_numbers(text.settled, question_id=self.id, count=len(sources)),
            tail=link_source_numbers(text.tail, question_id=self.id, count=len(sources)),
            note=describe_job(job),
            thoughts="" if job.is_over else job.thoughts_since(0)[0],
            sources=sources,
            facts=self._build_facts() if job.is_over else (),
            remarks=list_remarks(
                has_read_imported=self.has_read_imported,
                record=self.record,
                author=job.author if job.text else UNKNOWN_AUTHOR,
            )
            if job.is_over
            else (),
        )

    def list_sent_facts(self) -> list[PromptFact]:
        """Return the facts in the prompt."""
        read = set(self.record.facts)
        return [fact for fact in self.facts if fact.id in read]

    def _build_facts(self) -> list[SourceFact]:
        return [build_source_fact(fact.id, fact.text, is_read=True) for fact in self.list_sent_facts()]

    def _build_sources(self) -> list[SourceView]:
        notes = [
            build_note_source_view(
                source.number, stored=source.stored, name=source.name, snippet=source.snippet
            )
            for source in list_sources(self.found.passages, self.notes)
            if source.stored.is_note
        ]
        passages = [
            build_source_view(
                self.id,
                number=number,
                entry_id=passage.entry_id,
                day=passage.day,
                origin=passage.origin,
                snippet=passage.snippet,
                language=self.language,
            )
            for number, passage in enumerate(self.found.passages, start=1)
        ]
        return [*passages, *notes]

    def render_section(self, job: Job, text: RenderedText) -> PageSection:
        """Return the section of the answer on the page of its conversation."""
        return render_section(self.build_view(job, text), owner_id=self.owner_id)

    async def build_prompt(self, server: TokenCounter, *, share: float) -> Prompt:
        """Build a prompt with as many of the best passages and last turns as fit."""
        budget = get_token_budget(server, share=share)
        persona = await fit_persona(self.persona, server=server, budget=budget)
        fitted, sent = await fit_latest(
            self._list_parts(),
            limit=budget.prompt,
            render=partial(self._render, persona),
            shorten=_get_shorter,
            count=server.count_message_tokens,
        )
        self._record_sources(sent)
        self.record.has_persona, self.record.is_persona_left_out = bool(persona), persona != self.persona
        prompt = build_prompt(
            "ask",
            self._get_values(persona, sent),
            messages=fitted,
            budget=budget,
            entries=len(self.record.entries),
            allows_heads=True,
            uses_sampling=True,
        )
        if prompt.check is None:
            return prompt
        check = SourceCheck(
            prompt.check,
            count=self.source_count,
            nothing=messages.NOTHING_ANSWERS,
            # Facts have no numbers.
            needs_source=not any(isinstance(part, PromptFact) for part in sent),
        )
        return replace(prompt, check=check)

    def _list_parts(self) -> Sequence[Part]:
        """Return what may stand in the prompt, the most important last."""
        passages = [
            NumberedPassage(
                number=number,
                entry_id=passage.entry_id,
                day=passage.day,
                text=passage.excerpt,
                is_cut=passage.is_cut,
                is_trusted=passage.is_trusted,
            )
            for number, passage in enumerate(self.found.passages, start=1)
        ]
        # The last turn is needed before the last passages are.
        pairs = zip_longest(passages, reversed(self.turns))
        parts: list[Part] = [part for pair in pairs for part in pair if part is not None]
        return [*parts, *self.facts, *self._number_notes()][::-1]

    def _number_notes(self) -> list[NumberedNote]:
        first = len(self.found.passages) + 1
        return [NumberedNote(number=number, note=note) for number, note in enumerate(self.notes, start=first)]

    def _render(self, persona: str, parts: Sequence[Part]) -> ChatMessages:
        return prompt_templates.render_prompt("ask", self._get_values(persona, parts))

    def _get_values(self, persona: str, parts: Sequence[Part]) -> dict[str, object]:
        passages = sorted(
            (part for part in parts if isinstance(part, NumberedPassage)), key=lambda one: one.number
        )
        turns = [turn for turn in self.turns if turn in parts]
        return {
            **describe_language(self.question, " ".join(passage.text for passage in passages)),
            "weekday": days.weekday_name(self.today),
            "day": days.format_day(self.today),
            "turns": turns,
            "passages": passages,
            "facts": [part for part in self.facts if part in parts],
            "notes": [part for part in self._number_notes() if part in parts],
            "persona": persona,
            "tally": PromptTally(tally=self.found.tally) if self.found.tally else "",
            "question": self.question,
        }

    def _record_sources(self, sent: Sequence[Part]) -> None:
        numbers = {part.number for part in sent if isinstance(part, NumberedPassage)}
        refs = [(passage.entry_id, passage.day) for passage in self.found.passages]
        numbered = list(enumerate(refs, start=1))
        self.record.entries = [ref for number, ref in numbered if number in numbers]
        self.record.left_out = [ref for number, ref in numbered if number not in numbers]
        turns = sum(isinstance(part, Turn) for part in sent)
        self.record.facts = [part.id for part in sent if isinstance(part, PromptFact)][::-1]
        self.record.notes = [part.note.id for part in sent if isinstance(part, NumberedNote)][::-1]
        self.record.replies, self.record.replies_left_out = turns, len(self.turns) - turns
        self.record.is_cut = any(part.is_cut for part in sent if isinstance(part, NumberedPassage))

    def create_row(self) -> None:
        """Create the row of the question, with its sources and without an answer."""
        ensure_unlocked()
        self.insert(state=JobState.WAITING)

    def insert(self, *, state: JobState, reason: str = "") -> None:
        """Insert the row of the question. If no model will answer it, `state` is final, with the `reason`."""
        Question(
            id=self.id,
            owner_id=self.owner_id,
            session_id=self.session_id,
            origin=self.origin,
            has_read_imported=self.has_read_imported,
            state=state.value,
            reason=reason,
            text=self.question,
            answer="",
            sources=store_sources(self.found.passages, self.notes),
            read=self._describe_record(),
            finished_at=None if state in LIVE_STATES else timezone.now(),
        ).save(force_insert=True)

    def save(self, outcome: JobOutcome) -> None:
        """Save the answer so far; raise RowDeleted if the question was deleted."""
        row = (
            Question.objects.defer("text", "sources", "name")
            .filter(id=self.id, owner_id=self.owner_id)
            .first()
        )
        if row is None:
            raise RowDeleted
        answer = drop_unknown_numbers(outcome.text, count=self.source_count)
        row.answer, row.state, row.reason = answer, outcome.state.value, outcome.reason
        self.record.author = outcome.author
        # What a program asked stands in the answer to it.
        self.record.bind_to_text(answer, is_clean=self.origin in TRUSTED_ORIGINS)
        row.finished_at = None if outcome.state in LIVE_STATES else timezone.now()
        row.read = self._describe_record()
        row.save(update_fields=["answer", "read", "state", "reason", "finished_at"])

    def set_state(self, outcome: JobOutcome) -> None:
        """Save the state and its reason. This needs no key."""
        Question.objects.filter(id=self.id).update(
            state=outcome.state.value, reason=outcome.reason, finished_at=timezone.now()
        )

    def _describe_record(self) -> dict[str, object]:
        self.record.is_untrusted, self.record.not_read = self.has_read_imported, self.found.not_read
        return self.record.to_json()


def _get_shorter(part: Part) -> Part | None:
    return part.halve() if isinstance(part, NumberedPassage) else None


def _name_day(day: date) -> str:
    return f"{days.weekday_name(day)}, {days.format_day(day)}"
