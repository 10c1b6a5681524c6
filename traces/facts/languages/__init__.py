"""Word tables with which statements of facts are parsed, in one module for each language.

A phrase is words separated by spaces; `a/b` are alternatives, `a|b` are forms of one word, of which the first
represents all, and `?` after a word makes it optional. Words are spelled as `statements.split_words` returns
them: folded, without apostrophes.
"""

from dataclasses import dataclass
from enum import Enum


class Cardinality(Enum):
    """The number of values that a subject can have in a relation at the same time."""

    ONE = "one"
    MANY = "many"
    # A meeting, an appointment: several on one day are no contradiction.
    DATED = "dated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A relation between a subject and a value ("likes"), and the phrases that express it.

    With `has_phrase_in_value`, the phrase is a part of the value ("is vegetarian"). A sensitive relation
    (health, marriage, diet, money, addiction) is never decided without the owner. A negative one is the
    reverse of the relation with the same name ("hates" and "likes").
    """

    name: str
    phrases: tuple[str, ...]
    cardinality: Cardinality = Cardinality.MANY
    has_phrase_in_value: bool = False
    is_sensitive: bool = False
    is_negative: bool = False
    # Whether the phrase says by itself that it is so from now on ("moved to").
    is_change: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """An attribute of a person or thing: the nouns for it ("birthday"), and how many values it can have."""

    nouns: tuple[str, ...]
    cardinality: Cardinality = Cardinality.ONE
    is_sensitive: bool = False
    # The relation that says the same in other words, if there is one.
    relation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """The word tables of one language: the phrases and words by which sentences are parsed into facts."""

    code: str
    relations: tuple[Relation, ...]
    attributes: tuple[Attribute, ...]
    # Prefix of an attribute of which one has one for each thing: favourite colour.
    favourites: tuple[str, ...]
    # Words for the person whose diary it is, and their possessives.
    owner: frozenset[str]
    owner_possessives: frozenset[str]
    negations: frozenset[str]
    # Phrases that end something: no longer, used to.
    endings: tuple[str, ...]
    now_words: frozenset[str]
    # Words that change nothing: articles, fillers, "called".
    fillers: frozenset[str]
    # Verbs that only help another one: does, has been.
    auxiliaries: frozenset[str]
    # Forms of "to be" between an attribute and its value.
    copulas: frozenset[str]
    conjunctions: frozenset[str]
    # Words before a day or a place that an attribute has: her birthday is "on" May 5.
    prepositions: frozenset[str]
    # Words that make a sentence a wish, a condition or a guess.
    doubts: frozenset[str]
    # Feelings, character and judgements of people, which are never proposed.
    traits: frozenset[str]
    # The owner as a subject, and words for other people and things in the place of a subject or possessor.
    subjects: frozenset[str]
    others: frozenset[str]
    # Articles and the like, behind which adjectives stand.
    determiners: frozenset[str]
    # "Have" and "own", and verbs after which somebody has a thing.
    having: frozenset[str]
    gains: frozenset[str]
    # Words that a fact may say where its quote does not, since they add nothing to it: age, name, years.
    joining: frozenset[str]
    # Prepositions that put two things in a relation: "Anna is with me" does not say who Anna is.
    relating: frozenset[str]
    # Endings of a word, of a verb of somebody else, and of adverbs.
    suffixes: tuple[str, ...]
    third_person: str
    # Of a verb that begins a sentence without its subject: "Walked to the weir".
    verb_endings: tuple[str, ...]
    adverb_ending: tuple[str, ...]
    # "Jason Thompson here", doubts about what stands before them, verbs of speech, and doubts that are wishes
    # of their own with the next word.
    introductions: frozenset[str]
    conditions: frozenset[str]
    sayings: frozenset[str]
    wishes: frozenset[tuple[str, str]]
    spellings: dict[str, str]
    numbers: dict[str, int]
