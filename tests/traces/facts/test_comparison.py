"""Tests of the comparison of facts: pairs with a careful reader's verdict, and pairs made to fool it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from traces.facts.comparison import Comparison, Strategy, Verdict, compare
from traces.facts.statements import read_statement

# A sentence, a later one, and the verdict on them; German ones begin with du, ich or their forms.
PAIRS = (
    ("en", "User's favorite color is blue", "User's favorite color is green", "newer"),
    ("en", "User's favourite colour is blue", "User's favorite color is blue", "same"),
    ("en", "User is 28 years old", "User is 29 years old", "newer"),
    ("en", "User is 28", "User turned 29", "newer"),
    ("en", "User's age is 28", "User is 28 years old", "same"),
    ("en", "User's name is Jason Thompson", "User is called Jason Thompson", "same"),
    ("en", "User's name is Jason", "User's name is Jason Thompson", "extends"),
    ("en", "User has a cat", "User has a dog", "beside"),
    ("en", "User has a cat", "User has a cat named Max", "extends"),
    ("en", "User has two children", "User has three children", "beside"),
    ("en", "User likes tea", "User likes coffee", "beside"),
    ("en", "User likes tea", "User hates tea", "reversed"),
    ("en", "User likes tea", "User no longer likes tea", "newer"),
    ("en", "User lives in York", "User lives in New York", "newer"),
    ("en", "User lives in Boston", "User no longer lives in Boston", "newer"),
    ("en", "User lives in Boston", "User used to live in Boston", "newer"),
    ("en", "User lives in Boston", "User lives in Boston, Massachusetts", "extends"),
    ("en", "User works at Google as an engineer", "User works at Apple as an engineer", "newer"),
    ("en", "User is a software engineer", "User is a teacher", "beside"),
    ("en", "User works as a nurse", "User works as a teacher", "newer"),
    ("en", "User speaks French", "User speaks French and German", "extends"),
    ("en", "User speaks French and German", "User speaks French", "extends"),
    ("en", "User can play the piano", "User can't play the piano", "reversed"),
    ("en", "User smokes", "User quit smoking", "newer"),
    ("en", "User drinks coffee every morning", "User drinks coffee every evening", "beside"),
    ("en", "User is married to Anna", "User is divorced", "beside"),
    ("en", "User is married to Anna", "User is married to Eva", "newer"),
    ("en", "User is single", "User is married", "newer"),
    ("en", "User's manager is Sarah", "User's manager is Bob", "newer"),
    ("en", "User's sister is Anna", "User's sister is Eva", "beside"),
    ("en", "Anna's birthday is May 5", "Anna's birthday is May 6", "newer"),
    ("en", "User's birthday is on May 5", "User was born on May 5", "same"),
    ("en", "Anna lives in Graz", "Anna moved to Vienna", "newer"),
    ("en", "Anna lives in Graz", "Bob lives in Vienna", "beside"),
    (
        "en",
        "User has a call with Dr Lee on Monday",
        "User has a call with Dr Lee on Tuesday",
        "beside",
    ),
    ("en", "User wants to learn Spanish", "User wants to learn Italian", "beside"),
    ("en", "User is allergic to nuts", "User is allergic to nuts and shellfish", "extends"),
    ("en", "User earns 50,000 a year", "User earns 60,000 a year", "beside"),
    ("en", "The project deadline is March 15", "The project deadline is March 20", "newer"),
    ("en", "User has a brother", "User doesn't have a brother", "reversed"),
    ("en", "User has no pets", "User has a cat", "beside"),
    ("en", "User drives a Volvo", "User drives a Tesla", "newer"),
    ("en", "User is from Spain", "User is from Italy", "newer"),
    ("en", "User studies at MIT", "User studies physics at MIT", "beside"),
    ("en", "User joined Microsoft", "User works at Microsoft", "same"),
    ("en", "User plays tennis on Sundays", "User stopped playing tennis on Sundays", "newer"),
    ("en", "I live in Boston", "User lives in Boston", "same"),
    ("en", "You have a dog called Biggie", "User has a dog called Biggie", "same"),
    ("en", "My dog is called Biggie", "My dog is called Max", "beside"),
    ("en", "User has a dog called Biggie", "User's dog Biggie died", "beside"),
    ("de", "Du wohnst in Graz", "Du bist nach Wien gezogen", "newer"),
    ("de", "Ich wohne in Graz", "Ich wohne jetzt in Wien", "newer"),
    ("de", "Du arbeitest bei Siemens", "Du arbeitest bei Bosch", "newer"),
    ("de", "Du magst Kaffee", "Du magst keinen Kaffee", "reversed"),
    ("de", "Du hast einen Hund", "Du hast einen Hund namens Bello", "extends"),
    ("de", "Deine Schwester heißt Anna", "Deine Schwester ist Anna", "same"),
    ("de", "Du bist 28 Jahre alt", "Du bist 29 Jahre alt", "newer"),
    ("de", "Deine Lieblingsfarbe ist Blau", "Deine Lieblingsfarbe ist Grün", "newer"),
    ("de", "Du sprichst Französisch", "Du sprichst Französisch und Spanisch", "extends"),
    ("de", "Du bist Vegetarier", "Du isst Fleisch", "newer"),
    ("de", "Du wohnst in Graz", "Du wohnst nicht mehr in Graz", "newer"),
    ("de", "Du rauchst", "Du rauchst nicht mehr", "newer"),
    ("de", "Du hast einen Termin mit Anna am Montag", "Du hast einen Termin mit Bob am Montag", "beside"),
    ("de", "Ich heiße Jonas", "Du heißt Jonas", "same"),
)
# What the shared cases call an action, and the strategies whose buttons may stand first.
ACTIONS = {
    "confirm": {Strategy.SAID_AGAIN},
    "update": {Strategy.REPLACE},
    "merge": {Strategy.MERGE},
    "keep both": {Strategy.BOTH},
}


def judge(first: str, then: str, language: str = "en") -> Comparison:
    return compare(read_statement(first, language=language), read_statement(then, language=language))


@pytest.mark.parametrize(("language", "first", "then", "verdict"), PAIRS)
def test_a_pair_gets_the_verdict_of_a_careful_reader(
    language: str, first: str, then: str, verdict: str
) -> None:
    assert judge(first, then, language).verdict is Verdict(verdict)


def test_the_shared_cases_get_the_button_that_they_ask_for(shared: Path) -> None:
    path = shared / "cases" / "conflicts.jsonl"
    if not path.exists():
        pytest.skip(f"there are no cases at {path}")
    cases = [json.loads(line) for line in path.read_text().splitlines()]

    for case in cases:
        found, wanted = judge(case["first"], case["then"]), case["want"]["action"]
        assert found.asks if wanted == "ask" else found.first_strategy in ACTIONS[wanted], case
    assert len(cases) == 12


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("User is allergic to nuts", "User is not allergic to nuts"),
        ("User is married to Anna", "User is married to Eva"),
        ("User is vegetarian", "User eats meat"),
        ("User earns 50,000 a year", "User earns 60,000 a year"),
        ("User smokes", "User quit smoking"),
    ],
)
def test_what_is_sensitive_is_always_asked(first: str, then: str) -> None:
    assert judge(first, then).asks


# --- Pairs that differ by one thing ------------------------------------------------------------------------

SENTENCES = (
    "User lives in {place}",
    "User works at {place} with {name}",
    "User has {number} dogs",
    "User has a dog called {name}",
    "User's sister is {name}",
    "{name}'s birthday is on {day}",
    "{name} and {other} have a meeting on {day}",
    "User met {name} in {place} on {day}",
    "User owes {name} {number} euros",
    "User is allergic to nuts since {day}",
    "User is {number} years old",
    "The password hint of {name} begins with {number}",
    "{name} gave {other} a book",
    "User takes {number} pills every day",
    "Snow fell in {place} on {day}",
    "User likes {name} more than {other}",
)
NAMES, PLACES = ("Anna", "Bob", "Dr Lee", "Mia"), ("Graz", "New York", "York", "Rome")
NUMBERS, DAYS = ("2", "three", "12", "100"), ("May 5", "May 6", "Monday", "2021-05-05")
NEGATIONS = {
    "lives": "does not live",
    "works": "doesn't work",
    "has": "has no",
    "is": "isn't",
    "met": "never met",
    "have": "have no",
    "gave": "never gave",
    "fell": "did not fall",
}


def fill(sentence: str, name: str, other: str, place: str, number: str, day: str) -> str:
    return sentence.format(name=name, other=other, place=place, number=number, day=day)


def iter_changed() -> Iterator[tuple[str, str]]:
    """Yield sentences with one that differs by a name, a place, a number, a day, the order, or a negation."""
    for sentence, name, place, number, day in product(SENTENCES, NAMES, PLACES, NUMBERS, DAYS):
        base = fill(sentence, name, "Eva", place, number, day)
        for changed in (
            fill(sentence, "Cleo", "Eva", place, number, day),
            fill(sentence, "Eva", name, place, number, day),
            fill(sentence, name, "Eva", "Linz", number, day),
            fill(sentence, name, "Eva", place, "seven", day),
            fill(sentence, name, "Eva", place, number, "June 1"),
            *(base.replace(f" {word} ", f" {negated} ", 1) for word, negated in NEGATIONS.items()),
        ):
            if changed != base:
                yield base, changed


def test_nothing_that_differs_by_one_thing_is_called_the_same() -> None:
    pairs = set(iter_changed())

    assert len(pairs) > 500
    assert [pair for pair in pairs if judge(*pair).verdict is Verdict.SAME] == []
    assert [pair for pair in pairs if judge(*reversed(pair)).verdict is Verdict.SAME] == []


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("User has no brother and a sister", "User has a brother and no sister"),
        ("User has no brother and no sister", "User has a brother and a sister"),
        ("Anna loves Bob", "Bob loves Anna"),
        ("Der Hund beißt den Mann nicht", "Der Hund beißt den Mann"),
    ],
)
def test_order_and_the_place_of_a_negation_count(first: str, then: str) -> None:
    assert judge(first, then).verdict is not Verdict.SAME


@pytest.mark.parametrize("sentence", ["", " ", "?", "'s", "not", "User", "is", "is is is", "my", "x " * 5000])
def test_any_sentence_can_be_read(sentence: str) -> None:
    for language in ("en", "de", "nl", ""):
        statement = read_statement(sentence, language=language)
        assert compare(statement, statement).verdict is Verdict.SAME


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("You live in Boston", "You live in Graz"),
        ("You earn 50,000 a year", "You earn 60,000 a year"),
        ("You are married to Anna", "You are divorced"),
        ("You like tea", "You like tea"),
    ],
)
def test_advice_moves_no_button_where_the_tables_know_or_it_is_sensitive(first: str, then: str) -> None:
    found = compare(*(read_statement(text, language="en") for text in (first, then)))

    assert not found.takes_advice
    assert replace(found, advised=Strategy.MERGE).first_strategy is found.first_strategy
