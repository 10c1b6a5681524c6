"""A trace's summary as a job carries it out: its latest entries read, a few sentences kept, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from diary import days, prompts
from diary.asking import refuse_locked, room_in
from diary.openings.errand import both_ends
from diary.replies.context import SHORTEST, fit_latest
from llamora.inference.job import Counting, Gone, Outcome, Prompt, State
from llamora.llm.deltas import Turns
from traces.models import Trace


@dataclass(frozen=True, kw_only=True)
class Told:
    """An entry of the trace."""

    day: date
    text: str = field(repr=False)

    @property
    def label(self) -> str:
        """Return the day as people write it."""
        return days.label(self.day)

    def shorter(self) -> "Told | None":
        """Return half of it; None where that is no use any more."""
        half = len(self.text) // 2
        return replace(self, text=both_ends(self.text, most=half)) if half > SHORTEST else None


@dataclass(kw_only=True)
class SummaryErrand:
    """Has a trace summed up. Its methods run as `Errand` says. `count` is of all its entries."""

    id: UUID
    owner_id: UUID
    trace_id: UUID
    name: str = field(repr=False)
    told: tuple[Told, ...] = field(repr=False)
    count: int
    digest: str
    read: int = 0

    async def compose(self, server: Counting, *, share: float) -> Prompt:
        """Fit the entries to the window, the oldest left out first."""
        room = room_in(server, share=share)
        turns, told = await fit_latest(
            self.told, room=room.prompt, tell=self._tell, shorten=Told.shorter, count=server.count_turns
        )
        self.read = len(told)
        return Prompt(turns=turns, max_tokens=room.answer)

    def _tell(self, told: Sequence[Told]) -> Turns:
        left_out = self.count - len(told)
        return prompts.turns(
            "trace_summary",
            {"name": self.name, "entries": told, "count": self.count, "left_out": left_out},
        )

    def root(self) -> None:
        """There is no row of its own: it is kept with its trace."""
        refuse_locked(self.owner_id)

    def keep(self, outcome: Outcome) -> None:
        """Keep it once it is whole; what was cut short is let go, and an error is never a summary."""
        if outcome.state != State.DONE or not outcome.text.strip():
            return
        trace = Trace.objects.of(self.owner_id).filter(id=self.trace_id).first()
        if trace is None:
            raise Gone
        trace.summary = {
            "text": outcome.text.strip(),
            "digest": self.digest,
            "read": self.read,
            "of": self.count,
        }
        trace.save(update_fields=["summary"])

    def mark(self, outcome: Outcome) -> None:
        """Nothing to mark: it is made again when it is next asked for."""
