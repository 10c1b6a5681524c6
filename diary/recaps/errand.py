"""A recap as a job carries it out: a whole day read, one to three sentences kept, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from diary import days, prompts
from diary.asking import refuse_locked, room_in
from diary.made import Recap
from diary.models import Entry
from diary.pieces import pieces_of
from diary.replies.context import SHORTEST, Piece, fit_latest
from llamora.inference.job import Counting, Outcome, Prompt, State
from llamora.llm.deltas import Turns


@dataclass(frozen=True, kw_only=True)
class RecapErrand:
    """Has a finished day put in short. Its methods run as `Errand` says."""

    id: UUID
    owner_id: UUID
    day: date
    pieces: tuple[Piece, ...]
    digest: str

    async def compose(self, server: Counting, *, share: float) -> Prompt:
        """Fit the day to the window, its morning left out first."""
        room = room_in(server, share=share)
        turns, _ = await fit_latest(
            self.pieces, room=room.prompt, tell=self._tell, shorten=shorter, count=server.count_turns
        )
        return Prompt(turns=turns, max_tokens=room.answer)

    def _tell(self, pieces: Sequence[Piece]) -> Turns:
        said: dict[str, object] = {
            "weekday": days.weekday(self.day),
            "day": days.label(self.day),
            "entries": pieces,
        }
        return prompts.turns("recap", said)

    def root(self) -> None:
        """There is no row before there is a recap."""
        refuse_locked(self.owner_id)

    def keep(self, outcome: Outcome) -> None:
        """Put a whole recap in the place of an older one; what came of any other job is let go."""
        if outcome.state != State.DONE or not outcome.text.strip() or not self._is_true():
            return
        Recap.objects.filter(owner_id=self.owner_id, day=self.day).delete()
        body = {"text": outcome.text.strip(), "digest": self.digest}
        Recap(id=self.id, owner_id=self.owner_id, day=self.day, body=body).save(force_insert=True)

    def _is_true(self) -> bool:
        """Return whether the day still says what was read: one that lost an entry has lost its words."""
        now = pieces_of(Entry.objects.of(self.owner_id).on(self.day), zone="UTC")
        return [(one.id, one.text) for one in now] == [(one.id, one.text) for one in self.pieces]

    def mark(self, outcome: Outcome) -> None:
        """Nothing to mark: it is made again when it is next wanted."""


def shorter(piece: Piece) -> Piece | None:
    """Return the first half of a piece; None where that is no use any more."""
    half = len(piece.text) // 2
    return replace(piece, text=f"{piece.text[:half].rstrip()}…") if half > SHORTEST else None
