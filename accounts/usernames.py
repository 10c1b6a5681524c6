"""Names of people, in any script; names that differ only in case or invisible characters are equal."""

import unicodedata

from llamora.normalization import normalize

MAX_NAME = 64
MAX_KEY = 256
# Joiners, which some scripts need for spelling. They are invisible elsewhere, so folded names omit them.
_JOINERS = {"\u200c", "\u200d"}


class InvalidUsername(ValueError):  # noqa: N818 - its text is a message for the form
    """Raised when a name is not allowed; its text is a sentence for the person."""


def fold_username(name: str) -> str:
    """Return the folded name, by which names are compared.

    It is NFKC, casefolded, without invisible characters and with single spaces.
    """
    folded = normalize("NFKC", normalize("NFKC", name).casefold())
    visible = "".join(character for character in folded if unicodedata.category(character) != "Cf")
    return " ".join(visible.split())


def clean_username(name: str) -> str:
    """Return the name as it is stored; raise InvalidUsername with the reason if it is not allowed."""
    cleaned = " ".join(normalize("NFC", name).split())
    if not any(unicodedata.category(character)[0] in "LN" for character in cleaned):
        raise InvalidUsername("A name must contain a letter or a number.")
    if len(cleaned) > MAX_NAME or len(fold_username(cleaned)) > MAX_KEY:
        raise InvalidUsername(f"A name can have at most {MAX_NAME} characters.")
    if any(unicodedata.category(c)[0] == "C" and c not in _JOINERS for c in cleaned):
        raise InvalidUsername("A name can't contain invisible control characters.")
    return cleaned


def replace_control_characters(text: str) -> str:
    """Return a text in which each control character, which a terminal would interpret, is replaced."""
    return "".join(c if c.isprintable() or c in _JOINERS else "\ufffd" for c in text)
