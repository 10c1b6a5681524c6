"""Tokens of a text: words without case and accents, numbers and single signs, with their offsets."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple, overload

from llamora.text_caches import cache_until_lock

# The space before a token, and the token; together they make up the whole text. An empty one follows space at
# the end, each character of which would otherwise be tried as a beginning.
_TOKEN = re.compile(r"(\s*)((?:[^\W\d_][\u0300-\u036f]*)+|[0-9]+|\S|\Z)")
_MARKS = re.compile("[\u0300-\u036f]")
_LETTERS = str.maketrans({"ø": "o", "ß": "ss", "œ": "oe", "æ": "ae", "ı": "i"})
_SIGNS = {
    **dict.fromkeys("‐‑‒–—−", "-"),
    **dict.fromkeys("’‘‛´`ʼ", "'"),
    "⁄": "/",
    "：": ":",
    "º": "o",
    "°": "o",
    "ª": "a",
}
LONGEST_WORD = 40


class TextToken(NamedTuple):
    """A word, number or sign of a text; `is_joined` is true if it directly follows another token."""

    text: str
    start: int
    end: int
    is_joined: bool


class TokenList(Sequence[TextToken]):
    """The tokens of a text, as a sequence. A token object is created only when it is accessed."""

    def __init__(self, words: list[str], starts: list[int], ends: list[int]) -> None:
        """Take the folded words and their places."""
        self.words = words
        self.starts = starts
        self.ends = ends

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.words)

    @overload
    def __getitem__(self, place: int) -> TextToken: ...

    @overload
    def __getitem__(self, place: slice) -> list[TextToken]: ...

    def __getitem__(self, place: int | slice) -> TextToken | list[TextToken]:
        """Return a token, or several."""
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self.words)))]
        start = self.starts[place]
        is_joined = place != 0 and self.ends[place - 1] == start
        return TextToken(self.words[place], start, self.ends[place], is_joined)


@cache_until_lock(8192)
def fold_word(word: str) -> str:
    """Return a word without case, accents and typographic variants; "" if it is too long."""
    if word in _SIGNS:
        return _SIGNS[word]
    if len(word) > LONGEST_WORD:
        return ""
    if word.isascii():
        return word.lower()
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", word.casefold().translate(_LETTERS)))
    return plain.translate(_LETTERS)


def tokenize(text: str) -> TokenList:
    """Return the tokens of a text."""
    lowered = text.lower()
    if len(lowered) != len(text):
        # A letter whose small form is longer: places are those of the text as written.
        lowered = "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)
    pairs = _TOKEN.findall(lowered)
    while pairs and not pairs[-1][1]:
        pairs.pop()
    lengths = [length for space, word in pairs for length in (len(space), len(word))]
    places = list(accumulate(lengths))
    words = [word if word.isascii() else fold_word(word) for _, word in pairs]
    return TokenList(words, places[0::2], places[1::2])
