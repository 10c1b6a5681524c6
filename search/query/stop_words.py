"""Stop words of seven languages, normalized by `folding`.

If few texts have all words of a search, texts with only some of them are found too, for which stop words do
not count. Nor are stop words marked in results beside other words. Both hold only for stop words that are
frequent in the diary: the German article "die" is frequent in a German diary, but in an English diary "die"
has a meaning.
"""

from collections.abc import Collection
from typing import Final

from llamora import stop_words
from search.query.folding import split_words

_BY_LANGUAGE: Final = {
    language: frozenset(split_words(" ".join(words))) for language, words in stop_words.STOP_WORDS.items()
}
STOP_WORDS: Final = frozenset[str]().union(*_BY_LANGUAGE.values())


def guess_languages(words: Collection[str]) -> set[str]:
    """Return the languages with the most stop words among these words; an empty set if there are none."""
    found = {language: len(own.intersection(words)) for language, own in _BY_LANGUAGE.items()}
    most = max(found.values())
    return {language for language, many in found.items() if many == most} if most else set()


def find_own_stop_words(words: Collection[str]) -> set[str]:
    """Guess the language of these words, and return those of them that are its stop words."""
    own = (_BY_LANGUAGE[language] for language in guess_languages(words))
    return set[str]().union(*own).intersection(words)
