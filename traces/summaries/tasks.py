"""A trace's summary as a job carries it out: its latest entries read, a few sentences kept, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from diary import days
from diary.generation import prompt_templates
from diary.generation.budget import ensure_unlocked, get_token_budget
from diary.generation.prompt_context import MIN_ENTRY_CHARACTERS, fit_latest
from diary.generation.prompt_entries import omit_middle
from llamora.inference.job import JobOutcome, JobState, Prompt, RowDeleted, TokenCounter
from llamora.llm.deltas import ChatMessages
from traces.models import Trace


@dataclass(frozen=True, kw_only=True)
class SummaryEntry:
    """An entry of the trace."""

    day: date
    text: str = field(repr=False)

    @property
    def label(self) -> str:
        """Return the day as people write it."""
        return days.format_day(self.day)

    def halve(self) -> "SummaryEntry | None":
        """Return half of it; None where that is no use any more."""
        half = len(self.text) // 2
        return replace(self, text=omit_middle(self.text, limit=half)) if half > MIN_ENTRY_CHARACTERS else None


@dataclass(kw_only=True)
class SummaryTask:
    """Has a trace summed up. Its methods run as `Errand` says. `count` is of all its entries."""

    id: UUID
    owner_id: UUID
    trace_id: UUID
    name: str = field(repr=False)
    entries: tuple[SummaryEntry, ...] = field(repr=False)
    count: int
    digest: str
    read: int = 0

    @property
    def subject(self) -> UUID:
        """The trace."""
        return self.trace_id

    async def build_prompt(self, server: TokenCounter, *, share: float) -> Prompt:
        """Fit the entries to the window, the oldest left out first."""
        budget = get_token_budget(server, share=share)
        turns, told = await fit_latest(
            self.entries,
            limit=budget.prompt,
            render=self._build_messages,
            shorten=SummaryEntry.halve,
            count=server.count_message_tokens,
        )
        self.read = len(told)
        return Prompt(messages=turns, max_tokens=budget.output)

    def _build_messages(self, told: Sequence[SummaryEntry]) -> ChatMessages:
        left_out = self.count - len(told)
        return prompt_templates.render_prompt(
            "trace_summary",
            {"name": self.name, "entries": told, "count": self.count, "left_out": left_out},
        )

    def create_row(self) -> None:
        """There is no row of its own: it is kept with its trace."""
        ensure_unlocked(self.owner_id)

    def save(self, outcome: JobOutcome) -> None:
        """Keep it once it is whole; what was cut short is let go, and an error is never a summary."""
        if outcome.state != JobState.DONE or not outcome.text.strip():
            return
        trace = Trace.objects.for_owner(self.owner_id).filter(id=self.trace_id).first()
        if trace is None:
            raise RowDeleted
        trace.summary = {
            "text": outcome.text.strip(),
            "digest": self.digest,
            "read": self.read,
            "of": self.count,
        }
        trace.save(update_fields=["summary"])

    def set_state(self, outcome: JobOutcome) -> None:
        """Nothing to mark: it is made again when it is next asked for."""
