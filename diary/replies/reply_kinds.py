"""Reply styles: the built-in ones, the encrypted custom ones of a person, and their usable skills.

A skill is a note; it gives instructions only at the revision that its owner wrote or approved.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from diary import messages
from diary.entries.text_validation import InvalidText, clean_entry_text, has_visible_characters
from diary.errors import ObjectNotFound, get_first_or_404
from diary.generation.prompt_record import PromptRecord
from diary.models import TRUSTED_ORIGINS, CustomReplyKind, Origin, Reply, ReplyKind
from diary.notes.kinds import NoteKind
from diary.notes.queries import read_notes
from diary.notes.skills import Skill, build_skill, list_skills
from diary.replies.errors import InvalidReplyKind, ReplyKindNotFound, ReplyKindUntrusted, SkillNotApproved
from llamora.crypto import EnvelopeError, Realm, current_realm_keyring
from llamora.database import CachedQuery, write_transaction

MAX_NAME_LENGTH, MAX_INSTRUCTION_LENGTH, MAX_CUSTOM_KINDS = 40, 500, 20
# A longer skill is no reply style: it would leave too little of the model's window to the entry.
MAX_SKILL_LENGTH = 4096


@dataclass(frozen=True, kw_only=True)
class ReplyKindChoice:
    """A chosen reply style; `name` and `instruction` are the person's words if it is a custom style."""

    kind: ReplyKind = ReplyKind.RESPOND
    id: UUID | None = None
    name: str = ""
    instruction: str = ""
    # False for one that came with an import until its person says that it is theirs: it gives instructions.
    is_trusted: bool = True
    # Of a skill: the revision of its note that gives the instruction.
    skill_revision: int | None = None
    # The traces whose entries are to be read as well, for this reply only.
    traces: tuple[UUID, ...] = ()

    @property
    def label(self) -> str:
        """The style as shown beside a reply; empty for the usual style."""
        return self.name if self.kind == ReplyKind.OWN else self.kind.verb

    def to_json(self) -> dict[str, Any]:
        """Return the JSON that is stored with the reply, so that the style can be shown and used again."""
        if self.kind != ReplyKind.OWN:
            return {}
        of_skill = {} if self.skill_revision is None else {"skill_revision": self.skill_revision}
        return {"way": str(self.id), "name": self.name, **of_skill}


DEFAULT_CHOICE = ReplyKindChoice()
_custom_kinds_query: CachedQuery[CustomReplyKind] = CachedQuery(
    lambda owner_id: CustomReplyKind.objects.filter(owner_id=owner_id)
)


def list_custom_kinds(owner_id: UUID) -> list[ReplyKindChoice]:
    """Return the custom styles of a person, oldest first; damaged styles are left out."""
    choices = (_load_choice(row) for row in _custom_kinds_query(owner_id=owner_id))
    return [choice for choice in choices if choice is not None]


def list_skill_choices() -> list[ReplyKindChoice]:
    """Return the usable skills of the current keyring's owner as reply styles, sorted by name."""
    keyring = current_realm_keyring()
    if not keyring.has_realm(Realm.NOTES):
        return []
    choices = (_build_skill_choice(skill) for skill in list_skills(keyring))
    return [choice for choice in choices if choice.is_trusted and choice.instruction]


def parse_choice(owner_id: UUID, value: str) -> ReplyKindChoice:
    """Parse a posted choice: empty, a built-in style, or the id of a custom style or a skill.

    Raise ObjectNotFound, ReplyKindUntrusted, or SkillNotApproved.
    """
    if value in ("", *(kind.value for kind in ReplyKind if kind != ReplyKind.OWN)):
        return ReplyKindChoice(kind=ReplyKind(value or ReplyKind.RESPOND))
    try:
        kind_id = UUID(value)
    except ValueError:
        raise ObjectNotFound from None
    return _get_usable_kind(owner_id, kind_id)


def parse_trace_ids(values: Iterable[str]) -> tuple[UUID, ...]:
    """Return the ids of traces in values of an HTML form; invalid values are ignored.

    At most MAX_CUSTOM_KINDS ids are returned.
    """
    ids: list[UUID] = []
    for value in values:
        with suppress(ValueError):
            ids.append(UUID(value))
    return tuple(ids[:MAX_CUSTOM_KINDS])


def get_reply_choice(reply: Reply) -> ReplyKindChoice:
    """Return the style in which a reply was started.

    Raise ReplyKindNotFound if it is gone or unknown, ReplyKindUntrusted, or SkillNotApproved.
    """
    kind = _parse_kind(reply)
    if kind is None:
        raise ReplyKindNotFound
    if kind != ReplyKind.OWN:
        return ReplyKindChoice(kind=kind, traces=_load_trace_ids(reply))
    try:
        return replace(
            _get_usable_kind(reply.owner_id, UUID(reply.read["way"])), traces=_load_trace_ids(reply)
        )
    except (ObjectNotFound, EnvelopeError, KeyError, TypeError, ValueError):
        raise ReplyKindNotFound from None


def get_reply_label(reply: Reply) -> str:
    """Return the style as shown beside a reply; empty for the usual style or an unknown one."""
    kind = _parse_kind(reply)
    if kind is None:
        return ""
    if kind != ReplyKind.OWN:
        return kind.verb
    try:
        return str(reply.read["name"])
    except (EnvelopeError, KeyError, TypeError):
        return ""


def _parse_kind(reply: Reply) -> ReplyKind | None:
    """Return the kind of a reply, or None if its column holds no kind, as in a damaged row."""
    try:
        return ReplyKind(reply.kind)
    except ValueError:
        return None


def create_custom_kind(*, owner_id: UUID, name: str, instruction: str) -> ReplyKindChoice:
    """Save a custom style; raise InvalidReplyKind for an invalid field, or if there are too many styles."""
    words = {
        "name": _clean_text(name, limit=MAX_NAME_LENGTH),
        "wish": _clean_text(instruction, limit=MAX_INSTRUCTION_LENGTH),
    }
    with write_transaction():
        if CustomReplyKind.objects.filter(owner_id=owner_id).count() >= MAX_CUSTOM_KINDS:
            raise InvalidReplyKind(messages.get_too_many_styles_message(MAX_CUSTOM_KINDS))
        row = CustomReplyKind.objects.create(owner_id=owner_id, words=words)
    return ReplyKindChoice(kind=ReplyKind.OWN, id=row.id, name=words["name"], instruction=words["wish"])


def claim_custom_kind(*, owner_id: UUID, kind_id: UUID) -> None:
    """Mark an imported custom style as the person's own; raise ObjectNotFound."""
    with write_transaction():
        choice = _get_custom_kind(owner_id, kind_id)
        if not choice.is_trusted:
            row = CustomReplyKind.objects.get(owner_id=owner_id, id=kind_id)
            row.words = {"name": choice.name, "wish": choice.instruction}
            row.save(update_fields=["words"])


def delete_custom_kind(*, owner_id: UUID, kind_id: UUID) -> None:
    """Delete a custom style; replies in that style stay. Raise ObjectNotFound."""
    with write_transaction():
        row = get_first_or_404(CustomReplyKind.objects.filter(owner_id=owner_id, id=kind_id))
        row.delete()


def _load_choice(row: CustomReplyKind) -> ReplyKindChoice | None:
    try:
        words = row.words
    except EnvelopeError:
        return None
    return ReplyKindChoice(
        kind=ReplyKind.OWN,
        id=row.id,
        name=words["name"],
        instruction=words["wish"],
        is_trusted=words.get("origin", Origin.OWN) in TRUSTED_ORIGINS,
    )


def _build_skill_choice(skill: Skill) -> ReplyKindChoice:
    """Return a skill as a style; if its text is too long, the style has no instruction and is not offered."""
    return ReplyKindChoice(
        kind=ReplyKind.OWN,
        id=skill.note_id,
        name=skill.name,
        instruction=skill.text if len(skill.text) <= MAX_SKILL_LENGTH else "",
        is_trusted=skill.usable,
        skill_revision=skill.revision,
    )


def _find_skill_choice(note_id: UUID) -> ReplyKindChoice | None:
    keyring = current_realm_keyring()
    if not keyring.has_realm(Realm.NOTES):
        return None
    note = next(iter(read_notes(keyring, [note_id])), None)
    if note is None or note.text is None or note.kind is not NoteKind.SKILL:
        return None
    choice = _build_skill_choice(build_skill(note))
    if not choice.is_trusted:
        raise SkillNotApproved
    return choice if choice.instruction else None


def _get_usable_kind(owner_id: UUID, kind_id: UUID) -> ReplyKindChoice:
    if skill := _find_skill_choice(kind_id):
        return skill
    choice = _get_custom_kind(owner_id, kind_id)
    if not choice.is_trusted:
        raise ReplyKindUntrusted
    return choice


def _get_custom_kind(owner_id: UUID, kind_id: UUID) -> ReplyKindChoice:
    row = CustomReplyKind.objects.filter(owner_id=owner_id, id=kind_id).first()
    choice = _load_choice(row) if row else None
    if choice is None:
        raise ObjectNotFound
    return choice


def _load_trace_ids(reply: Reply) -> tuple[UUID, ...]:
    try:
        record = PromptRecord.from_json(reply.read)
    except EnvelopeError:
        return ()
    return tuple(record.traces) if record else ()


def _clean_text(text: str, *, limit: int) -> str:
    try:
        cleaned = " ".join(clean_entry_text(text, limit=limit).split())
    except InvalidText:
        sentence = messages.get_style_too_long_message(
            max_name=MAX_NAME_LENGTH, max_instruction=MAX_INSTRUCTION_LENGTH
        )
        raise InvalidReplyKind(sentence) from None
    if not has_visible_characters(cleaned):
        raise InvalidReplyKind(messages.REPLY_STYLE_EMPTY)
    return cleaned
