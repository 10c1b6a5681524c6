"""The parser: finds what the rules of the grammar match at a token, every reading once, in linear time.

A rule is a row of categories. A category with a lower-case name that the grammar defines is a row of rules
itself; any other is found in the lexicon or among the numbers. Marks: `~` the value is not needed, `?` may be
absent, `|` either.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta, timezone
from typing import Any, NamedTuple

from llamora.dates.lexicon import Lexicon, Meanings
from llamora.dates.tokens import TokenList
from llamora.dates.values import UnresolvableDateError

Build = Callable[..., Any]

# No expression is longer, so that text made of nothing but dates takes linear time too.
MOST_TOKENS = 40
_MOST_STEPS = 400
_MOST_CACHED = 20_000

_END = r"(?![\w]|[/:.,-]?\d)"
_NUMERIC: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.ASCII | re.IGNORECASE))
    for name, pattern in (
        ("iso_week", r"(\d{4})-?W(\d\d)(?:-?([1-7]))?" + _END),
        ("iso_date", r"(\d{4})([-/.])(\d\d?)\2(\d\d?)(?=[tT]\d|(?![\w]|[/:.,-]\d))"),
        ("iso_basic", r"([12]\d{3})(\d\d)(\d\d)(?=[tT]\d|(?!\w))"),
        ("iso_month", r"(\d{4})-(\d\d)" + _END),
        ("number_date", r"(\d\d?)\s?([/.-])\s?(\d\d?)\s?\2\s?(\d{4}|'?\d\d)(?=[tT]\d|(?![\w]|[/:.,-]\d))"),
        ("day_month", r"(\d\d?)([/.])(\d\d?)(\.?)" + _END),
        ("dashed_day_month", r"(\d\d?)(-)(\d\d?)()" + _END),
        ("number_month", r"(\d\d?)[/.-](\d{4})" + _END),
        ("digital", r"(\d\d?):(\d\d)(?::(\d\d)(?:[.,]\d{1,9})?)?(?!\d|:\d)"),
        ("dotted_clock", r"(\d\d?)[.](\d\d)(?!\d|[.,]\d)"),
        ("decimal", r"(\d{1,4}[.,]\d{1,2})" + _END),
        ("year_pair", r"((?:1\d|20)\d\d)[/–-](\d\d|\d{4})" + _END),
    )
)
_LETTER_CLOCK = r"(\d\d?)\s?({})\s?(\d\d)?(?!\w|:\d)"
_OFFSET = re.compile(r"([+−-])(\d\d?)(?::?(\d\d))?(?!\d)", re.ASCII)
_ROMAN = re.compile(r"(?=[xvi])(x{0,2}(?:ix|iv|v?i{0,3}))(?:e|eme|er|o)?")
_ROMAN_VALUES = {"i": 1, "v": 5, "x": 10}


class RuleEnd(NamedTuple):
    """The end of a rule: its rank in its category, and how its value is built from what was matched."""

    rank: int
    build: Build
    # The places of the arguments among the matched values; None for what was absent.
    arguments: tuple[int | None, ...]


class RuleNode:
    """A node of the tree of a category's rules, in which rules that begin alike share their beginning."""

    __slots__ = ("children", "ends", "followed")

    def __init__(self) -> None:
        """Create an empty node."""
        self.children: dict[str, RuleNode] = {}
        self.ends: list[RuleEnd] = []
        # Which children can follow tokens of some categories.
        self.followed: dict[frozenset[str], tuple[tuple[str, bool, RuleNode], ...]] = {}


class Grammar:
    """The rules by category, as trees."""

    def __init__(self, rules: Mapping[str, Iterable[tuple[str, Build]]]) -> None:
        """Compile the rules."""
        self.roots = {name: RuleNode() for name in rules}
        for name in rules:
            rank = 0
            for pattern, build in _inline(rules, name):
                for names, arguments in _expand(pattern):
                    node = self.roots[name]
                    for each in names:
                        node = node.children.setdefault(each, RuleNode())
                    node.ends.append(RuleEnd(rank, build, arguments))
                    rank += 1
        self.first = dict.fromkeys(rules, frozenset[str]())
        is_changed = True
        while is_changed:
            is_changed = False
            for name, root in self.roots.items():
                first = frozenset().union(*(self.first.get(each, {each}) for each in root.children))
                if first != self.first[name]:
                    self.first[name], is_changed = first, True

    def list_following(
        self, node: RuleNode, categories: frozenset[str]
    ) -> tuple[tuple[str, bool, RuleNode], ...]:
        """Return what can follow in a rule at a token: categories, whether they have rules, and the nodes."""
        found = node.followed.get(categories)
        if found is None:
            found = tuple(
                (name, name in self.roots, child)
                for name, child in node.children.items()
                if not categories.isdisjoint(self.first.get(name, (name,)))
            )
            if len(node.followed) < _MOST_CACHED:
                node.followed[categories] = found
        return found


def _inline(rules: Mapping[str, Iterable[tuple[str, Build]]], name: str) -> Iterable[tuple[str, Build]]:
    """Yield the rules of a category, with those of other large categories that it stands for as a whole."""
    for pattern, build in rules[name]:
        if pattern in INLINED:
            yield from _inline(rules, pattern)
        else:
            yield pattern, build


# Categories that begin alike, so that the tree is smaller with their rules in it.
INLINED = frozenset(
    {"hours_on_day", "recurring_time", "day_time", "day_range", "day_part", "period", "clock_range"}
)


# Words that lead on to what may be absent, and are no end of an expression.
DANGLING = frozenset({"of", "comma", "the", "dash"})


def _expand(pattern: str) -> Iterable[tuple[tuple[str, ...], tuple[int | None, ...]]]:
    """Return the rows of categories that a pattern stands for, those with most of them first."""
    rows: list[tuple[tuple[str, ...], tuple[int | None, ...]]] = [((), ())]
    for word in pattern.split():
        is_needed, is_optional = not word.startswith("~"), word.endswith("?")
        names = word.removeprefix("~").removesuffix("?").split("|")
        longer = []
        for row, arguments in rows:
            for name in names:
                longer.append(((*row, name), (*arguments, len(row)) if is_needed else arguments))
            if is_optional:
                longer.append((row, (*arguments, None) if is_needed else arguments))
        rows = longer
    needed = [each for each in pattern.split() if not each.endswith("?")]
    ends = needed[-1].removeprefix("~").split("|") if needed else []
    return [row for row in rows if row[0] and (row[0][-1] not in DANGLING or row[0][-1] in ends)]


class TokenReader:
    """The meanings of the tokens of a text in a language."""

    def __init__(self, text: str, tokens: TokenList, lexicon: Lexicon) -> None:
        """Take a text and its tokens."""
        self.text = text
        self.tokens = tokens
        self.lexicon = lexicon
        self._found: dict[int, Meanings] = {}
        self._categories: dict[int, frozenset[str]] = {}
        letters = "|".join(sorted(lexicon.table.hour_letters))
        self._letter_clock = _compile_letter_clock(letters)

    def read(self, place: int) -> Meanings:
        """Return the meanings of a token."""
        found = self._found.get(place)
        if found is None:
            found = self._found[place] = self._read(place)
        return found

    def list_categories(self, place: int) -> frozenset[str]:
        """Return the categories of a token."""
        found = self._categories.get(place)
        if found is None:
            found = self._categories[place] = frozenset(self.read(place))
        return found

    def _read(self, place: int) -> Meanings:
        if place >= len(self.tokens):
            return {}
        token = self.tokens[place]
        if token.text.isdigit() and token.text.isascii():
            number = self._read_number(place)
            if number and token.text in self.lexicon.root.children:
                number.update(self.lexicon.find(self.tokens, place))
            return number
        found = self.lexicon.find(self.tokens, place)
        if token.text in "+-" and place:
            self._read_offset(place, found)
        elif len(token.text) <= 7 and token.text[:1] in "xvi" and (roman := _ROMAN.fullmatch(token.text)):
            found.setdefault("roman", []).append((place + 1, _parse_roman(roman[1])))
        return found

    def _read_offset(self, place: int, found: Meanings) -> None:
        match = _OFFSET.match(self.text, self.tokens[place].start)
        if match and int(match[2]) <= 14 and int(match[3] or 0) < 60:
            minutes = int(match[2]) * 60 + int(match[3] or 0)
            value = minutes if match[1] == "+" else -minutes
            found.setdefault("zone_offset", []).append((self._find_end(match.end()), value))

    def _read_number(self, place: int) -> Meanings:
        tokens, table = self.tokens, self.lexicon.table
        token = tokens[place]
        found: Meanings = {}
        if place and token.is_joined and self._is_continued(place):
            return found
        following = tokens[place + 1] if place + 1 < len(tokens) else None
        digits = len(token.text)
        if digits <= 8 and following is not None and (following.is_joined or table.ordinal_dot):
            for name, pattern in _NUMERIC:
                if match := pattern.match(self.text, token.start):
                    end = self._find_end(match.end())
                    found.setdefault(name, []).append((end, match.groups()))
        elif digits == 8 and (match := _NUMERIC[2][1].match(self.text, token.start)):
            found["iso_basic"] = [(place + 1, match.groups())]
        if digits <= 2 and (match := self._letter_clock.match(self.text, token.start)):
            found["letter_clock"] = [(self._find_end(match.end()), (match[1], match[3]))]
        value = int(token.text) if digits <= 6 else -1
        if following is not None and following.is_joined:
            if following.text in table.ordinal_suffixes and digits <= 2:
                found["ord"] = found["digit_ord"] = [(place + 2, value)]
            if following.text == "." and table.ordinal_dot and digits <= 2:
                found["ord"] = found["digit_ord"] = [(place + 2, value)]
            if following.text == "." or (following.text == "," and "decimal" in found):
                after = tokens[place + 2] if place + 2 < len(tokens) else None
                if after is not None and after.is_joined and after.text.isdigit():
                    return found
        if value >= 0:
            found["int"] = [(place + 1, value)]
            if digits <= 2:
                found["int2"] = [(place + 1, value)]
                if table.bare_days:
                    found["bare_day"] = [(place + 1, value)]
            if digits == 4 and 1000 <= value < 3000:
                found["year"] = [(place + 1, value)]
        return found

    def _is_continued(self, place: int) -> bool:
        """Return whether a number is the rest of a longer one: `1:25:00`, `v2`, `3.14`."""
        before = self.tokens[place - 1]
        if before.text in "/:.,-" and place > 1 and before.is_joined:
            # A range of years or of days is the one thing whose second part is a number of its own.
            return self.tokens[place - 2].text.isdigit() and before.text != "-"
        if not before.text[-1:].isalnum() or before.text in ("t", "q", "h", "w", "s", "kw"):
            return False
        # `04Jan2019`
        return "month" not in self.read(place - 1)

    def _find_end(self, offset: int) -> int:
        return bisect_left(self.tokens.starts, offset)


_LETTER_CLOCKS: dict[str, re.Pattern[str]] = {}


def _compile_letter_clock(letters: str) -> re.Pattern[str]:
    if letters not in _LETTER_CLOCKS:
        _LETTER_CLOCKS[letters] = re.compile(_LETTER_CLOCK.format(letters), re.ASCII | re.IGNORECASE)
    return _LETTER_CLOCKS[letters]


def _parse_roman(word: str) -> int:
    total = 0
    for letter, following in zip(word, word[1:] + "i", strict=True):
        value = _ROMAN_VALUES[letter]
        total += -value if value < _ROMAN_VALUES[following] else value
    return total


def make_zone(minutes: int) -> timezone:
    """Return the zone of an offset."""
    return timezone(timedelta(minutes=minutes))


class ExpressionParser:
    """The readings of a text by the rules, each computed once."""

    def __init__(self, grammar: Grammar, reader: TokenReader) -> None:
        """Take a grammar, and the meanings of the tokens."""
        self.grammar = grammar
        self.reader = reader
        self._found: dict[tuple[str, int], dict[int, Any]] = {}
        # How much work the text was.
        self.steps = 0

    def parse(self, name: str, place: int) -> dict[int, Any]:
        """Return the readings of a category at a token: their ends and values."""
        key = (name, place)
        found = self._found.get(key)
        if found is not None:
            return found
        found = self._found[key] = {}
        for end, candidates in self._match(self.grammar.roots[name], place).items():
            # The first rule that accepts what it matched.
            candidates.sort(key=_get_rank)
            for (_, build, arguments), values in candidates:
                try:
                    value = build(*(None if each is None else values[each] for each in arguments))
                except UnresolvableDateError:
                    continue
                if value is not None:
                    found[end] = value
                    break
        return found

    def _match(self, root: RuleNode, place: int) -> dict[int, list[tuple[RuleEnd, tuple[Any, ...]]]]:
        candidates: dict[int, list[tuple[RuleEnd, tuple[Any, ...]]]] = {}
        states: list[tuple[RuleNode, int, tuple[Any, ...]]] = [(root, place, ())]
        reader, list_following, known = self.reader, self.grammar.list_following, self._found
        steps = 0
        while states:
            node, end, values = states.pop()
            steps += 1
            if node.ends:
                candidates.setdefault(end, []).extend((each, values) for each in node.ends)
            if not node.children or end - place > MOST_TOKENS or steps > _MOST_STEPS:
                continue
            for name, has_rules, child in list_following(node, reader.list_categories(end)):
                if has_rules:
                    matches = known.get((name, end))
                    for after, value in (self.parse(name, end) if matches is None else matches).items():
                        states.append((child, after, (*values, value)))
                else:
                    for after, value in reader.read(end)[name]:
                        states.append((child, after, (*values, value)))
        self.steps += steps
        return candidates


def _get_rank(candidate: tuple[RuleEnd, tuple[Any, ...]]) -> int:
    return candidate[0].rank
