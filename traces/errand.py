"""Proposals for one entry as a job carries them out: the entry read, names proposed, or silence.

An answer that does not keep to the form is asked for once more, without the schema, in case the server
stumbled over that; then what can be made of it is taken, and else nothing is said.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from diary import prompts
from diary.asking import refuse_locked, room_in
from diary.models import Entry
from diary.replies.context import SHORTEST, Piece, fit_latest
from llamora.inference.job import Counting, Outcome, Prompt, State
from llamora.llm.deltas import Turns
from traces import offers
from traces.proposals import offer

ANSWER_TOKENS = 400  # some think before they write
AGAIN_FOR = frozenset({"server_error", "malformed", "empty"})


@dataclass(frozen=True, kw_only=True)
class ProposalErrand:
    """Has traces proposed for an entry. Its methods run as `Errand` says.

    `again` is told, in a database thread and within the transaction, when another try is due.
    """

    id: UUID
    owner_id: UUID
    entry_id: UUID
    piece: Piece
    known: tuple[str, ...]
    again: Callable[["ProposalErrand"], None] = field(repr=False)
    is_second: bool = False

    async def compose(self, server: Counting, *, share: float) -> Prompt:
        """Fit the entry to the window, its end left out."""
        room = room_in(server, share=share)
        turns, _ = await fit_latest(
            [self.piece], room=room.prompt, tell=self._tell, shorten=_shorter, count=server.count_turns
        )
        schema = None if self.is_second else offers.SCHEMA
        return Prompt(turns=turns, max_tokens=min(room.answer, ANSWER_TOKENS), schema=schema)

    def _tell(self, pieces: Sequence[Piece]) -> Turns:
        is_cut = len(pieces[0].text) < len(self.piece.text)
        return prompts.turns("traces", {"entry": pieces[0], "known": self.known, "is_cut": is_cut})

    def root(self) -> None:
        """There is no row before there is a proposal."""
        refuse_locked(self.owner_id)

    def keep(self, outcome: Outcome) -> None:
        """Offer what a whole answer proposes; ask once more, or say nothing."""
        if outcome.state == State.FAILED and outcome.reason in AGAIN_FOR and not self.is_second:
            self.again(self)
        if outcome.state != State.DONE:
            return
        names = offers.strict(outcome.text)
        if not names and not self.is_second:
            self.again(self)
        elif names := names or offers.tolerant(outcome.text):
            entry = Entry.objects.of(self.owner_id).filter(id=self.entry_id).first()
            if entry is not None:
                offer(entry, names)

    def mark(self, outcome: Outcome) -> None:
        """Nothing to mark: proposals are made when they are next wanted."""


def _shorter(piece: Piece) -> Piece | None:
    half = len(piece.text) // 2
    return replace(piece, text=f"{piece.text[:half].rstrip()}…") if half > SHORTEST else None
