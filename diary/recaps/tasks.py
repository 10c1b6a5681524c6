"""The generation of a day's recap, from the trusted entries of that day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from diary import days
from diary.generation import prompt_templates
from diary.generation.budget import ensure_unlocked, get_token_budget
from diary.generation.prompt_context import PromptEntry, fit_latest
from diary.generation.prompt_entries import build_prompt_entries, halve_entry
from diary.generation.prompt_record import RECAP_SOURCES, dump_author
from diary.generation.prompts import build_prompt
from diary.generation.text_language import describe_language
from diary.models import Entry, EntryQuerySet, Recap
from llamora.inference.job import JobOutcome, JobState, Prompt, TokenCounter
from llamora.llm.deltas import ChatMessages


def list_read_entries(owner_id: UUID, day: date) -> EntryQuerySet:
    """Return the trusted entries of a day, which a model reads to generate the recap of that day."""
    return Entry.objects.for_owner(owner_id).only_trusted().on_day(day)


@dataclass(frozen=True, kw_only=True)
class RecapTask:
    """Task that writes the recap of a past day."""

    has_existing_row: ClassVar[bool] = False
    id: UUID
    owner_id: UUID
    day: date
    entries: tuple[PromptEntry, ...]
    digest: str

    @property
    def subject(self) -> tuple[date, str]:
        """The day and its entries' digest, which changes if an entry does (see `UniqueTask.subject`)."""
        return self.day, self.digest

    async def build_prompt(self, server: TokenCounter, *, share: float) -> Prompt:
        """Build a prompt with as many of the latest entries of the day as fit."""
        budget = get_token_budget(server, share=share)
        messages, sent = await fit_latest(
            self.entries,
            limit=budget.prompt,
            render=self._render_prompt,
            shorten=halve_entry,
            count=server.count_message_tokens,
        )
        return build_prompt(
            "recap", self._get_values(sent), messages=messages, budget=budget, entries=len(sent)
        )

    def _render_prompt(self, entries: Sequence[PromptEntry]) -> ChatMessages:
        return prompt_templates.render_prompt("recap", self._get_values(entries))

    def _get_values(self, entries: Sequence[PromptEntry]) -> dict[str, object]:
        return {
            **describe_language(" ".join(entry.text for entry in entries)),
            "weekday": days.weekday_name(self.day),
            "day": days.format_day(self.day),
            "entries": entries,
        }

    def create_row(self) -> None:
        """Raise VaultLocked if the vault is locked. No row is created until the recap is complete."""
        ensure_unlocked()

    def save(self, outcome: JobOutcome) -> None:
        """Save a complete recap in place of an older one; anything else is discarded."""
        if outcome.state != JobState.DONE or not outcome.text.strip() or not self._is_current():
            return
        Recap.objects.filter(owner_id=self.owner_id, day=self.day).delete()
        body = {
            "text": outcome.text.strip(),
            "digest": self.digest,
            "author": dump_author(outcome.author),
            "clean": True,
            RECAP_SOURCES: [str(entry.id) for entry in self.entries],
        }
        Recap(id=self.id, owner_id=self.owner_id, day=self.day, body=body).save(force_insert=True)

    def _is_current(self) -> bool:
        """Return whether the entries have not changed, so that no recap quotes a deleted entry."""
        now = build_prompt_entries(list_read_entries(self.owner_id, self.day), zone="UTC")
        return [(one.id, one.text) for one in now] == [(one.id, one.text) for one in self.entries]

    def set_state(self, outcome: JobOutcome) -> None:
        """Do nothing: a failed recap is generated again when it is next requested."""
