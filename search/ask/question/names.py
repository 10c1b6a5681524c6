"""The names in a question: capitalised words inside a sentence; adjacent ones are one name. Pure.

If a name never occurs in the diary, the diary cannot answer a question about it. No names are returned if
capitals do not show them: in German, which capitalises each noun, and in text that is typed entirely in
capitals or with each word capitalised.
"""

import re
from typing import Final

from search.query.folding import split_words
from search.query.stop_words import STOP_WORDS, guess_languages
from search.query.subject_words import is_inside_sentence

_WORD: Final = re.compile(r"[^\W\d_]+")
# What may stand between two words of a name, as in "Mr. Wood".
_BETWEEN: Final = re.compile(r"\.? \Z")
_LANGUAGE_WITH_CAPITAL_NOUNS: Final = "German"


def list_names(question: str) -> list[tuple[str, ...]]:
    """Return the names in a question, in order, each as a tuple of its words as the word index has them."""
    written = [(found, "".join(split_words(found[0]))) for found in _WORD.finditer(question)]
    if _LANGUAGE_WITH_CAPITAL_NOUNS in guess_languages([word for _, word in written]):
        return []
    if not any(word in STOP_WORDS and found[0].islower() for found, word in written[1:]):
        return []
    names: list[list[str]] = []
    end = -1
    for found, word in written:
        if not found[0][0].isupper() or not is_inside_sentence(question, found.start()):
            continue
        if len(word) > 1:
            if end >= 0 and _BETWEEN.fullmatch(question[end : found.start()]):
                names[-1].append(word)
            else:
                names.append([word])
            end = found.end()
    return [tuple(name) for name in names]
