"""The parser: finds all readings of a grammar category at a token, in linear time (packrat parsing).

A rule is a sequence of categories. A lower-case category that the grammar defines has rules of its own; any
other is looked up in the lexicon or among the numbers. Marks: `~` the value is not used, `?` optional, `|`
alternatives.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from copy import copy
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
_MOST_FOLLOWED = 500
# The categories of a token that end at the same place, and those of the token there; for each such place.
Profile = tuple[tuple[frozenset[str], frozenset[str]], ...]

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
    """Data of a complete grammar rule, stored at the last node of the rule in the tree of rules.

    Rules with a lower rank are tried first. `build` returns the value of what the rule has matched.
    """

    rank: int
    build: Callable[[tuple[Any, ...]], Any]


class RuleNode:
    """A node of the tree (trie) of a category's rules; rules with a common beginning share nodes."""

    __slots__ = ("children", "ends", "followed")

    def __init__(self) -> None:
        """Create an empty node."""
        self.children: dict[str, RuleNode] = {}
        self.ends: list[RuleEnd] = []
        # Which children can follow where some categories begin.
        self.followed: dict[frozenset[str], tuple[tuple[str, bool, RuleNode], ...]] = {}


class Grammar:
    """The grammar rules of time expressions, by category; those that begin alike share a branch of a tree."""

    def __init__(self, rules: Mapping[str, Iterable[tuple[str, Build]]]) -> None:
        """Compile the rules."""
        choices = _find_choices(rules)
        self.roots = {name: _compile(_inline(rules, name), choices) for name in rules}
        self._ends, self._pairs = _list_beginnings(self.roots)
        self._viable: dict[Profile, frozenset[str]] = {}

    def replace(self, rules: Mapping[str, Iterable[tuple[str, Build]]]) -> "Grammar":
        """Return a copy of the grammar in which `rules` replace the rules of some categories.

        The patterns of these categories must be the same as before.
        """
        other = copy(self)
        other.roots = {**self.roots, **{name: _compile(rules[name], {}) for name in rules}}
        return other

    def list_viable(self, profile: Profile) -> frozenset[str]:
        """Return the grammar categories that can begin at a token with this profile (see `Profile`).

        These are the token's own categories, and those that have a rule which can begin with the token.

        Such a rule must either consist of the token alone, or also allow the next token.
        """
        found = self._viable.get(profile)
        if found is None:
            bits = 0
            for categories, following in profile:
                for category in categories:
                    bits |= self._ends.get(category, 0)
                    pairs = self._pairs.get(category, {})
                    for each in following & pairs.keys():
                        bits |= pairs[each]
            named = [name for number, name in enumerate(self.roots) if bits >> number & 1]
            found = frozenset(named).union(*(categories for categories, _ in profile))
            if len(self._viable) < _MOST_CACHED:
                self._viable[profile] = found
        return found

    def list_following(
        self, node: RuleNode, viable: frozenset[str]
    ) -> tuple[tuple[str, bool, RuleNode], ...]:
        """Return the children of `node` with a viable category, each as (category, has_rules, child)."""
        found = tuple(
            (name, name in self.roots, child) for name, child in node.children.items() if name in viable
        )
        if len(node.followed) < _MOST_FOLLOWED:
            node.followed[viable] = found
        return found


def _compile(rules: Iterable[tuple[str, Build]], choices: Mapping[str, list[str]]) -> RuleNode:
    root = RuleNode()
    rank = 0
    for pattern, build in rules:
        for names, arguments in _expand(pattern, choices):
            node = root
            for each in names:
                node = node.children.setdefault(each, RuleNode())
            node.ends.append(RuleEnd(rank, _bind(build, arguments)))
            rank += 1
    return root


def _list_beginnings(roots: Mapping[str, RuleNode]) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Return which categories can be one token of a kind alone, and which can begin with two kinds of tokens.

    A set of categories is a number, in which bit n stands for the nth category of the grammar.
    """
    order: list[str] = []
    visited: set[str] = set()

    def visit(name: str) -> None:
        if name in roots and name not in visited:
            visited.add(name)
            for word in roots[name].children:
                visit(word)
            order.append(name)

    for name in roots:
        visit(name)
    first: dict[str, frozenset[str]] = dict.fromkeys(roots, frozenset())
    begun: dict[str, dict[str, frozenset[str]]] = {name: {} for name in roots}
    nothing: frozenset[str] = frozenset()
    for _ in range(len(roots)):
        before = dict(first)
        for name in order:
            first[name] = nothing.union(*(first.get(word, {word}) for word in roots[name].children))
        if before == first:
            break
    for _ in range(len(roots)):
        is_changed = False
        for name in order:
            table = begun[name]
            for word, node in roots[name].children.items():
                following = nothing.union(*(first.get(each, {each}) for each in node.children))
                following |= {""} if node.ends else nothing
                for one, others in begun.get(word, {word: frozenset([""])}).items():
                    found = (
                        table.get(one, nothing) | (others - {""}) | (following if "" in others else nothing)
                    )
                    if found != table.get(one):
                        table[one], is_changed = found, True
        if not is_changed:
            break
    ends: dict[str, int] = {}
    pairs: dict[str, dict[str, int]] = {}
    for number, name in enumerate(roots):
        for one, others in begun[name].items():
            for other in others:
                row, key = (pairs.setdefault(one, {}), other) if other else (ends, one)
                row[key] = row.get(key, 0) | 1 << number
    return ends, pairs


def _bind(build: Build, arguments: tuple[int | None, ...]) -> Callable[[tuple[Any, ...]], Any]:
    """Return a function that takes all matched values, and calls the builder with those that it needs."""
    match arguments:
        case ():
            return lambda _: build()
        case (int(first),):
            return lambda values: build(values[first])
        case (int(first), int(second)):
            return lambda values: build(values[first], values[second])
        case _:
            return lambda values: build(*[None if each is None else values[each] for each in arguments])


def _find_choices(rules: Mapping[str, Iterable[tuple[str, Build]]]) -> dict[str, list[str]]:
    """Return the categories that only choose between others, with these: `number` is `int` or `num`."""
    return {
        name: [pattern for pattern, _ in rows]
        for name, rows in ((name, list(rows)) for name, rows in rules.items())
        if all(
            build is get_value and pattern.isidentifier() and pattern not in rules for pattern, build in rows
        )
    }


def get_value(value: Any) -> Any:
    """Return the value unchanged. A grammar rule of a single category uses this as its `build` function."""
    return value


def _inline(rules: Mapping[str, Iterable[tuple[str, Build]]], name: str) -> Iterable[tuple[str, Build]]:
    """Yield the rules of a category; a rule that is only a category of INLINED is replaced by its rules."""
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


def _expand(
    pattern: str, choices: Mapping[str, list[str]]
) -> Iterable[tuple[tuple[str, ...], tuple[int | None, ...]]]:
    """Return the sequences of categories that a pattern stands for, each with the indexes of its arguments.

    A sequence with an optional category comes before the same sequence without it.
    """
    rows: list[tuple[tuple[str, ...], tuple[int | None, ...]]] = [((), ())]
    for word in pattern.split():
        is_needed, is_optional = not word.startswith("~"), word.endswith("?")
        written = word.removeprefix("~").removesuffix("?").split("|")
        names = [each for name in written for each in choices.get(name, [name])]
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
    """Reader of a text's tokens, which returns all meanings that each token can have in one language."""

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
        """Return a dict from category to the meanings of the token at `place`."""
        found = self._found.get(place)
        if found is None:
            found = self._found[place] = self._read(place)
        return found

    def list_categories(self, place: int) -> frozenset[str]:
        """Return the categories of the token at `place`."""
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
    """Return the time zone that is this many minutes ahead of UTC."""
    return timezone(timedelta(minutes=minutes))


class ExpressionParser:
    """A parser that caches its results for each token, so that nothing is parsed twice."""

    def __init__(self, grammar: Grammar, reader: TokenReader) -> None:
        """Take a grammar, and the meanings of the tokens."""
        self.grammar = grammar
        self.reader = reader
        # For each token the readings of categories that were asked for.
        self._found: dict[int, dict[str, dict[int, Any]]] = {}
        self._viable: dict[int, frozenset[str]] = {}
        # How much work the text was.
        self.steps = 0

    def parse(self, name: str, place: int) -> dict[int, Any]:
        """Parse the words at index `place` as the grammar category `name`. Return a dict of all results.

        The category may match several numbers of words. The keys of the dict are the indexes after the last
        word, and the values are what the words mean.
        """
        known = self._found.get(place)
        if known is None:
            known = self._found[place] = {}
        found = known.get(name)
        if found is not None:
            return found
        found = known[name] = {}
        for end, candidates in self._match(self.grammar.roots[name], place).items():
            # The first rule that accepts what it matched.
            if len(candidates) > 1:
                candidates.sort(key=_get_rank)
            for _, build, values in candidates:
                try:
                    value = build(values)
                except UnresolvableDateError:
                    continue
                if value is not None:
                    found[end] = value
                    break
        return found

    def _list_viable(self, place: int) -> frozenset[str]:
        """Return the categories that can begin at a token."""
        reader = self.reader
        meanings = reader.read(place)
        ends = {end for readings in meanings.values() for end, _ in readings}
        if len(ends) == 1:
            categories = reader.list_categories(place)
            return self.grammar.list_viable(((categories, reader.list_categories(ends.pop())),))
        by_end: dict[int, set[str]] = {}
        for category, readings in meanings.items():
            for end, _ in readings:
                by_end.setdefault(end, set()).add(category)
        return self.grammar.list_viable(
            tuple((frozenset(each), reader.list_categories(end)) for end, each in by_end.items())
        )

    def _match(
        self, root: RuleNode, place: int
    ) -> dict[int, list[tuple[int, Callable[[tuple[Any, ...]], Any], tuple[Any, ...]]]]:
        candidates: dict[int, list[tuple[int, Callable[[tuple[Any, ...]], Any], tuple[Any, ...]]]] = {}
        states: list[tuple[RuleNode, int, tuple[Any, ...]]] = [(root, place, ())]
        reader, list_following, known = self.reader, self.grammar.list_following, self._found
        viable_at = self._viable
        farthest = place + MOST_TOKENS
        steps = 0
        while states:
            node, end, values = states.pop()
            steps += 1
            for rank, build in node.ends:
                if end in candidates:
                    candidates[end].append((rank, build, values))
                else:
                    candidates[end] = [(rank, build, values)]
            if not node.children or end > farthest or steps > _MOST_STEPS:
                continue
            viable = viable_at.get(end)
            if viable is None:
                viable = viable_at[end] = self._list_viable(end)
            following = node.followed.get(viable)
            if following is None:
                following = list_following(node, viable)
            if not following:
                continue
            meanings = reader.read(end)
            parsed = known.get(end)
            for name, has_rules, child in following:
                if has_rules:
                    matches = parsed.get(name) if parsed else None
                    if matches is None:
                        matches = self.parse(name, end)
                        parsed = known[end]
                    if matches:
                        for after, value in matches.items():
                            states.append((child, after, (*values, value)))
                else:
                    for after, value in meanings[name]:
                        states.append((child, after, (*values, value)))
        self.steps += steps
        return candidates


def _get_rank(candidate: tuple[int, Any, Any]) -> int:
    return candidate[0]
