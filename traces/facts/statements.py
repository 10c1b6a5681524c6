"""Statements: the meaning of a sentence, parsed with the word tables of its language instead of a model.

    "You moved to New York"     subject: you, relation: home, value: new york, from now on
    "Anna does not like tea"    subject: anna, relation: likes, value: tea, negated

A sentence that no table parses has no relation; its words are compared as they are. The result serves to
find the facts that a new one may repeat or affect, and to check that an entry states a proposed fact.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from traces.facts.languages import Attribute, Cardinality, Language, Relation
from traces.facts.languages.de import GERMAN
from traces.facts.languages.en import ENGLISH

LANGUAGES: Final = {table.code: table for table in (ENGLISH, GERMAN)}
OWNER: Final = "you"
# Of what the person says of somebody's or something's nature: "is a teacher".
IS: Final = "is"
AGE: Final = "age"

_APOSTROPHES: Final = str.maketrans({"’": "'", "ʼ": "'", "‘": "'", "`": "'"})
_WORD: Final = re.compile(r"\w+(?:'\w+)?|,")
_POSSESSIVE: Final = "'s"
_SEPARATOR: Final = ","
# A contraction with "is", where a name would be a possessive.
_PRONOUNS: Final = frozenset({"he", "she", "it", "that", "what", "who", "there", "here"})
_MOST_WORDS: Final = 200
_YEARS: Final = frozenset({"years", "year", "yrs", "old", "jahre", "jahr", "alt"})

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The parts of a sentence that states a fact: its subject, relation and value, in lower-case words.

    `value` is a tuple of items: "tea and coffee" has two. `is_new` if the sentence says that it is true from
    now on, `has_ended` if it says that it is no longer true.
    """

    subject: Words
    relation: str
    cardinality: Cardinality
    value: tuple[Words, ...]
    is_negative: bool = False
    is_new: bool = False
    has_ended: bool = False
    is_sensitive: bool = False
    # The words behind each "not": "no dog and a cat" is not "a dog and no cat".
    negated: Words = ()


class _Phrase(NamedTuple):
    relation: Relation
    # For each word its alternatives, each with the form that stands for it, and whether it may be missing.
    words: tuple[tuple[dict[str, str], bool], ...]


class _Tables(NamedTuple):
    """The tables of a language, folded like the words of a sentence."""

    language: Language
    phrases: dict[str, list[_Phrase]]
    attributes: dict[Words, Attribute]
    endings: tuple[tuple[dict[str, str], ...], ...]


def read_statement(sentence: str, *, language: str) -> Statement:
    """Return the statement of a sentence, read with the word tables of its language, or else of English."""
    tables = _get_tables(language if language in LANGUAGES else ENGLISH.code)
    words, marks = _take_marks(split_words(sentence, tables.language)[:_MOST_WORDS], tables)
    read = _read_attribute(words, tables) or _read_phrase(words, tables) or _read_copula(words, tables)
    if read is None:
        subject, value = words[:1], words[1:]
        read = _Reading(subject, "", Cardinality.UNKNOWN, value)
    return _build_statement(read, marks, tables.language)


def guess_language(sentence: str) -> str:
    """Return the first language whose word tables find a relation in a sentence, or English."""
    return next(
        (code for code in LANGUAGES if read_statement(sentence, language=code).relation), ENGLISH.code
    )


def split_words(sentence: str, language: Language) -> list[str]:
    """Return the folded words of a sentence: contractions as two, numbers as digits, commas as words."""
    text = unicodedata.normalize("NFKC", sentence).translate(_APOSTROPHES).casefold()
    words: list[str] = []
    for word in _WORD.findall(text):
        words += _expand(word, language)
    return words


def _expand(word: str, language: Language) -> list[str]:
    base, apostrophe, ending = word.partition("'")
    if apostrophe and ending == "s":
        return [base, "is"] if base in _PRONOUNS else [language.spellings.get(base, base), _POSSESSIVE]
    joined = base + ending
    spelled = language.spellings.get(word) or language.spellings.get(joined, joined)
    return [str(language.numbers.get(part, part)) for part in spelled.split()]


# --- Not, no longer, now -----------------------------------------------------------------------------------


class _Marks(NamedTuple):
    negated: Words
    has_ended: bool
    is_new: bool


def _take_marks(words: list[str], tables: _Tables) -> tuple[list[str], _Marks]:
    """Return the words without those that negate, end or begin a thing, and what these say."""
    language = tables.language
    left, has_ended = _take_endings(words, tables.endings)
    negated = tuple(_iter_negated(left, language))
    is_new = any(word in language.now_words for word in left)
    left = [word for word in left if word not in language.negations and word not in language.now_words]
    return left, _Marks(negated, has_ended, is_new)


def _iter_negated(words: list[str], language: Language) -> Iterator[str]:
    passed = language.negations | language.fillers | language.auxiliaries
    for at, word in enumerate(words):
        if word in language.negations:
            yield next((behind for behind in words[at + 1 :] if behind not in passed), "")


def _take_endings(words: list[str], endings: Iterable[tuple[dict[str, str], ...]]) -> tuple[list[str], bool]:
    there = set(words)
    for ending in endings:
        length = len(ending)
        if there.isdisjoint(ending[0]):
            continue
        for start in range(len(words) - length + 1):
            if words[start] not in ending[0]:
                continue
            if all(
                word in choice for word, choice in zip(words[start : start + length], ending, strict=True)
            ):
                return words[:start] + words[start + length :], True
    return words, False


# --- Subject, relation, value ------------------------------------------------------------------------------


class _Reading(NamedTuple):
    subject: Sequence[str]
    relation: str
    cardinality: Cardinality
    value: Sequence[str]
    is_sensitive: bool = False
    is_negative: bool = False
    is_change: bool = False


def _read_attribute(words: list[str], tables: _Tables) -> _Reading | None:
    """Read "her birthday is in May", "Anna's sister is called Eva", "the deadline is Friday"."""
    language = tables.language
    at = next((i for i, word in enumerate(words) if word in language.copulas), None)
    if at is None or at == 0:
        return None
    named, value = words[:at], words[at + 1 :]
    if value and value[0] in language.prepositions:
        value = value[1:]
    possessor, noun = _split_possessive(named, language)
    noun = [word for word in noun if word not in language.fillers]
    if favourite := _find_favourite(noun, language):
        return _Reading(possessor, favourite, Cardinality.ONE, value)
    for length in range(min(len(noun), 3), 0, -1):
        attribute = tables.attributes.get(tuple(noun[-length:]))
        # Something stands between "my sister" and "is": it is said of her, not of me.
        if attribute is not None and (length == len(noun) or possessor == noun[:-length]):
            relation = attribute.relation or attribute.nouns[0] if len(attribute.nouns) == 1 else ""
            relation = relation or attribute.relation or " ".join(noun[-length:])
            return _Reading(
                possessor or noun[:-length], relation, attribute.cardinality, value, attribute.is_sensitive
            )
    return None


def _split_possessive(words: list[str], language: Language) -> tuple[list[str], list[str]]:
    """Return the words for the possessor, and those for the thing that they have."""
    if words and words[0] in language.owner_possessives:
        return [OWNER], words[1:]
    if _POSSESSIVE in words:
        at = len(words) - 1 - words[::-1].index(_POSSESSIVE)
        return words[:at], words[at + 1 :]
    noun = [word for word in words if word not in language.fillers]
    return noun[:-1], noun


def _find_favourite(noun: list[str], language: Language) -> str:
    for favourite in language.favourites:
        if noun and noun[0] == favourite and len(noun) > 1:
            return "favourite " + " ".join(noun[1:])
        if noun and noun[0].startswith(favourite) and len(noun[0]) > len(favourite):
            return "favourite " + noun[0][len(favourite) :]
    return ""


def _read_phrase(words: list[str], tables: _Tables) -> _Reading | None:
    """Read a sentence by the first phrase of the tables in it; of several at one place, by the longest."""
    for start in range(1, len(words)):
        found = [
            (matched, phrase.relation)
            for phrase in tables.phrases.get(words[start], ())
            if (matched := _match(words, start, phrase))
        ]
        if found:
            matched, relation = max(found, key=lambda each: len(each[0]))
            value = words[start + len(matched) :]
            return _Reading(
                words[:start],
                relation.name,
                relation.cardinality,
                [*matched, *value] if relation.has_phrase_in_value else value,
                relation.is_sensitive,
                relation.is_negative,
                relation.is_change,
            )
    return None


def _match(words: list[str], start: int, phrase: _Phrase) -> list[str]:
    """Return the words of a sentence that match a phrase, each in its representative form, or no words."""
    found: list[str] = []
    for choice, is_optional in phrase.words:
        word = words[start + len(found)] if start + len(found) < len(words) else ""
        if word in choice:
            found.append(choice[word])
        elif not is_optional:
            return []
    return found


def _read_copula(words: list[str], tables: _Tables) -> _Reading | None:
    """Read "Anna is a teacher", and ages."""
    at = next((i for i, word in enumerate(words) if word in tables.language.copulas), None)
    if at is None or at == 0:
        return None
    value = words[at + 1 :]
    if value and value[0].isdecimal() and not set(value[1:]) - _YEARS - tables.language.fillers:
        return _Reading(words[:at], AGE, Cardinality.ONE, value[:1])
    return _Reading(words[:at], IS, Cardinality.UNKNOWN, value)


def _build_statement(read: _Reading, marks: _Marks, language: Language) -> Statement:
    return Statement(
        subject=_clean_subject(read.subject, language),
        relation=read.relation,
        cardinality=read.cardinality,
        value=tuple(_iter_items(read.value, language)),
        # "No longer" ends it, and says nothing of the reverse.
        is_negative=not marks.has_ended and bool(marks.negated) != read.is_negative,
        is_new=marks.is_new or read.is_change,
        has_ended=marks.has_ended,
        is_sensitive=read.is_sensitive,
        negated=() if marks.has_ended else marks.negated,
    )


def _clean_subject(words: Sequence[str], language: Language) -> Words:
    left = [
        OWNER if word in language.owner else word
        for word in words
        if word not in language.fillers
        and word not in language.owner_possessives
        and word not in (_POSSESSIVE, _SEPARATOR)
    ]
    # A verb that only helps stands behind a subject, and may be a name in front.
    while len(left) > 1 and left[-1] in language.auxiliaries:
        left.pop()
    return tuple(left)


def _iter_items(words: Sequence[str], language: Language) -> Iterator[Words]:
    item: list[str] = []
    for word in [*words, _SEPARATOR]:
        if word == _SEPARATOR or word in language.conjunctions:
            if item:
                yield tuple(item)
            item = []
        elif word not in language.fillers and word not in language.auxiliaries:
            item.append(word)


# --- Tables ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=len(LANGUAGES))
def _get_tables(code: str) -> _Tables:
    language = LANGUAGES[code]
    phrases: dict[str, list[_Phrase]] = {}
    for relation in language.relations:
        for phrase in relation.phrases:
            compiled = _Phrase(relation, tuple(_iter_choices(phrase)))
            for word in compiled.words[0][0]:
                phrases.setdefault(word, []).append(compiled)
    attributes = {tuple(noun.casefold().split()): each for each in language.attributes for noun in each.nouns}
    endings = tuple(
        tuple(choice for choice, _ in _iter_choices(ending))
        for ending in sorted(language.endings, key=lambda ending: -len(ending.split()))
    )
    return _Tables(language, phrases, attributes, endings)


def _iter_choices(phrase: str) -> Iterator[tuple[dict[str, str], bool]]:
    for part in phrase.casefold().split():
        options = [option.split("|") for option in part.removesuffix("?").split("/")]
        yield {form: forms[0] for forms in options for form in forms}, part.endswith("?")
