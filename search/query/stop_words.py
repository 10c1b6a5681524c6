"""Stop words of seven languages, normalized by `folding`.

They are left out where not all words of a search are found, and are not marked beside other words; both only
if they are frequent in the diary: German "die" is frequent in a German diary, and means something in an
English one.
"""

from typing import Final

from llamora import stop_words
from search.query.folding import split_words

STOP_WORDS: Final = frozenset(
    split_words(" ".join(word for words in stop_words.STOP_WORDS.values() for word in words))
)
