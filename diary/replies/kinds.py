"""The ways in which an entry can be answered: those of the house, and a person's own, which are sealed."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from diary.errors import NotThere
from diary.made import OwnKind
from diary.models import Reply, ReplyKind
from diary.reading import Reading
from diary.replies.refusals import NoSuchWay, RefusedWish
from diary.texts import TextRefused, can_be_seen, to_keep
from llamora.crypto import EnvelopeError
from llamora.database import Prepared, writing

LONGEST_NAME, LONGEST_WISH, MOST = 40, 500, 20
LABELS = {
    ReplyKind.REFLECT: "reflects back",
    ReplyKind.QUESTION: "asks",
    ReplyKind.SUMMARY: "sums up",
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was asked for; `name` and `wish` are the person's words, for a way of their own."""

    kind: ReplyKind = ReplyKind.RESPOND
    id: UUID | None = None
    name: str = ""
    wish: str = ""
    # What the person chose to have read besides, this once.
    traces: tuple[UUID, ...] = ()

    @property
    def label(self) -> str:
        """What a reply says beside its name about how it answers."""
        return self.name if self.kind == ReplyKind.OWN else LABELS.get(self.kind, "")

    def as_json(self) -> dict[str, Any]:
        """Return what is sealed with the reply, so that it can be shown and asked for again."""
        return {"way": str(self.id), "name": self.name} if self.kind == ReplyKind.OWN else {}


USUAL = Asked()


_own_of: Prepared[OwnKind] = Prepared(lambda owner_id: OwnKind.objects.filter(owner_id=owner_id))


def own_kinds(owner_id: UUID) -> list[Asked]:
    """Return a person's own ways, in the order they were made; what does not open is left out."""
    found = (_asked(row) for row in _own_of(owner_id=owner_id))
    return [asked for asked in found if asked is not None]


def _asked(row: OwnKind) -> Asked | None:
    try:
        words = row.words
    except EnvelopeError:
        return None
    return Asked(kind=ReplyKind.OWN, id=row.id, name=words["name"], wish=words["wish"])


def asked_by(owner_id: UUID, said: str) -> Asked:
    """Return what a form asks for: nothing, the name of a kind, or the id of an own one; raise NotThere."""
    if said in ("", *(kind.value for kind in ReplyKind if kind != ReplyKind.OWN)):
        return Asked(kind=ReplyKind(said or ReplyKind.RESPOND))
    try:
        way = UUID(said)
    except ValueError:
        raise NotThere from None
    return _own(owner_id, way)


def traces_said(said: Iterable[str]) -> tuple[UUID, ...]:
    """Return the ids that a form names; what is none is passed over."""
    ids: list[UUID] = []
    for one in said:
        with suppress(ValueError):
            ids.append(UUID(one))
    return tuple(ids[:MOST])


def _own(owner_id: UUID, way: UUID) -> Asked:
    row = OwnKind.objects.filter(owner_id=owner_id, id=way).first()
    asked = _asked(row) if row else None
    if asked is None:
        raise NotThere
    return asked


def asked_before(reply: Reply) -> Asked:
    """Return what a reply was asked for; raise NoSuchWay where that was a way which is gone."""
    kind = ReplyKind(reply.kind)
    if kind != ReplyKind.OWN:
        return Asked(kind=kind, traces=_traces_of(reply))
    try:
        return replace(_own(reply.owner_id, UUID(reply.read["way"])), traces=_traces_of(reply))
    except (NotThere, EnvelopeError, KeyError, TypeError, ValueError):
        raise NoSuchWay from None


def _traces_of(reply: Reply) -> tuple[UUID, ...]:
    try:
        reading = Reading.from_json(reply.read)
    except EnvelopeError:
        return ()
    return tuple(reading.traces) if reading else ()


def label_of(reply: Reply) -> str:
    """Return how a reply answers, for its page; "" for the usual way."""
    kind = ReplyKind(reply.kind)
    if kind != ReplyKind.OWN:
        return LABELS.get(kind, "")
    try:
        return str(reply.read["name"])
    except (EnvelopeError, KeyError, TypeError):
        return ""


def add(*, owner_id: UUID, name: str, wish: str) -> Asked:
    """Keep a way of answering; raise RefusedWish."""
    words = {"name": _kept(name, limit=LONGEST_NAME), "wish": _kept(wish, limit=LONGEST_WISH)}
    with writing():
        if OwnKind.objects.filter(owner_id=owner_id).count() >= MOST:
            raise RefusedWish(f"You have {MOST} ways already. Remove one, then add this.")
        row = OwnKind.objects.create(owner_id=owner_id, words=words)
    return Asked(kind=ReplyKind.OWN, id=row.id, name=words["name"], wish=words["wish"])


def _kept(text: str, *, limit: int) -> str:
    try:
        kept = " ".join(to_keep(text, limit=limit).split())
    except TextRefused:
        sentence = (
            f"A way needs a name of up to {LONGEST_NAME} characters and a wish of up to {LONGEST_WISH}."
        )
        raise RefusedWish(sentence) from None
    if not can_be_seen(kept):
        raise RefusedWish("A way needs a name and a wish of which something can be seen.")
    return kept


def remove(*, owner_id: UUID, way: UUID) -> None:
    """Let go of a way; replies that were asked for with it stay. Raise NotThere."""
    with writing():
        row = OwnKind.objects.filter(owner_id=owner_id, id=way).first()
        if row is None:
            raise NotThere
        row.delete()
