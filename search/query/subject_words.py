"""Words that can tell what a text is about: no stop words, no numbers, no single letters. Pure.

Each is given as the word index splits it: as one word, or as several with spaces between them. In a script
without spaces between words, each pair of adjacent characters is used instead (Chinese, Japanese), or each
run of four if a character stands for a single sound (Thai).
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final

from search.query.folding import MARK, fold, is_sign, is_unbroken, split_words, to_printed_form
from search.query.stop_words import STOP_WORDS

_RUN = re.compile(r"[^\s.,!?;:()«»“”\"。，、！？；：…「」『』（）।]+")
# From here on (Chinese, Japanese) two characters are about a word.
_FIRST_WORD_SIGN = "\u2e80"
_SOUNDS_OF_A_WORD = 4

# What a word in small letters counts beside a name: people, places and matters have names, while a rare verb
# is found in any matter.
_SMALL_LETTERS: Final = 0.5
_DIGIT_OR_SIGN = re.compile(rf"[\d{MARK}]")
_LETTERS = re.compile(r"[^\W\d_]+")
_SENTENCE_END = re.compile(r"(?:^|[.!?…:\n\"“”„«»*#>-])[^\w\n]*$")
# Before a full stop, so short a word with a capital is an abbreviation: "Mr.", "Dr.", "W."
_ABBREVIATION = re.compile(r"(?<!\w)[^\W\d_]{1,3}\. $")


@dataclass(frozen=True, slots=True)
class Subject:
    """The words of a passage that can show what the passage is about.

    `capitals` are words that are always capitalised, `names` words that are capitalised inside a sentence.
    """

    words: set[str]
    capitals: set[str]
    names: set[str]
    has_capitals: bool


def find_subject(text: str) -> Subject:
    """Return the words of a passage that can show what it is about."""
    forms = set(_LETTERS.findall(text))
    capital_forms = {form for form in forms if form[0].isupper()}
    capitals = set(map(fold, capital_forms)) - set(map(fold, forms - capital_forms))
    names = {
        fold(found[0])
        for found in _LETTERS.finditer(text)
        if found[0] in capital_forms and is_inside_sentence(text, found.start())
    }
    words = find_subject_words(text)
    return Subject(words, capitals & words, names & words, bool(capital_forms))


def is_inside_sentence(text: str, place: int) -> bool:
    """Return whether the word at this position follows another word of its sentence."""
    before = text[max(0, place - 8) : place]
    abbreviation = _ABBREVIATION.search(before)
    return place > 0 and (
        not _SENTENCE_END.search(before) or bool(abbreviation and abbreviation[0][0].isupper())
    )


def weigh_shared_words(one: Subject, other: Subject, weights: Mapping[str, float]) -> float:
    """Return the sum of the weights of the words that two passages share. Words without a weight count 0.

    A word in small letters counts half, unless its script or one of the passages has no capitals.
    """
    shared = one.words & other.words & weights.keys()
    names = one.capitals & other.capitals & (one.names | other.names)
    if one.has_capitals and other.has_capitals:
        names |= {word for word in shared if word.upper() == word}
    else:
        names = shared
    return sum(weights[word] * (1 if word in names else _SMALL_LETTERS) for word in shared)


def find_subject_words(text: str) -> set[str]:
    """Return the words of a text that can show what it is about, each as the word index splits it."""
    words = split_words(text)
    if not any(is_unbroken(word) and not is_sign(word) for word in words):
        return set(filter(_can_tell_a_subject, words))
    return {word for run in set(_RUN.findall(text)) for word in _iter_run(split_words(run))}


def _can_tell_a_subject(word: str) -> bool:
    return len(word) > 1 and word not in STOP_WORDS and not _DIGIT_OR_SIGN.search(word)


def _iter_run(words: Sequence[str]) -> Iterator[str]:
    """Yield the words of a run of characters without a space, from its words of the index."""
    if any(map(_is_vowel_sign, words)) and not all(map(is_unbroken, words)):
        # The index has each vowel sign of such a script as a word: the whole is the word.
        yield " ".join(words)
        return
    for are_unbroken, some in groupby(words, is_unbroken):
        if not are_unbroken:
            yield from filter(_can_tell_a_subject, some)
            continue
        row = [word for word in some if not is_sign(word)]
        if all(to_printed_form(word) >= _FIRST_WORD_SIGN for word in row):
            yield from (" ".join(pair) for pair in pairwise(row))
        else:
            last = len(row) - _SOUNDS_OF_A_WORD
            yield from (" ".join(row[first : first + _SOUNDS_OF_A_WORD]) for first in range(last + 1))


def _is_vowel_sign(word: str) -> bool:
    return is_unbroken(word) and unicodedata.category(to_printed_form(word)).startswith("M")
