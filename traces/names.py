"""Names of traces: which names are valid, and which of them count as the same name. Pure.

A name is shown as it was written, with normalised white space. Its *identity* decides whether two names are
the same:

    NFKC, casefold          Größe = größe = GRÖSSE, and half and full widths
    spaces and hyphens      to-do = To do = to – do, of any kind and any number
    invisible characters    variation selectors, soft hyphens and the like are ignored: ☕ with and without

Joiners that shape words or join several emoji into one are not ignored, since they make a visible difference.

    InvalidTraceName                `code`; the sentences are in `traces.messages`
        EmptyTraceName              empty
        TraceNameTooLong            too_long     more than 64 code points
        InvalidTraceNameCharacter   not_a_name   control characters, or half of a surrogate pair
"""

import re
import unicodedata
from typing import ClassVar, Final

from diary.entries.text_validation import has_lone_surrogate
from llamora.normalization import normalize

MAX_NAME_LENGTH: Final = 64
# A text of any length may be sent; beyond this, only its length is looked at.
_MAX_TYPED_LENGTH: Final = 1024

# All dashes of category Pd, so that to-do and to‑do are the same.
_DASHES = (
    "\\-\u058a\u05be\u1400\u1806\u2010-\u2015\u2e17\u2e1a\u2e3a\u2e3b\u2e40\u2e5d"
    "\u301c\u3030\u30a0\ufe31\ufe32\ufe58\ufe63\uff0d"
)
# Of seven languages.
_ARTICLES = frozenset(
    [
        "the",
        "a",
        "an",
        "der",
        "die",
        "das",
        "den",
        "dem",
        "ein",
        "eine",
        "le",
        "la",
        "les",
        "un",
        "une",
        "el",
        "los",
        "las",
        "il",
        "lo",
        "gli",
        "i",
        "de",
        "het",
        "een",
        "o",
        "os",
    ]
)
_GAP = rf"[\s{_DASHES}]"
# All but single spaces, which stay as they are: most of a text's are.
_GAPS = re.compile(rf"{_GAP}(?:(?<! )|(?={_GAP})){_GAP}*")
_SPACES = re.compile(r"\s+")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff]"
)


class InvalidTraceName(Exception):  # noqa: N818 - an answer to the person, not a fault
    """Base of the errors of an invalid trace name. Their messages and arguments do not contain the name."""

    code: ClassVar[str] = "name"

    def __str__(self) -> str:
        return self.code


class EmptyTraceName(InvalidTraceName):
    """Raised for a name without a visible character."""

    code = "empty"


class TraceNameTooLong(InvalidTraceName):
    """Raised for a name with too many code points."""

    code = "too_long"


class InvalidTraceNameCharacter(InvalidTraceName):
    """Raised for a name with invalid characters."""

    code = "not_a_name"


def clean_name(typed: str) -> str:
    """Return a name for storage and display; raise InvalidTraceName."""
    name = _SPACES.sub(" ", typed).strip()
    if len(name) > _MAX_TYPED_LENGTH:
        raise TraceNameTooLong
    if has_lone_surrogate(name) or any(unicodedata.category(one) == "Cc" for one in name):
        raise InvalidTraceNameCharacter
    if not _INVISIBLE.sub("", name).strip():
        raise EmptyTraceName
    if len(name) > MAX_NAME_LENGTH:
        raise TraceNameTooLong
    return name


def get_identity(name: str) -> str:
    """Return the identity of a name; two names with equal identities are the same. Idempotent."""
    # For ASCII, `lower` does the same in a fraction of the time.
    folded = name.lower() if name.isascii() else _fold_case(_INVISIBLE.sub("", name))
    # A name of nothing but hyphens keeps them.
    return _GAPS.sub(" ", folded).strip() or _SPACES.sub("", folded)


def get_content(name: str) -> frozenset[str]:
    """Return the normalised words of a name without articles. If there are only articles, return these."""
    words = frozenset(get_identity(name).split())
    return words - _ARTICLES or words


def _fold_case(name: str) -> str:
    """Return a name folded for compatibility caseless matching (The Unicode Standard, D146)."""
    once = normalize("NFKD", normalize("NFD", name).casefold())
    return normalize("NFKC", normalize("NFKD", once.casefold()))
