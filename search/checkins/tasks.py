"""Generation of one check-in, with one call of the model.

The prompt contains only trusted texts: requests, facts and entries of their owner. The record of the
check-in is created before the model is asked and updated afterwards.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from typing import ClassVar, Final
from uuid import UUID

from django.utils import timezone

from diary import days
from diary.generation import prompt_templates
from diary.generation.budget import ensure_unlocked, fit_persona, get_token_budget
from diary.generation.prompt_context import MIN_ENTRY_CHARACTERS, PromptFact, fit_latest
from diary.generation.prompt_entries import omit_middle
from diary.generation.prompt_record import PromptRecord
from diary.generation.prompts import build_data_prompt
from diary.generation.text_language import describe_language
from llamora.database import write_transaction
from llamora.inference.job import LIVE_STATES, JobOutcome, JobState, Prompt, RowDeleted, TokenCounter
from llamora.inference.runner import OutputRefused
from llamora.llm.deltas import ChatMessages
from llamora.llm.tokens import estimate_tokens
from search.checkins.answers import Proposal, build_schema, check_proposals, parse_answer
from search.checkins.request_list import ListedRequest
from search.models import CheckIn

MAX_PROMPT_TOKENS: Final = 6000
MAX_ANSWER_TOKENS: Final = 600
# The reason of a check-in whose answer was not of the form asked for.
UNREADABLE: Final = "unreadable"
# Of one that would have gone to another machine, or would have asked the model a second time.
REMOTE: Final = "remote"
ASKED_TWICE: Final = "thought_limit"


@dataclass(frozen=True, kw_only=True)
class NumberedRequest:
    """A standing request in a prompt, with its number from 1."""

    number: int
    request: ListedRequest

    def describe(self) -> dict[str, object]:
        """Return the standing request as a dict for the prompt: its number, its words and its times."""
        return {"number": self.number, "request": self.request.text, "when": self.request.when}


@dataclass(frozen=True, kw_only=True)
class CheckInPassage:
    """A passage of an entry in a prompt."""

    entry_id: UUID
    day: date
    text: str = field(repr=False)
    is_cut: bool

    def describe(self) -> dict[str, object]:
        """Return the passage as a dict for the prompt: its day, its text, and whether it was shortened."""
        return {
            "day": f"{days.weekday_name(self.day)}, {days.format_day(self.day)}",
            "only_a_part": self.is_cut,
            "text": self.text,
        }

    def halve(self) -> "CheckInPassage | None":
        """Return the passage with half of its text, or None if the text is too short."""
        half = len(self.text) // 2
        if half <= MIN_ENTRY_CHARACTERS:
            return None
        return replace(self, text=omit_middle(self.text, limit=half), is_cut=True)


Part = CheckInPassage | PromptFact


@dataclass(frozen=True, kw_only=True)
class CheckInTask:
    """Task of one check-in. To save the proposals in the answer, `save` calls `save_proposals`."""

    has_existing_row: ClassVar[bool] = True
    id: UUID
    owner_id: UUID
    due_at: datetime
    is_by_hand: bool
    is_by_program: bool = False
    # In the time zone of its owner.
    now: datetime
    requests: tuple[ListedRequest, ...] = field(repr=False)
    passages: tuple[CheckInPassage, ...] = field(default=(), repr=False)
    facts: tuple[PromptFact, ...] = field(default=(), repr=False)
    persona: str = field(default="", repr=False)
    save_proposals: Callable[["CheckInTask", Sequence[Proposal], JobOutcome], object] = field(repr=False)
    record: PromptRecord = field(default_factory=PromptRecord)
    # How many tokens the prompt has that was built for each share of the context window.
    sizes_by_share: dict[float, int] = field(default_factory=dict)

    @property
    def subject(self) -> UUID:
        """The id of the owner, which identifies this task: a person has one check-in at a time."""
        return self.owner_id

    async def build_prompt(self, server: TokenCounter, *, share: float) -> Prompt:
        """Build a prompt with all requests, and as many passages and facts as fit."""
        if getattr(server, "remote_host", ""):
            # Another model was chosen since the check-in began.
            raise OutputRefused(REMOTE)
        if share in self.sizes_by_share:
            # It thought until its limit. A check-in is one call.
            raise OutputRefused(ASKED_TWICE)
        budget = get_token_budget(server, share=share)
        output = min(budget.output, MAX_ANSWER_TOKENS)
        # One part always stands in a prompt: where there is nothing to read, an empty one.
        limit = min(budget.prompt, MAX_PROMPT_TOKENS)
        persona = await fit_persona(self.persona, server=server, budget=budget._replace(prompt=limit))
        parts: list[Part] = [*self.passages[::-1], *self.facts[::-1]] or [PromptFact(id=self.id, text="")]
        messages, _ = await fit_latest(
            parts,
            limit=limit,
            render=partial(self._build_messages, persona),
            shorten=_get_shorter,
            count=server.count_message_tokens,
        )
        self.sizes_by_share[share] = await server.count_message_tokens(messages)
        budget = budget._replace(output=output, thinking=0)
        return build_data_prompt(
            "check_in", messages=messages, budget=budget, schema=build_schema(len(self.requests))
        )

    def _build_messages(self, persona: str, parts: Sequence[Part]) -> ChatMessages:
        words = " ".join(request.text for request in self.requests)
        return prompt_templates.render_prompt(
            "check_in",
            {
                **describe_language(words),
                "weekday": days.weekday_name(self.now.date()),
                "day": days.format_day(self.now.date()),
                "time": f"{self.now:%H:%M}",
                "persona": persona,
                "requests": [
                    NumberedRequest(number=number, request=request)
                    for number, request in enumerate(self.requests, start=1)
                ],
                "facts": [part for part in parts if isinstance(part, PromptFact) and part.text],
                "passages": sorted(
                    (part for part in parts if isinstance(part, CheckInPassage)), key=lambda one: one.day
                ),
            },
        )

    def create_check_in(self) -> bool:
        """Create the record of the check-in before the model is asked.

        Return False if the person has a check-in with the same due time already.
        """
        with write_transaction():
            if CheckIn.objects.filter(owner_id=self.owner_id, due_at=self.due_at).exists():
                return False
            CheckIn(
                id=self.id,
                owner_id=self.owner_id,
                due_at=self.due_at,
                is_by_hand=self.is_by_hand,
                state=JobState.WAITING,
                body=self._describe(None),
            ).save(force_insert=True)
        return True

    def create_row(self) -> None:
        """Check that the diary is unlocked. This creates no row, since `create_check_in` has done so."""
        ensure_unlocked()

    def save(self, outcome: JobOutcome) -> None:
        """Update the record of the check-in, and save the proposals of the answer.

        Raise RowDeleted if the record was deleted.
        """
        row = CheckIn.objects.filter(id=self.id, owner_id=self.owner_id).first()
        if row is None:
            raise RowDeleted
        reason = outcome.reason
        if outcome.state == JobState.DONE:
            answer = parse_answer(outcome.text)
            if answer is None:
                reason = UNREADABLE
            elif proposals := check_proposals(answer, requests=len(self.requests), read=self._list_read()):
                self.save_proposals(self, proposals, outcome)
        row.state, row.reason = outcome.state.value, reason
        row.finished_at = None if outcome.state in LIVE_STATES else timezone.now()
        row.body = self._describe(outcome)
        row.save(update_fields=["state", "reason", "finished_at", "body"])

    def set_state(self, outcome: JobOutcome) -> None:
        """Save the state and its reason. This needs no key."""
        CheckIn.objects.filter(id=self.id).update(
            state=outcome.state.value, reason=outcome.reason, finished_at=timezone.now()
        )

    def _list_read(self) -> list[str]:
        return [
            *(passage.text for passage in self.passages),
            *(fact.text for fact in self.facts),
            *(request.text for request in self.requests),
        ]

    def _describe(self, outcome: JobOutcome | None) -> dict[str, object]:
        author = outcome.author if outcome else None
        return {
            "requests": len(self.requests),
            "prompt_tokens": next(reversed(self.sizes_by_share.values()), 0),
            "output_tokens": estimate_tokens(outcome.text) if outcome else 0,
            "model": author.model if author else "",
            "host": author.host if author else "",
            "prompt": author.prompt if author else "",
            "by_program": self.is_by_program,
        }


def _get_shorter(part: Part) -> Part | None:
    return part.halve() if isinstance(part, CheckInPassage) else None
