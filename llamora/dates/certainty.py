"""Certainty of dates in running text, where words such as "may" or "sun" often mean something else.

In a field that asks for a date, every expression is accepted. In running text, "may", "the sun", "one am I"
and "mil gracias" are not dates, and a missed date does less harm than a wrong one.
"""

from functools import lru_cache

from llamora.dates import expressions as ex
from llamora.dates.lexicon import Lexicon
from llamora.dates.parsing import TokenReader
from llamora.dates.tokens import TokenList, fold_word

_SHILLINGS = frozenset(str(number) for number in range(10, 100, 10))
# Words that stand before a date and make none of what follows.
_FUNCTION_WORDS = ("on", "at", "the", "about", "since", "whole_of")
# What makes a noun of "morgen" and "mañana".
_NOUN_MARKERS = ("the", "a", "every", "rel", "whole_of", "greeting")


def is_certain(text: str, reader: TokenReader, first: int, last: int, expression: object) -> bool:
    """Return whether the tokens from first to last, parsed as an expression, certainly mean a date."""
    tokens, lexicon = reader.tokens, reader.lexicon
    inner = expression
    while isinstance(inner, ex.Approximate | ex.SinceExpression):
        inner = inner.inner
    if not _has_plain_meaning(inner):
        return False
    if isinstance(inner, ex.DayOfMonth) and inner.weekday is None:
        return "on" in lexicon.find(tokens, first) or (first > 0 and "on" in lexicon.find(tokens, first - 1))
    is_introduced = first > 0 and tokens.words[first - 1] in fold_all(lexicon.table.introducing)
    core, has_on = _skip_function_words(tokens, first, last, lexicon)
    words = tokens.words[core:last]
    if isinstance(inner, ex.Decade) and not _is_decade(words, first, core, last, tokens):
        return False
    if isinstance(inner, ex.NamedYears) and inner.precision == "year" and inner.first == inner.last:
        return _is_year(words, inner.first, is_introduced or expression is not inner)
    if isinstance(inner, ex.ClockTime) and inner is not expression:
        # "About noon".
        return True
    if isinstance(inner, ex.ClockTime) and words[-1] in ("am", "pm") and not words[0].isdigit():
        # "I as one am glad."
        return "at" in lexicon.find(tokens, first) or is_introduced
    if isinstance(inner, ex.Duration) and words[-1] == "s" and inner.amounts[-1][1] == "second":
        # "For 25s" was a price.
        return False
    if isinstance(inner, ex.RelativeDay) and len(words) == 1 and not _is_adverb(text, reader, core):
        return False
    if _crosses_sentence(text, reader, core, last):
        return False
    table = lexicon.table
    name = words[:-1] if words[-1] in (".", ",") else words
    if len(name) == 1 and name[0] in lexicon.abbreviations and not _is_abbreviation(text, tokens, core, last):
        return table.code == "en" and has_on
    if " ".join(tokens.words[first:last]) in table.ambiguous:
        return is_introduced
    return has_on or is_introduced or " ".join(words) not in table.ambiguous


def _has_plain_meaning(inner: object) -> bool:
    """Return whether an expression counts from the day of the text, not from an event told before it."""
    if isinstance(inner, ex.Offset) and (inner.is_narrative or _is_narrative(inner.base)):
        return False
    if isinstance(inner, ex.OnDay) and isinstance(inner.day, ex.Offset) and inner.day.is_narrative:
        return False
    # "The next day" is counted from what was told before.
    return not (isinstance(inner, ex.RelativeUnit) and inner.unit == "day" and inner.relation)


def _is_narrative(base: object) -> bool:
    return isinstance(base, ex.Offset) and base.is_narrative


def _skip_function_words(tokens: TokenList, first: int, last: int, lexicon: Lexicon) -> tuple[int, bool]:
    """Return the first token that is more than a preposition or article, and whether "on" was among them."""
    has_on = False
    for _ in range(4):
        meanings = lexicon.find(tokens, first)
        ends = [
            (end, name)
            for name in _FUNCTION_WORDS
            for end, _ in meanings.get(name, ())
            if end < last and tokens.words[end] not in ".,"
        ]
        if not ends:
            break
        first, name = max(ends)
        has_on = has_on or (name == "on" or any(other == "on" for end, other in ends if end == first))
    return first, has_on


def _is_decade(words: list[str], first: int, core: int, last: int, tokens: TokenList) -> bool:
    if words[0] in _SHILLINGS and words[-1] in ("s", "er", "ern"):
        # "40s" are shillings, or seconds, and "the 20s. piece" is a coin.
        is_coin = last + 1 < len(tokens) and tokens.words[last] == "." and tokens[last].is_joined
        return core > first and not is_coin
    # "In her forties" is an age.
    return len(words) > 1 or core > first


def _is_year(words: list[str], year: int, is_introduced: bool) -> bool:
    if len(words) == 1 and words[0].isdigit():
        return is_introduced
    # "Mil gracias", "neunzehnhundert Leute".
    is_spelled = not any(word.isdigit() for word in words)
    return not is_spelled or (is_introduced and year % 100 != 0)


def _is_adverb(text: str, reader: TokenReader, place: int) -> bool:
    """Return whether a word like "morgen" is the adverb (tomorrow), and not the noun (morning)."""
    tokens = reader.tokens
    if "daypart" not in reader.read(place):
        return True
    if place and not reader.list_categories(place - 1).isdisjoint(_NOUN_MARKERS):
        return False
    starts_sentence = place == 0 or tokens.words[place - 1] in ".!?:;"
    is_capital = text[tokens.starts[place]].isupper()
    return not is_capital or (
        starts_sentence and place + 1 < len(tokens) and tokens.words[place + 1].isalnum()
    )


def _crosses_sentence(text: str, reader: TokenReader, first: int, last: int) -> bool:
    """Return whether a dot within the words ends a sentence: "Mer e gio. Secondo me ..."."""
    tokens = reader.tokens
    for place in range(first, last - 1):
        if tokens.words[place] == "." and not tokens[place + 1].is_joined:
            following = reader.list_categories(place + 1)
            is_named = "month" in following or "weekday" in following
            if text[tokens.starts[place + 1]].isupper() and not is_named:
                return True
    return False


def _is_abbreviation(text: str, tokens: TokenList, place: int, last: int) -> bool:
    """Return whether a short word is written as an abbreviation, within a sentence that goes on."""
    dot = place + 1
    if dot >= len(tokens) or tokens.words[dot] != "." or not tokens[dot].is_joined or dot + 1 >= len(tokens):
        return False
    return not text[tokens.starts[dot + 1]].isupper() and last <= dot + 1


@lru_cache(maxsize=64)
def fold_all(words: frozenset[str]) -> frozenset[str]:
    """Return each word as `fold_word` returns it, for comparison with the tokens of a text."""
    return frozenset(fold_word(word) for word in words)
