"""Generation of a look-back from the days of a week or a month, with one call of the model."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar
from uuid import UUID

from django.utils import timezone

from diary import days
from diary.generation import prompt_templates
from diary.generation.budget import ensure_unlocked, get_token_budget
from diary.generation.job_status import describe_job
from diary.generation.page_tasks import PageSection, RenderedText
from diary.generation.prompt_context import fit_evenly
from diary.generation.prompt_record import PromptRecord
from diary.generation.prompts import build_prompt
from diary.generation.text_language import describe_language
from diary.hooks import SourceFact
from llamora.inference.job import LIVE_STATES, Job, JobOutcome, JobState, Prompt, RowDeleted, TokenCounter
from llamora.llm.deltas import ChatMessages
from search.ask.section import link_source_numbers
from search.ask.source_numbers import SourceNumberFilter, drop_unknown_numbers
from search.look_backs.day_texts import MAX_CHARACTERS, DayText, LookBackDays
from search.look_backs.periods import Period
from search.look_backs.section import LookBackView, build_source, list_remarks, render_section
from search.models import LookBack
from traces.facts.recall import build_source_fact

# Of each day, until all days fit.
_LENGTHS = tuple(MAX_CHARACTERS // share for share in (1, 2, 4, 8, 16))


@dataclass(frozen=True, kw_only=True)
class LookBackTask:
    """Task that writes a look-back on a week or a month; each look-back is a new row."""

    has_existing_row: ClassVar[bool] = False
    id: UUID
    owner_id: UUID
    period: Period
    found: LookBackDays = field(repr=False)
    # Of its owner, for the days in the sources.
    language: str = "en-gb"
    record: PromptRecord = field(default_factory=PromptRecord)

    @property
    def subject(self) -> Period:
        """The week or month, which identifies this task: each has one look-back in progress at a time."""
        return self.period

    @property
    def page_subject(self) -> UUID:
        """The id of the look-back whose page shows the text."""
        return self.id

    def create_filter(self) -> SourceNumberFilter:
        """Return a filter that removes source numbers from the generated text if they refer to no day."""
        return SourceNumberFilter(count=len(self.found.days))

    def build_view(self, job: Job, text: RenderedText) -> LookBackView:
        """Return a look-back with its text so far. If the job is over, the sources are included too."""
        sources = [
            build_source(number=one.number, day=one.day, is_recap=bool(one.recap), language=self.language)
            for one in (self.found.days if job.is_over else ())
        ]
        record = replace(self.record, author=job.author)
        return LookBackView(
            id=self.id,
            state=job.state.value,
            html=link_source_numbers(text.settled, question_id=self.id, count=len(sources)),
            tail=link_source_numbers(text.tail, question_id=self.id, count=len(sources)),
            note=describe_job(job),
            thoughts="" if job.is_over else job.thoughts_since(0)[0],
            sources=sources,
            facts=self._build_facts() if job.is_over else (),
            remarks=list_remarks(record, days_left_out=self._count_left_out()) if job.is_over else (),
        )

    def _build_facts(self) -> list[SourceFact]:
        read = set(self.record.facts)
        facts = (fact for one in self.found.days for fact in one.facts if fact.id in read)
        return [build_source_fact(fact.id, fact.text, is_read=True) for fact in facts]

    def _count_left_out(self) -> int:
        return len({day for _, day in self.record.left_out} | set(self.record.recaps_left_out))

    def render_section(self, job: Job, text: RenderedText) -> PageSection:
        """Return the section of the look-back on its page."""
        return render_section(self.build_view(job, text), owner_id=self.owner_id)

    async def build_prompt(self, server: TokenCounter, *, share: float) -> Prompt:
        """Build a prompt with all days, shortened as needed; if that is not enough, drop the oldest days."""
        budget = get_token_budget(server, share=share)
        messages, sent = await fit_evenly(
            self.found.days,
            limit=budget.prompt,
            render=self._render_prompt,
            lengths=_LENGTHS,
            cut=DayText.cut,
            shorten=DayText.halve,
            count=server.count_message_tokens,
        )
        self._record_sources(sent)
        return build_prompt(
            "look_back",
            self._get_values(sent),
            messages=messages,
            budget=budget,
            entries=len(self.record.entries),
            allows_heads=True,
        )

    def _render_prompt(self, sent: Sequence[DayText]) -> ChatMessages:
        return prompt_templates.render_prompt("look_back", self._get_values(sent))

    def _get_values(self, sent: Sequence[DayText]) -> dict[str, object]:
        return {
            **describe_language(" ".join(text for one in sent for text in (one.recap, *one.texts))),
            "weekday": days.weekday_name(self.period.last),
            "day": days.format_day(self.period.last),
            "is_month": self.period.is_month,
            "told": sent,
        }

    def _record_sources(self, sent: Sequence[DayText]) -> None:
        numbers = {one.number for one in sent}
        of_entries = [one for one in self.found.days if not one.recap]
        of_recaps = [one for one in self.found.days if one.recap]
        refs = [(id_, one) for one in of_entries for id_ in one.entry_ids]
        self.record.entries = [(id_, one.day) for id_, one in refs if one.number in numbers]
        self.record.left_out = [(id_, one.day) for id_, one in refs if one.number not in numbers]
        self.record.recaps = [one.day for one in of_recaps if one.number in numbers]
        self.record.recaps_left_out = [one.day for one in of_recaps if one.number not in numbers]
        self.record.recapped = [id_ for one in of_recaps if one.number in numbers for id_ in one.entry_ids]
        self.record.facts = [fact.id for one in sent for fact in one.facts]
        self.record.is_cut = any(one.is_cut for one in sent)

    def create_row(self) -> None:
        """Create the row of the look-back, without text, and delete earlier rows that have no text."""
        ensure_unlocked()
        empty = [row.id for row in self._list_others() if not _has_text(row)]
        LookBack.objects.filter(id__in=empty).delete()
        LookBack(
            id=self.id,
            owner_id=self.owner_id,
            span=self.period.span,
            first_day=self.period.first,
            body=self._build_body(""),
        ).save(force_insert=True)

    def save(self, outcome: JobOutcome) -> None:
        """Save the text so far. A complete text replaces the earlier look-backs on the same week or month.

        Raise RowDeleted if the look-back was deleted, or an entry that it read.
        """
        row = LookBack.objects.defer("body").filter(id=self.id, owner_id=self.owner_id).first()
        if row is None:
            raise RowDeleted
        self.record.author = outcome.author
        text = drop_unknown_numbers(outcome.text, count=len(self.found.days))
        self.record.bind_to_text(text)
        row.body, row.state, row.reason = self._build_body(text), outcome.state.value, outcome.reason
        row.finished_at = None if outcome.state in LIVE_STATES else timezone.now()
        row.save(update_fields=["body", "state", "reason", "finished_at"])
        if outcome.state == JobState.DONE and text.strip():
            self._list_others().delete()

    def set_state(self, outcome: JobOutcome) -> None:
        """Save the state and its reason. This needs no key."""
        LookBack.objects.filter(id=self.id).update(
            state=outcome.state.value, reason=outcome.reason, finished_at=timezone.now()
        )

    def _list_others(self) -> Any:
        of_period = LookBack.objects.filter(
            owner_id=self.owner_id, span=self.period.span, first_day=self.period.first
        )
        return of_period.exclude(id=self.id)

    def _build_body(self, text: str) -> dict[str, Any]:
        return {
            "text": text,
            "days": [[one.day.isoformat(), bool(one.recap)] for one in self.found.days],
            "digest": self.found.digest,
            "read": self.record.to_json(),
        }


def _has_text(row: LookBack) -> bool:
    body = row.open_or("body", None)
    # A damaged one is not known to be empty.
    return body is None or bool(str(body.get("text", "")).strip())
