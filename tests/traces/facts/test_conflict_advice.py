"""Figures of conflicts with a model's advice: which button comes first, and what a lying model changes.

36 pairs: the shared cases, and pairs of our own, some of which the tables can decide and some only by
meaning. The scripted good model answers like a careful reader; the lying one answers anything else.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from tests.people import Resident
from tests.traces.facts.fact_steps import add_fact, propose_fact
from traces.facts import services
from traces.facts.comparison import Comparison, Strategy, compare
from traces.facts.fact_body import get_text
from traces.facts.models import Fact, FactState
from traces.facts.proposals.conflict_tasks import ANSWERS, parse_advice
from traces.facts.queries import find_touched
from traces.facts.statements import read_statement

# An earlier sentence, a later one, and what a careful reader does.
OWN_PAIRS: Final = (
    ("User has two children", "User has three children", "update"),
    ("User is a software engineer", "User is a teacher", "update"),
    ("User likes tea", "User likes coffee", "keep both"),
    ("User has a cat", "User has a dog", "keep both"),
    ("User plays tennis", "User plays the piano", "keep both"),
    ("User has 12 bees", "User has 14 bees", "update"),
    ("Anna is a student", "Anna is a doctor", "update"),
    ("Anna is tall", "Anna is a doctor", "keep both"),
    ("User speaks French", "User speaks Spanish", "keep both"),
    ("User knows Anna", "User knows Bob", "keep both"),
    ("User's sister is Anna", "User's sister is Eva", "keep both"),
    ("User's dog is a puppy", "User's dog is an old dog", "update"),
    ("User wants to learn Spanish", "User wants to learn Italian", "keep both"),
    ("User owns a red bicycle", "User owns a boat", "keep both"),
    ("User drives a Volvo", "User drives a Tesla", "update"),
    ("User is 28 years old", "User is 29 years old", "update"),
    ("User's name is Jason", "User's name is Jason Thompson", "merge"),
    ("User has a cat", "User has a cat named Max", "merge"),
    ("User lives in Boston", "User lives in Boston, Massachusetts", "merge"),
    ("User likes tea", "User hates tea", "update"),
    ("User's manager is Sarah", "User's manager is Bob", "update"),
    ("Anna lives in Graz", "Anna moved to Vienna", "update"),
    ("User's favorite color is blue", "User's favourite colour is blue", "confirm"),
    ("User earns 50,000 a year", "User earns 60,000 a year", "ask"),
)
BUTTONS: Final = {
    "confirm": Strategy.SAID_AGAIN,
    "update": Strategy.REPLACE,
    "merge": Strategy.MERGE,
    "keep both": Strategy.BOTH,
}
# What a good model answers where a careful reader does so; asked is what holds for both.
WORDS: Final = {"update": "changed", "keep both": "both", "merge": "more", "ask": "both", "confirm": "both"}
LIES: Final = (
    *(json.dumps({"answer": word}) for word in (*ANSWERS, "forget", "update_timestamp", "archive_old")),
    '{"answer": ["changed"]}',
    "changed",
    "{" * 3_000,
    "",
)


def list_pairs(shared: Path) -> list[tuple[str, str, str]]:
    lines = (shared / "cases/conflicts.jsonl").read_text(encoding="utf-8").splitlines()
    cases = map(json.loads, lines)
    return [*((case["first"], case["then"], case["want"]["action"]) for case in cases), *OWN_PAIRS]


def judge(first: str, then: str, *, answer: str | None = None) -> Comparison:
    found = compare(*(read_statement(text, language="en") for text in (first, then)))
    return replace(found, advised=parse_advice(answer)) if answer is not None else found


def is_right(found: Comparison, wanted: str) -> bool:
    return found.asks if wanted == "ask" else found.first_strategy is BUTTONS[wanted]


def test_the_first_button_is_right_without_a_model_and_more_often_with_a_good_one(shared: Path) -> None:
    pairs = list_pairs(shared)
    assert len(pairs) == 36

    alone = [pair for pair in pairs if is_right(judge(*pair[:2]), pair[2])]
    advised = [
        pair
        for pair in pairs
        if is_right(judge(*pair[:2], answer=json.dumps({"answer": WORDS[pair[2]]})), pair[2])
    ]

    print(f"{len(alone)} of {len(pairs)} without a model, {len(advised)} with a good one")
    assert len(alone) >= 30
    assert len(advised) >= 34


def test_a_model_that_lies_moves_no_button_where_the_tables_know(shared: Path) -> None:
    for first, then, wanted in list_pairs(shared):
        found = judge(first, then)
        for lie in LIES:
            told = judge(first, then, answer=lie)
            assert told.takes_advice or told.first_strategy is found.first_strategy
            assert told.first_strategy is not Strategy.SAID_AGAIN or wanted == "confirm"
            assert told.asks == found.asks


def test_a_model_that_lies_retires_and_accepts_nothing(owner: Resident, shared: Path) -> None:
    # By the later sentence, which is proposed once.
    pairs = {then: first for first, then, _ in list_pairs(shared) if judge(first, then).takes_advice}
    facts = {first: add_fact(owner, first) for first in pairs.values()}
    proposed = [(propose_fact(owner, then), facts[first]) for then, first in pairs.items()]
    stored = ("state", "successor_id", "changed_at")
    before = list(Fact.objects.order_by("id").values_list("id", *stored))

    with owner.unlocked():
        said: list[dict[str, Any]] = [fact.body for fact in facts.values()]
        for fact, earlier in proposed:
            for lie in LIES:
                strategy = parse_advice(lie)
                if strategy is not None:
                    services.save_advice(
                        owner_id=owner.id, fact_id=fact.id, earlier_id=earlier.id, strategy=strategy
                    )
            touched = find_touched(owner.id, get_text(fact.body), besides=fact.id)
            assert all(each.fact.state == FactState.ACCEPTED for each in touched)

        assert list(Fact.objects.order_by("id").values_list("id", *stored)) == before
        assert [Fact.objects.get(id=fact.id).body for fact in facts.values()] == said
    assert len(pairs) > 10
    print(f"0 of {len(facts)} facts retired by {len(proposed) * len(LIES)} lies")
