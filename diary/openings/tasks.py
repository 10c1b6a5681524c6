"""An opening as a job carries it out: the latest written days read, a few sentences kept, or nothing.

Of the latest day everything is told; of the days before it their recap, where that is still true, or the
beginnings of their entries. What does not fit is left out from its oldest end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from django.utils import timezone

from diary import days
from diary.generation import prompt_templates
from diary.generation.budget import ensure_unlocked, get_token_budget
from diary.generation.page_tasks import PageSection, RenderedText
from diary.generation.prompt_context import MIN_ENTRY_CHARACTERS, fit_latest
from diary.generation.prompt_entries import omit_middle
from diary.generation.prompt_record import PromptRecord
from diary.models import Entry, Opening
from diary.openings.section import OpeningView, build_job_view, render_section
from llamora.inference.job import Job, JobOutcome, JobState, Prompt, TokenCounter
from llamora.llm.deltas import ChatMessages

# Days without an entry after which a return is one.
LONG_GAP_DAYS = 8


@dataclass(frozen=True, kw_only=True)
class OpeningSource:
    """Something of an earlier day: an entry, or the day's recap, which has no id. `ago` counts days."""

    day: date
    ago: int
    text: str
    id: UUID | None = None
    # The entries that a recap was made from.
    recapped: tuple[UUID, ...] = ()
    is_cut: bool = False
    # What apps above call it: the traces a person keeps on it.
    labels: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The day as people write it."""
        return f"{days.weekday_name(self.day)}, {days.format_day(self.day)}"

    @property
    def when(self) -> str:
        """How long ago that was."""
        return "yesterday" if self.ago == 1 else f"{self.ago} days ago"

    def halve(self) -> "OpeningSource | None":
        """Return half of it; None where that is no use any more."""
        half = len(self.text) // 2
        return (
            replace(self, text=omit_middle(self.text, limit=half), is_cut=True)
            if half > MIN_ENTRY_CHARACTERS
            else None
        )


@dataclass(frozen=True, kw_only=True)
class OpeningTask:
    """Has a day opened. Its methods run as `Errand` says. `is_new` when these are all the written days.

    `standing` is the opening that another is asked for in the place of; it stays where that comes to nothing.
    """

    id: UUID
    owner_id: UUID
    day: date
    sources: tuple[OpeningSource, ...]
    is_new: bool = False
    replaced_text: str = ""
    asked_at: datetime = field(default_factory=timezone.now)
    record: PromptRecord = field(default_factory=PromptRecord)

    @property
    def subject(self) -> date:
        """The day: it has one opening."""
        return self.day

    def build_view(self, job: Job, text: RenderedText) -> OpeningView | None:
        """Return the opening as far as its job has come; None where nothing came of it."""
        return build_job_view(job, text, day=self.day, replaced_text=self.replaced_text)

    def render_section(self, job: Job, text: RenderedText) -> PageSection:
        """Return the opening's section at the head of its day."""
        return render_section(self.build_view(job, text), owner_id=self.owner_id)

    async def build_prompt(self, server: TokenCounter, *, share: float) -> Prompt:
        """Fit the days to the window, the oldest left out first."""
        budget = get_token_budget(server, share=share)
        turns, told = await fit_latest(
            self.sources,
            limit=budget.prompt,
            render=self._render_prompt,
            shorten=OpeningSource.halve,
            count=server.count_message_tokens,
        )
        self._record_sources(told)
        return Prompt(messages=turns, max_tokens=budget.output)

    def _render_prompt(self, told: Sequence[OpeningSource]) -> ChatMessages:
        return prompt_templates.render_prompt(
            "opening",
            {
                "weekday": days.weekday_name(self.day),
                "day": days.format_day(self.day),
                "told": told,
                "gap": told[-1].ago,
                "is_long": told[-1].ago >= LONG_GAP_DAYS,
                "is_new": self.is_new,
            },
        )

    def _record_sources(self, told: Sequence[OpeningSource]) -> None:
        places = [(one.id, one.day) for one in self.sources if one.id]
        kept = {one.id for one in told}
        self.record.entries = [place for place in places if place[0] in kept]
        self.record.left_out = [place for place in places if place[0] not in kept]
        recaps = [one.day for one in told if one.id is None]
        self.record.recaps = recaps
        self.record.recapped = [id_ for one in told for id_ in one.recapped]
        self.record.recaps_left_out = [
            one.day for one in self.sources if one.id is None and one.day not in recaps
        ]
        self.record.is_cut = any(one.is_cut for one in told)

    def create_row(self) -> None:
        """There is no row before there is an opening."""
        ensure_unlocked(self.owner_id)

    def save(self, outcome: JobOutcome) -> None:
        """Keep it once it is whole; what was cut short is made anew, and an error is never an opening."""
        if outcome.state != JobState.DONE or not outcome.text.strip() or self._is_unwanted():
            return
        Opening.objects.filter(owner_id=self.owner_id, day=self.day).delete()
        made = Opening(id=self.id, owner_id=self.owner_id, day=self.day, text=outcome.text.strip())
        made.read = self.record.to_json()
        made.save(force_insert=True)

    def _is_unwanted(self) -> bool:
        """Return whether it was dismissed, or something it was drawn from destroyed, while it was written."""
        of_the_day = Opening.objects.filter(owner_id=self.owner_id, day=self.day)
        drawn_from = self.record.source_ids
        there = Entry.objects.filter(owner_id=self.owner_id, id__in=drawn_from).order_by()
        return (
            there.count() < len(drawn_from)
            or of_the_day.filter(is_dismissed=True, created_at__gte=self.asked_at).exists()
        )

    def set_state(self, outcome: JobOutcome) -> None:
        """Nothing to mark: it is made when the day is next opened."""
