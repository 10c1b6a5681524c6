"""The generation of a summary from the latest entries of a trace."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import ClassVar
from uuid import UUID

from diary import days
from diary.generation import prompt_templates
from diary.generation.budget import ensure_unlocked, get_token_budget
from diary.generation.prompt_context import MIN_ENTRY_CHARACTERS, fit_latest
from diary.generation.prompt_entries import omit_middle
from diary.generation.prompt_record import dump_author
from diary.generation.prompts import build_prompt
from diary.generation.text_language import describe_language
from diary.rendering.excerpts import extract_passage
from llamora.inference.job import JobOutcome, JobState, Prompt, RowDeleted, TokenCounter
from llamora.llm.deltas import ChatMessages
from traces.models import Trace


@dataclass(frozen=True, kw_only=True)
class SummaryEntry:
    """An entry in the prompt of a summary."""

    day: date
    text: str = field(repr=False)
    # The name of the trace, which a shortened text still mentions if the text does.
    name: str = field(default="", repr=False)

    @property
    def label(self) -> str:
        """The date of the entry as the prompt writes it, such as "20 November 2026"."""
        return days.format_day(self.day)

    def describe(self) -> dict[str, object]:
        """Return the day and text of the entry, as they appear in the prompt."""
        return {"day": self.label, "text": self.text}

    def halve(self) -> "SummaryEntry | None":
        """Return the entry with half of its text, or None if the text is too short."""
        half = len(self.text) // 2
        if half <= MIN_ENTRY_CHARACTERS:
            return None
        return replace(self, text=shorten_around(self.text, self.name, limit=half))


def shorten_around(text: str, name: str, *, limit: int) -> str:
    """Return a text shortened to `limit` characters so that it still mentions `name`, if the text does."""
    short = omit_middle(text, limit=limit)
    folded, wanted = text.casefold(), name.casefold()
    # Folding may change the length of a text, and so the place of a name.
    place = folded.find(wanted) if len(folded) == len(text) else -1
    if place < 0 or wanted in short.casefold():
        return short
    return extract_passage(text, (place, place + len(wanted)), length=limit)


@dataclass(kw_only=True)
class SummaryTask:
    """Task that writes the summary of a trace; `count` is the number of all entries of the trace."""

    has_existing_row: ClassVar[bool] = False
    id: UUID
    owner_id: UUID
    trace_id: UUID
    name: str = field(repr=False)
    entries: tuple[SummaryEntry, ...] = field(repr=False)
    count: int
    digest: str
    read: int = 0

    @property
    def subject(self) -> UUID:
        """The id of the trace, which identifies this task among those of its owner."""
        return self.trace_id

    async def build_prompt(self, server: TokenCounter, *, share: float) -> Prompt:
        """Build a prompt with as many of the latest entries as fit."""
        budget = get_token_budget(server, share=share)
        messages, sent = await fit_latest(
            self.entries,
            limit=budget.prompt,
            render=self._build_messages,
            shorten=SummaryEntry.halve,
            count=server.count_message_tokens,
        )
        self.read = len(sent)
        return build_prompt(
            "trace_summary",
            self._get_values(sent),
            messages=messages,
            budget=budget,
            entries=len(sent),
            allows_heads=True,
            allows_json=True,
        )

    def _build_messages(self, entries: Sequence[SummaryEntry]) -> ChatMessages:
        return prompt_templates.render_prompt("trace_summary", self._get_values(entries))

    def _get_values(self, entries: Sequence[SummaryEntry]) -> dict[str, object]:
        return {
            **describe_language(" ".join(entry.text for entry in entries)),
            "name": self.name,
            "entries": entries,
            "count": self.count,
            "left_out": self.count - len(entries),
        }

    def create_row(self) -> None:
        """Create nothing: the summary is saved in the existing row of its trace."""
        ensure_unlocked()

    def save(self, outcome: JobOutcome) -> None:
        """Save a complete summary; anything else is discarded."""
        if outcome.state != JobState.DONE or not outcome.text.strip():
            return
        trace = Trace.objects.for_owner(self.owner_id).filter(id=self.trace_id).first()
        if trace is None:
            raise RowDeleted
        trace.summary = {
            "text": outcome.text.strip(),
            "digest": self.digest,
            "read": self.read,
            "of": self.count,
            "author": dump_author(outcome.author),
            "clean": True,
        }
        trace.save(update_fields=["summary"])

    def set_state(self, outcome: JobOutcome) -> None:
        """Do nothing: a failed summary is generated again when it is next requested."""
