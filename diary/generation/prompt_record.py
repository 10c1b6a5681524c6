"""The record of a prompt: which texts the model read, and which were left out to keep the prompt short. Pure.

    {"entries": [[id, day], ...], "left_out": [[id, day], ...],
     "recaps": [day, ...], "recapped": [id, ...] of the entries that these recaps summarise,
     "recaps_left_out": [day, ...],
     "replies": number of earlier replies, "replies_left_out": number of replies left out,
     "is_cut": whether a text was shortened,
     "traces": [id, ...] of the traces by which entries of earlier days were recalled,
     "near": [id, ...] of entries recalled because they are related in meaning,
     "facts": [id, ...] of the facts that were read,
     "notes": [id, ...] of the notes that were read,
     "notes_left_out": number of notes left out,
     "persona": whether the persona note was among the instructions,
     "persona_left_out": whether it was too long for the model,
     "untrusted": whether texts were read that their owner did not write,
     "not_read": number of such entries that were left out,
     "realms": [realm, ...] of texts that were read indirectly: for an earlier reply or answer in the prompt,
               or as the skill that set the style,
     "of": digest of the generated text,
     "clean": the same digest if all texts that were read are trusted,
     "author": {"model", "host", "prompt"}, each a name}

The record contains ids, days and names, never text. It is sealed beside the generated text. Whoever writes to
the database can delete it, or restore one from before the text was written. So a text without a matching
record counts as generated from everything that a program may not be allowed to read: its owner's facts and
notes. That includes texts from before there were records, texts from before records named their text (unless
`clean` names it), and texts of imported files without a record.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from llamora.crypto import Realm
from llamora.inference.job import UNKNOWN_AUTHOR, Author

EntryRef = tuple[UUID, date]
_MAX_NAME_LENGTH = 120
# The realms, besides that of entries, whose texts a model reads; each realm has its own keys.
BESIDE_ENTRIES: Final = frozenset({Realm.FACTS, Realm.NOTES})
# In the body of a recap: the ids of its day's entries, also of those for which the prompt had no room.
RECAP_SOURCES: Final = "entries"


@dataclass(kw_only=True)
class PromptRecord:
    """The sources of a generation; filled in when the prompt is built, and saved with the generated text."""

    entries: list[EntryRef] = field(default_factory=list)
    left_out: list[EntryRef] = field(default_factory=list)
    recaps: list[date] = field(default_factory=list)
    recapped: list[UUID] = field(default_factory=list)
    recaps_left_out: list[date] = field(default_factory=list)
    replies: int = 0
    replies_left_out: int = 0
    is_cut: bool = False
    traces: list[UUID] = field(default_factory=list)
    near: list[UUID] = field(default_factory=list)
    facts: list[UUID] = field(default_factory=list)
    notes: list[UUID] = field(default_factory=list)
    notes_left_out: int = 0
    has_persona: bool = False
    is_persona_left_out: bool = False
    is_untrusted: bool = False
    not_read: int = 0
    realms: frozenset[Realm] = frozenset()
    of: str = ""
    clean: str = ""
    author: Author = UNKNOWN_AUTHOR

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON for storage."""
        return {
            "entries": _dump_refs(self.entries),
            "left_out": _dump_refs(self.left_out),
            "recaps": [day.isoformat() for day in self.recaps],
            "recapped": [str(id_) for id_ in self.recapped],
            "recaps_left_out": [day.isoformat() for day in self.recaps_left_out],
            "replies": self.replies,
            "replies_left_out": self.replies_left_out,
            "is_cut": self.is_cut,
            "traces": [str(id_) for id_ in self.traces],
            "near": [str(id_) for id_ in self.near],
            "facts": [str(id_) for id_ in self.facts],
            "notes": [str(id_) for id_ in self.notes],
            "notes_left_out": self.notes_left_out,
            "persona": self.has_persona,
            "persona_left_out": self.is_persona_left_out,
            "untrusted": self.is_untrusted,
            "not_read": self.not_read,
            "realms": sorted(realm.value for realm in self.realms),
            "of": self.of,
            "clean": self.clean,
            "author": dump_author(self.author),
        }

    def bind_to_text(self, text: str, *, is_clean: bool = True) -> None:
        """Record the BLAKE2 digest of the generated text.

        Also record whether the text was generated from trusted texts alone.
        """
        self.of = _compute_digest(text)
        self.clean = self.of if is_clean and not self.is_untrusted else ""

    def is_clean(self, text: str) -> bool:
        """Return whether this text was generated from trusted texts alone.

        The record and its text are sealed separately. The digest in the record shows that it belongs to this
        text, so an older record, restored in the database, does not count.
        """
        return bool(self.clean) and self.clean == _compute_digest(text)

    def belongs_to(self, text: str) -> bool:
        """Return whether the record belongs to this text, by the text's BLAKE2 digest.

        The digest is in `of`, or in an older record in `clean`.
        """
        return (self.of or self.clean) == _compute_digest(text)

    @property
    def source_ids(self) -> set[UUID]:
        """The entries whose text or recap was in the prompt."""
        return {id_ for id_, _ in self.entries} | set(self.recapped)

    @classmethod
    def from_json(cls, value: Any) -> "PromptRecord | None":
        """Return the record from its JSON, or None if it is missing or malformed."""
        try:
            return cls(
                entries=_load_refs(value["entries"]),
                left_out=_load_refs(value["left_out"]),
                recaps=[date.fromisoformat(day) for day in value["recaps"]],
                replies=int(value["replies"]),
                is_cut=bool(value["is_cut"]),
                # Older records lack these.
                recapped=[UUID(id_) for id_ in value.get("recapped", ())],
                recaps_left_out=[date.fromisoformat(day) for day in value.get("recaps_left_out", ())],
                replies_left_out=int(value.get("replies_left_out", 0)),
                traces=[UUID(id_) for id_ in value.get("traces", ())],
                near=[UUID(id_) for id_ in value.get("near", ())],
                facts=[UUID(id_) for id_ in value.get("facts", ())],
                notes=[UUID(id_) for id_ in value.get("notes", ())],
                notes_left_out=int(value.get("notes_left_out", 0)),
                has_persona=value.get("persona") is True,
                is_persona_left_out=value.get("persona_left_out") is True,
                is_untrusted=bool(value.get("untrusted")),
                not_read=int(value.get("not_read", 0)),
                realms=frozenset(Realm(name) for name in value.get("realms", ())),
                of=str(value.get("of", "")),
                clean=str(value.get("clean", "")),
                author=load_author(value.get("author")),
            )
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
            # UUID raises AttributeError for a number.
            return None


def find_read_realms(value: Any, text: str | None) -> frozenset[Realm]:
    """Return which realms besides `content` a model read when it generated `text`.

    Entries belong to the realm `content`, which is never in the result. `value` is the JSON of the text's
    record. If the record is missing or belongs to another text, return all realms besides entries.
    """
    if text is not None and not text.strip():
        return frozenset()
    record = PromptRecord.from_json(value)
    if text is None or record is None or not record.belongs_to(text):
        return BESIDE_ENTRIES
    # The first records of replies in the style of a skill have `skill_revision`, and no realms.
    has_read_notes = record.notes or record.has_persona or value.get("skill_revision") is not None
    return record.realms.union({Realm.FACTS} if record.facts else (), {Realm.NOTES} if has_read_notes else ())


def find_recap_sources(body: object) -> frozenset[UUID] | None:
    """Return the ids of the entries that a recap may have read, or None if they are unknown.

    `body` is the decrypted column of that name in the recap's row. The ids are unknown for a recap that
    cannot be decrypted, and for older recaps, which do not name them or may have read texts that their owner
    did not write.
    """
    if not isinstance(body, dict) or body.get("clean") is not True:
        return None
    try:
        return frozenset(UUID(id_) for id_ in body[RECAP_SOURCES])
    except (AttributeError, KeyError, TypeError, ValueError):
        # UUID raises AttributeError for a number.
        return None


def withdraw_clean(value: Any) -> Any:
    """Return a prompt record (JSON) with an empty `clean`, which would say that only trusted texts were read.

    The value is a digest. In an imported record it proves nothing, and becomes an empty string.
    """
    if not isinstance(value, dict) or not value.get("clean"):
        return value
    return {**value, "clean": "", "of": value.get("of") or value["clean"]}


def _compute_digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def dump_author(author: Author) -> dict[str, str]:
    """Return the author of a text (model, host and prompt) as JSON for storage."""
    return asdict(author)


def load_author(value: Any) -> Author:
    """Return the author of a text from its JSON; for older texts the author is unknown."""
    if not isinstance(value, dict):
        return UNKNOWN_AUTHOR
    return Author(**{key: _load_name(value.get(key)) for key in asdict(UNKNOWN_AUTHOR)})


def _load_name(value: object) -> str:
    """Return a name in one line; a model's name is from its server or an imported file."""
    printable = "".join(c if c.isprintable() else " " for c in value) if isinstance(value, str) else ""
    return " ".join(printable.split())[:_MAX_NAME_LENGTH]


def _dump_refs(refs: Iterable[EntryRef]) -> list[list[str]]:
    return [[str(entry_id), day.isoformat()] for entry_id, day in refs]


def _load_refs(value: Iterable[Any]) -> list[EntryRef]:
    return [(UUID(entry_id), date.fromisoformat(day)) for entry_id, day in value]
