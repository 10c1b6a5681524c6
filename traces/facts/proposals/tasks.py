"""The generation of proposed facts for an entry.

If an answer does not follow the schema, a second attempt is made without a schema, since the server may not
support schemas. What is saved of an answer is decided where the task is started: see `services`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from diary import days
from diary.generation import prompt_templates
from diary.generation.budget import ensure_unlocked, get_token_budget
from diary.generation.prompt_context import PromptEntry, fit_latest
from diary.generation.prompt_entries import halve_entry
from diary.generation.prompts import build_data_prompt
from diary.generation.text_language import describe_language
from llamora.inference.job import Author, JobOutcome, JobState, Prompt, TokenCounter
from llamora.llm.deltas import ChatMessages
from traces.facts.proposals.answers import ANSWER_SCHEMA, ClaimedFact, parse_answer

MAX_ANSWER_TOKENS = 500
RETRY_REASONS = frozenset({"server_error", "malformed", "empty"})


@dataclass(frozen=True, kw_only=True)
class FactTask:
    """Task that looks for facts in one entry.

    `save_claims` saves what of the claims may be proposed, and `retry` starts a second attempt; both are
    called in a database thread and within the transaction.
    """

    id: UUID
    owner_id: UUID
    entry_id: UUID
    day: date
    prompt_entry: PromptEntry
    save_claims: Callable[["FactTask", Sequence[ClaimedFact], Author], object] = field(repr=False)
    retry: Callable[["FactTask"], None] = field(repr=False)
    is_retry: bool = False

    @property
    def subject(self) -> UUID:
        """The id of the entry."""
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
        budget = budget._replace(output=min(budget.output, MAX_ANSWER_TOKENS))
        schema = None if self.is_retry else ANSWER_SCHEMA
        return build_data_prompt("facts", messages=messages, budget=budget, schema=schema)

    def _build_messages(self, entries: Sequence[PromptEntry]) -> ChatMessages:
        return prompt_templates.render_prompt(
            "facts",
            {
                **describe_language(self.prompt_entry.text),
                "weekday": days.weekday_name(self.day),
                "day": days.format_day(self.day),
                "entry": entries[0],
                "is_cut": len(entries[0].text) < len(self.prompt_entry.text),
            },
        )

    def create_row(self) -> None:
        """Only check that the diary is unlocked: rows are created once the model has answered."""
        ensure_unlocked()

    def save(self, outcome: JobOutcome) -> None:
        """Save what a whole answer proposes, or start a second attempt; of any other answer nothing."""
        if outcome.state == JobState.FAILED and outcome.reason in RETRY_REASONS and not self.is_retry:
            self.retry(self)
        # What was said before the model began to repeat itself is checked like any other answer.
        if outcome.state != JobState.DONE and outcome.reason != "repetition":
            return
        claims = parse_answer(outcome.text)
        if claims is not None:
            self.save_claims(self, claims, outcome.author)
        elif not self.is_retry:
            self.retry(self)

    def set_state(self, outcome: JobOutcome) -> None:
        """Do nothing: whoever asked looks at the job itself."""
