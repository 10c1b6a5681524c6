"""The generation of proposed facts for an entry; `services` checks and saves the answer.

What is saved of an answer is decided where the task is started: see `services`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from diary import days
from diary.generation import prompt_templates
from diary.generation.entry_tasks import EntryTask
from diary.generation.prompt_context import PromptEntry
from diary.generation.text_language import describe_language
from llamora.inference.job import Author, JobOutcome, JobState
from llamora.llm.deltas import ChatMessages
from traces.facts.proposals.answers import ANSWER_SCHEMA, ClaimedFact, parse_answer


@dataclass(frozen=True, kw_only=True)
class FactTask(EntryTask):
    """Task that searches one entry for facts.

    `save_claims` saves the claims that may be proposed; it is called like `retry`.
    """

    prompt_name = "facts"
    answer_schema = ANSWER_SCHEMA
    max_answer_tokens = 500

    day: date
    save_claims: Callable[["FactTask", Sequence[ClaimedFact], Author], object] = field(repr=False)

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

    def _is_whole(self, outcome: JobOutcome) -> bool:
        # What was said before the model began to repeat itself is checked like any other answer.
        return outcome.state == JobState.DONE or outcome.reason == "repetition"

    def _save_answer(self, outcome: JobOutcome) -> bool:
        """Save the claims, of which none is an answer, too."""
        claims = parse_answer(outcome.text)
        if claims is not None:
            self.save_claims(self, claims, outcome.author)
        return claims is not None
