"""The generation of proposed facts for an entry; `services` checks and saves the answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from diary import days
from diary.generation import prompt_templates
from diary.generation.entry_tasks import EntryTask
from diary.generation.prompt_context import PromptEntry
from diary.generation.text_language import describe_language
from llamora.inference.job import Author, Job, JobOutcome, JobState
from llamora.llm.deltas import ChatMessages
from traces.facts.proposals.answers import ANSWER_SCHEMA, ClaimedFact, parse_answer


@dataclass(frozen=True, kw_only=True)
class FactTask(EntryTask):
    """Task that searches one entry for facts.

    `save_claims` proposes the claims of a complete answer; like `retry`, it is called in a database thread.
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

    def _is_whole(self, outcome: JobOutcome | Job) -> bool:
        # What was said before the model began to repeat itself is checked like any other answer.
        return outcome.state == JobState.DONE or outcome.reason == "repetition"

    def has_answer(self, job: Job) -> bool:
        """Return whether the job of this task has ended with an answer, whose facts are saved."""
        return self._is_whole(job)

    def _save_answer(self, outcome: JobOutcome) -> bool:
        """Save the claims; return False for a malformed answer, but not for one without claims."""
        claims = parse_answer(outcome.text)
        if claims is not None:
            self.save_claims(self, claims, outcome.author)
        return claims is not None
