"""The generation of an opening from the latest days with entries.

The prompt contains the whole latest day; of earlier days it contains the recap, or shortened entries if there
is no valid recap. The oldest parts that do not fit are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from django.utils import timezone

from diary import days
from diary.generation import prompt_templates
from diary.generation.budget import ensure_unlocked, get_token_budget
from diary.generation.page_tasks import PageSection, RenderedText
from diary.generation.prompt_context import MIN_ENTRY_CHARACTERS, fit_latest
from diary.generation.prompt_entries import omit_middle
from diary.generation.prompt_record import PromptRecord
from diary.generation.prompts import build_prompt
from diary.generation.text_language import describe_language
from diary.models import Entry, Opening
from diary.openings.section import OpeningView, build_job_view, render_section
from llamora.inference.job import Job, JobOutcome, JobState, Prompt, TokenCounter
from llamora.llm.deltas import ChatMessages

# After so many days without an entry, the opening welcomes the person back.
LONG_GAP_DAYS = 8


@dataclass(frozen=True, kw_only=True)
class OpeningSource:
    """A source of an opening: an entry, or the recap of a day (`id` is None). `ago` is its age in days."""

    day: date
    ago: int
    text: str
    id: UUID | None = None
    # The entries that a recap was derived from.
    recapped: tuple[UUID, ...] = ()
    is_cut: bool = False
    # The names that other apps give the source (see `diary.hooks`): its traces.
    labels: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The day in words."""
        return f"{days.weekday_name(self.day)}, {days.format_day(self.day)}"

    @property
    def when(self) -> str:
        """The age of the source in words, such as "3 days ago"."""
        return "yesterday" if self.ago == 1 else f"{self.ago} days ago"

    def describe(self) -> dict[str, object]:
        """Return the source as the JSON object that a prompt shows to the language model."""
        return {
            "day": f"{self.label}, {self.when}",
            "labels": self.labels,
            "text" if self.id else "summary": self.text,
        }

    def halve(self) -> "OpeningSource | None":
        """Return the source with half of its text, or None if the text is too short."""
        half = len(self.text) // 2
        if half <= MIN_ENTRY_CHARACTERS:
            return None
        return replace(self, text=omit_middle(self.text, limit=half), is_cut=True)


@dataclass(frozen=True, kw_only=True)
class OpeningTask:
    """Task that writes the opening of a day from `sources`, the entries or recaps of the latest days.

    `is_diary_new` says that the diary has no earlier day with entries of its owner. `replaced_text` is the
    present opening, which stays if the generation fails.
    """

    has_existing_row: ClassVar[bool] = False
    id: UUID
    owner_id: UUID
    day: date
    sources: tuple[OpeningSource, ...]
    is_diary_new: bool = False
    replaced_text: str = ""
    asked_at: datetime = field(default_factory=timezone.now)
    record: PromptRecord = field(default_factory=PromptRecord)

    @property
    def subject(self) -> date:
        """The day, since each day has one opening (see `UniqueTask.subject`)."""
        return self.day

    @property
    def page_subject(self) -> date:
        """The day whose page shows the opening."""
        return self.day

    def build_view(self, job: Job, text: RenderedText) -> OpeningView | None:
        """Return the opening with the text generated so far; for a failed job, see `build_job_view`."""
        return build_job_view(
            job, text, day=self.day, replaced_text=self.replaced_text, not_read=self.record.not_read
        )

    def render_section(self, job: Job, text: RenderedText) -> PageSection:
        """Return the section of the opening on its day page."""
        return render_section(self.build_view(job, text), owner_id=self.owner_id)

    async def build_prompt(self, server: TokenCounter, *, share: float) -> Prompt:
        """Build a prompt with as many of the latest sources as fit."""
        budget = get_token_budget(server, share=share)
        messages, sent = await fit_latest(
            self.sources,
            limit=budget.prompt,
            render=self._render_prompt,
            shorten=OpeningSource.halve,
            count=server.count_message_tokens,
        )
        self._record_sources(sent)
        return build_prompt(
            "opening",
            self._get_values(sent),
            messages=messages,
            budget=budget,
            entries=len(self.record.entries),
            uses_sampling=True,
        )

    def _render_prompt(self, sources: Sequence[OpeningSource]) -> ChatMessages:
        return prompt_templates.render_prompt("opening", self._get_values(sources))

    def _get_values(self, sources: Sequence[OpeningSource]) -> dict[str, object]:
        return {
            **describe_language(sources[-1].text, " ".join(one.text for one in sources)),
            "weekday": days.weekday_name(self.day),
            "day": days.format_day(self.day),
            "told": sources,
            "gap": sources[-1].ago,
            "is_long": sources[-1].ago >= LONG_GAP_DAYS,
            "is_new": self.is_diary_new,
        }

    def _record_sources(self, sent: Sequence[OpeningSource]) -> None:
        refs = [(one.id, one.day) for one in self.sources if one.id]
        sent_ids = {one.id for one in sent}
        self.record.entries = [ref for ref in refs if ref[0] in sent_ids]
        self.record.left_out = [ref for ref in refs if ref[0] not in sent_ids]
        recaps = [one.day for one in sent if one.id is None]
        self.record.recaps = recaps
        self.record.recapped = [id_ for one in sent for id_ in one.recapped]
        self.record.recaps_left_out = [
            one.day for one in self.sources if one.id is None and one.day not in recaps
        ]
        self.record.is_cut = any(one.is_cut for one in sent)

    def create_row(self) -> None:
        """Create nothing: the row is created with the complete opening."""
        ensure_unlocked()

    def save(self, outcome: JobOutcome) -> None:
        """Save a complete opening in place of the present one; anything else is discarded."""
        if outcome.state != JobState.DONE or not outcome.text.strip() or self._is_unwanted():
            return
        Opening.objects.filter(owner_id=self.owner_id, day=self.day).delete()
        opening = Opening(id=self.id, owner_id=self.owner_id, day=self.day, text=outcome.text.strip())
        self.record.author = outcome.author
        self.record.bind_to_text(opening.text)
        opening.read = self.record.to_json()
        opening.save(force_insert=True)

    def _is_unwanted(self) -> bool:
        """Return whether the opening was dismissed, or one of its sources deleted for good, meanwhile."""
        present = Opening.objects.filter(owner_id=self.owner_id, day=self.day)
        source_ids = self.record.source_ids
        existing = Entry.objects.filter(owner_id=self.owner_id, id__in=source_ids).order_by()
        return (
            existing.count() < len(source_ids)
            or present.filter(is_dismissed=True, created_at__gte=self.asked_at).exists()
        )

    def set_state(self, outcome: JobOutcome) -> None:
        """Do nothing: a failed opening is generated again when its day is opened."""
