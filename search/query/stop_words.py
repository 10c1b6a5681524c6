"""Stop words of seven languages, normalized by `folding`.

They are left out where not all words of a search are found, and are not marked beside other words; both only
if they are frequent in the diary: German "die" is frequent in a German diary, and means something in an
English one.
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
    """Return the languages of which these words have most stop words; none without any."""
    found = {language: len(own.intersection(words)) for language, own in _BY_LANGUAGE.items()}
    most = max(found.values())
    return {language for language, many in found.items() if many == most} if most else set()


def find_own_stop_words(words: Collection[str]) -> set[str]:
    """Return those of these words that are stop words of their own language: of which they have most."""
    own = (_BY_LANGUAGE[language] for language in guess_languages(words))
    return set[str]().union(*own).intersection(words)
