"""Names of people: any script, one person per name whatever its case or invisible marks."""

import unicodedata

MAX_NAME = 64
MAX_KEY = 256
# Joiners that spell words in several scripts; elsewhere invisible, so the folded name drops them.
_JOINERS = {"\u200c", "\u200d"}


class InvalidUsername(ValueError):  # noqa: N818 - its text is a sentence for the form
    """Raised with a sentence for whoever chose the name."""


def fold_username(name: str) -> str:
    """Return what two spellings of one name share: NFKC, casefolded, nothing invisible, spaces collapsed."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    seen = "".join(character for character in folded if unicodedata.category(character) != "Cf")
    return " ".join(seen.split())


def clean_username(name: str) -> str:
    """Return the name as it is kept; raise BadName with the reason."""
    cleaned = " ".join(unicodedata.normalize("NFC", name).split())
    if not any(unicodedata.category(character)[0] in "LN" for character in cleaned):
        raise InvalidUsername("A name needs a letter or a number.")
    if len(cleaned) > MAX_NAME or len(fold_username(cleaned)) > MAX_KEY:
        raise InvalidUsername(f"A name has {MAX_NAME} characters at most.")
    if any(unicodedata.category(c)[0] == "C" and c not in _JOINERS for c in cleaned):
        raise InvalidUsername("A name cannot hold invisible control characters.")
    return cleaned
