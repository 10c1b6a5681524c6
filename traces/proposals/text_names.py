"""Names in a text that can serve as traces if no model suggests any.

A name is a run of capitalised words inside a sentence: people, places, or things with proper names. Days and
months are left out, and so are words that also occur in small letters. German capitalises every noun: there,
only runs of two words or more are names, such as "Anna Weber".
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from functools import lru_cache
from itertools import takewhile
from typing import Final, NamedTuple

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
_LETTER: Final = r"[^\W\d_]"
# What follows the first letter of a word.
_REST: Final = rf"{_LETTER}*(?:['’.-]{_LETTER}+)*"
_WORD: Final = re.compile(_LETTER + _REST)
# A word that does not begin with a small letter from a to z. What may not stand before it is looked for last:
# most places have a small letter and are passed over at once.
_LARGE_WORD: Final = re.compile(rf"[^\W\d_a-z](?<!{_LETTER}{_LETTER})(?<!{_LETTER}['’.-]{_LETTER}){_REST}")
_IS_INSIDE_WORD: Final = re.compile(rf"(?<={_LETTER})|(?<={_LETTER}['’.-])")
_POSSESSIVES: Final = ("'s", "’s")
# One of these stands before the first word of a sentence, a line, a quotation or a list item.
_SIGNS: Final = frozenset('.!?…:;\n"“”„«»*#>-–—([')
# Without one of these there is no name in English: most entries are done with at once.
_CAPITAL_INSIDE: Final = re.compile(r"(?:[\w,;')/&]|\b[A-Z][a-z]{0,2}\.)\s[A-Z]")
# A full stop after so short a word with a capital is that of an abbreviation.
_ABBREVIATION: Final = re.compile(r"(?<!\w)[^\W\d_]{1,3}\.\s$")
_LONGEST_ABBREVIATION: Final = 6
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
# A word that may continue a run: one that may have a capital, or that joins names.
_NEXT_WORD: Final = re.compile(rf"[^\W\d_a-z]{_REST}|(?:{'|'.join(sorted(_LINKS))})(?!['’.-]?{_LETTER})")
_LANGUAGES: Final = ("en", "de", "fr", "es", "it", "nl", "pt")
_EVERY_STOP_WORD: Final = frozenset(word for words in STOP_WORDS.values() for word in words)


class _Run(NamedTuple):
    """Words with capitals, with the small words that join them; whether the first begins a sentence."""

    words: list[re.Match[str]]
    begins_sentence: bool


def find_names(text: str, *, writes_nouns_large: bool = False) -> list[str]:
    """Return up to eight names in a text, the most frequent first.

    `writes_nouns_large` is for a language that capitalises all nouns, such as German.
    """
    text = text[:_MAX_LENGTH]
    if text.isascii() and not _CAPITAL_INSIDE.search(text):
        return []
    runs, inside = _find_runs(text)
    found = Counter(name for run in runs if (name := _trim(run, inside=inside, text=text)))
    small = _SmallWords(text)
    counts: dict[str, int] = {}
    spellings: dict[str, str] = {}
    for name, count in found.items():
        if _is_name(name, small=small, writes_nouns_large=writes_nouns_large):
            identity = get_identity(name)
            spellings.setdefault(identity, name)
            counts[identity] = counts.get(identity, 0) + count
    names = sorted(counts, key=counts.__getitem__, reverse=True)
    return [
        spellings[identity] for identity in drop_contained(names[:_MAX_COMPARED]) if not _is_date(identity)
    ][:MAX_FOUND]


def leave_out_frequent(names: Iterable[str], frequent: Collection[str]) -> list[str]:
    """Return only the names that have at least one significant word that is not in `frequent`."""
    return [name for name in names if not all(word in frequent for word in list_telling_words(name))]


def list_telling_words(name: str) -> list[str]:
    """Return the significant words of a name: without titles and linking words."""
    words = name.replace(".", "").split()
    return [word for word in words if word not in _LINKS and word.casefold() not in _TITLES]


def drop_contained(identities: list[str]) -> list[str]:
    """Return the names that are not part of a longer name, as "iris" is part of "aunt iris".

    `identities` are the names in the form that `get_identity` returns.
    """
    said = [set(identity.split()) - _LINKS for identity in identities]
    return [
        identity
        for place, (identity, own) in enumerate(zip(identities, said, strict=True))
        if own not in said[:place] and not any(own < other for other in said)
    ]


def _find_runs(text: str) -> tuple[list[_Run], set[str]]:
    """Return the runs of a text, and the words with capitals that do not begin a sentence."""
    runs: list[_Run] = []
    inside: set[str] = set()
    after_last = 0
    # Only words with capitals are looked at, which few are, and the word after each.
    for match in _LARGE_WORD.finditer(text):
        word, start = match[0], match.start()
        if len(word) < 2 or not word[0].isupper():
            continue
        begins_sentence = _begins_sentence(text, start)
        if not begins_sentence:
            inside.add(_remove_possessive(word))
        if start >= after_last:
            words = _extend_run(text, match)
            runs.append(_Run(words, begins_sentence))
            after_last = words[-1].end()
    return runs, inside


def _extend_run(text: str, first: re.Match[str]) -> list[re.Match[str]]:
    """Return the words of the run that begins with a word."""
    words, count = [first], 1
    while len(words) < 2 * _MAX_WORDS:
        end = words[-1].end()
        if text.startswith(". ", end) and _is_abbreviation(words[-1].group()):
            end += 1
        following = _NEXT_WORD.match(text, end + 1) if text.startswith(" ", end) else None
        if following is None:
            break
        words.append(following)
        if _is_large(following.group()):
            count = len(words)
        elif following.group() not in _LINKS:
            break
    return words[:count]


def _is_large(word: str) -> bool:
    return word[0].isupper() and len(word) > 1


def _trim(run: _Run, *, inside: set[str], text: str) -> str:
    """Return a run without the first word of a sentence, unless that belongs to the name."""
    words = run.words
    first = _remove_possessive(words[0].group())
    if run.begins_sentence and first not in inside and not _is_title(first):
        words = words[1:]
    while words and (words[0].group() in _LINKS or words[0].group().casefold() in _EVERY_STOP_WORD):
        words = words[1:]
    return _remove_possessive(text[words[0].start() : words[-1].end()]) if words else ""


def _remove_possessive(name: str) -> str:
    return name[:-2] if name.endswith(_POSSESSIVES) else name


def _is_title(word: str) -> bool:
    return word.casefold() in _TITLES


def _is_abbreviation(word: str) -> bool:
    return len(word) < 3 or _is_title(word)


def _begins_sentence(text: str, place: int) -> bool:
    if place > 2 and text[place - 1] == " ":
        sign = text[place - 2]
        if sign.isalnum():
            return False  # as most words: the rest need not be looked at
        if text[place - 3].isalnum():
            # The same as below, in a fraction of the time.
            if sign not in _SIGNS:
                return False
            if sign != "." or (place > 5 and text[place - 6 : place - 2].isalnum()):
                return True
    before = text[max(0, place - _LONGEST_GAP) : place]
    gap = "".join(takewhile(_is_no_letter, reversed(before)))
    is_beginning = len(gap) == len(before) or not _SIGNS.isdisjoint(gap)
    return is_beginning and not _ABBREVIATION.search(text, max(0, place - _LONGEST_ABBREVIATION), place)


def _is_no_letter(character: str) -> bool:
    return not (character.isalnum() or character == "_")


class _SmallWords:
    """The words of a text that begin with a small letter, each looked for only when it is asked for."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __contains__(self, word: str) -> bool:
        if not word[0].islower():
            return False
        place = self._text.find(word)
        while place >= 0:
            if not _IS_INSIDE_WORD.match(self._text, place):
                found = _WORD.match(self._text, place)
                if found and found.group() == word:
                    return True
            place = self._text.find(word, place + 1)
        return False


def _is_name(name: str, *, small: _SmallWords, writes_nouns_large: bool) -> bool:
    content = list_telling_words(name)
    if not content or len(name.split()) > _MAX_WORDS or (writes_nouns_large and len(content) < 2):
        return False
    folded = map(str.casefold, content)
    return not all(word in _EVERY_STOP_WORD or word in small for word in folded)


def _is_date(name: str) -> bool:
    return not _load_names_of_dates().isdisjoint(name.casefold().split())


@lru_cache(maxsize=1)
def _load_names_of_dates() -> frozenset[str]:
    words = map(get_date_words, _LANGUAGES)
    return frozenset(name.casefold() for one in words for name in (*one.months, *one.weekdays))
