"""The names in a text that can serve as traces where no model suggests any.

A name is a run of words with capitals inside a sentence: people, places, things with a name of their own.
Days and months are none, nor are words that the text also has in small letters. German writes every noun with
a capital: there only runs of two words or more are names, such as "Anna Weber".
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import takewhile
from typing import Final

from accounts.preferences.languages import get_date_words
from llamora.stop_words import STOP_WORDS
from traces.names import get_identity

MAX_NAMES: Final = 4
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
    """Return up to four names in a text, those that stand in it most often first.

    `writes_nouns_large` for a language such as German.
    """
    text = text[:_MAX_LENGTH]
    if text.isascii() and not _CAPITAL_INSIDE.search(text):
        return []
    found = list(_WORD.finditer(text))
    small = {word.group() for word in found if word.group()[0].islower()}
    inside = {
        _POSSESSIVE.sub("", word.group())
        for word in found
        if _has_capital(word.group()) and not _begins_sentence(text, word.start())
    }
    counts: Counter[str] = Counter()
    spellings: dict[str, str] = {}
    for words in _iter_runs(text, found):
        name = _trim(words, inside=inside, text=text)
        if name and _is_name(name, small=small, writes_nouns_large=writes_nouns_large):
            spellings.setdefault(get_identity(name), name)
            counts[get_identity(name)] += 1
    names = [identity for identity, _ in sorted(counts.items(), key=lambda item: -item[1])]
    return [
        spellings[identity] for identity in drop_contained(names[:_MAX_COMPARED]) if not _is_date(identity)
    ][:MAX_NAMES]


def drop_contained(identities: list[str]) -> list[str]:
    """Return the names without those whose words are all in another one: "Iris" beside "Aunt Iris"."""
    words = {identity: set(identity.split()) - _LINKS for identity in identities}
    return [
        identity
        for place, identity in enumerate(identities)
        if not any(
            words[identity] < words[other] or (words[identity] == words[other] and place > earlier)
            for earlier, other in enumerate(identities)
            if other != identity
        )
    ]


def _iter_runs(text: str, found: list[re.Match[str]]) -> Iterator[list[re.Match[str]]]:
    """Yield the runs of words with capitals, with the small words that join them."""
    start = 0
    while start < len(found):
        last = start
        if _has_capital(found[start].group()):
            for place in range(start + 1, min(start + 2 * _MAX_WORDS, len(found))):
                before, after = found[place - 1], found[place]
                gap = text[before.end() : after.start()]
                if gap != " " and not (gap == ". " and _is_abbreviation(before.group())):
                    break
                if _has_capital(after.group()):
                    last = place
                elif after.group() not in _LINKS:
                    break
            yield found[start : last + 1]
        start = last + 1


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
    before = text[max(0, place - _LONGEST_GAP) : place]
    gap = "".join(takewhile(_is_no_letter, reversed(before)))
    is_beginning = len(gap) == len(before) or not _SIGNS.isdisjoint(gap)
    return is_beginning and not _ABBREVIATION.search(before)


def _is_no_letter(character: str) -> bool:
    return not (character.isalnum() or character == "_")


def _has_capital(word: str) -> bool:
    return word[0].isupper() and len(word) > 1


def _is_name(name: str, *, small: set[str], writes_nouns_large: bool) -> bool:
    words = name.replace(".", "").split()
    content = [word for word in words if not _is_title(word) and word not in _LINKS]
    if not content or len(words) > _MAX_WORDS or (writes_nouns_large and len(content) < 2):
        return False
    return not all(word.casefold() in small or word.casefold() in _EVERY_STOP_WORD for word in content)


def _is_date(name: str) -> bool:
    return not _load_names_of_dates().isdisjoint(name.casefold().split())


@lru_cache(maxsize=1)
def _load_names_of_dates() -> frozenset[str]:
    words = map(get_date_words, _LANGUAGES)
    return frozenset(name.casefold() for one in words for name in (*one.months, *one.weekdays))
