"""Lexicons of the languages: phrases and their meanings, compiled from tables into a tree (trie) of words.

A table lists, for each category of the grammar and each value, the phrases that mean it, separated by commas.
A phrase that ends in a dot is an abbreviation, found with and without the dot; a hyphen matches a hyphen or a
space.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from typing import Any

from llamora.dates.tokens import TokenList, tokenize

LANGUAGES = {
    "en": "english",
    "de": "german",
    "nl": "dutch",
    "fr": "french",
    "es": "spanish",
    "it": "italian",
    "pt": "portuguese",
}
Words = Mapping[str, Mapping[Any, str]]
# What a category can mean at a place: its end, and the value.
Meanings = dict[str, list[tuple[int, Any]]]


def list_words(text: str) -> list[str]:
    """Return the words of a text as a list. The words are separated by white space.

    The modules of the languages write long lists, such as the names of numbers, as one text.
    """
    return text.split()


# A token with one of these meanings is the core of a date; where there is none no date is looked for.
CORE = frozenset(
    list_words(
        "weekday weekdays weekday_part month unit relday relpart inpart season holiday often "
        "named_decade rel_unit iso_week iso_date iso_basic iso_month number_date number_month digital "
        "letter_clock year_pair year day_month oclock am pm century quarter_label half_label "
        "week_word decade_suffix fortnight half_hour noon half_past half_to half_after quarter_clock "
        "quarter_after quarter_before three_quarters digit_ord"
    )
)

# What all languages write alike.
COMMON: Words = {
    "dash": {True: "-"},
    "comma": {True: ","},
    "slash": {True: "/"},
    "apostrophe": {True: "'"},
    "dot": {True: "."},
    "at": {True: "@"},
    "t": {True: "t"},
    "quarter_label": {True: "q"},
    "half_label": {True: "h"},
    "zone": {
        0: "utc, gmt, z, wet",
        60: "cet, mez, bst, met",
        120: "cest, mesz, eet",
        180: "msk",
        330: "ist",
        540: "jst",
        -180: "brt",
        -240: "edt",
        -300: "est, cdt",
        -360: "cst, mdt",
        -420: "mst, pdt",
        -480: "pst",
    },
}


@dataclass(frozen=True, kw_only=True)
class LanguageTable:
    """The table of a language's words for dates, from which its lexicon is compiled.

    `ordinal_suffixes` follow digits (`1st`). `numbers` and `tens`, joined by `joiner`, are the numbers up to
    99; with `units_first` in the order "five and twenty". With `bare_days`, a number can be a day without its
    month (`le 5`). `ambiguous` words mean a date only after a word in `introducing`. Words in `past` and
    `future` show the direction of a sentence.
    """

    code: str
    day_first: bool
    words: Words
    numbers: Sequence[str]
    tens: Mapping[int, str]
    joiner: str = " "
    units_first: bool = False
    twenties: Mapping[int, str] = field(default_factory=dict)
    ordinal_suffixes: frozenset[str] = frozenset()
    ordinal_dot: bool = False
    bare_days: bool = False
    # Words for several units: "the last years" are no certain ones.
    plurals: frozenset[str] = frozenset()
    hour_letters: frozenset[str] = frozenset("h")
    weekday_part: tuple[str, Mapping[str, str]] | None = None
    ambiguous: frozenset[str] = frozenset()
    introducing: frozenset[str] = frozenset()
    past: frozenset[str] = frozenset()
    past_endings: tuple[str, ...] = ()
    future: frozenset[str] = frozenset()
    future_endings: tuple[str, ...] = ()


class WordNode:
    """A node of the tree of words: the next words, and the meanings of the phrase that ends here."""

    __slots__ = ("children", "meanings")

    def __init__(self) -> None:
        """Create an empty node."""
        self.children: dict[str, WordNode] = {}
        self.meanings: list[tuple[str, Any]] = []


@dataclass(frozen=True)
class Lexicon:
    """All words for dates in one language, compiled so that a phrase is looked up by its first word."""

    table: LanguageTable
    root: WordNode
    # The longest word of each phrase that can be the core of a date, and all words of phrases.
    triggers: frozenset[str]
    vocabulary: frozenset[str]
    # Short names of weekdays and months that are written with a dot.
    abbreviations: frozenset[str]

    def find(self, tokens: TokenList, place: int) -> Meanings:
        """Find the phrases that begin at token `place`. Return for each category a list of (end, meaning)."""
        found: Meanings = {}
        words = tokens.words
        node = self.root.children.get(words[place])
        place += 1
        while node is not None:
            for category, value in node.meanings:
                found.setdefault(category, []).append((place, value))
            if place >= len(words) or not node.children:
                break
            following = node.children.get(words[place])
            if following is None and words[place] == "-" and place + 1 < len(words):
                # The hyphen of `week-end`, which the tree does not hold.
                is_hyphen = tokens[place].is_joined and tokens[place + 1].is_joined
                place += 1
                following = node.children.get(words[place]) if is_hyphen else None
            place += 1
            node = following
        return found


@lru_cache(maxsize=len(LANGUAGES))
def load_lexicon(code: str) -> Lexicon:
    """Return the compiled lexicon of a language."""
    table: LanguageTable = import_module(f"llamora.dates.languages.{LANGUAGES[code]}").TABLE
    root = WordNode()
    triggers: set[str] = set()
    vocabulary: set[str] = set()

    def add(category: str, value: Any, phrase: str) -> None:
        words = _add(root, category, value, phrase)
        vocabulary.update(words)
        if category in CORE:
            triggers.add(max(words, key=len))

    for words in (COMMON, table.words):
        for category, values in words.items():
            for value, phrases in values.items():
                for phrase in phrases.split(","):
                    add(category, value, phrase.strip() or ",")
                    if category == "unit" and phrase.strip().rstrip(".") not in table.plurals:
                        add("single_unit", value, phrase.strip())
    for phrase in table.introducing:
        add("introducer", True, phrase)
    for value, phrase in _iter_numbers(table):
        add("num", value, phrase)
    for phrase, weekday, part in _iter_weekday_parts(table):
        add("weekday_part", (weekday, part), phrase)
    return Lexicon(
        table, root, frozenset(triggers), frozenset(vocabulary), frozenset(_iter_abbreviations(table))
    )


def _add(root: WordNode, category: str, value: Any, phrase: str) -> list[str]:
    node = root
    words = [word for word in tokenize(phrase).words if word != "-" or phrase == "-"]
    for number, word in enumerate(words):
        if number and number == len(words) - 1 and word == ".":
            # The abbreviation without its dot.
            _add_meaning(node, category, value)
        node = node.children.setdefault(word, WordNode())
    _add_meaning(node, category, value)
    return words


def _add_meaning(node: WordNode, category: str, value: Any) -> None:
    if (category, value) not in node.meanings:
        node.meanings.append((category, value))


def _iter_abbreviations(table: LanguageTable) -> Iterator[str]:
    for category in ("weekday", "month"):
        for phrases in table.words[category].values():
            for phrase in phrases.split(","):
                if phrase.strip().endswith("."):
                    yield tokenize(phrase).words[0]


def _iter_numbers(table: LanguageTable) -> Iterator[tuple[int, str]]:
    spelled: dict[int, list[str]] = {}
    for value, phrases in enumerate(table.numbers):
        spelled[value] = [phrase.strip() for phrase in phrases.split("/") if phrase.strip()]
    for value, phrases in (*table.tens.items(), *table.twenties.items()):
        spelled[value] = [phrase.strip() for phrase in phrases.split("/")]
    for ten in table.tens:
        for unit in range(1, 10):
            if ten + unit in spelled or ten < 20:
                continue
            first, second = (unit, ten) if table.units_first else (ten, unit)
            spelled[ten + unit] = [
                f"{one}{table.joiner}{other}"
                for one in spelled[first][: 1 if table.units_first else None]
                for other in spelled[second][:2]
            ]
    for value, written in sorted(spelled.items()):
        yield from ((value, phrase) for phrase in written)


def _iter_weekday_parts(table: LanguageTable) -> Iterator[tuple[str, int, str]]:
    if table.weekday_part is None:
        return
    joiner, parts = table.weekday_part
    for weekday, phrases in table.words["weekday"].items():
        full = phrases.split(",")[0]
        for part, words in parts.items():
            for word in words.split(","):
                yield f"{full}{joiner}{word.strip()}", weekday, part
