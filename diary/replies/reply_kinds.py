"""The ways in which an entry can be answered: those of the house, and a person's own, which are sealed."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from diary.entries.text_validation import InvalidText, clean_entry_text, has_visible_characters
from diary.errors import ObjectNotFound
from diary.generation.prompt_record import PromptRecord
from diary.models import CustomReplyKind, Reply, ReplyKind
from diary.replies.errors import InvalidReplyKind, ReplyKindNotFound
from llamora.crypto import EnvelopeError
from llamora.database import CachedQuery, write_transaction

MAX_NAME_LENGTH, MAX_WISH_LENGTH, MAX_CUSTOM_KINDS = 40, 500, 20
KIND_LABELS = {
    ReplyKind.REFLECT: "reflects back",
    ReplyKind.QUESTION: "asks",
    ReplyKind.SUMMARY: "sums up",
}


@dataclass(frozen=True, kw_only=True)
class ReplyKindChoice:
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
        return self.name if self.kind == ReplyKind.OWN else KIND_LABELS.get(self.kind, "")

    def to_json(self) -> dict[str, Any]:
        """Return what is sealed with the reply, so that it can be shown and asked for again."""
        return {"way": str(self.id), "name": self.name} if self.kind == ReplyKind.OWN else {}


DEFAULT_CHOICE = ReplyKindChoice()


_custom_kinds_query: CachedQuery[CustomReplyKind] = CachedQuery(
    lambda owner_id: CustomReplyKind.objects.filter(owner_id=owner_id)
)


def list_custom_kinds(owner_id: UUID) -> list[ReplyKindChoice]:
    """Return a person's own ways, in the order they were made; what does not open is left out."""
    found = (_load_choice(row) for row in _custom_kinds_query(owner_id=owner_id))
    return [asked for asked in found if asked is not None]


def _load_choice(row: CustomReplyKind) -> ReplyKindChoice | None:
    try:
        words = row.words
    except EnvelopeError:
        return None
    return ReplyKindChoice(kind=ReplyKind.OWN, id=row.id, name=words["name"], wish=words["wish"])


def parse_choice(owner_id: UUID, said: str) -> ReplyKindChoice:
    """Return what a form asks for: nothing, the name of a kind, or the id of an own one; raise NotThere."""
    if said in ("", *(kind.value for kind in ReplyKind if kind != ReplyKind.OWN)):
        return ReplyKindChoice(kind=ReplyKind(said or ReplyKind.RESPOND))
    try:
        way = UUID(said)
    except ValueError:
        raise ObjectNotFound from None
    return _get_custom_kind(owner_id, way)


def parse_trace_ids(said: Iterable[str]) -> tuple[UUID, ...]:
    """Return the ids that a form names; what is none is passed over."""
    ids: list[UUID] = []
    for one in said:
        with suppress(ValueError):
            ids.append(UUID(one))
    return tuple(ids[:MAX_CUSTOM_KINDS])


def _get_custom_kind(owner_id: UUID, way: UUID) -> ReplyKindChoice:
    row = CustomReplyKind.objects.filter(owner_id=owner_id, id=way).first()
    asked = _load_choice(row) if row else None
    if asked is None:
        raise ObjectNotFound
    return asked


def get_reply_choice(reply: Reply) -> ReplyKindChoice:
    """Return what a reply was asked for; raise NoSuchWay where that was a way which is gone."""
    kind = ReplyKind(reply.kind)
    if kind != ReplyKind.OWN:
        return ReplyKindChoice(kind=kind, traces=_load_trace_ids(reply))
    try:
        return replace(
            _get_custom_kind(reply.owner_id, UUID(reply.read["way"])), traces=_load_trace_ids(reply)
        )
    except (ObjectNotFound, EnvelopeError, KeyError, TypeError, ValueError):
        raise ReplyKindNotFound from None


def _load_trace_ids(reply: Reply) -> tuple[UUID, ...]:
    try:
        reading = PromptRecord.from_json(reply.read)
    except EnvelopeError:
        return ()
    return tuple(reading.traces) if reading else ()


def get_reply_label(reply: Reply) -> str:
    """Return how a reply answers, for its page; "" for the usual way."""
    kind = ReplyKind(reply.kind)
    if kind != ReplyKind.OWN:
        return KIND_LABELS.get(kind, "")
    try:
        return str(reply.read["name"])
    except (EnvelopeError, KeyError, TypeError):
        return ""


def create_custom_kind(*, owner_id: UUID, name: str, wish: str) -> ReplyKindChoice:
    """Keep a way of answering; raise RefusedWish."""
    words = {
        "name": _clean_text(name, limit=MAX_NAME_LENGTH),
        "wish": _clean_text(wish, limit=MAX_WISH_LENGTH),
    }
    with write_transaction():
        if CustomReplyKind.objects.filter(owner_id=owner_id).count() >= MAX_CUSTOM_KINDS:
            raise InvalidReplyKind(f"You have {MAX_CUSTOM_KINDS} ways already. Remove one, then add this.")
        row = CustomReplyKind.objects.create(owner_id=owner_id, words=words)
    return ReplyKindChoice(kind=ReplyKind.OWN, id=row.id, name=words["name"], wish=words["wish"])


def _clean_text(text: str, *, limit: int) -> str:
    try:
        kept = " ".join(clean_entry_text(text, limit=limit).split())
    except InvalidText:
        sentence = (
            f"A way needs a name of up to {MAX_NAME_LENGTH} characters and a wish of up to {MAX_WISH_LENGTH}."
        )
        raise InvalidReplyKind(sentence) from None
    if not has_visible_characters(kept):
        raise InvalidReplyKind("A way needs a name and a wish of which something can be seen.")
    return kept


def delete_custom_kind(*, owner_id: UUID, way: UUID) -> None:
    """Let go of a way; replies that were asked for with it stay. Raise NotThere."""
    with write_transaction():
        row = CustomReplyKind.objects.filter(owner_id=owner_id, id=way).first()
        if row is None:
            raise ObjectNotFound
        row.delete()
