"""Generation of a model's advice about two conflicting facts, used only if rules can't decide between them.

The advice decides which button comes first. The model can only choose among three of them, and the person
presses one: see `traces.facts.comparison`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final
from uuid import UUID

from diary.generation import prompt_templates
from diary.generation.budget import ensure_unlocked, get_token_budget
from diary.generation.prompts import build_data_prompt
from llamora.inference.job import JobOutcome, JobState, Prompt, TokenCounter
from traces.facts.comparison import Strategy

# Never "said again": what the tables do not take for the same differs in a word that counts.
ANSWERS: Final = {"changed": Strategy.REPLACE, "both": Strategy.BOTH, "more": Strategy.MERGE}
_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"answer": {"type": "string", "enum": list(ANSWERS)}},
    "required": ["answer"],
    "additionalProperties": False,
}
_MAX_ANSWER_TOKENS: Final = 40


@dataclass(frozen=True, kw_only=True)
class ConflictTask:
    """Task that compares a proposed fact with an accepted one; `save_advice` saves the chosen strategy."""

    has_existing_row: ClassVar[bool] = False
    id: UUID
    owner_id: UUID
    fact_id: UUID
    earlier_id: UUID
    earlier_fact: str = field(repr=False)
    later_fact: str = field(repr=False)
    save_advice: Callable[["ConflictTask", Strategy], None] = field(repr=False)

    @property
    def subject(self) -> tuple[UUID, UUID]:
        """The ids of the two facts, which identify this task among those of its owner."""
        return self.fact_id, self.earlier_id

    async def build_prompt(self, server: TokenCounter, *, share: float) -> Prompt:
        """Build a prompt that contains the sentences of both facts in full length."""
        budget = get_token_budget(server, share=share)
        values: dict[str, object] = {"earlier_fact": self.earlier_fact, "later_fact": self.later_fact}
        messages = prompt_templates.render_prompt("fact_conflict", values)
        budget = budget._replace(output=min(budget.output, _MAX_ANSWER_TOKENS))
        return build_data_prompt("fact_conflict", messages=messages, budget=budget, schema=_SCHEMA)

    def create_row(self) -> None:
        """Create no row, but raise VaultLocked if the diary is locked.

        The advice of the model is saved in the existing row of the proposed fact.
        """
        ensure_unlocked()

    def save(self, outcome: JobOutcome) -> None:
        """Save the strategy of a complete answer; discard any other answer."""
        strategy = parse_advice(outcome.text) if outcome.state == JobState.DONE else None
        if strategy is not None:
            self.save_advice(self, strategy)

    def set_state(self, outcome: JobOutcome) -> None:
        """Do nothing, since the state of this task is not stored.

        If there is no advice, the comparison of the two facts decides the order of the buttons.
        """


def parse_advice(answer: str) -> Strategy | None:
    """Return the strategy that an answer of the model names, or None if it names none."""
    try:
        found = json.loads(answer[answer.find("{") : answer.rfind("}") + 1])
    except (ValueError, RecursionError):
        return None
    word = found.get("answer") if isinstance(found, dict) else None
    return ANSWERS.get(word) if isinstance(word, str) else None
