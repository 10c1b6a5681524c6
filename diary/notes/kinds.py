"""Kinds of notes, by their paths, and checks of paths and sizes. Pure."""

import unicodedata
from enum import StrEnum
from typing import Final

from diary import messages
from diary.notes.errors import InvalidNotePath, InvalidNoteText, NoteTooLong

MAX_PATH: Final = 240
MAX_PERSONA: Final = 4096
MAX_NOTE_TEXT: Final = 200_000
MAX_FILE_BYTES: Final = 1_000_000
MAX_NOTES: Final = 2000

_SKILL_FILE: Final = "SKILL.md"
_SKILL_PARTS: Final = 3
# Controls, and halves of characters.
_REFUSED_CATEGORIES: Final = ("Cc", "Cs", "Zl", "Zp")
# Marks that turn the direction of writing around: a name would be shown as another.
_DIRECTION_MARKS: Final = frozenset(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
)


class NoteKind(StrEnum):
    """The purpose of a note, as derived from its path."""

    PERSONA = "persona"
    REMEMBER = "remember"
    REQUESTS = "requests"
    REFERENCE = "reference"
    SKILL = "skill"
    FILE = "file"


SPECIAL_PATHS: Final = {
    "SOUL.md": NoteKind.PERSONA,
    "MEMORY.md": NoteKind.REMEMBER,
    "HEARTBEAT.md": NoteKind.REQUESTS,
}
PERSONA_PATH: Final = "SOUL.md"
REMEMBER_PATH: Final = "MEMORY.md"


def derive_kind(path: str) -> NoteKind:
    """Return the kind of the note at a path."""
    if path in SPECIAL_PATHS:
        return SPECIAL_PATHS[path]
    parts = path.split("/")
    if parts[0] == "knowledge" and len(parts) > 1:
        return NoteKind.REFERENCE
    if parts[0] == "skills" and len(parts) == _SKILL_PARTS and parts[-1] == _SKILL_FILE:
        return NoteKind.SKILL
    return NoteKind.FILE


def get_skill_folder(path: str) -> str:
    """Return the folder of a skill, with a slash at its end."""
    return path.removesuffix(_SKILL_FILE)


def check_path(path: str) -> str:
    """Return a path valid for a note; raise InvalidNotePath with a sentence about the fault."""
    if not path.strip():
        raise InvalidNotePath(messages.NOTE_PATH_EMPTY)
    if len(path) > MAX_PATH or any(
        len(part.encode("utf-8", "surrogatepass")) > MAX_PATH for part in path.split("/")
    ):
        raise InvalidNotePath(messages.get_note_path_too_long_message(length=len(path), limit=MAX_PATH))
    if any(unicodedata.category(one) in _REFUSED_CATEGORIES or one in _DIRECTION_MARKS for one in path):
        raise InvalidNotePath(messages.NOTE_PATH_INVISIBLE)
    if path.startswith("/") or "\\" in path or path[1:2] == ":":
        raise InvalidNotePath(messages.NOTE_PATH_ABSOLUTE)
    parts = path.split("/")
    if any(part.strip() in ("", ".", "..") for part in parts):
        raise InvalidNotePath(messages.NOTE_PATH_DOTS)
    return path


def check_content(content: str | bytes, kind: NoteKind) -> str | bytes:
    """Return a content valid for a note of this kind; raise InvalidNoteText or NoteTooLong."""
    if isinstance(content, bytes):
        if len(content) > MAX_FILE_BYTES:
            raise NoteTooLong(messages.get_note_file_too_big_message(size=len(content), limit=MAX_FILE_BYTES))
        if kind not in (NoteKind.FILE, NoteKind.REFERENCE):
            raise InvalidNoteText(messages.NOTE_IS_NO_TEXT)
        return content
    if "\0" in content or any("\ud800" <= one <= "\udfff" for one in content):
        raise InvalidNoteText(messages.INVALID_CHARACTERS)
    limit = MAX_PERSONA if kind is NoteKind.PERSONA else MAX_NOTE_TEXT
    if len(content) > limit:
        sentence = messages.get_note_too_long_message(
            length=len(content), limit=limit, is_persona=kind is NoteKind.PERSONA
        )
        raise NoteTooLong(sentence)
    return content


def match_newlines(text: str, *, like: str | None) -> str:
    """Return a submitted text with the same kind of line ends as `like`, the text that it replaces."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    if like and "\r\n" in like and like.count("\r\n") == like.count("\n"):
        return plain.replace("\n", "\r\n")
    return plain
