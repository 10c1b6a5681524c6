"""Tests of the check of facts against their quotes."""

from datetime import UTC, datetime

import pytest

from traces.facts.quote_check import find_quote, is_supported, is_trait

THURSDAY = datetime(2026, 3, 5, 20, tzinfo=UTC)
SUPPORTED = (
    ("en", "You have a dog called Biggie", "I took my dog Biggie to the park"),
    ("en", "You have two dogs", "I have two dogs"),
    ("en", "You have 2 dogs", "I have two dogs"),
    ("en", "You do not like coffee", "I don't like coffee"),
    ("en", "You have a dentist appointment on 10 March 2026", "I have a dentist appointment next Tuesday"),
    ("en", "Your name is Jason Thompson", "Jason Thompson here, software engineer at AWS"),
    ("en", "Your manager is Sarah", "My manager Sarah is very supportive."),
    ("en", "You went to the beach with Anna", "Went to the beach with Anna's brother"),
    ("en", "You are 28 years old", "turned 28 today"),
    ("de", "Du hast einen Hund", "Mein Hund hat heute gebellt"),
)
UNSUPPORTED = (
    ("en", "You have a dog called Max", "I took my dog Biggie to the park", "an invented name"),
    ("en", "You have three dogs", "I have two dogs", "another number"),
    ("en", "Anna was born in 1990", "Anna was born in 1991", "another year"),
    ("en", "You don't like coffee", "I like coffee", "an invented negation"),
    ("en", "You like coffee", "I don't like coffee", "a lost negation"),
    ("en", "You have an appointment on 11 March 2026", "I have an appointment next Tuesday", "another day"),
    ("en", "You live in New York", "I might move to New York", "a guess"),
    ("en", "You own a house", "I wish I owned a house", "a wish"),
    ("en", "You work at Google", "Do I work at Google?", "a question"),
    ("en", "You moved to Graz", "If I get the job, we move to Graz", "a condition"),
    ("de", "Du wohnst in Wien", "Vielleicht ziehe ich nach Wien", "a guess"),
    ("de", "Du magst Kaffee", "Ich mag keinen Kaffee", "a lost negation"),
)


@pytest.mark.parametrize(("language", "fact", "quote"), SUPPORTED)
def test_a_quote_that_says_it_supports_a_fact(language: str, fact: str, quote: str) -> None:
    assert is_supported(fact, quote=quote, anchor=THURSDAY, language=language)


@pytest.mark.parametrize(("language", "fact", "quote", "reason"), UNSUPPORTED)
def test_a_quote_that_says_something_else_does_not(language: str, fact: str, quote: str, reason: str) -> None:
    assert not is_supported(fact, quote=quote, anchor=THURSDAY, language=language), reason


def test_a_quote_is_found_word_for_word() -> None:
    text = "In the morning I took\n  my dog (Biggie) out. Rain."

    assert find_quote(text, "I took my dog (Biggie) out") == (15, 43)
    assert find_quote(text, "I took my dog Biggie out") is None
    assert find_quote(text, " \n ") is None
    assert find_quote(text, ".*") is None


@pytest.mark.parametrize(
    ("language", "fact"),
    [
        ("en", "You feel anxious about tomorrow"),
        ("en", "Sarah is supportive"),
        ("en", "You are lazy"),
        ("de", "Du bist oft traurig"),
    ],
)
def test_feelings_and_judgements_are_no_facts(language: str, fact: str) -> None:
    assert is_trait(fact, language=language)


@pytest.mark.parametrize("fact", ["You have a dog called Biggie", "Anna's birthday is on May 5"])
def test_what_can_be_looked_up_is_no_trait(fact: str) -> None:
    assert not is_trait(fact, language="en")
