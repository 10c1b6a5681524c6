"""Validation of the texts of entries and drafts. Pure.

Line ends become LF; nothing else is changed. A text that cannot be stored exactly is refused:

    InvalidText             `code`, and `sentence` for the person
        EmptyText           empty          nothing but white space
        TextTooLong         too_long       more code points than the limit
            DraftTooLong                   more code points than a draft may have
        InvalidCharacters   not_text       NUL, or half a character (a lone surrogate)
"""

import unicodedata
from typing import ClassVar

from diary import messages

NUL = "\0"
# Invisible, though letters or symbols by their category: fillers of Hangul, blank Braille.
_BLANK_CHARACTERS = "\u115f\u1160\u2800\u3164\uffa0"


class InvalidText(Exception):  # noqa: N818 - an answer to the person, not a fault
    """Base of the errors of an invalid text; neither the error nor its arguments contain the text."""

    code: ClassVar[str] = "text"
    sentence = messages.INVALID_TEXT

    def __str__(self) -> str:
        return self.code


class EmptyText(InvalidText):
    """Raised for a text without visible characters."""

    code = "empty"
    sentence = messages.EMPTY_TEXT


class InvalidCharacters(InvalidText):
    """Raised for a text with characters that cannot be stored and exported exactly."""

    code = "not_text"
    sentence = messages.INVALID_CHARACTERS


class TextTooLong(InvalidText):
    """Raised for a text with more code points than an entry may have."""

    code = "too_long"

    def __init__(self, *, length: int, limit: int) -> None:
        super().__init__()
        self.sentence = messages.get_text_too_long_message(length=length, limit=limit)


class DraftTooLong(TextTooLong):
    """Raised for a text with more code points than a draft may have."""

    def __init__(self, *, length: int, limit: int) -> None:
        super().__init__(length=length, limit=limit)
        self.sentence = messages.get_draft_too_long_message(length=length, limit=limit)


def normalize_newlines(text: str) -> str:
    """Return the text with every kind of line end replaced by LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def has_lone_surrogate(text: str) -> bool:
    """Return whether the text contains half of a surrogate pair, which cannot be encoded as UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def has_visible_characters(text: str) -> bool:
    """Return whether the text contains a visible letter, number, punctuation mark or symbol."""
    return any(unicodedata.category(one)[0] in "LNPS" and one not in _BLANK_CHARACTERS for one in text)


def clean_entry_text(text: str, *, limit: int) -> str:
    """Return the text of an entry for storage; raise InvalidText."""
    cleaned = normalize_newlines(text)
    if not cleaned.strip():
        raise EmptyText
    if NUL in cleaned or has_lone_surrogate(cleaned):
        raise InvalidCharacters
    if len(cleaned) > limit:
        raise TextTooLong(length=len(cleaned), limit=limit)
    return cleaned


def clean_draft_text(text: str, *, limit: int) -> str:
    """Return the text of a draft as it will be stored; raise InvalidText.

    Unlike the text of an entry, it may be empty.
    """
    cleaned = normalize_newlines(text)
    if has_lone_surrogate(cleaned):
        raise InvalidCharacters
    if len(cleaned) > limit:
        raise DraftTooLong(length=len(cleaned), limit=limit)
    return cleaned
