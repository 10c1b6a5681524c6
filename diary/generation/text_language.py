"""The name of the language of a text, for a prompt: models follow "in German" better than "as in the text".

The word for "you" is named as well: told only to write in German, many models address a diary's writer as
"Sie".
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from llamora.stop_words import STOP_WORDS

UNKNOWN: Final = "the language of the diary"
_FAMILIAR_YOU: Final[Mapping[str, str]] = MappingProxyType(
    {
        "German": "du",
        "French": "tu",
        "Spanish": "tú",
        "Italian": "tu",
        "Dutch": "je",
        "Portuguese": "você",
    }
)
# By stop word; a text is counted for all languages at once.
_LANGUAGES_OF_WORD: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        word: tuple(language for language, known in STOP_WORDS.items() if word in known)
        for word in frozenset[str]().union(*STOP_WORDS.values())
    }
)
_SIGNS_TO_SPACES: Final = {code: " " for code in range(128) if not chr(code).isalpha()}
# Often the only characters beyond ASCII in a text.
_TYPOGRAPHIC_SIGNS: Final = "’“”‘–—…£€"
_WORD: Final = re.compile(r"[^\W\d_]+")
_MOST_WORDS: Final = 300
_FEWEST_HITS: Final = 3
# A text in one language has about as many words of each of its relatives as half of its own.
_LEAD: Final = 1.3


def describe_language(*texts: str) -> dict[str, object]:
    """Return the values `language` and `you` for a prompt: a language, and its word for "you".

    The language is that of the first text whose language is certain.
    """
    language = next((name for text in texts if (name := name_language(text)) != UNKNOWN), UNKNOWN)
    return {"language": language, "you": _FAMILIAR_YOU.get(language, "you")}


def name_language(text: str) -> str:
    """Return the English name of a text's language, or a description of it if the language is not certain."""
    counts: Counter[str] = Counter()
    languages_of_words = Counter(map(_LANGUAGES_OF_WORD.get, _split_words(text)))
    for languages, count in languages_of_words.items():
        for language in languages or ():
            counts[language] += count
    hits = sorted(((counts[language], language) for language in STOP_WORDS), reverse=True)
    (most, language), (second, _) = hits[0], hits[1]
    return language if most >= _FEWEST_HITS and most >= _LEAD * second else UNKNOWN


def _split_words(text: str) -> list[str]:
    """Return the first words of a text in small letters."""
    folded = text[: 20 * _MOST_WORDS].lower()
    if not folded.isascii():
        for sign in _TYPOGRAPHIC_SIGNS:
            folded = folded.replace(sign, " ")
    # Both find the same words; the first needs a third of the time.
    words = folded.translate(_SIGNS_TO_SPACES).split() if folded.isascii() else _WORD.findall(folded)
    return words[:_MOST_WORDS]
