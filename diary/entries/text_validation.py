"""What may be kept as text, and in what form. Pure.

Line ends become LF; nothing else is changed. A text that cannot be kept exactly is refused:

    TextRefused          `code`, and `sentence` for the person
        Empty            empty          nothing but white space
        TooLong          too_long       more code points than the limit
            DraftTooLong                more than are saved while writing, which is past any entry
        NotText          not_text       NUL, or half a character (a lone surrogate)
"""

import unicodedata
from typing import ClassVar

NUL = "\0"
# Letters and signs by their category, of which nothing is to be seen: fillers of Hangul, blank Braille.
_BLANK_CHARACTERS = "\u115f\u1160\u2800\u3164\uffa0"


class InvalidText(Exception):  # noqa: N818 - an answer to the person, not a fault
    """A text cannot be kept; neither the error nor its arguments hold any of it."""

    code: ClassVar[str] = "text"
    sentence = "This could not be kept as it is."

    def __str__(self) -> str:
        return self.code


class EmptyText(InvalidText):
    """Raised for a text of nothing but white space."""

    code = "empty"
    sentence = "There is nothing to keep yet."


class InvalidCharacters(InvalidText):
    """Raised for characters that no file could give back exactly."""

    code = "not_text"
    sentence = (
        "This holds a character that cannot be kept (an empty byte or half a character). "
        "Take it out and keep it again."
    )


class TextTooLong(InvalidText):
    """Raised for more code points than an entry may have."""

    code = "too_long"

    def __init__(self, *, length: int, limit: int) -> None:
        super().__init__()
        self.sentence = (
            f"This has {length:,} characters; an entry holds {limit:,}. "
            "Keep it in two parts, or shorten it by "
            f"{length - limit:,}."
        )


class DraftTooLong(TextTooLong):
    """Raised for more code points than are saved of what is still being written."""

    def __init__(self, *, length: int, limit: int) -> None:
        super().__init__(length=length, limit=limit)
        self.sentence = (
            f"This has {length:,} characters; while you write, up to {limit:,} are saved, and an entry "
            f"holds fewer still. It stays in this page alone until it is shorter by {length - limit:,}."
        )


def normalize_newlines(text: str) -> str:
    """Return the text with LF at the end of each line, as browsers and files of all kinds send it."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def has_lone_surrogate(text: str) -> bool:
    """Return whether half a surrogate pair is in the text; such a text has no UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def has_visible_characters(text: str) -> bool:
    """Return whether a letter, digit or sign is in the text, and not joiners, marks and white space alone."""
    return any(unicodedata.category(sign)[0] in "LNPS" and sign not in _BLANK_CHARACTERS for sign in text)


def clean_entry_text(text: str, *, limit: int) -> str:
    """Return a text as it is kept; raise TextRefused."""
    kept = normalize_newlines(text)
    if not kept.strip():
        raise EmptyText
    if NUL in kept or has_lone_surrogate(kept):
        raise InvalidCharacters
    if len(kept) > limit:
        raise TextTooLong(length=len(kept), limit=limit)
    return kept


def clean_draft_text(text: str, *, limit: int) -> str:
    """Return a draft as it is kept: empty or far over the limit of an entry is all right while writing."""
    kept = normalize_newlines(text)
    if has_lone_surrogate(kept):
        raise InvalidCharacters
    if len(kept) > limit:
        raise DraftTooLong(length=len(kept), limit=limit)
    return kept
