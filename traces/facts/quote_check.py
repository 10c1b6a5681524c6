"""The check that an entry contains the quote of a proposed fact, and that the quote supports the fact.

A fact is shown only if its quote occurs in the entry, every number and name of the fact occurs in the quote,
and either both are negative or neither is. A date may be resolved: "next Friday" supports the day that it
meant. A question supports no fact. A wish or a guess supports only a fact that repeats its word of doubt
("might", "wish"). A feeling, a trait of character or a judgement is not a fact.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from itertools import zip_longest
from typing import Final

from llamora.dates import DateMention, scan
from traces.facts.languages import Language
from traces.facts.languages.en import ENGLISH
from traces.facts.statements import LANGUAGES, split_words

# Words whose first letters are alike are forms of one word: Hund, Hundes.
_LEAST_STEM: Final = 4
_NUMBER: Final = re.compile(r"\d+(?:[.,:]\d+)*")
_CAPITALIZED: Final = re.compile(r"[^\W\d_]\w*")
Span = tuple[int, int]


def find_quote(text: str, quote: str) -> Span | None:
    """Return the span of a text that equals a quote except in white space, or None if there is none."""
    searched = " ".join(quote.split())
    if not searched:
        return None
    # Not by a pattern made of the quote: `re` would hold it in its cache after the diary is locked.
    places = [at for at, char in enumerate(text) if not (char.isspace() and text[at - 1 : at].isspace())]
    start = "".join(" " if text[at].isspace() else text[at] for at in places).find(searched)
    return None if start < 0 else (places[start], places[start + len(searched) - 1] + 1)


def is_supported(fact: str, *, quote: str, anchor: datetime, language: str) -> bool:
    """Return whether a quote contains all numbers, names and negations of a fact, and no wish or guess.

    `anchor` is the moment at which the entry was written, by which its dates are resolved.
    """
    table = LANGUAGES.get(language, ENGLISH)
    fact_dates, quote_dates = (scan(text, anchor, languages=[table.code]) for text in (fact, quote))
    if not all(_is_dated(mention, quote_dates) for mention in fact_dates):
        return False
    said, supported = _leave_out(fact, fact_dates), split_words(quote, table)
    return (
        not quote.rstrip().endswith("?")
        and _is_negative(fact, table) == _is_negative(quote, table)
        and not set(_iter_doubts(supported, table)) - set(split_words(fact, table))
        and _has_numbers(said, quote, table)
        and all(_occurs(name, supported) for name in _iter_names(said, table))
    )


def leave_out_dates(text: str, *, anchor: datetime, language: str) -> str:
    """Return a text without its time expressions."""
    table = LANGUAGES.get(language, ENGLISH)
    return _leave_out(text, scan(text, anchor, languages=[table.code]))


def is_trait(fact: str, *, language: str) -> bool:
    """Return whether a sentence describes a feeling, a trait of character, or a judgement."""
    table = LANGUAGES.get(language, ENGLISH)
    return not table.traits.isdisjoint(split_words(fact, table))


# --- Dates, numbers, names, negations ----------------------------------------------------------------------


def _is_dated(mention: DateMention, quoted: list[DateMention]) -> bool:
    """Return whether a quote has a time expression of the same meaning, words or days."""
    days = mention.when.days
    for other in quoted:
        if other.when == mention.when or other.text.casefold() == mention.text.casefold():
            return True
        if days and days == other.when.days:
            return True
    return False


def _leave_out(text: str, mentions: list[DateMention]) -> str:
    for mention in reversed(mentions):
        text = text[: mention.start] + " " + text[mention.end :]
    return text


def _iter_doubts(words: list[str], table: Language) -> Iterator[str]:
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        if word in table.doubts and (word, following) not in table.wishes:
            yield word


def _is_negative(text: str, table: Language) -> bool:
    return not table.negations.isdisjoint(split_words(text, table))


def _has_numbers(fact: str, quote: str, table: Language) -> bool:
    """Return whether a quote has every number of a fact, in digits or in words."""
    quoted = _list_numbers(quote, table)
    return all(number in quoted for number in _list_numbers(fact, table))


def _list_numbers(text: str, table: Language) -> set[str]:
    return {*_NUMBER.findall(text), *(word for word in split_words(text, table) if word.isdecimal())}


def _iter_names(fact: str, table: Language) -> Iterator[str]:
    """Yield the capitalized words of a fact, folded; the first one may be capitalized for its place."""
    known = table.owner | table.owner_possessives | table.fillers | table.auxiliaries
    for found in _CAPITALIZED.finditer(fact):
        word = unicodedata.normalize("NFKC", found.group())
        folded = word.casefold()
        if word[0].isupper() and folded not in known:
            yield folded


def _occurs(name: str, words: list[str]) -> bool:
    return any(word == name or _share_stem(word, name) for word in words)


def _share_stem(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) >= _LEAST_STEM and longer.startswith(shorter) and len(longer) - len(shorter) <= 2
