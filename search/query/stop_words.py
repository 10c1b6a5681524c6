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


def find_own_stop_words(words: Collection[str]) -> set[str]:
    """Return those of these words that are stop words of their own language: of which they have most."""
    found = [stop_words_of.intersection(words) for stop_words_of in _BY_LANGUAGE.values()]
    most = max(map(len, found))
    return set[str]().union(*(some for some in found if len(some) == most)) if most else set()
