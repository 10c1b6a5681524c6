"""A recap as a job carries it out: a whole day read, one to three sentences kept, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from diary import days
from diary.generation import prompt_templates
from diary.generation.budget import ensure_unlocked, get_token_budget
from diary.generation.prompt_context import PromptEntry, fit_latest
from diary.generation.prompt_entries import build_prompt_entries, halve_entry
from diary.models import Entry, Recap
from llamora.inference.job import JobOutcome, JobState, Prompt, TokenCounter
from llamora.llm.deltas import ChatMessages


@dataclass(frozen=True, kw_only=True)
class RecapTask:
    """Has a finished day put in short. Its methods run as `Errand` says."""

    id: UUID
    owner_id: UUID
    day: date
    entries: tuple[PromptEntry, ...]
    digest: str

    @property
    def subject(self) -> tuple[date, str]:
        """The day as it reads now: once an entry has changed, another recap is due."""
        return self.day, self.digest

    async def build_prompt(self, server: TokenCounter, *, share: float) -> Prompt:
        """Fit the day to the window, its morning left out first."""
        budget = get_token_budget(server, share=share)
        turns, _ = await fit_latest(
            self.entries,
            limit=budget.prompt,
            render=self._render_prompt,
            shorten=halve_entry,
            count=server.count_message_tokens,
        )
        return Prompt(messages=turns, max_tokens=budget.output)

    def _render_prompt(self, pieces: Sequence[PromptEntry]) -> ChatMessages:
        said: dict[str, object] = {
            "weekday": days.weekday_name(self.day),
            "day": days.format_day(self.day),
            "entries": pieces,
        }
        return prompt_templates.render_prompt("recap", said)

    def create_row(self) -> None:
        """There is no row before there is a recap."""
        ensure_unlocked(self.owner_id)

    def save(self, outcome: JobOutcome) -> None:
        """Put a whole recap in the place of an older one; what came of any other job is let go."""
        if outcome.state != JobState.DONE or not outcome.text.strip() or not self._is_current():
            return
        Recap.objects.filter(owner_id=self.owner_id, day=self.day).delete()
        body = {"text": outcome.text.strip(), "digest": self.digest}
        Recap(id=self.id, owner_id=self.owner_id, day=self.day, body=body).save(force_insert=True)

    def _is_current(self) -> bool:
        """Return whether the day still says what was read: one that lost an entry has lost its words."""
        now = build_prompt_entries(Entry.objects.for_owner(self.owner_id).on_day(self.day), zone="UTC")
        return [(one.id, one.text) for one in now] == [(one.id, one.text) for one in self.entries]

    def set_state(self, outcome: JobOutcome) -> None:
        """Nothing to mark: it is made again when it is next wanted."""
