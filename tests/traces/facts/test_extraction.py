"""Figures of proposed facts: published cases with a scripted good model, and with a lying one.

Each case is an entry, and for each expected fact the words that a good model quotes. If a shared case only
describes an entry, the entry is written out here.
"""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from traces.facts.proposals.answers import ClaimedFact
from traces.facts.proposals.checks import check_claims
from traces.facts.quote_check import find_quote, is_trait

THURSDAY: Final = datetime(2026, 3, 5, 20, tzinfo=UTC)
# Entries for descriptions of the shared cases.
WRITTEN_OUT: Final = {
    "<name Jason Thompson; software engineer at AWS; dog called Biggie>": (
        "Jason Thompson here, software engineer at AWS. I took my dog Biggie to the park."
    ),
    "<age is 28>": "I am 28 now, would you believe it.",
    "<deadline next Friday>": "The deadline is next Friday, and nothing is done.",
    "<dog Max>": "Walked with my dog Max, who found a stick.",
    "<loves pizza>": "We had pizza again. I love pizza!",
    "<favourite colour blue>": "Painted the door; my favourite colour is blue, after all.",
    "<anxious about tomorrow>": "I feel anxious about tomorrow.",
    "<learn Spanish>": "I want to learn Spanish before the summer.",
    "<three languages>": "At the party somebody was surprised that I speak three languages.",
    "<water freezes>": "Told the children that water freezes at 0 degrees Celsius.",
}
# What a fact is quoted with, where its own sentence is not the only one with its words.
MORE: Final = (
    (
        "My birthday is on May 5, and Anna's is on June 7.",
        "My birthday is on May 5",
        "Your birthday is on May 5",
    ),
    ("Our son Tim starts school in September.", "Our son Tim", "You have a son called Tim"),
    (
        "My wife Elena works as a nurse at the hospital.",
        "My wife Elena works as a nurse",
        "Your wife is Elena",
    ),
    (
        "My wife Elena works as a nurse at the hospital.",
        "My wife Elena works as a nurse",
        "Your wife Elena works as a nurse",
    ),
    ("We moved to Bristol in 2019.", "We moved to Bristol in 2019", "You moved to Bristol in 2019"),
    (
        "I'm allergic to penicillin, as the doctor found.",
        "I'm allergic to penicillin",
        "You are allergic to penicillin",
    ),
    (
        "I play tennis with Bob every Sunday.",
        "I play tennis with Bob every Sunday",
        "You play tennis with Bob every Sunday",
    ),
    ("Grandma's house is in Leeds.", "Grandma's house is in Leeds", "Grandma's house is in Leeds"),
    ("I bought a blue Volvo today.", "I bought a blue Volvo", "You have a Volvo"),
    ("I never eat fish.", "I never eat fish", "You never eat fish"),
    (
        "My cousin Ines is getting married on 12 June.",
        "My cousin Ines is getting married on 12 June",
        "Your cousin Ines is getting married on 12 June",
    ),
    (
        "I joined the choir of St Mary's.",
        "I joined the choir of St Mary's",
        "You joined the choir of St Mary's",
    ),
    (
        "I started at Siemens as an engineer.",
        "I started at Siemens as an engineer",
        "You started at Siemens as an engineer",
    ),
    ("Up at six, as always: I run before breakfast.", "I run before breakfast", "You run before breakfast"),
    (
        "Lunch with my old friend Paul, who lives in Kent now.",
        "my old friend Paul",
        "You have a friend called Paul",
    ),
    (
        "Lunch with my old friend Paul, who lives in Kent now.",
        "Paul, who lives in Kent now",
        "Paul lives in Kent",
    ),
    ("Meine Tochter Lena hat am 3. Mai Geburtstag.", "Meine Tochter Lena", "Deine Tochter heißt Lena"),
    (
        "Ich arbeite seit 2020 bei Siemens.",
        "Ich arbeite seit 2020 bei Siemens",
        "Du arbeitest seit 2020 bei Siemens",
    ),
    ("Wir haben zwei Katzen.", "Wir haben zwei Katzen", "Du hast zwei Katzen"),
    ("Ich trinke keinen Alkohol.", "Ich trinke keinen Alkohol", "Du trinkst keinen Alkohol"),
    ("Mein Bruder Tom wohnt in Graz.", "Mein Bruder Tom wohnt in Graz", "Dein Bruder Tom wohnt in Graz"),
)
NAMES: Final = ("Max", "Ottilie", "Graz", "Siemens", "Toyota")


def read_cases(shared: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the entries of the shared cases with the facts that are expected of each."""
    for line in (shared / "cases/extraction.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        text = WRITTEN_OUT.get(case["message"], case["message"])
        yield text, [each["fact"].replace("<resolved day>", "10 March 2026") for each in case["expect"]]


def claim(text: str, fact: str) -> list[ClaimedFact]:
    """Return a fact as a good model claims it: with the shortest sentence or part of one that supports it."""
    parts = [part.strip(" .!") for part in text.replace("!", ".").split(".") if part.strip()]
    parts += [piece.strip() for part in parts for piece in part.split(",")]
    return [ClaimedFact(fact=fact, quote=part, kind="people") for part in sorted(parts, key=len)]


def is_found(text: str, fact: str) -> bool:
    return any(check_claims([each], text=text, anchor=THURSDAY) for each in claim(text, fact))


def test_what_a_good_model_finds_is_shown_but_for_feelings_and_judgements(shared: Path) -> None:
    cases = [(text, fact) for text, facts in read_cases(shared) for fact in facts]

    missed = [fact for text, fact in cases if not is_found(text, fact)]

    print(f"{len(cases) - len(missed)} of {len(cases)} shared cases")
    assert missed == ["Sarah is supportive", "User feels anxious about tomorrow"]
    assert all(is_trait(fact, language="en") for fact in missed)


def test_the_same_holds_for_cases_of_our_own() -> None:
    missed = [
        fact
        for text, quote, fact in MORE
        if not check_claims([ClaimedFact(fact=fact, quote=quote)], text=text, anchor=THURSDAY)
    ]

    print(f"{len(MORE) - len(missed)} of {len(MORE)} cases of our own")
    assert missed == []


def iter_lies(text: str, quote: str, fact: str) -> Iterator[ClaimedFact]:
    """Yield claims that differ from what an entry says by a name, a number, a "not", a subject, or all."""
    pick = random.Random(fact)
    words = fact.split()
    name = pick.choice([each for each in NAMES if each not in text])
    yield ClaimedFact(fact=f"{fact} {name}", quote=quote)
    yield ClaimedFact(fact=" ".join([*words[:-1], name]), quote=quote)
    yield ClaimedFact(fact=f"{fact} and 17 more", quote=quote)
    yield ClaimedFact(fact=f"{name}'s {' '.join(words[1:])}", quote=quote)
    yield ClaimedFact(fact=f"{words[0]} never {' '.join(words[1:])}" if "never" not in words else
                      fact.replace("never ", ""), quote=quote)  # fmt: skip
    yield ClaimedFact(fact="You own a yacht", quote=quote)
    yield ClaimedFact(fact=fact, quote=f"{quote} and so on")
    yield ClaimedFact(fact=fact, quote=quote[::-1])


def test_of_a_model_that_lies_nothing_is_shown(shared: Path) -> None:
    cases = [
        (text, each.quote, each.fact)
        for text, facts in read_cases(shared)
        for fact in facts
        for each in claim(text, fact)
        if check_claims([each], text=text, anchor=THURSDAY)
    ]
    lies = [(text, lie) for case in (*cases, *MORE) for text in case[:1] for lie in iter_lies(*case)]

    shown = [(text, lie) for text, lie in lies if check_claims([lie], text=text, anchor=THURSDAY)]

    print(f"{len(shown)} of {len(lies)} lies")
    assert shown == []
    assert all(find_quote(text, quote) for text, quote, _ in MORE)
