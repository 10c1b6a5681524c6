"""Tasks in which the model reads one entry and answers in JSON: suggested traces and facts.

If an answer does not follow the schema, a second attempt is made without a schema, since the server may not
support schemas.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self
from uuid import UUID

from accounts.models import Person
from diary.generation.budget import ensure_unlocked, get_token_budget
from diary.generation.prompt_context import PromptEntry, fit_latest
from diary.generation.prompt_entries import halve_entry
from diary.generation.prompts import build_data_prompt
from diary.generation.unique_jobs import start_job_after_commit
from llamora.fields import new_id
from llamora.inference.job import JobOutcome, JobState, Prompt, TokenCounter
from llamora.llm.deltas import ChatMessages

_RETRY_REASONS = frozenset({"server_error", "malformed", "empty"})


@dataclass(frozen=True, kw_only=True)
class EntryTask(ABC):
    """Task in which the model reads one entry and answers in JSON.

    `retry` starts a second attempt, by default `start_second_attempt`; it is called in a database thread and
    within the transaction. Subclasses give the name of their prompt, the schema of the answer, and its length
    in tokens.
    """

    has_existing_row: ClassVar[bool] = False
    prompt_name: ClassVar[str]
    answer_schema: ClassVar[dict[str, Any]]
    max_answer_tokens: ClassVar[int]

    id: UUID
    owner_id: UUID
    entry_id: UUID
    prompt_entry: PromptEntry
    retry: Callable[[Self], None] = field(repr=False)
    is_retry: bool = False

    @property
    def subject(self) -> UUID:
        """The id of the entry, since one task for each entry is enough (see `UniqueTask.subject`)."""
        return self.entry_id

    async def build_prompt(self, server: TokenCounter, *, share: float) -> Prompt:
        """Build a prompt with the entry, shortened at its end until it fits."""
        budget = get_token_budget(server, share=share)
        messages, _ = await fit_latest(
            [self.prompt_entry],
            limit=budget.prompt,
            render=self._build_messages,
            shorten=halve_entry,
            count=server.count_message_tokens,
        )
        schema = None if self.is_retry else self.answer_schema
        budget = budget._replace(output=min(budget.output, self.max_answer_tokens))
        return build_data_prompt(self.prompt_name, messages=messages, budget=budget, schema=schema)

    @abstractmethod
    def _build_messages(self, entries: Sequence[PromptEntry]) -> ChatMessages:
        """Render the prompt; `entries` contains the one entry, which may be shortened."""

    def create_row(self) -> None:
        """Only check that the diary is unlocked: rows are created once the model has answered."""
        ensure_unlocked()

    def save(self, outcome: JobOutcome) -> None:
        """Save the proposals of a complete answer, or start a second attempt if the answer is unreadable.

        A first attempt that failed for one of `_RETRY_REASONS` is repeated too. Any other answer is
        discarded.
        """
        if outcome.state == JobState.FAILED and outcome.reason in _RETRY_REASONS and not self.is_retry:
            self.retry(self)
        if self._is_whole(outcome) and not self._save_answer(outcome) and not self.is_retry:
            self.retry(self)

    def _is_whole(self, outcome: JobOutcome) -> bool:
        return outcome.state == JobState.DONE

    @abstractmethod
    def _save_answer(self, outcome: JobOutcome) -> bool:
        """Save what an answer proposes; return whether it could be read."""

    def set_state(self, outcome: JobOutcome) -> None:
        """Do nothing: no row stores the state; pages read it from the job."""
        del outcome


def start_second_attempt(person: Person, is_requested: bool, failed: EntryTask) -> None:
    """Start a second attempt after the commit; its job replaces that of the first attempt."""
    start_job_after_commit(
        replace(failed, id=new_id(), is_retry=True),
        person=person,
        is_requested=is_requested,
        allow_repeat=True,
        starts_without_model=True,
        replaces=failed.id,
    )
