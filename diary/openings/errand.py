"""An opening as a job carries it out: the latest written days read, a few sentences kept, or nothing.

Of the latest day everything is told; of the days before it their recap, where that is still true, or the
beginnings of their entries. What does not fit is left out from its oldest end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from django.utils import timezone

from diary import days, prompts
from diary.asking import refuse_locked, room_in
from diary.made import Opening
from diary.models import Entry
from diary.reading import Reading
from diary.replies.context import SHORTEST, fit_latest
from llamora.inference.job import Counting, Outcome, Prompt, State
from llamora.llm.deltas import Turns

# Days without an entry after which a return is one.
LONG = 8


@dataclass(frozen=True, kw_only=True)
class Told:
    """Something of an earlier day: an entry, or the day's recap, which has no id. `ago` counts days."""

    day: date
    ago: int
    text: str
    id: UUID | None = None
    # The entries that a recap was made from.
    recapped: tuple[UUID, ...] = ()
    is_cut: bool = False
    # What apps above call it: the traces a person keeps on it.
    labels: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The day as people write it."""
        return f"{days.weekday(self.day)}, {days.label(self.day)}"

    @property
    def when(self) -> str:
        """How long ago that was."""
        return "yesterday" if self.ago == 1 else f"{self.ago} days ago"

    def shorter(self) -> "Told | None":
        """Return half of it; None where that is no use any more."""
        half = len(self.text) // 2
        return replace(self, text=both_ends(self.text, most=half), is_cut=True) if half > SHORTEST else None


def both_ends(text: str, *, most: int) -> str:
    """Return a text with its middle left out: how it begins, and more of its end, where things stay open."""
    if len(text) <= most:
        return text
    head, _, broken = text[: most // 3].rpartition(" ")
    half, _, tail = text[len(text) - 2 * most // 3 :].partition(" ")
    return f"{head or broken} … {tail or half}"


@dataclass(frozen=True, kw_only=True)
class OpeningErrand:
    """Has a day opened. Its methods run as `Errand` says. `is_new` when these are all the written days.

    `standing` is the opening that another is asked for in the place of; it stays where that comes to nothing.
    """

    id: UUID
    owner_id: UUID
    day: date
    told: tuple[Told, ...]
    is_new: bool = False
    standing: str = ""
    asked_at: datetime = field(default_factory=timezone.now)
    reading: Reading = field(default_factory=Reading)

    async def compose(self, server: Counting, *, share: float) -> Prompt:
        """Fit the days to the window, the oldest left out first."""
        room = room_in(server, share=share)
        turns, told = await fit_latest(
            self.told, room=room.prompt, tell=self._tell, shorten=Told.shorter, count=server.count_turns
        )
        self._note(told)
        return Prompt(turns=turns, max_tokens=room.answer)

    def _tell(self, told: Sequence[Told]) -> Turns:
        return prompts.turns(
            "opening",
            {
                "weekday": days.weekday(self.day),
                "day": days.label(self.day),
                "told": told,
                "gap": told[-1].ago,
                "is_long": told[-1].ago >= LONG,
                "is_new": self.is_new,
            },
        )

    def _note(self, told: Sequence[Told]) -> None:
        places = [(one.id, one.day) for one in self.told if one.id]
        kept = {one.id for one in told}
        self.reading.entries = [place for place in places if place[0] in kept]
        self.reading.left_out = [place for place in places if place[0] not in kept]
        recaps = [one.day for one in told if one.id is None]
        self.reading.recaps = recaps
        self.reading.recapped = [id_ for one in told for id_ in one.recapped]
        self.reading.recaps_left_out = [
            one.day for one in self.told if one.id is None and one.day not in recaps
        ]
        self.reading.is_cut = any(one.is_cut for one in told)

    def root(self) -> None:
        """There is no row before there is an opening."""
        refuse_locked(self.owner_id)

    def keep(self, outcome: Outcome) -> None:
        """Keep it once it is whole; what was cut short is made anew, and an error is never an opening."""
        if outcome.state != State.DONE or not outcome.text.strip() or self._is_unwanted():
            return
        Opening.objects.filter(owner_id=self.owner_id, day=self.day).delete()
        made = Opening(id=self.id, owner_id=self.owner_id, day=self.day, text=outcome.text.strip())
        made.read = self.reading.as_json()
        made.save(force_insert=True)

    def _is_unwanted(self) -> bool:
        """Return whether it was dismissed, or something it was drawn from destroyed, while it was written."""
        of_the_day = Opening.objects.filter(owner_id=self.owner_id, day=self.day)
        drawn_from = self.reading.drawn_from
        there = Entry.objects.filter(owner_id=self.owner_id, id__in=drawn_from).order_by()
        return (
            there.count() < len(drawn_from)
            or of_the_day.filter(is_dismissed=True, created_at__gte=self.asked_at).exists()
        )

    def mark(self, outcome: Outcome) -> None:
        """Nothing to mark: it is made when the day is next opened."""
