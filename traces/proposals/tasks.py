"""Proposals for one entry as a job carries them out: the entry read, names proposed, or silence.

An answer that does not keep to the form is asked for once more, without the schema, in case the server
stumbled over that; then what can be made of it is taken, and else nothing is said.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.utils import timezone

from diary.generation import prompt_templates
from diary.generation.budget import ensure_unlocked, get_token_budget
from diary.generation.prompt_context import PromptEntry, fit_latest
from diary.generation.prompt_entries import halve_entry
from diary.models import Entry
from llamora.inference.job import JobOutcome, JobState, Prompt, TokenCounter
from llamora.llm.deltas import ChatMessages
from traces.proposals import parser
from traces.proposals.queries import get_body, get_or_build_row

MAX_ANSWER_TOKENS = 400  # some think before they write
RETRY_REASONS = frozenset({"server_error", "malformed", "empty"})


@dataclass(frozen=True, kw_only=True)
class ProposalTask:
    """Has traces proposed for an entry. Its methods run as `Errand` says.

    `again` is told, in a database thread and within the transaction, when another try is due.
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
        """The entry."""
        return self.entry_id

    async def build_prompt(self, server: TokenCounter, *, share: float) -> Prompt:
        """Fit the entry to the window, its end left out."""
        budget = get_token_budget(server, share=share)
        turns, _ = await fit_latest(
            [self.prompt_entry],
            limit=budget.prompt,
            render=self._build_messages,
            shorten=halve_entry,
            count=server.count_message_tokens,
        )
        schema = None if self.is_retry else parser.ANSWER_SCHEMA
        return Prompt(messages=turns, max_tokens=min(budget.output, MAX_ANSWER_TOKENS), schema=schema)

    def _build_messages(self, pieces: Sequence[PromptEntry]) -> ChatMessages:
        is_cut = len(pieces[0].text) < len(self.prompt_entry.text)
        return prompt_templates.render_prompt(
            "traces", {"entry": pieces[0], "known": self.known_names, "is_cut": is_cut}
        )

    def create_row(self) -> None:
        """There is no row before there is a proposal."""
        ensure_unlocked(self.owner_id)

    def save(self, outcome: JobOutcome) -> None:
        """Offer what a whole answer proposes; ask once more, or say nothing."""
        if outcome.state == JobState.FAILED and outcome.reason in RETRY_REASONS and not self.is_retry:
            self.retry(self)
        if outcome.state != JobState.DONE:
            return
        names = parser.parse_strict(outcome.text)
        if not names and not self.is_retry:
            self.retry(self)
        elif names := names or parser.parse_tolerant(outcome.text):
            entry = Entry.objects.for_owner(self.owner_id).filter(id=self.entry_id).first()
            if entry is not None:
                save_proposals(entry, names)

    def set_state(self, outcome: JobOutcome) -> None:
        """Nothing to mark: proposals are made when they are next wanted."""


def save_proposals(entry: Entry, names: Sequence[str]) -> None:
    """Put the model's proposals in the place of those before; runs within a transaction."""
    row = get_or_build_row(entry)
    row.body = {"offered": list(names), "dismissed": get_body(row)["dismissed"]}
    row.made_at = timezone.now()
    row.save()
