"""Names in a text that can serve as traces if no model suggests any.

A name is a run of capitalised words inside a sentence: people, places, or things with proper names. Days and
months are left out, and so are words that also occur in small letters. German capitalises every noun: there,
only runs of two words or more are names, such as "Anna Weber".
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from itertools import takewhile
from typing import Final

from accounts.preferences.languages import get_date_words
from llamora.stop_words import STOP_WORDS
from traces.names import get_identity

MAX_NAMES: Final = 4
# So many are found, so that others can take the place of names that stand on many days.
MAX_FOUND: Final = 8
# A name says little of a day if its rarest word stands on more than this share of the days.
FREQUENT_SHARE: Final = 0.1
# Each is compared with each, and a text of this length may have hundreds.
_MAX_COMPARED: Final = 60
_MAX_LENGTH: Final = 4_000  # of what is read of a text
_MAX_WORDS: Final = 4
_LONGEST_GAP: Final = 40  # between two words of a sentence
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’.-](?=[^\W\d_])[^\W\d_]+)*")
_POSSESSIVE: Final = re.compile(r"['’]s?$")
# One of these stands before the first word of a sentence, a line, a quotation or a list item.
_SIGNS: Final = frozenset('.!?…:;\n"“”„«»*#>-–—([')
# Without one of these there is no name in English: most entries are done with at once.
_CAPITAL_INSIDE: Final = re.compile(r"(?:[\w,;')/&]|\b[A-Z][a-z]{0,2}\.)\s[A-Z]")
# A full stop after so short a word with a capital is that of an abbreviation.
_ABBREVIATION: Final = re.compile(r"(?<!\w)[^\W\d_]{1,3}\.\s$")
_TITLES: Final = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "miss",
        "dr",
        "prof",
        "sir",
        "lord",
        "lady",
        "captain",
        "king",
        "queen",
        "aunt",
        "uncle",
        "saint",
        "st",
        "herr",
        "frau",
        "tante",
        "onkel",
        "monsieur",
        "madame",
        "don",
        "doña",
        "señor",
        "señora",
        "signor",
        "signora",
        "mijnheer",
        "mevrouw",
        "senhor",
        "senhora",
    ]
)
# Words that join the parts of a name.
_LINKS: Final = frozenset(
    [
        "of",
        "the",
        "de",
        "la",
        "le",
        "du",
        "des",
        "del",
        "della",
        "di",
        "da",
        "do",
        "dos",
        "van",
        "von",
        "der",
        "den",
        "y",
        "e",
    ]
)
_LANGUAGES: Final = ("en", "de", "fr", "es", "it", "nl", "pt")
_EVERY_STOP_WORD: Final = frozenset(word for words in STOP_WORDS.values() for word in words)


def find_names(text: str, *, writes_nouns_large: bool = False) -> list[str]:
    """Return up to eight names in a text, the most frequent first.

    `writes_nouns_large` is for a language that capitalises all nouns, such as German.
    """
    text = text[:_MAX_LENGTH]
    if text.isascii() and not _CAPITAL_INSIDE.search(text):
        return []
    found = list(_WORD.finditer(text))
    words = [match.group() for match in found]
    distinct = set(words)
    small = {word for word in distinct if word[0].islower()}
    large = {word for word in distinct if word[0].isupper() and len(word) > 1}
    inside = {
        _POSSESSIVE.sub("", word)
        for word, match in zip(words, found, strict=True)
        if word in large and not _begins_sentence(text, match.start())
    }
    counts: Counter[str] = Counter()
    spellings: dict[str, str] = {}
    for run in _iter_runs(text, found, words, large=large):
        name = _trim(run, inside=inside, text=text)
        if name and _is_name(name, small=small, writes_nouns_large=writes_nouns_large):
            identity = get_identity(name)
            spellings.setdefault(identity, name)
            counts[identity] += 1
    names = [identity for identity, _ in sorted(counts.items(), key=lambda item: -item[1])]
    return [
        spellings[identity] for identity in drop_contained(names[:_MAX_COMPARED]) if not _is_date(identity)
    ][:MAX_FOUND]


def leave_out_frequent(names: Iterable[str], frequent: Collection[str]) -> list[str]:
    """Return the names without those whose significant words are all frequent words."""
    return [name for name in names if not all(word in frequent for word in list_telling_words(name))]


def list_telling_words(name: str) -> list[str]:
    """Return the significant words of a name: without titles and linking words."""
    words = name.replace(".", "").split()
    return [word for word in words if not _is_title(word) and word not in _LINKS]


def drop_contained(identities: list[str]) -> list[str]:
    """Return the identities of names without those contained in another, such as "iris" in "aunt iris"."""
    said = [set(identity.split()) - _LINKS for identity in identities]
    return [
        identity
        for place, (identity, own) in enumerate(zip(identities, said, strict=True))
        if own not in said[:place] and not any(own < other for other in said)
    ]


def _iter_runs(
    text: str, found: list[re.Match[str]], words: list[str], *, large: set[str]
) -> Iterator[list[re.Match[str]]]:
    """Yield the runs of words with capitals, with the small words that join them."""
    after_last = 0
    for start, word in enumerate(words):
        if start >= after_last and word in large:
            last = start
            for place in range(start + 1, min(start + 2 * _MAX_WORDS, len(found))):
                before, after = found[place - 1], found[place]
                gap = text[before.end() : after.start()]
                if gap != " " and not (gap == ". " and _is_abbreviation(words[place - 1])):
                    break
                if words[place] in large:
                    last = place
                elif words[place] not in _LINKS:
                    break
            yield found[start : last + 1]
            after_last = last + 1


def _trim(words: list[re.Match[str]], *, inside: set[str], text: str) -> str:
    """Return a run without the first word of a sentence, unless that belongs to the name."""
    first = _POSSESSIVE.sub("", words[0].group())
    if _begins_sentence(text, words[0].start()) and first not in inside and not _is_title(first):
        words = words[1:]
    while words and (words[0].group() in _LINKS or words[0].group().casefold() in _EVERY_STOP_WORD):
        words = words[1:]
    return _POSSESSIVE.sub("", text[words[0].start() : words[-1].end()]) if words else ""


def _is_title(word: str) -> bool:
    return word.casefold() in _TITLES


def _is_abbreviation(word: str) -> bool:
    return len(word) < 3 or _is_title(word)


def _begins_sentence(text: str, place: int) -> bool:
    if text[place - 1 : place] == " " and text[place - 2 : place - 1].isalnum():
        return False  # as most words: the rest need not be looked at
    before = text[max(0, place - _LONGEST_GAP) : place]
    gap = "".join(takewhile(_is_no_letter, reversed(before)))
    is_beginning = len(gap) == len(before) or not _SIGNS.isdisjoint(gap)
    return is_beginning and not _ABBREVIATION.search(before)


def _is_no_letter(character: str) -> bool:
    return not (character.isalnum() or character == "_")


def _is_name(name: str, *, small: set[str], writes_nouns_large: bool) -> bool:
    content = list_telling_words(name)
    if not content or len(name.split()) > _MAX_WORDS or (writes_nouns_large and len(content) < 2):
        return False
    return not all(word.casefold() in small or word.casefold() in _EVERY_STOP_WORD for word in content)


def _is_date(name: str) -> bool:
    return not _load_names_of_dates().isdisjoint(name.casefold().split())


@lru_cache(maxsize=1)
def _load_names_of_dates() -> frozenset[str]:
    words = map(get_date_words, _LANGUAGES)
    return frozenset(name.casefold() for one in words for name in (*one.months, *one.weekdays))
