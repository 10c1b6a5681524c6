"""Unicode normalization in linear time, whatever the text contains. Pure.

`unicodedata.normalize` sorts the combining marks of a letter in quadratic time, and holds the interpreter
lock meanwhile: 32,000 marks took eight seconds. No script has more than a few on one letter; the Stream-Safe
Text Format of Unicode (UAX #15) allows thirty. So marks are sorted in groups of at most 64. For a text with
at most as many marks on each letter, the result is the same as that of `unicodedata.normalize`.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, Literal

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]

_MOST_MARKS: Final = 64
# They are no marks, but become some.
_BECOME_MARKS: Final = "\u0f73\u0f75\u0f81\uff9e\uff9f"
# No mark comes before U+0300. To look for this is ten times faster than for what follows.
_IS_FAR_FROM_ASCII: Final = re.compile(rf"[\u0300-\U0010ffff][\u0300-\U0010ffff]{{{_MOST_MARKS - 1}}}")
# No mark is part of a word.
_MAY_BE_MARKS: Final = re.compile(rf"[\W{_BECOME_MARKS}]{{{_MOST_MARKS},}}")


def normalize(form: Form, text: str) -> str:
    """Return a text in a Unicode normal form, such as NFC."""
    if not (_IS_FAR_FROM_ASCII.search(text) and _MAY_BE_MARKS.search(text)):
        return unicodedata.normalize(form, text)
    cuts = [0, *_find_cuts(text), len(text)]
    pieces = [text[start:end] for start, end in pairwise(cuts)]
    return "".join(unicodedata.normalize(form, piece) for piece in pieces)


def _find_cuts(text: str) -> Iterator[int]:
    """Yield the places after each 64 marks in a row, in their order."""
    for found in _MAY_BE_MARKS.finditer(text):
        count = 0
        for place in range(*found.span()):
            count = count + 1 if _is_mark(text[place]) else 0
            if count > _MOST_MARKS:
                yield place
                count = 1


def _is_mark(character: str) -> bool:
    return unicodedata.combining(character) != 0 or character in _BECOME_MARKS
