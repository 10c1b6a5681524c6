"""The generation of suggested traces for an entry.

If an answer does not follow the schema, a second attempt is made without a schema, since the server may not
support schemas. The second answer is parsed tolerantly; if it contains no names, nothing is suggested.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.utils import timezone

from diary.generation import prompt_templates
from diary.generation.budget import ensure_unlocked, get_token_budget
from diary.generation.prompt_context import PromptEntry, fit_latest
from diary.generation.prompt_entries import halve_entry
from diary.generation.prompts import build_data_prompt
from diary.generation.text_language import describe_language
from diary.models import Entry
from llamora.inference.job import JobOutcome, JobState, Prompt, TokenCounter
from llamora.llm.deltas import ChatMessages
from traces.proposals import parser
from traces.proposals.queries import get_body, get_or_build_row

MAX_ANSWER_TOKENS = 400
RETRY_REASONS = frozenset({"server_error", "malformed", "empty"})


@dataclass(frozen=True, kw_only=True)
class ProposalTask:
    """Task that proposes traces for an entry.

    `retry` starts a second attempt; it is called in a database thread and within the transaction.
    """

    id: UUID
    owner_id: UUID
    entry_id: UUID
    prompt_entry: PromptEntry
    known_names: tuple[str, ...]
    retry: Callable[["ProposalTask"], None] = field(repr=False)
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
        schema = None if self.is_retry else parser.ANSWER_SCHEMA
        budget = budget._replace(output=min(budget.output, MAX_ANSWER_TOKENS))
        return build_data_prompt("traces", messages=messages, budget=budget, schema=schema)

    def _build_messages(self, entries: Sequence[PromptEntry]) -> ChatMessages:
        is_cut = len(entries[0].text) < len(self.prompt_entry.text)
        return prompt_templates.render_prompt(
            "traces",
            {
                "entry": entries[0],
                "known": self.known_names,
                "is_cut": is_cut,
                **describe_language(entries[0].text),
            },
        )

    def create_row(self) -> None:
        """Only check that the vault is unlocked: `save` creates the row once the model has answered."""
        ensure_unlocked()

    def save(self, outcome: JobOutcome) -> None:
        """Save the names of a complete answer, or start a second attempt."""
        if outcome.state == JobState.FAILED and outcome.reason in RETRY_REASONS and not self.is_retry:
            self.retry(self)
        if outcome.state != JobState.DONE:
            return
        names = self._filter(parser.parse_strict(outcome.text))
        if not names and not self.is_retry:
            self.retry(self)
        elif names := names or self._filter(parser.parse_tolerant(outcome.text)):
            entry = Entry.objects.for_owner(self.owner_id).filter(id=self.entry_id).first()
            if entry is not None:
                save_proposals(entry, names)

    def _filter(self, names: Sequence[str]) -> list[str]:
        """Return the names that the entry supports, or nothing if only the emoji remains."""
        found = parser.filter_supported(names, text=self.prompt_entry.text, known_names=self.known_names)
        return found if any(any(map(str.isalnum, name)) for name in found) else []

    def set_state(self, outcome: JobOutcome) -> None:
        """Do nothing: failed proposals are generated again when they are next requested."""


def save_proposals(entry: Entry, names: Sequence[str]) -> None:
    """Replace the proposals of an entry; call within a transaction."""
    row = get_or_build_row(entry)
    row.body = {"offered": list(names), "dismissed": get_body(row)["dismissed"]}
    row.made_at = timezone.now()
    row.save()
