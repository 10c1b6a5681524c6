"""A reply as a job carries it out: what is read for it, what is sent, what is kept."""

from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import NamedTuple
from uuid import UUID

from django.db.models import Subquery
from django.utils import timezone

from accounts.models import Person
from diary import beside, days, prompts
from diary.asking import refuse_locked, room_in
from diary.errors import NotThere
from diary.models import Entry, EntryQuerySet, Reply, ReplyKind, ReplyState
from diary.pieces import days_before, piece_of, pieces_of
from diary.reading import Reading
from diary.replies.context import Material, fit
from diary.replies.kinds import USUAL, Asked
from diary.replies.refusals import Damaged
from llamora.crypto import EnvelopeError
from llamora.database import Prepared
from llamora.inference.job import Counting
from llamora.inference.jobs import LIVE, Gone, Job, Outcome, Prompt
from llamora.llm.deltas import Turns

EARLIER_REPLIES = 2
LOOKED_AT = 2 * EARLIER_REPLIES  # some of them may hold no words
MOST_OF_A_REPLY = 2_000  # characters of an earlier one: enough not to repeat it


@dataclass(frozen=True, kw_only=True)
class ReplyErrand:
    """Has one entry answered. Its methods run as `Errand` says."""

    id: UUID
    owner_id: UUID
    entry_id: UUID
    material: Material
    asked: Asked = USUAL
    is_again: bool = False
    reading: Reading = field(default_factory=Reading)

    @property
    def day(self) -> date:
        """The day whose page shows the reply."""
        return self.material.day

    async def compose(self, server: Counting, *, share: float) -> Prompt:
        """Fit it to `share` of the server's window, with room for the reply."""
        room = room_in(server, share=share)
        tell = partial(_tell, self.asked)
        turns, material = await fit(self.material, room=room.prompt, tell=tell, count=server.count_turns)
        self._note(material)
        return Prompt(turns=turns, max_tokens=room.answer)

    def _note(self, sent: Material) -> None:
        """Note what is sent, so that it can be looked at later."""
        before = (*self.material.recalled, *self.material.earlier)
        whole = [(piece.id, piece.day or self.day) for piece in (*before, self.material.entry) if piece.id]
        gone = len(before) - len(sent.recalled) - len(sent.earlier)
        self.reading.left_out, self.reading.entries = whole[:gone], whole[gone:]
        self.reading.replies = len(sent.replies)
        self.reading.replies_left_out = len(self.material.replies) - len(sent.replies)
        self.reading.is_cut = sent.is_cut or any(piece.is_cut for piece in sent.recalled)

    def _read(self) -> dict[str, object]:
        return {**self.reading.as_json(), **self.asked.as_json()}

    def root(self) -> None:
        """Write the reply's row, still without a word, or put it back to its beginning."""
        refuse_locked(self.owner_id)
        if self.is_again:
            row = Reply.objects.filter(id=self.id, owner_id=self.owner_id)
            row.update(state=ReplyState.WAITING, reason="", finished_at=None)
            return
        kind = self.asked.kind.value
        new = Reply(id=self.id, owner_id=self.owner_id, entry_id=self.entry_id, kind=kind, text="")
        new.read = self._read()
        new.save(force_insert=True)

    def keep(self, outcome: Outcome) -> None:
        """Seal and write what came; raise Gone when the reply was deleted."""
        reply = Reply.objects.defer("text", "read").filter(id=self.id, owner_id=self.owner_id).first()
        if reply is None:
            raise Gone
        reply.text, reply.state, reply.reason = outcome.text, outcome.state.value, outcome.reason
        reply.finished_at = None if outcome.state in LIVE else timezone.now()
        reply.read = self._read()
        reply.save(update_fields=["text", "read", "state", "reason", "finished_at"])

    def mark(self, outcome: Outcome) -> None:
        """Write state and reason; needs no key."""
        Reply.objects.filter(id=self.id).update(
            state=outcome.state.value, reason=outcome.reason, finished_at=timezone.now()
        )


class Gathered(NamedTuple):
    """What the model is to be given, and why entries of days before are among it."""

    material: Material
    recalled_by: tuple[UUID, ...] = ()
    near: tuple[UUID, ...] = ()


def gather(*, person: Person, entry_id: UUID, asked: Asked) -> Gathered:
    """Read the day up to an entry, what is recalled for it, and what was answered to it before.

    A summary is of the entry alone. Raise NotThere, or Damaged where the entry itself does not open.
    """
    *earlier, entry = _day_so_far(owner_id=person.id, entry_id=entry_id)
    piece = piece_of(entry, zone=person.time_zone)
    if piece is None:
        raise Damaged
    if asked.kind == ReplyKind.SUMMARY:
        return Gathered(Material(day=entry.day, entry=piece))
    recalled = beside.recalled_for(entry, by=asked.traces)
    material = Material(
        day=entry.day,
        entry=piece,
        recalled=days_before(recalled.entries, zone=person.time_zone, near=recalled.near),
        earlier=pieces_of(earlier, zone=person.time_zone),
        replies=tuple(_answered_before(entry)),
    )
    return Gathered(material, tuple(recalled.by), tuple(recalled.near))


def _beside(owner_id: UUID, entry_id: UUID) -> EntryQuerySet:
    mine = Entry.objects.of(owner_id)
    return mine.filter(day=Subquery(mine.filter(id=entry_id).values("day")))


_of_the_day: Prepared[Entry] = Prepared(_beside)


def _day_so_far(*, owner_id: UUID, entry_id: UUID) -> list[Entry]:
    """Return the entries of a day in the order of its page, up to one; never a later one. Raise NotThere."""
    so_far: list[Entry] = []
    for entry in _of_the_day(owner_id=owner_id, entry_id=entry_id):
        so_far.append(entry)
        if entry.id == entry_id:
            return so_far
    raise NotThere


_latest_replies: Prepared[Reply] = Prepared(
    lambda owner_id, entry_id: (
        Reply.objects.filter(owner_id=owner_id, entry_id=entry_id)
        .exclude(state__in=LIVE)
        .order_by("-created_at")[:LOOKED_AT]
    )
)


def _answered_before(entry: Entry) -> list[str]:
    replies = _latest_replies(owner_id=entry.owner_id, entry_id=entry.id)
    texts = [_words_of(reply)[:MOST_OF_A_REPLY] for reply in replies]
    return [text for text in texts if text.strip()][:EARLIER_REPLIES][::-1]


def _words_of(reply: Reply) -> str:
    try:
        return str(reply.text)
    except EnvelopeError:
        return ""


def errand_of(job: Job) -> ReplyErrand:
    """Return the reply that a job writes; raise TypeError for jobs of another kind."""
    if not isinstance(job.errand, ReplyErrand):
        raise TypeError("This job writes no reply.")
    return job.errand


def _tell(asked: Asked, material: Material) -> Turns:
    return prompts.turns(
        asked.kind.value,
        {
            "wish": asked.wish,
            "weekday": days.weekday(material.day),
            "day": days.label(material.day),
            "recalled": material.recalled,
            "earlier": material.earlier,
            "entry": material.entry,
            "is_cut": material.is_cut,
            "replies": material.replies,
        },
    )
