"""The generation of suggested traces for an entry.

The answer to a second attempt is parsed tolerantly; if it contains no names, nothing is suggested.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from diary.generation import prompt_templates
from diary.generation.entry_tasks import EntryTask
from diary.generation.prompt_context import PromptEntry
from diary.generation.prompt_record import dump_author
from diary.generation.text_language import describe_language
from diary.models import Entry
from llamora.inference.job import Author, JobOutcome
from llamora.llm.deltas import ChatMessages
from traces.proposals import parser
from traces.proposals.queries import get_body, get_or_build_row


@dataclass(frozen=True, kw_only=True)
class ProposalTask(EntryTask):
    """Task that proposes traces for an entry."""

    prompt_name = "traces"
    answer_schema = parser.ANSWER_SCHEMA
    max_answer_tokens = 400

    known_names: tuple[str, ...]

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

    def _save_answer(self, outcome: JobOutcome) -> bool:
        """Save the names that the entry supports; the second answer is parsed tolerantly."""
        names = self._filter(parser.parse_strict(outcome.text))
        if not names and self.is_retry:
            names = self._filter(parser.parse_tolerant(outcome.text))
        if names and (entry := Entry.objects.for_owner(self.owner_id).filter(id=self.entry_id).first()):
            save_proposals(entry, names, author=outcome.author)
        return bool(names)

    def _filter(self, names: Sequence[str]) -> list[str]:
        """Return the names that the entry supports, or nothing if only the emoji remains."""
        found = parser.filter_supported(names, text=self.prompt_entry.text, known_names=self.known_names)
        return found if any(any(map(str.isalnum, name)) for name in found) else []


def save_proposals(entry: Entry, names: Sequence[str], *, author: Author) -> None:
    """Replace the proposals of an entry, and their author; call within a transaction."""
    row = get_or_build_row(entry)
    row.body = {
        "offered": list(names),
        "dismissed": get_body(row)["dismissed"],
        "author": dump_author(author),
    }
    row.made_at = timezone.now()
    row.save()
